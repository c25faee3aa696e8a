"""What the talks about an opportunity tell: the last one, how long it has been quiet, its proof."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from fangyuan.activities.models import Activity, Participant
from fangyuan.core import facts, measured
from fangyuan.customers.models import Contact
from fangyuan.desk.models import is_true
from fangyuan.engine import gates
from fangyuan.library.models import Material
from fangyuan.opportunities.models import Opportunity

_READS = (("activity", "opportunity"),)


def _talks(**more: Any) -> Any:
    """Talks about the opportunity of the outer query that took place."""
    rows = Activity._base_manager.filter(
        opportunity=OuterRef("pk"), removed_at=None, stage="DONE", **more
    )
    return rows.order_by()


def _cases_used() -> Coalesce:
    """How many different cases were shown in talks about the opportunity (PJ-2.2.2.5)."""
    shown = Activity._base_manager.filter(opportunity=OuterRef(OuterRef("pk")), removed_at=None)
    numbers = shown.order_by().annotate(number=Func(F("materials"), function="unnest"))
    cases = Material._base_manager.filter(kind="CASE", pk__in=numbers.values("number"))
    counted = cases.order_by().values("kind").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _called() -> Exists:
    """A call of ours to the lead or about the opportunity."""
    calls = Activity._base_manager.filter(kind="CALL", is_incoming=False, removed_at=None)
    return Exists(
        calls.filter(Q(opportunity=OuterRef("pk")) | Q(lead=OuterRef("lead"), lead__isnull=False))
    )


def _linked() -> Any:
    """Whether what the tag says of the source is borne out by a record (TAG-2.2.1)."""
    referred = Q(lead__referrer__isnull=False) | Q(customer__referrer__isnull=False)
    return is_true(
        Q(tag_source="CAMPAIGN", lead__campaign__isnull=False)
        | (Q(tag_source="REFERRAL") & referred)
        | (Q(tag_source="CALL") & Q(_called()))
        | Q(tag_source="WEB", lead__platform__isnull=False)
        | Q(tag_source="EXPO", lead__campaign__kind="EXPO")
        | Q(tag_source="OTHER")
    )


def _deciders_met() -> Coalesce:
    """How many known deciders were met since the opportunity was begun (PJ-2.2.4.3)."""
    since = Coalesce(OuterRef(OuterRef("initiated_at")), OuterRef(OuterRef("recorded_at")))
    done: dict[str, Any] = {"stage": "DONE", "ended_at__gte": since, "removed_at": None}
    met = Activity._base_manager.filter(**done)
    there = Participant._base_manager.filter(
        contact=OuterRef("pk"),
        removed_at=None,
        **{f"activity__{name}": value for name, value in done.items()},
    )
    deciders = Contact._base_manager.filter(
        Q(Exists(met.filter(appointed_with=OuterRef("pk")))) | Q(Exists(there)),
        customer=OuterRef("customer"),
        roles__contains=["DECIDER"],
        left_on=None,
        removed_at=None,
    )
    counted = deciders.order_by().values("customer").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


facts.extend(
    Opportunity,
    {
        "source_linked": facts.Derived(
            "来源已关联佐证", kind="bool", reads=_READS, value=lambda: _linked()
        ),
        "deciders_met": facts.Derived(
            "有互动决策人数", kind="int", reads=_READS, value=lambda: _deciders_met()
        ),
        "last_activity_at": facts.Derived(
            "最近活动",
            kind="at",
            reads=_READS,
            value=lambda: Subquery(
                _talks().values("opportunity").annotate(last=Max("ended_at")).values("last")
            ),
        ),
        "cases_used": facts.Derived(
            "已用案例数", kind="int", reads=_READS, value=lambda: _cases_used()
        ),
        "executive_met_at": facts.Derived(
            "双方高层会面",
            kind="at",
            reads=_READS,
            value=lambda: Subquery(
                _talks(kind__in=("EXECUTIVE", "WORKSHOP"))
                .values("opportunity")
                .annotate(last=Max("ended_at"))
                .values("last")
            ),
        ),
        "idle_days": measured.Idle(
            "无记录天数", source="activity", at="ended_at", subject="opportunity"
        ),
    },
)
gates.met_at("opportunity", "source_linked", "/activity/new?kind=CALL&opportunity={id}")
