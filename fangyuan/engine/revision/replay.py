"""A draft tried on the past: what its rules would have done, beside what those in force did.

Every statement runs in a transaction that the database keeps from writing and that is rolled back.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection, transaction

from fangyuan.core import calendar, spans
from fangyuan.engine import ledger, rulebook
from fangyuan.engine.revision import asking, drafts, owed, passes, refused, tried, warned
from fangyuan.engine.revision.curves import Asked as Asked

_CASES: Final = """
CREATE TEMP TABLE engine_case (
  subject_id bigint, occurrence text, began_at timestamptz, met_at timestamptz,
  was text, was_person_id bigint, was_due_at timestamptz,
  becomes text, person_id bigint, due_at timestamptz)
"""
_FAMILIES: Final = {
    "DUTIES": owed.run,
    "REFUSALS": refused.run,
    "REQUESTS": asking.run,
    "ALERTS": warned.run,
}


@dataclass
class Outcome:
    """What came of it, rule by rule; `told` makes it the stable report."""

    asked: Asked
    trials: list[tuple[drafts.Trial, tried.Found]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def replay(
    trials: list[drafts.Trial], asked: Asked, *, progress: Callable[[int], object] = lambda _: None
) -> Outcome:
    """Try rules of a draft on the past, without writing; `progress` is told parts of a hundred."""
    began, done = time.monotonic(), Outcome(asked)
    book = rulebook.open_book(asked.as_of, calendar.stored())
    for place, trial in enumerate(trials, 1):
        found, curve = _FAMILIES[trial.family](trial, asked, book, dry)
        done.trials.append((trial, found))
        done.curves += curve
        progress(100 * place // len(trials))
    done.seconds = round(time.monotonic() - began, 2)
    return done


@contextmanager
def dry() -> Iterator[Any]:
    """A cursor in a transaction that may not write and is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        ledger.prepare()
        cursor.execute(_CASES)
        cursor.execute(passes.TABLES)
        cursor.execute("SET LOCAL transaction_read_only = on")
        try:
            yield cursor
        finally:
            transaction.set_rollback(True)


def told(done: Outcome, *, most_cases: int = 2000) -> dict[str, Any]:
    """The report: plain values in a stable shape (docs/cli.md). Duties stand at its top, gates,
    requests and alerts each in a family of their own."""
    weeks = done.asked.weeks
    families = {trial.family for trial, _ in done.trials} - {"DUTIES"}
    share = most_cases // (len(families) + 1)
    return {
        "from": done.asked.first.isoformat(),
        "to": done.asked.last.isoformat(),
        "as_of": done.asked.as_of.astimezone(spans.SHANGHAI).isoformat(),
        "seconds": done.seconds,
        **_family(done, "DUTIES", weeks),
        "families": [
            {"family": one, **_family(done, one, weeks)} for one in _FAMILIES if one in families
        ],
        "clauses": [tried.clause(trial, one) for trial, one in done.trials],
        "curve": sorted(done.curves, key=_by_effect),
        "cases": [case for family in _FAMILIES for case in _cases(done, family)[:share]],
    }


def _cases(done: Outcome, family: str) -> list[dict[str, Any]]:
    return [case for trial, one in done.trials if trial.family == family for case in one.cases]


def _by_effect(point: dict[str, Any]) -> tuple[Any, ...]:
    return point["clause"], point["line"], point["missed"], point["duties"]


def _family(done: Outcome, family: str, weeks: float) -> dict[str, Any]:
    found = [one for trial, one in done.trials if trial.family == family]
    both = {side: Counter[str]() for side in ("before", "after")}
    flips: Counter[str] = Counter()
    for one in found:
        both["before"].update(one.before)
        both["after"].update(one.after)
        flips.update(one.flips)
    return {
        "before": tried.tallied(both["before"]),
        "after": tried.tallied(both["after"]),
        "flips": {name: flips[name] for name in tried.FLIPS},
        **tried.groups(found, weeks),
        **(tried.seated(found, weeks) if family == "REQUESTS" else {}),
    }
