"""By which channels a fresh message goes out, and when: decided in the message's transaction.

A few queries whatever the number of messages. What may not be switched off goes at once; what is
not urgent waits for the end of quiet hours; what was said a moment ago is not said again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from fangyuan.core import calendar, spans, workdays
from fangyuan.integration import quiet
from fangyuan.integration.models import TOPICS, Channel, Dispatch, Preference
from fangyuan.org import posting
from fangyuan.org.models import Message, Person

AGAIN: Final = timedelta(minutes=10)  # the same said to the same person so soon is said once
LOCKED: Final = ("ESCALATION",)
URGENT: Final = ("ESCALATION", "ALERT")
SENT_OUT: Final = frozenset(code for code, _ in TOPICS)

# The people of a team and of all teams below it, today.
_PEOPLE = """
WITH RECURSIVE below AS (
  SELECT id AS top, id FROM org_team WHERE id = ANY (%(teams)s)
  UNION
  SELECT below.top, t.id FROM org_team t JOIN below ON t.parent_id = below.id
   WHERE t.removed_at IS NULL
)
SELECT DISTINCT below.top, m.person_id
  FROM below JOIN org_membership m ON m.team_id = below.id
 WHERE m.removed_at IS NULL AND m.person_id = ANY (%(people)s)
   AND m.starts_on <= %(day)s AND (m.ends_on IS NULL OR m.ends_on >= %(day)s)
"""


class Wishes:
    """The company's default and what each of some people set."""

    def __init__(self, people: Iterable[int]) -> None:
        kept = Preference.objects.everything("提醒设置").present()
        rows = list(kept.filter(Q(person=None) | Q(person__in=set(people))))
        self.company = next((one for one in rows if one.person_id is None), None)
        self.own = {one.person_id: one for one in rows if one.person_id is not None}

    @property
    def locked(self) -> Iterable[str]:
        """Topics that nobody can switch off."""
        return self.company.locked if self.company else LOCKED

    @property
    def urgent(self) -> Iterable[str]:
        """Topics that go out in quiet hours too."""
        return self.company.urgent if self.company else URGENT

    def mode(self, person: int, topic: str, kind: str) -> str:
        """How this person is told of a topic by a kind of channel."""
        if topic in self.locked:
            return "NOW"
        for kept in (self.own.get(person), self.company):
            if kept and (chosen := kept.modes.get(topic, {}).get(kind)):
                return str(chosen)
        return "NOW"

    def quiet(self, person: int) -> quiet.Quiet:
        """When this person is not to be disturbed."""
        return quiet.of(self.own.get(person), self.company)


def route(messages: list[Message]) -> None:
    """Queue these messages for the channels by which they go out."""
    found = [one for one in messages if one.topic in SENT_OUT and one.channel == Message.By.INBOX]
    channels = list(Channel.objects.everything("消息渠道").present().filter(is_on=True))
    if not found or not channels:
        return
    people = _people(found)
    teams = _members(channels, people, max(one.sent_at for one in found))
    plan = _Plan(Wishes(people), calendar.stored(), _lately(found))
    Dispatch._base_manager.bulk_create(
        plan.dispatch(message, channel, people[message.person_id])
        for message in found
        for channel in channels
        if message.topic in channel.topics
        and (channel.team_id is None or (channel.team_id, message.person_id) in teams)
        and plan.mode(message, channel) != "OFF"
    )


class _Plan:
    """How each message goes by each channel."""

    def __init__(
        self, wishes: Wishes, days: workdays.WorkCalendar, lately: set[tuple[Any, ...]]
    ) -> None:
        self.wishes, self.days, self.lately = wishes, days, lately

    def mode(self, message: Message, channel: Channel) -> str:
        if not channel.is_personal:
            return "NOW"
        return self.wishes.mode(message.person_id, message.topic, channel.kind)

    def dispatch(self, message: Message, channel: Channel, person: Any) -> Dispatch:
        mode = self.mode(message, channel)
        key = (channel.pk, *_same(message))
        spared = self._spared(channel, person, key)
        self.lately.add(key)
        at = message.sent_at if spared else self._when(message, channel, mode)
        return Dispatch(
            message=message,
            person_id=message.person_id,
            channel=channel,
            mode=mode,
            state="DROPPED" if spared else "QUEUED",
            queued_at=at,
            next_at=None if spared else at,
            answer=spared,
        )

    def _spared(self, channel: Channel, person: Any, key: Any) -> str:
        """Why this need not be sent, if so."""
        if not person.is_active:
            return "账户已停用"
        if channel.kind == "MAIL" and not person.email:
            return "没有填写邮箱"
        return "10 分钟内说过同一件事" if key in self.lately else ""

    def _when(self, message: Message, channel: Channel, mode: str) -> datetime:
        at = message.sent_at
        if mode != "NOW":
            at = quiet.gathering(mode, at)
        elif not channel.is_personal or message.topic in self.wishes.urgent:
            return at
        return self.wishes.quiet(message.person_id).free(at, self.days)


def _same(message: Message) -> tuple[Any, ...]:
    """What makes two messages the same to whoever gets them."""
    subject = (message.subject_type, message.subject_id)
    return (message.person_id, *subject, message.topic, message.title)


def _people(messages: list[Message]) -> dict[int, Any]:
    numbers = {one.person_id for one in messages}
    return dict(Person._base_manager.in_bulk(numbers))


def _members(channels: list[Channel], people: Iterable[int], at: datetime) -> set[tuple[int, int]]:
    """Which of these people belong to the teams of the channels, as (team, person)."""
    teams = [one.team_id for one in channels if one.team_id is not None]
    if not teams:
        return set()
    given = {"teams": teams, "people": list(people), "day": spans.day_of(at)}
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, given)
        return set(cursor.fetchall())


def _lately(messages: list[Message]) -> set[tuple[Any, ...]]:
    """What went out to these people a moment ago, by channel."""
    since = min(one.sent_at for one in messages) - AGAIN
    rows = Dispatch.objects.everything("刚发过的").filter(
        person__in={one.person_id for one in messages}, queued_at__gt=since
    )
    rows = rows.exclude(state="DROPPED").select_related("message")
    return {(one.channel_id, *_same(one.message)) for one in rows}


posting.carry("消息渠道", route)
