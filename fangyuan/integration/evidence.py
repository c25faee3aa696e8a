"""送达证明: who was told what, when, by which channel; when it arrived, was read and acted upon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q

from fangyuan import door
from fangyuan.integration.models import Attempt, Dispatch
from fangyuan.org.models import Message


@dataclass
class Carried:
    """One message by one channel; gathered into a digest, the digest's way counts."""

    dispatch: Dispatch
    through: Dispatch | None = None

    @property
    def last(self) -> Dispatch:
        """Where to read when it went out and arrived."""
        return self.through or self.dispatch

    @property
    def tries(self) -> list[Any]:
        return list(self.last.tries.all())


@dataclass
class Told:
    """One message and every way that it went."""

    message: Message
    carried: list[Carried] = field(default_factory=list)
    title: str = ""


def of(messages: Iterable[Message]) -> list[Told]:
    """The evidence about these messages; three queries, however many there are."""
    found = {one.pk: Told(one, title=one.title) for one in messages}
    rows = Dispatch.objects.everything("送达证明").filter(
        Q(message__in=found) | Q(message__gathered__message__in=found)
    )
    tries = Prefetch("tries", Attempt.objects.everything("送达证明"))
    rows = rows.distinct().select_related("channel").prefetch_related(tries).order_by("id")
    known = list(rows)
    digests = {(one.message_id, one.channel_id): one for one in known}
    for one in known:
        if one.message_id in found:
            through = digests.get((one.gathered_in_id, one.channel_id))
            found[one.message_id].carried.append(Carried(one, through))
    return list(found.values())


def of_obligation(number: int, actor: Any) -> list[Told]:
    """What was said to anybody about a duty that the actor may see.

    Of a message that is not the actor's to read only its beginning is shown: what kind it was.
    """
    about = Message.objects.everything("义务在范围内").filter(obligations__contains=[number])
    told = of(about.select_related("person").order_by("sent_at", "id"))
    numbers = [one.message.pk for one in told]
    seen = Message.objects.seen_by(actor).filter(pk__in=numbers)
    mine = set(seen.values_list("pk", flat=True))
    for one in told:
        if one.message.pk not in mine:
            one.title = one.message.title.partition("：")[0]
    return told


def see(person: Any, messages: Any, at: datetime) -> int:
    """Note that a person read these messages of theirs; the first time counts."""
    with door.acting(by=person, action="seen", at=at):
        return int(messages.filter(person=person, seen_at=None).update(seen_at=at))


def open_from(message: Message, token: str, at: datetime) -> None:
    """Note that somebody came by the link that one channel carried: so it did arrive."""
    try:
        row = Dispatch.objects.everything("从链接点开").filter(message=message, token=UUID(token))
    except ValueError:
        return
    row.filter(opened_at=None).update(opened_at=at)
    row.filter(state="SENT").update(state="DELIVERED", delivered_at=at)
