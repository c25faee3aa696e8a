"""What rules and scores may know of leads and touches; talks are told by the activities room."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    DecimalField,
    Exists,
    F,
    Func,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from fangyuan.core import facts
from fangyuan.customers.models import Lead, Touch
from fangyuan.desk.models import is_true
from fangyuan.org.models import Holding


def same() -> Any:
    """Leads that say the same person or company as the one of the outer query."""
    alike = (
        Q(phone=OuterRef("phone"), phone__gt="")
        | Q(email=OuterRef("email"), email__gt="")
        | Q(company_key=OuterRef("company_key"), company_key__gt="")
    )
    return Lead._base_manager.filter(alike, removed_at=None).exclude(pk=OuterRef("pk")).order_by()


def _doubles() -> Coalesce:
    counted = same().values("removed_at").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), Value(0))


def is_counted() -> Q:
    """A lead counts unless an earlier one says the same."""
    earlier = Q(occurred_at__lt=OuterRef("occurred_at")) | Q(
        occurred_at=OuterRef("occurred_at"), pk__lt=OuterRef("pk")
    )
    return ~Q(Exists(same().filter(earlier)))


def _complete() -> Q:
    """Whom, of which company, how reached, what wanted, whence (PA-5.2.6)."""
    return Q(company__gt="", contact_name__gt="", need__gt="", source__isnull=False) & (
        Q(phone__gt="") | Q(email__gt="")
    )


def _touches(**more: Any) -> Any:
    return Touch._base_manager.filter(lead=OuterRef("pk"), removed_at=None, **more).order_by()


def _last_touch() -> Subquery:
    return Subquery(_touches().values("lead").annotate(last=Max("at")).values("last"))


def _owner(column: str = "person") -> Subquery:
    held = Holding._base_manager.filter(
        subject_type="lead", subject_id=OuterRef("pk"), role="OWNER", ends_at=None, removed_at=None
    )
    return Subquery(held.order_by().values(column)[:1])


def span(until: str, since: str, unit: int) -> Func:
    """The time between two instants in units of so many seconds."""
    return Func(
        F(until),
        F(since),
        template=f"(extract(epoch FROM %(expressions)s) / {unit})::numeric(12, 2)",
        arg_joiner=" - ",
        output_field=DecimalField(max_digits=12, decimal_places=2),
    )


facts.extend(
    Lead,
    {
        "owner": facts.Derived(
            "负责人", kind="record", reads=(("holding", "subject"),), value=lambda: _owner()
        ),
        "owner_on_duty": facts.Derived(
            "负责人已上岗",
            kind="bool",
            reads=(("holding", "subject"),),
            value=lambda: Coalesce(_owner("person__is_on_duty"), Value(True)),
        ),
        "is_complete": facts.Derived(
            "关键信息完整", kind="bool", value=lambda: is_true(_complete())
        ),
        "duplicates": facts.Derived("判重数", kind="int", value=lambda: _doubles()),
        "is_counted": facts.Derived("未判重", kind="bool", value=lambda: is_true(is_counted())),
        "last_touch_at": facts.Derived(
            "最近触达", kind="at", reads=(("touch", "lead"),), value=lambda: _last_touch()
        ),
        "touch_kinds": facts.Derived(
            "触达方式",
            kind="set",
            choices=dict(Touch.Kind.choices),
            reads=(("touch", "lead"),),
            value=lambda: ArraySubquery(_touches().values("kind").distinct()),
        ),
        "touch_count": facts.Derived(
            "触达次数",
            kind="int",
            reads=(("touch", "lead"),),
            value=lambda: Coalesce(
                Subquery(_touches().values("lead").annotate(n=Count("pk")).values("n")), Value(0)
            ),
        ),
        "entry_hours": facts.Derived(
            "录入间隔", kind="number", value=lambda: span("recorded_at", "occurred_at", 3600)
        ),
        "days_to_mql": facts.Derived(
            "到达MQL天数", kind="number", value=lambda: span("mql_at", "occurred_at", 86400)
        ),
    },
)
facts.extend(
    Touch,
    {
        "became_lead": facts.Derived(
            "转为线索", kind="bool", value=lambda: is_true(Q(is_first=True, lead__isnull=False))
        )
    },
)
facts.declare_streams(
    Lead,
    {
        "lead.captured": facts.Stream("lead", "occurred_at"),
        "lead.assigned": facts.Stream("holding", "starts_at", "subject", {"role": "OWNER"}),
        "lead.touched": facts.Stream("touch", "at", "lead"),
        "lead.scored": facts.Stream("lead", "mql_at"),
    },
)
