"""The records of a help desk, as any room would declare them, with what rules may know of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Min, OuterRef, Q, Subquery, Value, When

from fangyuan.core import facts, fields
from fangyuan.core.records import Record

TAKEN, SOLVED = "Take in charge ticket", "Resolve ticket"


class Ticket(Record):
    """One case of the help desk; it is open until it is first resolved."""

    opened_at = models.DateTimeField("提出时刻")
    # Written by the act that resolves it.
    resolved_at = models.DateTimeField("解决时刻", null=True)

    begins = "opened_at"
    facts = {
        "stage": facts.Phases(
            "状态",
            choices={"OPEN": "未解决", "RESOLVED": "已解决"},
            first="OPEN",
            begun_by=(("RESOLVED", "resolved_at"),),
        ),
        # The minimum over child records.
        "responded_at": facts.Derived(
            "响应时刻", kind="at", reads=(("handling", "ticket"),), value=lambda: _first_taken()
        ),
    }

    class Meta(Record.Meta):
        app_label = "helpdesk"
        verbose_name = "工单"


class Handling(Record):
    """One thing that was done about a ticket."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="handlings")
    kind = fields.Text("动作")
    at = models.DateTimeField("时刻")

    begins = "at"
    owned_by = "ticket"
    facts = {
        "leaves_open": facts.Derived(
            "办后仍未解决", kind="bool", reads=(("ticket", "ticket"),), value=lambda: _leaves_open()
        ),
    }

    class Meta(Record.Meta):
        app_label = "helpdesk"
        verbose_name = "工单处理"
        indexes = [models.Index(fields=["ticket", "at"], name="handling_of_ticket")]


STREAMS = {
    "ticket.handled": facts.Stream("handling", "at", "ticket"),
    "ticket.left_open": facts.Stream("handling", "at", "ticket", {"leaves_open": True}),
}


def _first_taken() -> Subquery:
    taken = Handling._base_manager.filter(
        ticket=OuterRef("pk"), kind=TAKEN, removed_at=None
    ).order_by()
    return Subquery(taken.values("ticket").annotate(first=Min("at")).values("first"))


def _leaves_open() -> Case:
    is_before = Q(ticket__resolved_at=None) | Q(at__lt=F("ticket__resolved_at"))
    return Case(
        When(is_before, then=Value(True)),
        default=Value(False),
        output_field=models.BooleanField(),
    )
