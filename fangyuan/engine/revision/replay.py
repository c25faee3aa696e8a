"""A draft tried on the past: what its rules would have given, beside what the ledger holds.

Every statement runs in a transaction that the database keeps from writing and that is rolled back.
"""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from fangyuan.core import calendar, spans, timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import ledger, rulebook
from fangyuan.engine.kinds import Required
from fangyuan.engine.revision import drafts, tried

_CASES: Final = """
CREATE TEMP TABLE engine_case (
  subject_id bigint, occurrence text, began_at timestamptz, met_at timestamptz,
  was text, was_person_id bigint, was_due_at timestamptz,
  becomes text, person_id bigint, due_at timestamptz)
"""
_OF_TEAM: Final = """coalesce(a.person_id, b.person_id) IN (
  WITH RECURSIVE below AS (
    SELECT id FROM org_team WHERE id = {team}
    UNION SELECT t.id FROM org_team t JOIN below ON t.parent_id = below.id)
  SELECT m.person_id FROM org_membership m JOIN below ON below.id = m.team_id
   WHERE m.is_main AND m.removed_at IS NULL AND m.starts_on <= current_date
     AND (m.ends_on IS NULL OR m.ends_on >= current_date))"""


@dataclass(frozen=True)
class Asked:
    """Which past is asked for: the days from `first` to `last`, of a department or of all."""

    first: date
    last: date
    as_of: datetime
    team: int | None = None

    @property
    def starts_at(self) -> datetime:
        """The first instant."""
        return spans.midnight(self.first)

    @property
    def ends_at(self) -> datetime:
        """The instant after the last day, or now where that comes first."""
        return min(spans.midnight(self.last + timedelta(days=1)), self.as_of)

    @property
    def weeks(self) -> float:
        """How many weeks the days make."""
        return max((self.ends_at - self.starts_at) / timedelta(weeks=1), 1 / 7)


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
        found, curve = _tried(trial, asked, book)
        done.trials.append((trial, found))
        done.curves += curve
        for value in _neighbours(trial):
            done.curves.append(_denser(trial, value, asked, book))
        progress(100 * place // len(trials))
    done.seconds = round(time.monotonic() - began, 2)
    return done


@contextmanager
def dry() -> Iterator[Any]:
    """A cursor in a transaction that may not write and is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        ledger.prepare()
        cursor.execute(_CASES)
        cursor.execute("SET LOCAL transaction_read_only = on")
        try:
            yield cursor
        finally:
            transaction.set_rollback(True)


def _tried(
    trial: drafts.Trial, asked: Asked, book: rulebook.Book
) -> tuple[tried.Found, list[dict[str, Any]]]:
    with dry() as cursor:
        cursor.execute(_statement(trial, asked, book))
        found = tried.look(cursor, trial)
        spans_tried = [_span_point(cursor, trial, one, asked) for one in points(trial)]
    own = _own_point(trial, found)
    curve = [own if own and one["value"] == own["value"] else one for one in spans_tried]
    return found, curve or ([own] if own else [])


def _statement(trial: drafts.Trial, asked: Asked, book: rulebook.Book) -> str:
    team = _OF_TEAM.format(team=int(asked.team)) if asked.team else "true"
    return compiler.template("replay").substitute(
        want=_want(trial, asked, book),
        starts=f"{timelines.literal(asked.starts_at)}::timestamptz",
        ends=f"{timelines.literal(asked.ends_at)}::timestamptz",
        standing=f"{timelines.literal(trial.standing)}::bigint[]",
        zone=timelines.ZONE,
        chosen=team,
    )


def _want(trial: drafts.Trial, asked: Asked, book: rulebook.Book) -> str:
    """The rows the draft's rule would have given had it been in force all the while."""
    if trial.rule is None:
        return "SELECT * FROM engine_want WHERE false"
    kind = rulebook.kind_of(trial.rule)
    terms = book.terms(trial.rule)
    # A duty to complete asks once for what was there before it; the others need no earlier past.
    starts_at = terms.starts_at if isinstance(kind, Required) else asked.starts_at
    terms = replace(terms, starts_at=starts_at, ends_at=asked.ends_at, carried=None)
    return ledger.wanted(trial.rule, kind, terms)


# --- sensitivity

_SPAN: Final = """
SELECT CASE WHEN becomes = 'WAIVED' THEN becomes WHEN met_at <= {due} THEN 'MET'
            WHEN met_at IS NOT NULL THEN 'LATE' WHEN {due} < %s THEN 'BREACHED' ELSE 'OPEN' END,
       array_agg(DISTINCT b.person_id), count(*)
  FROM engine_case b {calendar} WHERE becomes IS NOT NULL GROUP BY 1"""


def points(trial: drafts.Trial) -> list[str]:
    """The spans that the curve of a rule tries: around its own, the laxest first."""
    within = trial.rule.params.get("within") if trial.rule else None
    if not within:
        return []
    span = spans.parse(within)
    before = _within(trial.params_before)
    base = max(span.amount, before.amount if before and before.unit is span.unit else 0)
    amounts = {max(round(base * share), 1) for share in (2, 1, 2 / 3, 1 / 2, 1 / 3)} | {span.amount}
    return [f"{n}{span.unit.value}" for n in sorted(amounts, reverse=True)]


def _within(params: dict[str, Any] | None) -> spans.Span | None:
    within = (params or {}).get("within")
    return spans.parse(within) if within else None


def _span_point(cursor: Any, trial: drafts.Trial, value: str, asked: Asked) -> dict[str, Any]:
    """How the same deeds would have fared under another span."""
    due, _, calendar_join = compiler.due_of(value, "b.began_at")
    cursor.execute(_SPAN.format(due=due, calendar=calendar_join), [asked.as_of])
    states: Counter[str] = Counter()
    missing: set[int] = set()
    for state, people, number in cursor.fetchall():
        states[state] += number
        missing |= set(people) - {None} if state in tried.MISSED else set()
    return _said(trial, ("within", value), states, len(missing))


def _own_point(trial: drafts.Trial, found: tried.Found) -> dict[str, Any] | None:
    if trial.rule is None:
        return None
    name = "within" if trial.rule.params.get("within") else "at_least"
    if name == "at_least" and trial.kind != "CADENCE":
        return None
    value = trial.rule.params.get(name, 1)
    missing = sum(1 for person, counts in found.people.items() if person and counts[3])
    return _said(trial, (name, value), found.after, missing, is_draft=True)


def _neighbours(trial: drafts.Trial) -> list[int]:
    """One time more and one less in every period; each costs a replay of its own."""
    if trial.rule is None or trial.kind != "CADENCE":
        return []
    number = trial.rule.params.get("at_least", 1)
    return [n for n in (number - 1, number + 1) if n >= 1]


def _denser(trial: drafts.Trial, value: int, asked: Asked, book: rulebook.Book) -> dict[str, Any]:
    rule = copy.copy(trial.rule)
    assert rule is not None  # noqa: S101 - only rules have neighbours
    rule.params = {**rule.params, "at_least": value}
    with dry() as cursor:
        cursor.execute(_statement(replace(trial, rule=rule), asked, book))
        states, missing = tried.count(cursor)
    return _said(trial, ("at_least", value), states, missing)


def _said(
    trial: drafts.Trial,
    at: tuple[str, Any],
    states: Counter[str],
    missing: int,
    *,
    is_draft: bool = False,
) -> dict[str, Any]:
    return {
        "clause": trial.number,
        "line": trial.line,
        "parameter": at[0],
        "value": at[1],
        "is_draft": is_draft,
        **tried.tallied(states),
        "people_missing": missing,
    }


def told(done: Outcome, *, most_cases: int = 2000) -> dict[str, Any]:
    """The report: plain values in a stable shape (docs/cli.md)."""
    found = [one for _, one in done.trials]
    both = {side: Counter[str]() for side in ("before", "after")}
    for one in found:
        both["before"].update(one.before)
        both["after"].update(one.after)
    flips: Counter[str] = Counter()
    for one in found:
        flips.update(one.flips)
    return {
        "from": done.asked.first.isoformat(),
        "to": done.asked.last.isoformat(),
        "as_of": done.asked.as_of.astimezone(spans.SHANGHAI).isoformat(),
        "seconds": done.seconds,
        "before": tried.tallied(both["before"]),
        "after": tried.tallied(both["after"]),
        "flips": {name: flips[name] for name in tried.FLIPS},
        "clauses": [tried.clause(trial, one) for trial, one in done.trials],
        **tried.groups(found, done.asked.weeks),
        "curve": sorted(done.curves, key=lambda one: (one["clause"], one["line"], one["missed"])),
        "cases": [case for one in found for case in one.cases][:most_cases],
    }
