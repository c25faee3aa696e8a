"""What a channel of each kind needs, what of it is secret, and trying one out."""

from __future__ import annotations

import secrets as randomness
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fangyuan.integration import outbox, parcels, sealing, wire
from fangyuan.integration.models import Channel
from fangyuan.integration.parcels import Answer, Parcel
from fangyuan.integration.sending import mail, robots


@dataclass(frozen=True)
class Needs:
    """The fields of a kind of channel, in the order of its form; `secrets` are never shown."""

    fields: tuple[str, ...]
    must: tuple[str, ...]
    secrets: tuple[str, ...]
    must_secrets: tuple[str, ...]


ROBOT: Final = Needs((), (), ("url", "secret"), ("url",))
NEEDS: Final[dict[str, Needs]] = {
    "MAIL": Needs(
        ("address", "port", "security", "login", "sender"),
        ("address", "sender"),
        ("password",),
        (),
    ),
    "WEBHOOK": Needs(("address",), ("address",), ("secret",), ("secret",)),
    "WECOM": Needs((), (), ("url",), ("url",)),
    "DINGTALK": ROBOT,
    "LARK": ROBOT,
}
LABELS: Final = {
    "address": "地址",
    "sender": "发件地址",
    "url": "机器人地址",
    "secret": "签名密钥",
    "password": "密码",
}
TESTING: Final = "这是一条测试消息：渠道已接通"


def lacking(channel: Channel, known: frozenset[str]) -> str:
    """What a channel still lacks before it can send, in words; nothing if it is complete."""
    needs = NEEDS[channel.kind]
    names = [name for name in needs.must if not getattr(channel, name)]
    names += [name for name in needs.must_secrets if name not in known]
    return f"先填写{'、'.join(LABELS[name] for name in names)}" if names else ""


def fault(channel: Channel, secrets: dict[str, str]) -> str:
    """What is wrong with the addresses, in words; nobody is called, names are looked up."""
    try:
        if channel.kind == "WEBHOOK" and channel.address:
            parts = wire.look(channel.address)
            wire.resolve(parts.hostname or "", parts.port or 443)
        if channel.kind == "MAIL" and channel.address:
            wire.resolve(channel.address, channel.port or mail.PORTS[channel.security])
        if channel.kind in robots.HOSTS and secrets.get("url"):
            robots.right_host(channel.kind, secrets["url"])
    except wire.Forbidden as wrong:
        return str(wrong)
    except wire.Unreachable:
        return ""  # a name that is not known yet; the test will tell
    return ""


def fresh_secret() -> str:
    """A secret to sign webhooks with."""
    return "fysec_" + randomness.token_urlsafe(32)


def test(channel: Channel, person: Any, now: datetime) -> Answer:
    """Send one message to this person right away and give the exact answer."""
    trial = Parcel(
        token=str(uuid.uuid4()),
        topic="SYSTEM",
        topic_label="测试",
        title=TESTING,
        text=f"由{person.name}在“{channel}”的设置页发出",
        path="/messages",
        sent_at=now,
        person_id=person.pk,
        name=person.name,
        email=person.email,
        phone=person.phone,
    )
    if channel.kind == "MAIL" and not person.email:
        return Answer("REFUSED", "你还没有填写邮箱，测试邮件没有地方可发；请先在“我的资料”里填写")
    secrets: dict[str, str] = {}
    try:
        secrets = sealing.read(channel)
        with outbox.WAYS[channel.kind](channel, secrets) as send:
            answer = send(trial)
    except (wire.Forbidden, wire.Unreachable, sealing.Unreadable) as wrong:
        answer = Answer("REFUSED", str(wrong))
    return Answer(answer.outcome, parcels.short(sealing.scrub(answer.text, secrets)))
