"""Comparing the engine's ledger with the oracle's duties, world by world, in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from fangyuan.engine import sweep
from tests.oracle import (
    alerts,
    before,
    choices,
    gates,
    histories,
    laying,
    loading,
    measured,
    oracle,
    world,
)
from tests.oracle.calendar_oracle import Calendar, said
from tests.oracle.facts import View
from tests.oracle.world import SHIPPED_FROM, World

measured.declare()
Key = tuple[Any, ...]
Stands = tuple[Any, ...]
LEDGER = """
SELECT rule_id, subject_type, subject_id, occurrence, person_id, began_on, due_at, met_at, state,
       coalesce((cause ->> 'told_late')::boolean, false),
       coalesce((cause ->> 'provisional')::boolean, false),
       coalesce((cause ->> 'imported')::boolean, false)
  FROM engine_obligation WHERE NOT cause ? 'gone'
"""
RAISED = """
SELECT rule_id, subject_type, subject_id, raised_at, cleared_at, person_id, also_told
  FROM engine_alert WHERE removed_at IS NULL
"""
# What is compared of a duty, and of an alert, in this order.
OF_DUTY = (
    "person",
    "began_on",
    "due_at",
    "met_at",
    "state",
    "told_late",
    "provisional",
    "imported",
)
OF_ALERT = ("cleared_at", "person", "also_told")


@dataclass
class Batch:
    """Worlds of one setting that lie side by side in the database."""

    setting: choices.Setting
    worlds: list[World]
    before: choices.Setting
    earlier: list[World] = field(default_factory=list)
    rules: dict[int, world.Rule] = field(default_factory=dict)
    made: loading.Load | None = None
    laid: loading.Load | None = None

    def lay(self) -> None:
        """Write everything into the product's tables."""
        self.laid, self.rules = laying.lay(self.setting)
        self.made = loading.load(self.worlds, SHIPPED_FROM, self.laid.ids)

    def become(self, worlds: list[World], setting: choices.Setting) -> None:
        """Turn what is in the product's tables into these worlds under this setting."""
        assert self.made is not None
        assert self.laid is not None
        self.rules = laying.relay(self.laid, self.setting, setting)
        loading.amend(self.made, self.worlds, worlds)
        self.worlds, self.setting = worlds, setting

    def judged(self, as_of: datetime, *, full: bool = False) -> tuple[int, list[str]]:
        """Sweep to an instant; how many verdicts there are, and where they differ."""
        outcome = sweep.sweep(as_of, full=full)
        if outcome.failed:
            return 0, [f"as of {as_of} rules failed: {outcome.failed}"]
        expected = self.expected(as_of)
        wrong = [f"as of {as_of}: {one}" for one in differences(expected, self.found())]
        assert self.made is not None
        asked, refused = gates.compared(self.worlds, self.setting, as_of, self.made)
        return len(expected) + asked, wrong + refused

    def expected(self, as_of: datetime) -> dict[Key, Stands]:
        """What the oracle says."""
        found: dict[Key, Stands] = {}
        for one in self.worlds:
            view = View(histories.under(one, self.setting), as_of)
            for duty in oracle.settled(view):
                found[duty[:6]] = duty[6:]
            for told in alerts.raised(view):
                raised_at = said(told.raised_at)
                key = (told.clause, told.line, told.version, told.record, told.key, raised_at)
                found[key] = (told.cleared_at, told.person, told.also_told)
        return found

    def found(self) -> dict[Key, Stands]:
        """What stands in the ledger; void rows that today's facts do not produce are left out."""
        assert self.made is not None
        keys = {number: key.partition(":")[2] for key, number in self.made.ids.items()}
        keys[None] = None
        names = {n: (rule.clause, rule.line, rule.version) for n, rule in self.rules.items()}
        stands: dict[Key, Stands] = {}
        with connection.cursor() as cursor:
            cursor.execute(LEDGER)
            for (
                rule,
                record,
                subject,
                occurrence,
                person,
                began_on,
                due,
                met,
                state,
                *more,
            ) in cursor:
                stands[*names[rule], record, keys[subject], occurrence] = (
                    keys[person], began_on, due, met, state.lower(), *more,
                )  # fmt: skip
            cursor.execute(RAISED)
            for rule, record, subject, raised_at, cleared_at, person, also in cursor:
                told = [keys[one] for one in (person, *also) if one is not None]
                first = told.pop(0) if person is not None else None
                stands[*names[rule], record, keys[subject], said(raised_at)] = (
                    cleared_at, first, frozenset(told),
                )  # fmt: skip
        return stands


def setting(seed: int, calendar: Calendar) -> choices.Setting:
    """The setting of a batch."""
    return histories.random_setting(choices.Dice(seed), calendar)


def batch(seed: int, size: int, calendar: Calendar, *, with_past: bool = False) -> Batch:
    """A setting with some worlds, from a seed, and, if asked for, all of it as it stood before."""
    ruled = setting(seed, calendar)
    told = Batch(ruled, [history(seed, number, ruled) for number in range(size)], ruled)
    if with_past:
        told.before = before.earlier_setting(choices.Dice(-seed), ruled)
        told.earlier = [past(seed, number, ruled) for number in range(size)]
    return told


def history(seed: int, number: int, ruled: choices.Setting) -> World:
    """One world of a batch; no other need be made for it."""
    return world.renamed(histories.random_world(_dice(seed, number), ruled), f"w{number}-")


def past(seed: int, number: int, ruled: choices.Setting) -> World:
    """The same as it stood before."""
    pick = _dice(seed, number)
    made = histories.random_world(pick, ruled)
    return world.renamed(before.earlier(pick, ruled, made), f"w{number}-")


def _dice(seed: int, number: int) -> choices.Dice:
    return choices.Dice(seed * 1_000_003 + number)


def differences(expected: dict[Key, Stands], found: dict[Key, Stands]) -> list[str]:
    """Every disagreement, in words; empty where oracle and engine agree."""
    return list(_differences(expected, found))


def _differences(expected: dict[Key, Stands], found: dict[Key, Stands]) -> Iterable[str]:
    for key in sorted({key for key in {*expected, *found} if expected.get(key) != found.get(key)}):
        wanted, stands = expected.get(key), found.get(key)
        if stands is None:
            yield f"{key}: the engine has nothing, the oracle {wanted}"
        elif wanted is None:
            # 17: up to void rows that today's facts do not produce.
            if "void" not in stands:
                yield f"{key}: the oracle has nothing, the engine {stands}"
        else:
            names = OF_DUTY if len(wanted) == len(OF_DUTY) else OF_ALERT
            yield f"{key}: " + "; ".join(
                f"{name}: oracle {one}, engine {other}"
                for name, one, other in zip(names, wanted, stands, strict=True)
                if one != other
            )
