"""How the channels do: what waits, what failed, when each last worked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, Q

from fangyuan.integration.models import Attempt, Channel

LATE: Final = timedelta(minutes=15)  # due for longer, a channel does not keep up
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class ChannelState:
    """The state of one channel at a moment."""

    number: int
    name: str
    kind: str
    is_on: bool
    waiting: int
    overdue: int
    oldest_at: datetime | None
    delivered: int
    failed: int
    worked_at: datetime | None
    failed_at: datetime | None
    answer: str

    @property
    def is_well(self) -> bool:
        """Whether it is off, or its last try worked and nothing is kept waiting."""
        worked = self.failed_at is None or (
            self.worked_at is not None and self.worked_at >= self.failed_at
        )
        return not self.is_on or (worked and not self.overdue)

    @property
    def sentence(self) -> str:
        """The state in words."""
        if not self.is_on:
            return "未启用"
        if self.is_well:
            return f"正常，待发 {self.waiting} 条" if self.waiting else "正常"
        return f"发不出去，积压 {self.overdue} 条：{self.answer}" if self.answer else "有积压"


def channel_state(now: datetime) -> list[ChannelState]:
    """Every channel that is not removed, in two queries."""
    day = now - DAY
    queued = Q(dispatches__state="QUEUED")
    due = queued & Q(dispatches__mode="NOW", dispatches__queued_at__lt=now - LATE)
    channels = (
        Channel.objects.everything("渠道状态")
        .present()
        .annotate(
            waiting=Count("dispatches", filter=queued),
            overdue=Count("dispatches", filter=due),
            oldest=Min("dispatches__queued_at", filter=queued),
            delivered=Count("dispatches", filter=Q(dispatches__sent_at__gt=day)),
            failed=Count(
                "dispatches",
                filter=Q(dispatches__state="FAILED", dispatches__claimed_at__gt=day),
            ),
            worked=Max("dispatches__sent_at"),
        )
    )
    found = list(channels)
    wrong = _last_failures([one.pk for one in found])
    return [_state(one, *wrong.get(one.pk, (None, ""))) for one in found]


def _last_failures(channels: list[int]) -> dict[int, tuple[datetime, str]]:
    rows = Attempt.objects.everything("渠道状态").filter(
        dispatch__channel__in=channels, outcome__in=("LATER", "REFUSED")
    )
    rows = rows.order_by("dispatch__channel_id", "-at", "-id")
    rows = rows.distinct("dispatch__channel_id")
    return {
        number: (at, answer)
        for number, at, answer in rows.values_list("dispatch__channel_id", "at", "answer")
    }


def _state(channel: Channel, failed_at: datetime | None, answer: str) -> ChannelState:
    return ChannelState(
        number=channel.pk,
        name=channel.name,
        kind=channel.get_kind_display(),
        is_on=channel.is_on,
        waiting=channel.waiting,
        overdue=channel.overdue,
        oldest_at=channel.oldest,
        delivered=channel.delivered,
        failed=channel.failed,
        worked_at=channel.worked,
        failed_at=failed_at,
        answer=answer,
    )
