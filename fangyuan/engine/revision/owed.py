"""How a draft's duties would have stood: its deadlines, cadences and fields to complete in time."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from fangyuan.core import spans, timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import ledger, rulebook
from fangyuan.engine.kinds import Required
from fangyuan.engine.revision import curves, drafts, tried

_SPAN: Final = """
SELECT CASE WHEN becomes = 'WAIVED' THEN becomes WHEN met_at <= {due} THEN 'MET'
            WHEN met_at IS NOT NULL THEN 'LATE' WHEN {due} < %s THEN 'BREACHED' ELSE 'OPEN' END,
       array_agg(DISTINCT b.person_id), count(*)
  FROM engine_case b {calendar} WHERE becomes IS NOT NULL GROUP BY 1"""


def run(
    trial: drafts.Trial,
    asked: curves.Asked,
    book: rulebook.Book,
    dry: Callable[[], AbstractContextManager[Any]],
) -> tuple[tried.Found, list[dict[str, Any]]]:
    """The duties beside those of the ledger, and how they would have fared under other numbers."""
    with dry() as cursor:
        cursor.execute(_statement(trial, asked, book))
        found = tried.look(cursor, trial)
        tried_spans = [_span_point(cursor, trial, one, asked) for one in points(trial)]
    own = _own_point(trial, found)
    curve = [own if own and one["value"] == own["value"] else one for one in tried_spans]
    curve = curve or ([own] if own else [])
    for value in _neighbours(trial):
        with dry() as cursor:
            curve.append(_denser(cursor, trial, value, asked, book))
    return found, curve


def _statement(trial: drafts.Trial, asked: curves.Asked, book: rulebook.Book) -> str:
    return compiler.template("replay").substitute(
        want=_want(trial, asked, book),
        starts=f"{timelines.literal(asked.starts_at)}::timestamptz",
        ends=f"{timelines.literal(asked.ends_at)}::timestamptz",
        standing=f"{timelines.literal(trial.standing)}::bigint[]",
        zone=timelines.ZONE,
        chosen=asked.chosen("coalesce(a.person_id, b.person_id)"),
    )


def _want(trial: drafts.Trial, asked: curves.Asked, book: rulebook.Book) -> str:
    """The rows the draft's rule would have given had it been in force all the while."""
    if trial.rule is None:
        return "SELECT * FROM engine_want WHERE false"
    kind = rulebook.kind_of(trial.rule)
    terms = book.terms(trial.rule)
    # A duty to complete asks once for what was there before it; the others need no earlier past.
    starts_at = terms.starts_at if isinstance(kind, Required) else asked.starts_at
    terms = replace(terms, starts_at=starts_at, ends_at=asked.ends_at, carried=())
    return ledger.wanted(trial.rule, kind, terms)


# --- sensitivity


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


def _span_point(
    cursor: Any, trial: drafts.Trial, value: str, asked: curves.Asked
) -> dict[str, Any]:
    """How the same deeds would have fared under another span."""
    due, _, calendar_join = compiler.due_of(value, "b.began_at")
    cursor.execute(_SPAN.format(due=due, calendar=calendar_join), [asked.as_of])
    states: Counter[str] = Counter()
    missing: set[int] = set()
    for state, people, number in cursor.fetchall():
        states[state] += number
        missing |= set(people) - {None} if state in tried.MISSED else set()
    label = spans.parse(value).label
    return curves.point(trial, ("within", value, label), states, len(missing))


def _own_point(trial: drafts.Trial, found: tried.Found) -> dict[str, Any] | None:
    if trial.rule is None:
        return None
    missing = sum(1 for person, counts in found.people.items() if person and counts[3])
    if within := trial.rule.params.get("within"):
        at = ("within", within, spans.parse(within).label)
        return curves.point(trial, at, found.after, missing, is_draft=True)
    if trial.kind != "CADENCE":
        return None
    at = _times(trial.rule.params.get("at_least", 1))
    return curves.point(trial, at, found.after, missing, is_draft=True)


def _times(number: int) -> tuple[str, Any, str]:
    return "at_least", number, f"每期 {number} 次"


def _neighbours(trial: drafts.Trial) -> list[int]:
    """One time more and one less in every period; each costs a replay of its own."""
    if trial.rule is None or trial.kind != "CADENCE":
        return []
    number = trial.rule.params.get("at_least", 1)
    return [n for n in (number - 1, number + 1) if n >= 1]


def _denser(
    cursor: Any, trial: drafts.Trial, value: int, asked: curves.Asked, book: rulebook.Book
) -> dict[str, Any]:
    rule = copy.copy(trial.rule)
    assert rule is not None  # noqa: S101 - only rules have neighbours
    rule.params = {**rule.params, "at_least": value}
    cursor.execute(_statement(replace(trial, rule=rule), asked, book))
    states, missing = tried.count(cursor)
    return curves.point(trial, _times(value), states, missing)
