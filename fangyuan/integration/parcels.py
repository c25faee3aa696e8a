"""What is sent and what comes back: the values between the outbox and the ways of sending."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

LONGEST: Final = 300  # characters of an answer that are kept
UNTIL_PUT_RIGHT: Final = timedelta(minutes=30)  # how long a channel with wrong settings waits


@dataclass(frozen=True)
class Parcel:
    """One message as it leaves: to whom, in which words, with which link."""

    token: str
    topic: str
    topic_label: str
    title: str
    text: str
    path: str
    sent_at: datetime
    person_id: int
    name: str
    email: str = ""
    phone: str = ""
    subject: tuple[str, int] | None = None

    @property
    def url(self) -> str:
        """Where the message is read; nothing if the installation does not know its address."""
        return f"{settings.SITE_URL.rstrip('/')}{self.path}" if settings.SITE_URL else ""

    def lines(self, *, is_full: bool) -> list[str]:
        """The message in lines; not in full, it says only that there is something to read."""
        if is_full:
            said = [self.title, self.text]
        else:
            said = [f"{self.name}，你有一条新消息：{self.topic_label}", "打开方圆查看"]
        return [line for line in (*said, self.url) if line]


@dataclass(frozen=True)
class Answer:
    """What became of one try.

    `outcome` is one of `Attempt.Outcome`; with `hold` the whole channel waits so long, because
    the trouble is not this message's.
    """

    outcome: str
    text: str
    hold: timedelta | None = None

    @property
    def is_over(self) -> bool:
        return self.outcome != "LATER"


Send = Callable[[Parcel], Answer]
# (channel, its secrets) → a sender for as long as the connection is open. Signatures and dates
# carry the moment of sending, since the other side holds them against its own clock.
Way = Callable[[Any, dict[str, str]], AbstractContextManager[Send]]


def short(text: str) -> str:
    """An answer as it is kept: one line, not too long."""
    said = " ".join(text.split())
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
