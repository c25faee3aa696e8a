"""Verbs on needs: confirm what the customer wants, finish the solution made for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Q

from fangyuan import door
from fangyuan.opportunities.models import Need
from fangyuan.org import posting
from fangyuan.org.models import Message, Person


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


@door.follows("need")
def tag(deed: door.Deed, numbers: set[int]) -> None:
    """A special need that was confirmed stands here from now on: that is its tag (TAG-4.2.2)."""
    rows = Need._base_manager.filter(pk__in=numbers, kind="SPECIAL", confirmed_at__isnull=False)
    rows = rows.filter(Q(tagged_at=None) | Q(tagged_at__lt=F("confirmed_at")))
    rows.update(tagged_at=deed.at)


@door.verb("need", label="产品采纳", writes=("adopted_at",))
def adopt_need(deed: door.Deed, need: Any) -> Any:
    """Take a need up into the product; whoever noted it is told (DAY-1.1.4)."""
    if not need.to_product:
        raise door.Denied("这条需求没有转产品改进")
    if need.adopted_at is not None:
        return need
    adopted = deed.change(need, adopted_at=deed.at)
    teller = Person._base_manager.filter(pk=need.recorded_by).first()
    if teller is not None and teller != deed.by:
        with door.acting(by=None, action="adopt_need"):
            posting.post([
                Message(
                    person=teller, kind="NOTICE", topic="SYSTEM", subject_type="need",
                    subject_id=need.pk, title="你登记的需求被产品采纳", text=need.text,
                    sent_at=deed.at, step_key=f"adopt_need:{need.pk}",
                )
            ])  # fmt: skip
    return adopted
