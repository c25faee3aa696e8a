"""Sending messages: each is stored once, by its step key, and handed on in the same transaction.

The inbox of a person is the message itself; the rooms above that carry messages further, by mail
or into a group, register here. Nothing else in the product writes messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import transaction

from fangyuan.org.models import Message

Carrier = Callable[[list[Message]], None]
_carriers: dict[str, Carrier] = {}


def carry(name: str, carrier: Carrier) -> None:
    """Have every fresh message handed to this function as well."""
    _carriers[name] = carrier


def post(messages: Iterable[Message]) -> list[Message]:
    """Store the messages that were not sent yet, inside a deed; gives those."""
    by_key = {one.step_key: one for one in messages}
    if not by_key:
        return []
    sent = Message.objects.everything("已发过").filter(step_key__in=list(by_key))
    known = set(sent.values_list("step_key", flat=True))
    fresh = [one for key, one in by_key.items() if key not in known]
    if fresh:
        with transaction.atomic():
            Message._base_manager.bulk_create(fresh)
            for carrier in _carriers.values():
                carrier(fresh)
    return fresh
