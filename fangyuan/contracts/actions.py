"""Verbs on what is offered: review, send, confirm; approve a price; begin and end talks."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.contracts.models import QuoteLine


@door.verb("solution", label="评审通过", writes=("stage", "reviewed_at"))
def review_solution(deed: door.Deed, solution: Any) -> Any:
    """Pass a solution that was gone over inside the house (KA-4.2.2, PA-8.2.3)."""
    return deed.move(solution, "PASSED", reviewed_at=deed.at)


@door.verb("solution", label="提交客户", writes=("stage", "sent_at"))
def send_solution(deed: door.Deed, solution: Any) -> Any:
    """Hand the solution to the customer; unpassed, it does not leave the house (KA-4.2.3)."""
    if deed.held(solution).stage != "PASSED":
        raise door.Refused(
            [door.Unmet("方案还没有评审通过，不能提交客户", "stage", record="solution")]
        )
    return deed.move(solution, "SENT", sent_at=deed.at)


@door.verb("solution", label="登记呈现", writes=("presented_at",))
def present_solution(deed: door.Deed, solution: Any) -> Any:
    """Note that the solution was shown and explained to the customer (PA-8.2.4)."""
    return deed.change(solution, presented_at=solution.presented_at or deed.at)


@door.verb(
    "solution",
    label="客户表态",
    asks=("confirm_form", "confirm_proof"),
    writes=("stage", "confirmed_at", "confirm_form"),
)
def confirm_solution(deed: door.Deed, solution: Any, *, confirm_form: str, **proof: Any) -> Any:
    """Note in which form the customer said yes (PS-2.4.2.5)."""
    told = {name: value for name, value in proof.items() if value}
    return deed.move(solution, "ACCEPTED", confirmed_at=deed.at, confirm_form=confirm_form, **told)


@door.verb("solution", label="客户拒绝", writes=("stage",))
def decline_solution(deed: door.Deed, solution: Any) -> Any:
    """Note that the customer did not take the solution."""
    return deed.move(solution, "DECLINED")


@door.verb("solution", label="改版", writes=("stage",))
def revise_solution(deed: door.Deed, solution: Any) -> Any:
    """Put a sent solution aside for a new version of it."""
    return deed.move(solution, "REVISED")


@door.verb("quote", label="核准报价", asks=("discount_reason",), writes=("stage", "approved_at"))
def discount_quote(deed: door.Deed, quote: Any, *, discount_reason: str = "") -> Any:
    """Fix the prices of a quote; a discount wants the word of whoever may grant it (PS-3.5a)."""
    held = deed.held(quote)
    if not QuoteLine.objects.everything("报价有没有行").present().filter(quote=held).exists():
        raise door.Refused([door.Unmet("报价单里还没有产品", "", record="quote")])
    reason = discount_reason or held.discount_reason
    if held.total < held.list_total and not reason.strip():
        raise door.Refused(
            [door.Unmet("低于目录价要写折扣理由", "discount_reason", record="quote")]
        )
    return deed.move(quote, "APPROVED", approved_at=deed.at, discount_reason=reason)


@door.verb("quote", label="提交客户", writes=("stage", "sent_at"))
def send_quote(deed: door.Deed, quote: Any) -> Any:
    """Hand an approved quote to the customer (PS-2.4.2.2)."""
    held = deed.held(quote)
    if held.stage != "APPROVED":
        raise door.Refused([door.Unmet("报价还没有核准，不能提交客户", "stage", record="quote")])
    if held.valid_until < deed.at.date():
        raise door.Refused(
            [door.Unmet("报价已过有效期，请先改有效期", "valid_until", record="quote")]
        )
    return deed.move(quote, "SENT", sent_at=deed.at)


@door.verb("quote", label="客户接受", writes=("stage",))
def accept_quote(deed: door.Deed, quote: Any) -> Any:
    """Note that the customer took the quote."""
    return deed.move(quote, "ACCEPTED")


@door.verb("negotiation", label="开始谈判", writes=("stage", "started_at"))
def start_negotiation(deed: door.Deed, negotiation: Any) -> Any:
    """Begin to negotiate, once it is prepared (KA-4.3.1b, PS-2.5.2.1)."""
    return deed.move(negotiation, "RUNNING", started_at=deed.at)


@door.verb("negotiation", label="谈判达成", writes=("stage", "ended_at"))
def end_negotiation(deed: door.Deed, negotiation: Any) -> Any:
    """End the talks with an agreement on every topic (PA-9.2.2)."""
    return deed.move(negotiation, "AGREED", ended_at=deed.at)


@door.verb("negotiation", label="谈判破裂", writes=("stage", "ended_at"))
def break_negotiation(deed: door.Deed, negotiation: Any) -> Any:
    """End the talks without an agreement."""
    return deed.move(negotiation, "BROKEN", ended_at=deed.at)


@door.verb("point", label="关闭", asks=("answer", "result"), writes=("closed_at",))
def close_point(deed: door.Deed, point: Any, **told: Any) -> Any:
    """Close a point with what was answered and what came of it (PS-2.4.2.4)."""
    given = {name: value for name, value in told.items() if value}
    if not (given.get("answer") or point.answer).strip():
        raise door.Refused([door.Unmet("写明怎样应对的", "answer", record="point")])
    return deed.change(point, {**given, "closed_at": point.closed_at or deed.at})
