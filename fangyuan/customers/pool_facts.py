"""What recycling clauses may know of a holding: since when its clock runs, and of what it is."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, DateTimeField, Exists, Min, OuterRef, Q, Subquery, When
from django.db.models.functions import Greatest

from fangyuan.core import facts
from fangyuan.customers.models import Customer, Lead, Pool
from fangyuan.desk.models import is_true
from fangyuan.org.models import Holding


def pools_since(kind: str) -> Subquery:
    """Since when there is a pool of a kind; nothing falls anywhere before that."""
    rows = Pool._base_manager.filter(kind=kind, is_active=True, removed_at=None).order_by()
    first = rows.values("kind").annotate(first=Min("starts_at"))
    return Subquery(first.values("first"), output_field=DateTimeField())


def protected() -> Subquery:
    """Until when the customer held is protected, or when it was graded: another span applies."""
    rows = Customer._base_manager.filter(pk=OuterRef("subject_id"))
    return Subquery(rows.values(later=Greatest("locked_until", "graded_at"))[:1])


def since(*more: Any) -> Case:
    """The latest of what starts the clock of a holding; NULL where there is no pool to fall into.

    PostgreSQL's greatest() leaves NULLs out, so the pool decides by itself.
    """
    starts = ("starts_at", "extended_at", *more)
    of_customer = Greatest(pools_since("CUSTOMER"), protected(), *starts)
    of_lead = Greatest(pools_since("LEAD"), *starts)
    return Case(
        When(_pooled("customer", "CUSTOMER"), then=of_customer),
        When(_pooled("lead", "LEAD"), then=of_lead),
        output_field=DateTimeField(),
    )


def _pooled(record: str, kind: str) -> Q:
    exists = Pool._base_manager.filter(kind=kind, is_active=True, removed_at=None)
    return Q(subject_type=record, role="OWNER") & Q(Exists(exists))


def _won_at() -> Subquery:
    rows = Customer._base_manager.filter(pk=OuterRef("subject_id"))
    return Subquery(rows.values("won_at")[:1])


def _secured() -> Case:
    leads = Lead._base_manager.filter(pk=OuterRef("subject_id"))
    return Case(
        When(subject_type="customer", then=_won_at()),
        When(subject_type="lead", then=Subquery(leads.values("converted_at")[:1])),
    )


READS = (("customer", "", "subject"), ("pool", "", ""))
GRADES = dict(Customer.Grade.choices)
facts.extend(
    Holding,
    {
        "of_customer": facts.Derived(
            "客户的", kind="bool", value=lambda: is_true(Q(subject_type="customer", role="OWNER"))
        ),
        "of_lead": facts.Derived(
            "线索的", kind="bool", value=lambda: is_true(Q(subject_type="lead", role="OWNER"))
        ),
        "held_since": facts.Derived("取得", kind="at", reads=READS, value=lambda: since()),
        "won_at": facts.Derived(
            "首份双签", kind="at", reads=(("customer", "", "subject"),), value=lambda: _won_at()
        ),
        "grade": facts.Via(
            "分级", kind="enum", choices=GRADES, link="subject", to="customer", of="grade"
        ),
        # Every talk starts the clock anew, so that within one count only a deal ends it.
        "secured_at": facts.Derived(
            "再次联系或成交",
            kind="at",
            reads=(("customer", "", "subject"), ("lead", "", "subject")),
            value=lambda: _secured(),
        ),
        "lead_stage": facts.Via(
            "线索状态",
            kind="enum",
            choices=dict(Lead.Stage.choices),
            link="subject",
            to="lead",
            of="stage",
        ),
    },
)
