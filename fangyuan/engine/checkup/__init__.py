"""The checkup of the rulebook: what is wrong with its clauses and rules, as in force or drafted.

Reads clauses, rules, the ledger's tallies and who is there; writes nothing and changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from django.utils import timezone

from fangyuan.engine import models
from fangyuan.engine.checkup import bound, conflicts, lived, people, sheets, texts
from fangyuan.engine.checkup.flaws import KINDS as KINDS
from fangyuan.engine.checkup.flaws import SEVERITIES as SEVERITIES
from fangyuan.engine.checkup.flaws import Flaw as Flaw
from fangyuan.engine.checkup.flaws import Kind as Kind

# What a draft can do something about; how a rule fared is no matter of the draft.
OF_DRAFTS = (
    "CLASH", "OWNERS", "GATES", "NOBODY", "STALE", "TOO_MANY", "UNBOUND", "UNRULED", "VAGUE",
)  # fmt: skip


def look(
    code: str = "",
    *,
    proved: Mapping[str, bool] | None = None,
    labels: Mapping[str, str] | None = None,
) -> list[Flaw]:
    """Every flaw of a regulation, or of all, the worst first; `proved` says of which clauses an
    example passed (None: nobody tried), `labels` how actions are called."""
    every = sheets.in_force()
    own = [sheet for sheet in every if not code or sheet.policy == code]
    today = timezone.localdate()
    found = [
        *texts.every(own),
        *bound.every(own, proved),
        *lived.every(own, today),
        *people.every(own),
        *(flaw for flaw in conflicts.every(every, _since(today)) if _concerns(flaw, own)),
        *(() if code else bound.demanded(every, labels or {})),
    ]
    return _named(found, every)


def look_at(draft: models.Policy) -> list[Flaw]:
    """The flaws that the clauses of a draft would have, before it is published."""
    every = sheets.drafted(draft)
    changed = [sheet for sheet in every if sheet.is_drafted]
    found = [
        *texts.every(changed),
        *people.every(changed),
        *bound.every((sheet for sheet in changed if not sheet.bindings), None),
        *lived.tightened(changed, timezone.localdate()),
        *(f for f in conflicts.every(every, _since(timezone.localdate())) if _concerns(f, changed)),
    ]
    return _named([flaw for flaw in found if flaw.code in OF_DRAFTS], every)


def _since(today: date) -> date:
    return today - timedelta(days=lived.DAYS)


def _concerns(flaw: Flaw, own: Iterable[sheets.Sheet]) -> bool:
    numbers = {sheet.number for sheet in own}
    return flaw.clause in numbers or bool(numbers & set(flaw.others))


def _named(found: list[Flaw], every: Iterable[sheets.Sheet]) -> list[Flaw]:
    """The flaws with the titles and texts of their clauses, the worst first, each once."""
    known = {sheet.number: sheet for sheet in every}
    named = {}
    for flaw in found:
        sheet = known.get(flaw.clause)
        if sheet is not None:
            flaw = replace(flaw, policy=sheet.policy, title=sheet.title, text=sheet.text)
        named[flaw.key] = flaw
    return sorted(named.values(), key=lambda flaw: flaw.rank)
