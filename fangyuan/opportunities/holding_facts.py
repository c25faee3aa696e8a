"""What recycling clauses may know of opportunities: since when whoever holds a customer has one."""

from __future__ import annotations

from django.db.models import Case, DateTimeField, Min, OuterRef, Q, Subquery, When

from fangyuan.core import facts
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Holding


def _opened() -> Case:
    """The first opportunity of this holder's time; one found open when it began is one too."""
    rows = Opportunity._base_manager.filter(
        Q(outcome="OPEN") | Q(recorded_at__gte=OuterRef("starts_at")),
        customer=OuterRef("subject_id"),
        removed_at=None,
    )
    first = rows.order_by().values("customer").annotate(first=Min("recorded_at"))
    return Case(
        When(subject_type="customer", then=Subquery(first.values("first"))),
        output_field=DateTimeField(),
    )


facts.extend(
    Holding,
    {
        "opened_at": facts.Derived(
            "有商机",
            kind="at",
            reads=(("opportunity", "customer", "subject"),),
            value=lambda: _opened(),
        )
    },
)
