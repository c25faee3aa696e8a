"""A record type of the tests' own: tickets of a help desk and what happened to them.

It exists only while a test holds it: the table lives in the test's transaction, and the registry
forgets the model afterwards, so that no other test meets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.db import connection, models

from fangyuan.core import events, facts
from fangyuan.core.records import Record

ROOM = "core"


@contextmanager
def registered() -> Iterator[SimpleNamespace]:
    """The two record types with their tables, streams and log, for as long as the block runs."""
    made = _models()
    try:
        with connection.schema_editor(atomic=False) as editor:
            editor.create_model(made.Ticket)
            editor.create_model(made.TicketEvent)
        with connection.cursor() as cursor:
            for model in (made.Ticket, made.TicketEvent):
                cursor.execute(events.triggers(model))
        facts.declare_streams(
            made.Ticket,
            {
                "ticket.waiting": facts.Stream(
                    "ticket_event", "at", "ticket", {"is_solution": False}
                ),
                "ticket.touched": facts.Stream("ticket_event", "at", "ticket"),
            },
        )
        yield made
    finally:
        for name in ("ticket", "ticketevent"):
            apps.all_models[ROOM].pop(name, None)
        apps.clear_cache()
        facts.of.cache_clear()
        for name in ("ticket.waiting", "ticket.touched"):
            facts._streams.pop(name, None)


def _models() -> SimpleNamespace:
    class Ticket(Record):
        """One case of the help desk."""

        opened_at = models.DateTimeField("开单")
        responded_at = models.DateTimeField("响应", null=True)
        resolved_at = models.DateTimeField("解决", null=True)

        begins = "opened_at"

        class Meta(Record.Meta):
            app_label = ROOM
            db_table = "oracle_ticket"
            verbose_name = "工单"

    class TicketEvent(Record):
        """One step of a case; the first solution ends what is watched."""

        ticket: Any = models.ForeignKey(Ticket, models.PROTECT, related_name="+")
        at = models.DateTimeField("时间")
        is_solution = models.BooleanField("解决", default=False)

        begins = "at"

        class Meta(Record.Meta):
            app_label = ROOM
            db_table = "oracle_ticket_event"
            verbose_name = "工单动作"

    return SimpleNamespace(Ticket=Ticket, TicketEvent=TicketEvent)
