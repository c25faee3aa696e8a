"""Verbs on contracts: drafted from a quote, reviewed, approved, sent, signed by both, ended."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, Final

from django.db.models import DecimalField, F, Sum
from django.utils import timezone

from fangyuan import door
from fangyuan.access import table
from fangyuan.contracts import keeping, sending
from fangyuan.contracts.models import Contract, QuoteLine
from fangyuan.core import calendar, money
from fangyuan.library.models import Material

TEMPLATE: Final = "CONTRACT_TEMPLATE"
DAYS_BACK: Final = 10  # working days that a customer has to send a contract back (PS-2.6.2.1)
KINDS: Final = {"NEW": "NEW", "RENEWAL": "RENEWAL"}


def _unmet(sentence: str, field: str) -> door.Refused:
    return door.Refused([door.Unmet(sentence, field, record="contract")])


@door.verb(
    "quote",
    label="起草合同",
    asks=("template",),
    stages=("ACCEPTED",),
    like={"template": "contract.template"},
)
def draft_contract(deed: door.Deed, quote: Any, *, template: Any = None) -> Any:
    """Draft the contract of an accepted quote: what was offered becomes what is sold (PS-2.5.2.5).

    Without a template named, the one in force is taken, if there is just one.
    """
    held = deed.held(quote)
    if held.stage != "ACCEPTED":
        raise door.Refused([door.Unmet("客户接受报价以后才能起草合同", "stage", record="quote")])
    made = deed.create(
        Contract,
        {
            "opportunity": held.opportunity,
            "quote": held,
            "template": template or _current_template(),
            "kind": KINDS.get(held.opportunity.origin, "EXPANSION"),
            "amount": held.total,
            "estimated_cost": _cost(held),
            "payment_terms": held.terms,
            "deliver_by": _last_delivery(held),
        },
    )
    keeping.number({made.pk})
    made = deed.held(made)
    text = keeping.from_template(made)
    return deed.change(made, text=text) if text else made


def _cost(quote: Any) -> Any:
    """What the lines of a quote are foreseen to cost; None where that is not known of any."""
    rows = QuoteLine.objects.everything("预计成本").present().filter(quote=quote)
    total = Sum(F("cost") * F("quantity"), output_field=DecimalField())
    cost = rows.aggregate(total=total)["total"]
    return None if cost is None else money.to_fen(cost)


def _current_template() -> Any:
    rows = Material.objects.everything("现行合同模板").present()
    found = list(rows.filter(kind=TEMPLATE, state="PUBLISHED")[:2])
    return found[0] if len(found) == 1 else None


def _last_delivery(quote: Any) -> Any:
    rows = QuoteLine.objects.everything("最晚交期").present().filter(quote=quote)
    return (
        rows.exclude(deliver_on=None)
        .order_by("-deliver_on")
        .values_list("deliver_on", flat=True)
        .first()
    )


@door.verb(
    "contract",
    label="申请变更条款",
    asks=("deviation_reason",),
    writes=("deviated_at",),
    stages=("DRAFT",),
)
def deviate(deed: door.Deed, contract: Any, *, deviation_reason: str = "") -> Any:
    """Have what the text says differently from its template agreed to (RES-5.2.2b, PS-3.5b)."""
    if not (deed.is_trusted or table.may_act(deed.by, "contract.deviate")):
        raise door.Denied("模板条款的变更由法务或销售负责人同意")
    held = deed.held(contract)
    if not held.deviations:
        raise _unmet("正文与模板一致，没有要申请的变更", "text")
    reason = deviation_reason or held.deviation_reason
    if not reason.strip():
        raise _unmet("写明为什么要改模板条款", "deviation_reason")
    changed = deed.change(held, deviated_at=deed.at, deviation_reason=reason)
    Contract._base_manager.filter(pk=held.pk).update(deviated_hash=held.text_hash)
    return changed


@door.verb("contract", label="送审", writes=("stage", "reviewed_at"), stages=("DRAFT",))
def review_contract(deed: door.Deed, contract: Any) -> Any:
    """Hand the text to whoever reviews it; changed clauses are agreed to first (RES-5.2.2a)."""
    held = deed.held(contract)
    if held.deviations and (not held.deviated_hash or held.deviated_hash != held.text_hash):
        raise _unmet("正文改了模板条款，先“申请变更条款”，双方同意后再送审", "deviation_reason")
    return deed.move(held, "REVIEW", reviewed_at=deed.at)


@door.verb(
    "contract", label="退回修改", writes=("stage", "approved_at"), stages=("REVIEW", "APPROVED")
)
def return_contract(deed: door.Deed, contract: Any) -> Any:
    """Take a contract back to change its text; what was approved is approved no more."""
    Contract._base_manager.filter(pk=contract.pk).update(approved_hash="")
    return deed.move(contract, "DRAFT", approved_at=None)


@door.verb("contract", label="批准", writes=("stage", "approved_at"), stages=("REVIEW",))
def approve_contract(deed: door.Deed, contract: Any) -> Any:
    """Approve exactly what the contract says now (PS-2.5.2.6, PA-9.2.4)."""
    if not (deed.is_trusted or table.may_act(deed.by, "contract.approve_contract")):
        raise door.Denied("这份合同由你的上级或法务批准，请他们打开合同点“批准”")
    held = deed.held(contract)
    Contract._base_manager.filter(pk=held.pk).update(approved_hash=held.text_hash)
    return deed.move(held, "APPROVED", approved_at=deed.at)


@door.verb(
    "contract",
    label="发给客户",
    asks=("promised_back_on",),
    writes=("stage", "sent_at"),
    stages=("APPROVED",),
)
def send_contract(deed: door.Deed, contract: Any, *, promised_back_on: Any = None) -> Any:
    """Send the approved text, and no other, to be signed (PS-2.5.2.7)."""
    held = deed.held(contract)
    if held.stage != "APPROVED":
        raise _unmet("合同还没有批准，不能发给客户", "stage")
    if held.approved_hash != held.text_hash:
        raise _unmet("批准以后内容又改过，批准已失效，请退回修改后重新送审", "text")
    back = promised_back_on or held.promised_back_on
    back = back or calendar.stored().add(timezone.localdate(deed.at), DAYS_BACK)
    moved = deed.move(held, "SENT", sent_at=deed.at, promised_back_on=back)
    Contract._base_manager.filter(pk=held.pk).update(sent_hash=held.text_hash)
    sending.keep_paper(deed, moved)
    return moved


@door.verb(
    "contract",
    label="登记客户签署",
    asks=("customer_signed_at",),
    writes=("stage", "customer_signed_at", "signed_at", "effective_at"),
    stages=("SENT",),
)
def sign_contract(deed: door.Deed, contract: Any, *, customer_signed_at: Any = None) -> Any:
    """Note that the customer signed and sent it back (PS-2.6.2.2)."""
    held = deed.held(contract)
    at = customer_signed_at or deed.at
    if at > deed.at:
        raise _unmet("客户签署的时间不能晚于现在", "customer_signed_at")
    if held.company_signed_at:
        return deed.move(held, "SIGNED", customer_signed_at=at, **_by_both(held, at))
    return deed.move(held, "CUSTOMER_SIGNED", customer_signed_at=at)


@door.verb(
    "contract",
    label="公司签章",
    writes=("stage", "company_signed_at", "signed_at", "effective_at"),
    stages=("SENT", "CUSTOMER_SIGNED"),
)
def seal(deed: door.Deed, contract: Any) -> Any:
    """Put the company's seal on it; where a clause says so, the customer signs first."""
    held = deed.held(contract)
    if held.stage == "SENT":
        return deed.change(held, company_signed_at=deed.at)
    return deed.move(held, "SIGNED", company_signed_at=deed.at, **_by_both(held, deed.at))


def _by_both(contract: Any, at: datetime) -> dict[str, datetime]:
    """Signed by both from the later signature on; in force from then, or from its first day."""
    first = contract.starts_on
    begins = timezone.make_aware(datetime.combine(first, time())) if first else at
    return {"signed_at": at, "effective_at": max(at, begins)}


@door.verb("contract", label="开始履行", writes=("stage",), stages=("SIGNED",))
def perform_contract(deed: door.Deed, contract: Any) -> Any:
    """Begin to perform what both signed."""
    return deed.move(contract, "PERFORMING")


@door.verb(
    "contract",
    label="终止",
    asks=("end_reason",),
    writes=("stage", "ended_at", "end_reason"),
    stages=("PERFORMING",),
)
def end_contract(deed: door.Deed, contract: Any, *, end_reason: str = "") -> Any:
    """End a contract before its time, saying why."""
    if not end_reason.strip():
        raise _unmet("写明为什么终止", "end_reason")
    return deed.move(contract, "ENDED", ended_at=deed.at, end_reason=end_reason)


@door.verb(
    "contract",
    label="作废",
    asks=("end_reason",),
    writes=("stage", "ended_at", "end_reason"),
    stages=("DRAFT", "REVIEW", "APPROVED"),
)
def void_contract(deed: door.Deed, contract: Any, *, end_reason: str = "") -> Any:
    """Give up a contract that the customer has not got, saying why."""
    if not end_reason.strip():
        raise _unmet("写明为什么作废", "end_reason")
    return deed.move(contract, "VOID", ended_at=deed.at, end_reason=end_reason)


STEPS: Final = {
    "DRAFT": "return_contract",
    "REVIEW": "review_contract",
    "APPROVED": "approve_contract",
    "SENT": "send_contract",
    "CUSTOMER_SIGNED": "sign_contract",
    "SIGNED": "seal",
    "PERFORMING": "perform_contract",
}


@door.verb("contract", label="移到", asks=("stage",))
def move_contract(deed: door.Deed, contract: Any, *, stage: str) -> Any:
    """Move a card to another lane: the same as the verb that leads there."""
    step = STEPS.get(stage)
    if step is None:
        raise door.Denied("作废、终止要写原因，请在合同页面上办")
    if contract.stage == "SENT" and stage == "SIGNED":
        raise door.Denied("客户签署和公司签章要分别登记")
    return door.act(step, deed.held(contract), by=deed.by, channel=deed.channel)


@door.verb("contract", label="删除合同")
def delete_contract(deed: door.Deed, contract: Any) -> Any:
    """Put a contract into the recycle bin; not while it has to be kept (RES-5.2.3b)."""
    with deed.entrusted():
        return deed.remove(contract)


@door.verb("contract", label="执行跟进", asks=("follow_note",), stages=("SIGNED", "PERFORMING"))
def follow_contract(deed: door.Deed, contract: Any, *, follow_note: str = "") -> Any:
    """Note how far the contract is performed (KA-4.3.3c)."""
    if not follow_note.strip():
        raise _unmet("写明执行到哪一步", "follow_note")
    return deed.change(contract, follow_note=follow_note)
