"""A message as JSON to another system, signed; docs/notifications.md says how to verify it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from fangyuan.integration import parcels, wire
from fangyuan.integration.parcels import Answer, Parcel, Send

LATER: Final = (408, 425, 429)
LONGEST_HOLD: Final = timedelta(hours=1)
SETTINGS: Final = (401, 403, 404, 405, 410)


@contextmanager
def open_way(channel: Any, secrets: dict[str, str]) -> Iterator[Send]:
    """A sender; every call is a connection of its own."""
    yield lambda parcel: _send(channel, secrets, parcel)


def _send(channel: Any, secrets: dict[str, str], parcel: Parcel) -> Answer:
    body = json.dumps(content(channel, parcel), ensure_ascii=False).encode()
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Fangyuan",
        "Fy-Delivery": parcel.token,
        "Fy-Timestamp": stamp,
        "Fy-Signature": f"v1={signature(secrets.get('secret', ''), stamp, body)}",
    }
    return judge(wire.post(channel.address, body, headers))


def signature(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 in hex over the timestamp, a full stop and the body."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def content(channel: Any, parcel: Parcel) -> dict[str, Any]:
    """What the other system is told."""
    kind, number = parcel.subject or ("", None)
    said = {"title": parcel.title, "text": parcel.text} if channel.is_full else {}
    return {
        "id": parcel.token,
        "type": "message",
        "topic": parcel.topic,
        **said,
        "person": {"id": parcel.person_id, "name": parcel.name},
        "subject": {"type": kind, "id": number} if kind else None,
        "url": parcel.url,
        "sent_at": parcel.sent_at.isoformat(),
    }


def judge(reply: wire.Reply) -> Answer:
    """2xx is delivered; what may pass or is to be put right waits, a refused message does not."""
    said = f"HTTP {reply.status} {reply.text}"
    if 200 <= reply.status < 300:
        return Answer("DELIVERED", said)
    if 300 <= reply.status < 400:
        said = f"HTTP {reply.status} 对方要求转到别处，不跟随；请填最终的地址"
        return Answer("LATER", said, hold=parcels.UNTIL_PUT_RIGHT)
    if reply.status in SETTINGS:
        return Answer("LATER", f"{said}（请核对地址和密钥）", hold=parcels.UNTIL_PUT_RIGHT)
    if reply.status in LATER or reply.status >= 500:
        return Answer("LATER", said, hold=_hold(reply.retry_after))
    return Answer("REFUSED", said)


def _hold(retry_after: str) -> timedelta | None:
    if not retry_after.isascii() or not retry_after.isdecimal():
        return None
    return min(timedelta(seconds=int(retry_after[:6])), LONGEST_HOLD)
