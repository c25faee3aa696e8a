"""Verbs on what is offered: review, send, confirm; approve a price; begin and end talks."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum
from django.utils import timezone

from fangyuan import door
from fangyuan.contracts import sending, sums
from fangyuan.contracts.models import Point, Quote, QuoteLine


@door.verb("solution", label="评审通过", writes=("stage", "reviewed_at"), stages=("DRAFT",))
def review_solution(deed: door.Deed, solution: Any) -> Any:
    """Pass a solution that was gone over inside the house (KA-4.2.2, PA-8.2.3)."""
    return deed.move(solution, "PASSED", reviewed_at=deed.at)


@door.verb(
    "solution",
    label="评审打分",
    asks=("fits_need", "fits_house", "fits_market", "review_note"),
    writes=("fits_need", "fits_house", "fits_market", "review_note"),
    stages=("DRAFT",),
)
def score_solution(deed: door.Deed, solution: Any, **given: Any) -> Any:
    """Judge a solution by what the customer needs, what the house gains, how it stands in the
    market: 1 to 5 each, with a word (KA-4.2.2)."""
    return deed.change(solution, {name: v for name, v in given.items() if v not in (None, "")})


@door.verb("solution", label="提交客户", writes=("stage", "sent_at"), stages=("PASSED",))
def send_solution(deed: door.Deed, solution: Any) -> Any:
    """Hand the solution to the customer; unpassed, it does not leave the house (KA-4.2.3)."""
    if deed.held(solution).stage != "PASSED":
        raise door.Refused(
            [door.Unmet("方案还没有评审通过，不能提交客户", "stage", record="solution")]
        )
    return deed.move(solution, "SENT", sent_at=deed.at)


@door.verb("solution", label="登记呈现", writes=("presented_at",), stages=("PASSED", "SENT"))
def present_solution(deed: door.Deed, solution: Any) -> Any:
    """Note that the solution was shown and explained to the customer (PA-8.2.4)."""
    return deed.change(solution, presented_at=solution.presented_at or deed.at)


@door.verb(
    "solution",
    label="客户表态",
    asks=("confirm_form", "confirm_proof"),
    writes=("stage", "confirmed_at", "confirm_form"),
    stages=("SENT",),
)
def confirm_solution(deed: door.Deed, solution: Any, *, confirm_form: str, **proof: Any) -> Any:
    """Note in which form the customer said yes (PS-2.4.2.5)."""
    told = {name: value for name, value in proof.items() if value}
    return deed.move(solution, "ACCEPTED", confirmed_at=deed.at, confirm_form=confirm_form, **told)


@door.verb("solution", label="客户拒绝", writes=("stage",), stages=("SENT",))
def decline_solution(deed: door.Deed, solution: Any) -> Any:
    """Note that the customer did not take the solution."""
    return deed.move(solution, "DECLINED")


@door.verb("solution", label="改版", writes=("stage",), stages=("SENT",))
def revise_solution(deed: door.Deed, solution: Any) -> Any:
    """Put a sent solution aside for a new version of it."""
    return deed.move(solution, "REVISED")


@door.verb(
    "quote",
    label="核准报价",
    asks=("discount_reason",),
    writes=("stage", "approved_at"),
    stages=("DRAFT",),
)
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
    moved = deed.move(quote, "APPROVED", approved_at=deed.at, discount_reason=reason)
    Quote._base_manager.filter(pk=moved.pk).update(approved_hash=sums.digest(moved.pk))
    return moved


@door.verb("quote", label="退回修改", writes=("stage", "approved_at"), stages=("APPROVED",))
def return_quote(deed: door.Deed, quote: Any) -> Any:
    """Take an approved quote back to change it; its approval is gone with that."""
    Quote._base_manager.filter(pk=quote.pk).update(approved_hash="")
    return deed.move(quote, "DRAFT", approved_at=None)


@door.verb("quote", label="提交客户", writes=("stage", "sent_at"), stages=("APPROVED",))
def send_quote(deed: door.Deed, quote: Any) -> Any:
    """Hand an approved quote to the customer; its paper is kept as it went (PS-2.4.2.2)."""
    held = deed.held(quote)
    if held.stage != "APPROVED":
        raise door.Refused([door.Unmet("报价还没有核准，不能提交客户", "stage", record="quote")])
    _in_time(deed, held)
    moved = deed.move(quote, "SENT", sent_at=deed.at)
    Quote._base_manager.filter(pk=moved.pk).update(sent_hash=sums.digest(moved.pk))
    sending.keep_paper(deed, moved)
    return moved


def _in_time(deed: door.Deed, quote: Any) -> None:
    if quote.valid_until < timezone.localdate(deed.at):
        said = f"报价有效期到 {quote.valid_until:%Y-%m-%d}，已经过期，请“改版”后重新提交"
        raise door.Refused([door.Unmet(said, "valid_until", record="quote")])


@door.verb("quote", label="客户接受", writes=("stage",), stages=("SENT",))
def accept_quote(deed: door.Deed, quote: Any) -> Any:
    """Note that the customer took the quote, while it held."""
    _in_time(deed, deed.held(quote))
    return deed.move(quote, "ACCEPTED")


@door.verb("quote", label="改版", asks=("valid_until",), stages=("APPROVED", "SENT", "EXPIRED"))
def revise_quote(deed: door.Deed, quote: Any, *, valid_until: Any) -> Any:
    """Begin the next version as a draft with the same lines; the one before holds until its day."""
    held = deed.held(quote)
    versions = Quote.objects.everything("版本号").filter(number=held.number)
    kept = ("opportunity_id", "solution_id", "number", "price_list_id", "tax_rate", "terms")
    values = {name: getattr(held, name) for name in (*kept, "discount_reason")}
    last = versions.order_by("-version").values_list("version", flat=True)[0]
    values |= {"version": last + 1, "valid_until": valid_until, "replaces": held}
    made = deed.create(Quote, values)
    lines = QuoteLine.objects.everything("报价行改版").present().filter(quote=held).order_by("pk")
    for line in lines:
        told = {name: getattr(line, name) for name in (*sums.SOLD, "list_price", "cost")}
        deed.create(QuoteLine, {"quote": made, **told})
    return made


@door.verb("negotiation", label="开始谈判", writes=("stage", "started_at"), stages=("PREPARE",))
def start_negotiation(deed: door.Deed, negotiation: Any) -> Any:
    """Begin to negotiate, once it is prepared (KA-4.3.1b, PS-2.5.2.1)."""
    return deed.move(negotiation, "RUNNING", started_at=deed.at)


@door.verb(
    "negotiation",
    label="核定授权",
    asks=("mandate_rate", "mandate"),
    writes=("mandate_rate",),
    stages=("PREPARE", "RUNNING"),
)
def grant_mandate(
    deed: door.Deed, negotiation: Any, *, mandate_rate: Any, mandate: str = ""
) -> Any:
    """Say how much may be given away, in per cent of the quote (KA-4.3.2, PS-2.5.2.1)."""
    if mandate_rate is None:
        raise door.Refused(
            [door.Unmet("写明最多让利百分之几", "mandate_rate", record="negotiation")]
        )
    told = {"mandate": mandate} if mandate else {}
    return deed.change(negotiation, mandate_rate=mandate_rate, **told)


@door.verb("negotiation", label="谈判达成", writes=("stage", "ended_at"), stages=("RUNNING",))
def end_negotiation(deed: door.Deed, negotiation: Any) -> Any:
    """End the talks with an agreement within what was allowed to be given away (PA-9.2.2)."""
    held = deed.held(negotiation)
    given = Point.objects.everything("累计让利").present().filter(negotiation=held)
    conceded = given.aggregate(total=Sum("concession"))["total"] or 0
    if held.mandate_rate is not None and conceded > held.mandate_rate:
        said = f"累计让利 {conceded}%，超出授权 {held.mandate_rate}%，请先由上级“核定授权”"
        raise door.Refused([door.Unmet(said, "mandate_rate", record="negotiation")])
    return deed.move(negotiation, "AGREED", ended_at=deed.at)


@door.verb("negotiation", label="谈判破裂", writes=("stage", "ended_at"), stages=("RUNNING",))
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
