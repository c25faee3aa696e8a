"""Verbs on needs: confirm what the customer wants, finish the solution made for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fangyuan import door


@door.verb("need", label="确认需求", asks=("confirmed_by", "spec"), writes=("confirmed_at",))
def confirm_need(
    deed: door.Deed,
    need: Any,
    *,
    confirmed_by: Any = None,
    spec: str = "",
    at: datetime | None = None,
) -> Any:
    """Note that the customer confirmed a need: the clock of its answer starts (RES-3.4.3)."""
    return deed.change(
        need,
        confirmed_at=need.confirmed_at or at or deed.at,
        confirmed_by=confirmed_by or need.confirmed_by,
        spec=spec or need.spec,
    )


@door.verb(
    "need",
    label="完成定制方案",
    asks=("solution_note",),
    writes=("answered_at", "solution_ready_at"),
)
def finish_custom_solution(deed: door.Deed, need: Any, *, solution_note: str = "") -> Any:
    """Note what was worked out for a special need, and that it is ready (RES-3.4.3)."""
    if need.confirmed_at is None:
        raise door.Refused([door.Unmet("需求还没有经客户确认，请先确认", record="need")])
    return deed.change(
        need,
        solution_note=solution_note or need.solution_note,
        solution_ready_at=need.solution_ready_at or deed.at,
        answered_at=need.answered_at or deed.at,
    )


@door.verb("need", label="方案已响应", asks=("solution_note",), writes=("answered_at",))
def answer_need(deed: door.Deed, need: Any, *, solution_note: str = "") -> Any:
    """Note how the solution answers a need (PS-2.3.1, PA-8.2.1)."""
    note = solution_note or need.solution_note
    if not note.strip():
        raise door.Refused([door.Unmet("写明方案怎样响应这条需求", "solution_note", record="need")])
    return deed.change(need, answered_at=need.answered_at or deed.at, solution_note=note)


@door.verb("need", label="客户认同", writes=("agreed_at",))
def agree_need(deed: door.Deed, need: Any) -> Any:
    """Note that the customer agrees with a point of value (PS-2.3.2.7)."""
    return deed.change(need, agreed_at=need.agreed_at or deed.at)
