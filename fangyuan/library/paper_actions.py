"""Verbs on documents and agreements: file, hand in, sign for; review, sign, suspend, end."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from fangyuan import door
from fangyuan.engine import jobs
from fangyuan.library.models import Agreement


@door.verb("document", label="归档", asks=("place",), writes=("filed_at", "place"))
def file_document(deed: door.Deed, document: Any, *, place: str = "") -> Any:
    """Note where a document was filed (KA-7.3.2, RES-5.2.3a)."""
    where = (place or document.place).strip()
    if not where:
        raise door.Refused([door.Unmet("写明存放位置", "place", record="document")])
    return deed.change(document, filed_at=document.filed_at or deed.at, place=where)


@door.verb("document", label="移交", asks=("to_team",), writes=("to_team", "sent_at"))
def hand_in_document(deed: door.Deed, document: Any, *, to_team: Any = None) -> Any:
    """Hand a document in to the team that keeps it (PS-2.6.2.3)."""
    team = to_team or document.to_team
    if team is None:
        raise door.Refused([door.Unmet("写明移交给哪个部门", "to_team", record="document")])
    return deed.change(document, to_team=team, sent_at=document.sent_at or deed.at)


@door.verb("document", label="签收", writes=("signed_for_at",))
def sign_for_document(deed: door.Deed, document: Any) -> Any:
    """Sign for a document that was handed in; whoever handed it in does not sign for it."""
    if document.sent_at is None:
        raise door.Denied("这份文档还没有移交")
    if deed.by is not None and deed.by.pk == document.handler_id:
        raise door.Denied("由接收部门签收，经手人不能替签")
    return deed.change(document, signed_for_at=document.signed_for_at or deed.at)


@door.verb("document", label="销毁")
def destroy_document(deed: door.Deed, document: Any) -> Any:
    """Destroy a document whose time is over (RES-5.2.3b)."""
    return deed.remove(document)


@door.verb("agreement", label="审核通过", writes=("stage",), stages=("DRAFT",))
def review_agreement(deed: door.Deed, agreement: Any) -> Any:
    """Find the terms of an agreement right (RES-4.4.3b, TAG-6.3.2a)."""
    return deed.move(agreement, "REVIEWED")


@door.verb(
    "agreement", label="资质审核通过", writes=("qualified_at",), stages=("DRAFT", "REVIEWED")
)
def qualify_agreement(deed: door.Deed, agreement: Any) -> Any:
    """Note that who is to use the brand was found fit (RES-4.4.3a)."""
    return deed.change(agreement, qualified_at=agreement.qualified_at or deed.at)


@door.verb("agreement", label="签署", writes=("stage", "signed_at"), stages=("REVIEWED",))
def sign_agreement(deed: door.Deed, agreement: Any) -> Any:
    """Sign an agreement; the use of the brand needs a licensee that was found fit (RES-4.4.3a)."""
    return deed.move(agreement, "SIGNED", signed_at=agreement.signed_at or deed.at)


@door.verb(
    "agreement",
    label="登记超范围",
    asks=("over_scope_note",),
    writes=("over_scope_at", "over_scope_note"),
    stages=("SIGNED",),
)
def note_over_scope(deed: door.Deed, agreement: Any, *, over_scope_note: str = "") -> Any:
    """Note a use beyond what was agreed (RES-4.4.3c)."""
    if not over_scope_note.strip():
        said = "写明超出了什么范围"
        raise door.Refused([door.Unmet(said, "over_scope_note", record="agreement")])
    return deed.change(agreement, over_scope_at=deed.at, over_scope_note=over_scope_note)


@door.verb("agreement", label="停用", writes=("stage", "suspended_at"), stages=("SIGNED",))
def suspend_agreement(deed: door.Deed, agreement: Any) -> Any:
    """Stop what an agreement allows (RES-4.4.3c)."""
    return deed.move(agreement, "SUSPENDED", suspended_at=deed.at)


@door.verb("agreement", label="终止", writes=("stage",), stages=("SIGNED", "SUSPENDED"))
def end_agreement(deed: door.Deed, agreement: Any) -> Any:
    """End an agreement."""
    return deed.move(agreement, "ENDED")


def end_expired() -> int:
    """End the agreements whose last day is over (RES-4.4.3c)."""
    over = Agreement.objects.everything("到期终止").present()
    over = over.filter(stage__in=("SIGNED", "SUSPENDED"), ends_on__lt=timezone.localdate())
    found = list(over[:200])
    for agreement in found:
        door.act("end_agreement", agreement, by=None, reason="协议到期", channel="JOB")
    return len(found)


jobs.register("协议到期", end_expired)
