"""One history of a batch tried alone, and made smaller while engine and oracle still differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from tests.oracle import agreement, loading
from tests.oracle.calendar_oracle import Calendar
from tests.oracle.choices import Setting
from tests.oracle.world import World

PARTS = ("records", "holdings", "leaves", "waivers", "memberships")


def smallest(seed: int, name: str, calendar: Calendar) -> str:
    """The smallest history found on which they differ in one thing, and how; in words."""
    setting = agreement.setting(seed, calendar)
    made = agreement.history(seed, int(name.strip("w-")), setting)
    for as_of in setting.as_of:
        if differing := _differing(setting, made, as_of):
            break
    else:
        return "no difference in a full sweep\n"
    about = differing[0].partition("): ")[0]
    for fewer in _rules(setting):
        if _differing(fewer, made, as_of, about):
            setting = fewer
            break
    for part in PARTS:
        made = _with_less(setting, made, (as_of, about), part)
    rules = [f"  {rule}" for rule in setting.rules if rule.params["kind"] != "gate"]
    parts = [f"  {part}: {one}" for part in PARTS for one in getattr(made, part)]
    return "\n".join((*rules, *parts, *_differing(setting, made, as_of, about))) + "\n"


def _rules(setting: Setting) -> Iterator[Setting]:
    """Settings with the rules of one clause only."""
    for clause in dict.fromkeys(rule.clause for rule in setting.rules):
        # Debts point at their gates.
        kept = [r for r in setting.rules if r.clause == clause or r.params["kind"] == "gate"]
        yield replace(setting, rules=kept)


def _with_less(setting: Setting, made: World, wrong: tuple[datetime, str], part: str) -> World:
    """The world without whatever of a part does not matter; others point at its customers."""
    for one in list(getattr(made, part)):
        if getattr(one, "type", "") == "customer":
            continue
        rest = [other for other in getattr(made, part) if other is not one]
        fewer = replace(made, **{part: rest})
        if _differing(setting, fewer, *wrong):
            made = fewer
    return made


def _differing(setting: Setting, made: World, as_of: datetime, about: str = "") -> list[str]:
    told = agreement.Batch(setting, [made], setting)
    with transaction.atomic():
        loading.hush()
        told.lay()
        _, wrong = told.judged(as_of, full=True)
        transaction.set_rollback(True)
    return [one for one in wrong if about in one]
