"""Digests: what a person wants once a day or a week, as one message with counts and links."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from fangyuan.core import events, spans
from fangyuan.integration.models import Dispatch
from fangyuan.org import posting
from fangyuan.org.models import Message

LISTED = 20  # lines of a digest; more are counted


def gather(now: datetime) -> int:
    """Make the digests that are due; each takes up what it tells, so nothing is told twice."""
    with transaction.atomic():
        due = Dispatch.objects.everything("汇总").filter(state="QUEUED", next_at__lte=now)
        held = due.exclude(mode="NOW").select_related("message", "channel", "person")
        rows = list(held.select_for_update(of=("self",), skip_locked=True).order_by("id"))
        groups: dict[tuple[int, int], list[Dispatch]] = {}
        for row in rows:
            groups.setdefault((row.person_id, row.channel_id), []).append(row)
        if not groups:
            return 0
        with connection.cursor() as cursor:
            events.announce(cursor, actor=0, action="digest", reason="汇总", channel="JOB")
        return sum(_send(group, now) for group in groups.values())


def _send(group: list[Dispatch], now: datetime) -> int:
    """One digest of these; what was dealt with or told alone meanwhile is left out."""
    numbers = [row.pk for row in group]
    rows = Dispatch.objects.everything("汇总").filter(pk__in=numbers)
    alone = _told_alone(group)
    open_rows = [row for row in group if not _is_settled(row.message, alone)]
    done = set(numbers) - {row.pk for row in open_rows}
    rows.filter(pk__in=done).update(state="DROPPED", next_at=None, answer="已办好，或已单独发过")
    if not open_rows:
        return 0
    digest = compose(open_rows, now)
    if not posting.post([digest]):
        return 0
    Dispatch(
        message=digest,
        person_id=digest.person_id,
        channel=group[0].channel,
        queued_at=now,
        next_at=now,
    ).save()
    told = rows.exclude(pk__in=done)
    told.update(state="GATHERED", next_at=None, gathered_in=digest, answer="")
    return 1


def _told_alone(group: list[Dispatch]) -> set[int]:
    """The duties that this person was told of by this channel, outside of a digest."""
    first = group[0]
    rows = Dispatch.objects.everything("单独发过").filter(
        person=first.person_id,
        channel=first.channel_id,
        mode="NOW",
        state__in=("QUEUED", "SENT", "DELIVERED"),
        message__sent_at__gte=min(row.message.sent_at for row in group),
    )
    return {one for told in rows.values_list("message__obligations", flat=True) for one in told}


def _is_settled(message: Message, alone: set[int]) -> bool:
    told = set(message.obligations)
    return message.acted_at is not None or (bool(told) and told <= alone)


def compose(group: list[Dispatch], now: datetime) -> Message:
    """The message: how many of each topic, then the latest word about each subject once."""
    latest: dict[Any, Message] = {}
    for row in group:
        one = row.message
        latest[(one.subject_type, one.subject_id, one.topic)] = one
    said = list(latest.values())
    counts = Counter(one.get_topic_display() for one in said)
    lines = [f"· {one.title}" for one in said[:LISTED]]
    if len(said) > LISTED:
        lines.append(f"另有 {len(said) - LISTED} 条，请打开方圆查看")
    first, day = group[0], spans.day_of(now)
    word = "本周" if any(row.mode == "WEEKLY" for row in group) else "今天"
    summed = "、".join(f"{label} {number}" for label, number in counts.items())
    return Message(
        person_id=first.person_id,
        kind="DIGEST",
        topic="DIGEST",
        title=f"{word}的汇总：{summed}",
        text="\n".join(lines),
        channel=first.channel.kind if first.channel.kind in Message.By.values else "INBOX",
        sent_at=now,
        step_key=f"digest:{first.channel_id}:{day:%Y-%m-%d}:{first.pk}",
    )
