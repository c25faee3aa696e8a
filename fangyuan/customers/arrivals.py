"""Leads that arrive by themselves: signed, fresh, counted, each delivery once.

The signature is HMAC-SHA256 over `timestamp.body` with the inlet's secret; `docs/leads.md` says
how to send. Nothing is believed before the signature holds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from fangyuan import door
from fangyuan.core.records import Record
from fangyuan.customers.models import Arrival, Inlet, Lead, Touch
from fangyuan.desk import declare
from fangyuan.desk.api import entry
from fangyuan.desk.api.faults import Fault, Wrong

FRESH: Final = timedelta(minutes=5)  # an older signature may have been overheard
LARGEST: Final = 64 * 1024
LONGEST: Final = 80
TAKEN: Final = (
    *("company", "contact_name", "phone", "email", "need", "occurred_at", "industry", "region"),
    *("background", "pain"),
)


class NotTaken(Exception):
    """A delivery that is refused: the HTTP status that says what kind it is, and why."""

    def __init__(self, status: int, said: str, faults: list[Fault] | None = None) -> None:
        super().__init__(said)
        self.status, self.faults = status, faults or []


@dataclass(frozen=True)
class Delivery:
    """What came in over the wire."""

    body: bytes
    number: str
    stamp: str
    signature: str


def sign(secret: str, stamp: str, body: bytes) -> str:
    """The signature that a sender puts beside a delivery."""
    told = stamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()


def take(inlet: Inlet, came: Delivery, now: datetime) -> tuple[Lead, bool]:
    """The lead of a delivery, and whether it is new; raises NotTaken."""
    _believe(inlet, came, now)
    digest = hashlib.sha256(came.body).hexdigest()
    known = _known(inlet, came, digest)
    if known is not None:
        return known, False
    _count(inlet, now)
    values = _values(inlet, came.body, now)
    try:
        with transaction.atomic():
            arrival = Arrival(inlet=inlet, delivery=came.number, digest=digest, at=now)
            arrival.save()  # whoever comes second with the same number waits here
            lead = _enter(inlet, values, now)
            arrival.lead = lead
            arrival.save(update_fields=["lead"])
    except IntegrityError as raced:
        known = _known(inlet, came, digest)
        if known is None:
            raise NotTaken(409, "同一次投递正在处理，请稍后再试") from raced
        return known, False
    return lead, True


def _believe(inlet: Inlet, came: Delivery, now: datetime) -> None:
    if len(came.body) > LARGEST:
        raise NotTaken(413, "正文太大，一条线索不超过 64 KB")
    if not (came.stamp.isdecimal() and len(came.stamp) <= 12):
        raise NotTaken(401, "缺少时间戳：X-Fy-Timestamp 写当前的秒数")
    if not hmac.compare_digest(
        sign(inlet.secret, came.stamp, came.body).encode(), came.signature.encode()
    ):
        raise NotTaken(401, "签名不对：用入口的密钥对“时间戳.正文”做 HMAC-SHA256")
    if abs(now.timestamp() - int(came.stamp)) > FRESH.total_seconds():
        raise NotTaken(401, "时间戳与现在相差超过五分钟，请校准时钟后重发")
    if not (0 < len(came.number) <= LONGEST):
        raise NotTaken(400, f"缺少投递编号：X-Fy-Delivery 写不超过 {LONGEST} 个字的编号")


def _known(inlet: Inlet, came: Delivery, digest: str) -> Lead | None:
    found = Arrival.objects.everything("重复投递").filter(inlet=inlet, delivery=came.number)
    arrival = found.select_related("lead").first()
    if arrival is None:
        return None
    if arrival.digest != digest:
        raise NotTaken(409, "这个投递编号已用于另一条线索，请换一个编号")
    lead: Lead | None = arrival.lead
    return lead


def _count(inlet: Inlet, now: datetime) -> None:
    lately = Arrival.objects.everything("限频").filter(
        inlet=inlet, at__gt=now - timedelta(minutes=1)
    )
    if lately.count() >= inlet.per_minute:
        raise NotTaken(429, f"每分钟最多 {inlet.per_minute} 条，请一分钟后再发")


def _values(inlet: Inlet, body: bytes, now: datetime) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError as wrong:
        raise NotTaken(400, "正文不是 JSON") from wrong
    if not isinstance(given, dict):
        raise NotTaken(400, "正文要是一个 JSON 对象")
    given.setdefault("occurred_at", now.isoformat())
    columns = [one for one in entry.writable(declare.desk_of("lead")) if one.name in TAKEN]
    if unknown := sorted(set(given) - {one.name for one in columns}):
        faults = [Fault(field=name, message=f"没有“{name}”这一项") for name in unknown]
        raise NotTaken(422, "有几项不对", faults)
    try:
        values = entry.read(columns, given, None)
    except Wrong as wrong:
        raise NotTaken(422, "有几项不对", wrong.faults) from wrong
    of_inlet = {"source": inlet.source, "platform": inlet.platform, "campaign": inlet.campaign}
    return {**values, **of_inlet}


def _enter(inlet: Inlet, values: dict[str, Any], now: datetime) -> Lead:
    reason = f"线索入口 {inlet.name}"
    try:
        with door.acting(by=None, action="arrive", reason=reason, channel="API") as deed:
            lead: Lead = deed.create(Lead, values)
            if inlet.campaign_id is not None:
                touch = {"lead": lead, "campaign": inlet.campaign, "kind": "REGISTERED"}
                deed.create(Touch, touch, at=now, is_first=True)
    except door.Refused as refused:
        faults = [
            Fault(field=one.field, message=one.sentence, clause=one.clause) for one in refused.unmet
        ]
        raise NotTaken(422, "有几项不对", faults) from refused
    return lead


@door.verb("inlet", label="换密钥", writes=("nonce",))
def renew_secret(deed: door.Deed, inlet: Record) -> Any:
    """Make a new secret; whoever signs with the old one is refused from now on."""
    fresh = type(inlet)._meta.get_field("nonce").get_default()
    inlet = type(inlet)._base_manager.get(pk=inlet.pk)
    inlet.nonce = fresh
    deed._save(inlet)
    return inlet
