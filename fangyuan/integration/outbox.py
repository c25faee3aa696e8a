"""Carrying out what is queued: claim, send, write down the answer; each on its own.

A claim counts the try and puts the next one off before anything is sent, so that whoever is
killed in between loses nothing: the message is tried again, under the same token. Nothing is held
in the database while the other side is being called.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from fangyuan.core import events
from fangyuan.integration import digests, parcels, sealing, wire
from fangyuan.integration.models import Attempt, Channel, Dispatch
from fangyuan.integration.parcels import Answer, Parcel
from fangyuan.integration.sending import mail, robots, webhook
from fangyuan.org import posting
from fangyuan.org.models import Message, Person

WAYS: Final[dict[str, parcels.Way]] = {
    "MAIL": mail.open_way,
    "WEBHOOK": webhook.open_way,
    "WECOM": robots.open_way,
    "DINGTALK": robots.open_way,
    "LARK": robots.open_way,
}
BATCH: Final = 50
MINUTE: Final = timedelta(minutes=1)
BUDGET: Final = 120.0  # seconds after which a batch begins nothing more
LEASE: Final = timedelta(minutes=5)  # longer than a batch takes
FIRST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(hours=6)
MOST_TRIES: Final = 10  # about a day
STALE: Final = timedelta(days=3)

# One claim of a channel at a time, so that its rate holds; nobody waits for it.
_CHANNEL = "SELECT id FROM integration_channel WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED"
# The rows are chosen once and for all: an inner LIMIT may be run again for every row.
_CLAIM = """
WITH due AS MATERIALIZED (
  SELECT id FROM integration_dispatch
   WHERE channel_id = %(channel)s AND state = 'QUEUED' AND mode = 'NOW' AND next_at <= %(now)s
   ORDER BY next_at, id LIMIT %(most)s
   FOR UPDATE SKIP LOCKED)
UPDATE integration_dispatch d
   SET attempts = attempts + 1, claimed_at = %(now)s, next_at = %(lease)s
  FROM due WHERE d.id = due.id
RETURNING d.id
"""


def run(now: datetime) -> int:
    """Send what is due by now; gives how many were delivered or handed over."""
    drop_stale(now)
    digests.gather(now)
    waiting = Dispatch.objects.everything("待发").filter(
        state="QUEUED", mode="NOW", next_at__lte=now
    )
    channels = Channel.objects.everything("消息渠道").present().filter(is_on=True)
    due = channels.filter(pk__in=waiting.order_by().values("channel"))
    return sum(_empty(channel, now) for channel in due)


def _empty(channel: Channel, now: datetime) -> int:
    """Send what a channel has due, a batch and no more than its rate allows."""
    claimed = claim(channel, now)
    if not claimed:
        return 0
    sent, ends = 0, time.monotonic() + BUDGET
    for place, (dispatch, answer) in enumerate(_answers(channel, claimed)):
        settle(dispatch, answer, now)
        sent += answer.outcome in ("SENT", "DELIVERED")
        if answer.hold is not None:
            hold(channel, claimed[place + 1 :], answer, now)
            break
        if time.monotonic() > ends:
            give_back(claimed[place + 1 :], now)
            break
    return sent


def claim(channel: Channel, now: datetime, most: int = BATCH) -> list[Dispatch]:
    """Take what is due, so that nobody else does before the lease ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CHANNEL, [channel.pk])
        if cursor.fetchone() is None:
            return []
        if channel.kind in robots.HOSTS:
            tried = Dispatch.objects.everything("限速").filter(
                channel=channel, claimed_at__gt=now - MINUTE
            )
            most = min(most, robots.A_MINUTE - tried.count())
        if most <= 0:
            return []
        given = {"now": now, "lease": now + LEASE, "channel": channel.pk, "most": most}
        cursor.execute(_CLAIM, given)
        numbers = [row[0] for row in cursor.fetchall()]
    rows = Dispatch.objects.everything("待发").filter(pk__in=numbers)
    return list(rows.select_related("message", "person").order_by("queued_at", "id"))


def _answers(channel: Channel, claimed: list[Dispatch]) -> Iterator[tuple[Dispatch, Answer]]:
    """The answer to each, over one opened way; trouble with the way is the first one's answer."""
    secrets: dict[str, str] = {}
    done = 0
    try:
        secrets = sealing.read(channel)
        with WAYS[channel.kind](channel, secrets) as send:
            for dispatch in claimed:
                answer = send(parcel(dispatch))
                done += 1
                yield dispatch, _clean(answer, secrets)
    except (wire.Forbidden, sealing.Unreadable) as wrong:
        yield claimed[done], Answer("LATER", str(wrong), hold=parcels.UNTIL_PUT_RIGHT)
    except wire.Unreachable as wrong:
        first = claimed[done]
        yield first, _clean(Answer("LATER", str(wrong), hold=backoff(first.attempts)), secrets)


def _clean(answer: Answer, secrets: dict[str, str]) -> Answer:
    return Answer(answer.outcome, parcels.short(sealing.scrub(answer.text, secrets)), answer.hold)


def parcel(dispatch: Dispatch) -> Parcel:
    """A queued message as it leaves."""
    message, person = dispatch.message, dispatch.person
    return Parcel(
        token=str(dispatch.token),
        topic=message.topic,
        topic_label=message.get_topic_display(),
        title=message.title,
        text=message.text,
        path=f"/messages/{message.pk}?via={dispatch.token}",
        sent_at=message.sent_at,
        person_id=person.pk,
        name=person.name,
        email=person.email,
        phone=person.phone,
        subject=message.subject,
    )


def backoff(tries: int) -> timedelta:
    """How long to wait after so many tries: twice as long each time, a little at random."""
    wait = min(FIRST * 2**tries, LONGEST)
    return wait * random.uniform(0.8, 1.2)


def settle(dispatch: Dispatch, answer: Answer, now: datetime) -> None:
    """Write down what became of a try.

    What arrived has arrived, whoever thought otherwise meanwhile; bad news counts only from whoever
    holds the lease. Trouble of the
    whole channel is no fault of the message: it is tried until it is stale.
    """
    rows = Dispatch.objects.everything("投递结果").filter(pk=dispatch.pk)
    fresh: dict[str, Any] = {"answer": answer.text}
    if answer.outcome in ("SENT", "DELIVERED"):
        rows = rows.filter(state__in=("QUEUED", "FAILED"))
        fresh |= {"state": answer.outcome, "sent_at": now, "next_at": None}
        fresh["delivered_at"] = now if answer.outcome == "DELIVERED" else None
    else:
        rows = rows.filter(state="QUEUED", attempts=dispatch.attempts)
        is_spent = answer.hold is None and dispatch.attempts >= MOST_TRIES
        if answer.outcome == "REFUSED" or is_spent:
            fresh |= {"state": "FAILED", "next_at": None}
        else:
            fresh["next_at"] = now + (answer.hold or backoff(dispatch.attempts))
    with transaction.atomic():
        rows.update(**fresh)
        Attempt._base_manager.create(
            dispatch=dispatch, at=now, outcome=answer.outcome, answer=answer.text
        )


def hold(channel: Channel, unsent: list[Dispatch], answer: Answer, now: datetime) -> None:
    """Let a channel wait as a whole, and tell the administrators."""
    until = now + (answer.hold or MINUTE)
    give_back(unsent, until)
    waiting = Dispatch.objects.everything("渠道暂停").filter(
        channel=channel, state="QUEUED", mode="NOW", next_at__lt=until
    )
    waiting.update(next_at=Greatest("next_at", until))
    tell_admins(channel, answer, now)


def give_back(unsent: list[Dispatch], until: datetime) -> None:
    """Let go of what was claimed and not tried: that was no try."""
    rows = Dispatch.objects.everything("没有轮到").filter(pk__in=[one.pk for one in unsent])
    rows.update(attempts=F("attempts") - 1, next_at=until, claimed_at=None)


def drop_stale(now: datetime) -> None:
    """Give up what could not be sent for days: told so late it would mislead."""
    rows = Dispatch.objects.everything("过期").filter(
        state="QUEUED", mode="NOW", queued_at__lt=now - STALE
    )
    rows.update(state="FAILED", next_at=None, answer="三天没能发出，不再发")


def tell_admins(channel: Channel, answer: Answer, now: datetime) -> None:
    """Say once a day to the administrators that a channel does not work."""
    admins = Person.objects.everything("系统管理员").present().filter(is_admin=True)
    with transaction.atomic(), connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="send_message", reason="渠道故障", channel="JOB")
        posting.post(
            Message(
                person=one,
                kind="NOTICE",
                topic="SYSTEM",
                subject_type="channel",
                subject_id=channel.pk,
                title=f"消息渠道“{channel}”发不出去",
                text=answer.text,
                sent_at=now,
                step_key=f"channel:{channel.pk}:{timezone.localdate(now)}:{one.pk}",
            )
            for one in admins
        )
