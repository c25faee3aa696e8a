"""Giving a material to a customer or lead: who, what, when, and what came of it.

What leaves the house is open to customers by the word of the product department (RES-5.1.2b).
Every time leaves a trace of access and a touch; the customer reads by a link that ends after a
while and tells when it was opened.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.core import signing

from fangyuan import door
from fangyuan.access.models import AccessLog
from fangyuan.customers.models import Customer, Lead, Touch

DAYS: Final = 30
SALT: Final = "fangyuan.material"
WAYS: Final = {"LINK": "链接", "WECHAT": "微信", "MAIL": "邮件", "HAND": "当面"}


@door.verb(
    "material",
    label="发给客户",
    asks=("customer", "lead"),
    stages=("PUBLISHED",),
    like={"customer": "touch.customer", "lead": "touch.lead"},
)
def send_out(
    deed: door.Deed, material: Any, *, customer: Any = None, lead: Any = None, way: str = "LINK"
) -> Any:
    """Give a material to a customer or lead; gives the touch that it leaves (RES-5.1.2b)."""
    whom = customer or lead
    if whom is None:
        raise door.Refused([door.Unmet("选发给哪个客户或线索", "customer", record="material")])
    if deed.by is not None:
        model = Customer if customer is not None else Lead
        if not model.objects.seen_by(deed.by).present().filter(pk=whom.pk).exists():
            raise door.Denied("只能发给你看得见的客户或线索")
    trace = AccessLog(person=deed.by, kind=AccessLog.Kind.SEND_OUT, purpose=f"发给 {whom}")
    trace.subject = material
    trace.save()
    told = {"customer": customer, "lead": None if customer is not None else lead}
    with deed.entrusted():
        return deed.create(
            Touch,
            {
                "kind": Touch.Kind.PUSHED,
                "material": material,
                "content": WAYS.get(way, way),
                "at": deed.at,
                **told,
            },
        )


def link(touch: Touch) -> str:
    """The address under which the customer reads what was given."""
    return f"/m/{signing.dumps(touch.pk, salt=SALT)}"


def opened(token: str) -> Touch | None:
    """The touch that a link belongs to, while it holds and what was given is still open."""
    try:
        number = signing.loads(token, salt=SALT, max_age=timedelta(days=DAYS))
    except signing.BadSignature:
        return None
    rows = Touch.objects.everything("客户凭链接打开").present().select_related("material")
    found: Touch | None = rows.filter(
        pk=number, material__state="PUBLISHED", material__level="EXTERNAL"
    ).first()
    return found


def note(touch: Touch, kind: str) -> None:
    """Note that what was given was opened or downloaded, once a day each."""
    with door.acting(by=None, action="touch", reason="客户打开资料链接", channel="API") as deed:
        day = deed.at.astimezone().date()
        same = (
            Touch.objects.everything("一天记一次")
            .present()
            .filter(material=touch.material, lead=touch.lead, customer=touch.customer, kind=kind)
        )
        if not same.filter(at__date=day).exists():
            deed.create(
                Touch,
                {
                    "kind": kind,
                    "material": touch.material,
                    "lead": touch.lead,
                    "customer": touch.customer,
                    "content": touch.content,
                    "at": deed.at,
                },
            )
