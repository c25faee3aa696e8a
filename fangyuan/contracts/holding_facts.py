"""What recycling clauses may know of contracts: when a customer's ended, when it was renewed."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    Subquery,
    When,
)

from fangyuan.contracts.models import Contract
from fangyuan.core import facts, spans
from fangyuan.customers import pool_facts
from fangyuan.org.models import Holding

READS = (("contract", "customer", "subject"),)


def _ended() -> Any:
    """The contract of the customer held that ended last; of an open one its last day's end."""
    last = Func(
        F("ends_on"),
        template=f"((%(expressions)s + 1)::timestamp AT TIME ZONE '{spans.SHANGHAI}')",
        output_field=DateTimeField(),
    )
    rows = Contract._base_manager.filter(
        customer=OuterRef("subject_id"), removed_at=None, signed_at__isnull=False
    )
    rows = rows.exclude(ended_at=None, ends_on=None)
    end = Case(When(ended_at__isnull=False, then=F("ended_at")), default=last)
    return rows.annotate(end=end).order_by("-end", "-pk")


def _renewed() -> Subquery:
    """When it was renewed without an end: a renewal with one ends last itself."""
    rows = Contract._base_manager.filter(
        customer=OuterRef("subject_id"),
        renews__isnull=False,
        signed_at__isnull=False,
        ended_at=None,
        ends_on=None,
        removed_at=None,
    )
    first = rows.order_by().values("customer").annotate(first=Min("signed_at"))
    return Subquery(first.values("first"))


def _of_customer(value: Any) -> Case:
    held = Q(subject_type="customer", role="OWNER") & Q(Exists(_ended()))
    return Case(When(held, then=value), output_field=DateTimeField())


facts.extend(
    Holding,
    {
        # The clock starts when there is a pool, and anew for whoever takes the customer over.
        "contract_ended_at": facts.Derived(
            "合同到期",
            kind="at",
            reads=(*pool_facts.READS, *READS),
            value=lambda: _of_customer(pool_facts.since(Subquery(_ended().values("end")[:1]))),
        ),
        "renewed_at": facts.Derived(
            "续约", kind="at", reads=READS, value=lambda: _of_customer(_renewed())
        ),
    },
)
