"""Which passes of the past a draft's gate would have stopped, and which saves its check refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from fangyuan.core import records
from fangyuan.engine import rulebook
from fangyuan.engine.revision import curves, drafts, passes, tried

Params = dict[str, Any] | None
# A save is refused only for what it breaks itself: what was lacking before it does not count.
_STATE: Final = """CASE WHEN NOT ({where}) THEN NULL WHEN ({holds}) OR NOT ({whole}) THEN 'MET'
     ELSE 'BREACHED' END"""
_CASES: Final = """
INSERT INTO engine_case
SELECT * FROM (
  SELECT p.record_id, 'pass:' || p.place, p.at, NULL::timestamptz,
         {was} AS was, p.person_id, NULL::timestamptz,
         {becomes} AS becomes, p.person_id, NULL::timestamptz
    FROM engine_pass p JOIN engine_verdict v USING (place) WHERE {chosen}) x
 WHERE was IS NOT NULL OR becomes IS NOT NULL"""
_COUNTED: Final = """
SELECT state, count(*), array_agg(DISTINCT person_id) FILTER (WHERE person_id IS NOT NULL)
  FROM (SELECT {state} AS state, p.person_id
          FROM engine_pass p JOIN engine_verdict v USING (place) WHERE {chosen}) x
 WHERE state IS NOT NULL GROUP BY 1"""


def run(
    trial: drafts.Trial,
    asked: curves.Asked,
    book: rulebook.Book,
    dry: Callable[[], AbstractContextManager[Any]],
) -> tuple[tried.Found, list[dict[str, Any]]]:
    """Every pass judged by the rule in force and by the draft's, and by the draft's moved."""
    after = trial.rule.params if trial.rule else None
    moved = curves.variants(trial)
    sides: list[Params] = [trial.params_before, after, *(one.params for one in moved)]
    conditions = [condition for params in sides for condition in _conditions(params)]
    judged = passes.Judged(records.row_types()[trial.record], conditions, book.as_of)
    is_gate = trial.kind == "GATE"
    with dry() as cursor:
        span = passes.Span(asked.starts_at, asked.ends_at)
        if is_gate:
            step = (after or trial.params_before or {})["on"]
            passes.steps(cursor, judged, step, span)
        else:
            passes.saves(cursor, judged, span)
        passes.judge(cursor, judged, both=not is_gate)
        states = [_state(params, place, is_gate) for place, params in enumerate(sides)]
        chosen = asked.chosen("p.person_id")
        cursor.execute(_CASES.format(was=states[0], becomes=states[1], chosen=chosen))
        found = tried.look(cursor, trial)
        curve = [
            _point(cursor, trial, variant, state, chosen)
            for variant, state in zip(moved, states[2:], strict=True)
        ]
    found.loose = judged.loose
    return found, curve


def _conditions(params: Params) -> tuple[dict[str, Any], dict[str, Any]]:
    """For whom a side holds, and what it demands."""
    params = params or {}
    given = {name: {"not_empty": True} for name in params.get("fields") or ()}
    return params.get("where") or {}, {**given, **(params.get("holds") or {})}


def _state(params: Params, place: int, is_gate: bool) -> str:
    """What became of a pass on one side, of which two verdicts stand in the row."""
    if params is None:
        return "NULL::text"
    where, holds = f"v.met[{2 * place + 1}]", f"v.met[{2 * place + 2}]"
    whole = "true"
    if not is_gate:
        was = f"v.was_met[{2 * place + 1}]", f"v.was_met[{2 * place + 2}]"
        whole = f"p.is_new OR NOT {was[0]} OR {was[1]}"
    return _STATE.format(where=where, holds=holds, whole=whole)


def _point(
    cursor: Any, trial: drafts.Trial, variant: curves.Variant, state: str, chosen: str
) -> dict[str, Any]:
    cursor.execute(_COUNTED.format(state=state, chosen=chosen))
    states: Counter[str] = Counter()
    missing = 0
    for one, number, people in cursor.fetchall():
        states[one] = number
        missing = len(people or ()) if one == "BREACHED" else missing
    at = (variant.parameter, variant.value, variant.label)
    return curves.point(trial, at, states, missing, is_draft=variant.is_draft)
