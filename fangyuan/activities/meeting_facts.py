"""What rules may know of meetings: who led them, what they covered, what became of them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from fangyuan.activities.days import LocalDay
from fangyuan.activities.models import Meeting, Participant, Task
from fangyuan.core import facts
from fangyuan.engine import gates
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Leave, Membership

TEXTS = ArrayField(TextField())
THERE = ("ON_TIME", "LATE", "LEFT")


def _host_roles() -> ArraySubquery:
    """The host's positions on that day; in place of a colleague on leave, theirs as well."""
    day = LocalDay(OuterRef("starts_at"))
    stood_in = Leave._base_manager.filter(
        stand_in=OuterRef(OuterRef("host_id")),
        stage="APPROVED",
        starts_at__lte=OuterRef(OuterRef("starts_at")),
        ends_at__gt=OuterRef(OuterRef("starts_at")),
        removed_at=None,
    )
    rows = Membership._base_manager.filter(
        Q(ends_on=None) | Q(ends_on__gte=day), removed_at=None, starts_on__lte=day
    ).filter(Q(person=OuterRef("host_id")) | Q(person__in=stood_in.values("person")))
    return ArraySubquery(rows.order_by("id").values(code=Cast("position__code", TextField())))


def _resolutions(**more: Any) -> Any:
    rows = Task._base_manager.filter(meeting=OuterRef("pk"), kind="RESOLUTION", removed_at=None)
    return rows.filter(**more).order_by()


def _resolutions_assigned_at() -> Case:
    """When the last resolution was given to somebody; a meeting without any owes nothing more."""
    last = _resolutions().values("meeting").annotate(last=Max("assigned_at")).values("last")
    return Case(
        When(Exists(_resolutions(assigned_at=None)), then=Value(None)),
        default=Coalesce(Subquery(last), F("ended_at")),
    )


def _count(rows: Any) -> Coalesce:
    counted = rows.values("meeting").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _invited(**more: Any) -> Any:
    rows = Participant._base_manager.filter(meeting=OuterRef("pk"), removed_at=None)
    return rows.filter(**more).order_by()


def _attendance() -> Case:
    share = ExpressionWrapper(
        _count(_invited(state__in=THERE)) * 100.0 / _count(_invited()),
        output_field=DecimalField(max_digits=7, decimal_places=2),
    )
    return Case(When(Exists(_invited()), then=share))


facts.extend(
    Meeting,
    {
        "owner": facts.Derived("主持人", kind="record", value=lambda: F("host")),
        "host_roles": facts.Derived(
            "主持人岗位",
            kind="set",
            reads=(("membership", "", ""), ("leave", "", "")),
            value=lambda: _host_roles(),
        ),
        # One row for each participant, where a meeting is counted for everybody who was asked.
        "participants": facts.Derived(
            "参会人",
            kind="record",
            reads=(("participant", "meeting"),),
            value=lambda: Case(
                When(participants__removed_at=None, then=F("participants__person_id"))
            ),
        ),
        "resolution_count": facts.Derived(
            "决议数",
            kind="int",
            reads=(("task", "meeting"),),
            value=lambda: _count(_resolutions()),
        ),
        "resolutions_assigned_at": facts.Derived(
            "决议派定",
            kind="at",
            reads=(("task", "meeting"),),
            value=lambda: _resolutions_assigned_at(),
        ),
        "attendance": facts.Derived(
            "到会率",
            kind="number",
            reads=(("participant", "meeting"),),
            value=lambda: _attendance(),
        ),
    },
)


def _about(kind: str) -> Any:
    """Meetings of a kind about the opportunity of the outer query, since it became a major one."""
    rows = Meeting._base_manager.filter(opportunity=OuterRef("pk"), removed_at=None)
    rows = rows.filter(kinds__contains=[kind], ended_at__isnull=False)
    return rows.filter(Q(ended_at__gte=OuterRef("major_at"))).order_by("ended_at")


facts.extend(
    Opportunity,
    {
        "project_meeting_at": facts.Derived(
            "召开项目会议",
            kind="at",
            reads=(("meeting", "opportunity"),),
            value=lambda: Subquery(_about("PROJECT").values("ended_at")[:1]),
        ),
    },
)
gates.met_at("opportunity", "project_meeting_at", "/meetings/new?kinds=PROJECT&opportunity={id}")
