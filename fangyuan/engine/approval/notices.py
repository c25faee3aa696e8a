"""Messages of an approval: it is your turn, you got a copy, you are urged, it is decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from fangyuan.engine.requests import Approval, Request
from fangyuan.org import posting
from fangyuan.org.models import Message


def tell(request: Request, seats: Iterable[Approval], word: str, *, at: datetime) -> None:
    """Tell those in these seats: 等你审批, 抄送你, 催办."""
    _send(
        _message(request, one.person_id, f"{word}：{_what(request)}", _seat(one, at), at)
        for one in seats
    )


def closed(request: Request, *, at: datetime) -> None:
    """Tell the applicant how it ended, unless they ended it themselves."""
    if request.state == "WITHDRAWN":
        return
    told = f"{request.get_state_display()}：{_what(request, own=True)}"
    _send([_message(request, request.asked_by_id, told, f"request:{request.pk}:closed", at)])


def _seat(seat: Approval, at: datetime) -> str:
    return f"seat:{seat.pk}:{at.timestamp():.6f}"


def _what(request: Request, *, own: bool = False) -> str:
    title = request.title or "一份申请"
    return f"你的“{title}”申请" if own else f"{request.asked_by.name}的“{title}”申请"


def _message(request: Request, person: int, title: str, key: str, at: datetime) -> Message:
    return Message(
        person_id=person,
        kind="NOTICE",
        topic="APPROVAL",
        subject_type="request",
        subject_id=request.pk,
        title=title,
        text=f"依据 {request.clause}" if request.clause else "",
        sent_at=at,
        step_key=f"approval:{key}",
    )


def _send(messages: Iterable[Message] | Iterator[Any]) -> None:
    posting.post(messages)
