"""What rules may know of stages, of the time spent in them, and of the deals' forecast and risk."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import (
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from fangyuan.core import facts
from fangyuan.desk.models import Change, is_true
from fangyuan.forms import seed
from fangyuan.forms.models import Response
from fangyuan.opportunities.models import Opportunity, Stage, StageEntry, StageItem, Step
from fangyuan.opportunities.opportunity_facts import TEXTS
from fangyuan.org.models import Holding

# Credit from which on a deal is a risk by itself (TAG-5.1.3b), and what each sign of risk weighs.
POOR, FAIR = ("CCC", "CC", "C", "D"), ("BB", "B")
HIGH_RISK: Final = 60
FIXED_TEXT: Final = "已批合同草案"  # the deliverable of S5 by which the text is settled


def _items(*kinds: str) -> Exists:
    return Exists(
        StageItem._base_manager.filter(stage=OuterRef("pk"), kind__in=kinds, removed_at=None)
    )


def _elements() -> Func:
    """Which elements that the regulations ask of a stage it has (PS-1.1a, PA-3.2, PA-5.0)."""
    tasks, roles, tools = ~Q(tasks=""), ~Q(roles=""), ~Q(tools="") | Q(_items("TOOL"))
    standard, output = ~Q(standard=""), Q(_items("DELIVERABLE"))
    has = {
        "任务": tasks,
        "职责": roles,
        "交付物": output,
        "衡量标准": standard,
        "主要活动": tasks | Q(_items("ACTIVITY")),
        "责任人": roles,
        "工具与文档": tools,
        "关键产出": output,
        "标准": standard & tools,
        "规范": tasks & output,
    }
    told = [Case(When(what, then=Value(name))) for name, what in has.items()]
    return Func(
        *told, template="array_remove(ARRAY[%(expressions)s]::text[], NULL)", output_field=TEXTS
    )


def _last(rows: Any, at: str) -> Subquery:
    found = rows.filter(subject_type="opportunity", subject_id=OuterRef("pk"), removed_at=None)
    return Subquery(found.order_by().values("subject_id").annotate(n=Max(at)).values("n"))


def _risk() -> Combinable:
    """Signs of risk, added up, 0 to 100: poor credit weighs most (TAG-5.1.3b)."""
    decided = Q(authority="", decision_chain="")
    signs = (
        (Q(customer__credit__in=POOR), 60),
        (Q(customer__credit__in=FAIR), 25),
        (Q(feasibility="INFEASIBLE"), 30),
        (decided, 10),
        (Q(expected_on__lt=Func(function="current_date", template="%(function)s")), 15),
        (Q(budget="", budget_ok=False), 10),
        (Q(fit="LOW"), 15),
    )
    total: Any = Value(0)
    for sign, weight in signs:
        total = total + Case(When(sign, then=Value(weight)), default=Value(0))
    capped = Func(total, Value(100), function="least", output_field=IntegerField())
    return ExpressionWrapper(capped, output_field=IntegerField())


def _due() -> Coalesce:
    """How many required items of the stage in which it stands are not done."""
    done = Step._base_manager.filter(
        opportunity=OuterRef(OuterRef("pk")), item=OuterRef("pk"), state__in=("DONE", "SKIPPED"),
        removed_at=None,
    )  # fmt: skip
    rows = StageItem._base_manager.filter(
        ~Exists(done), stage=OuterRef("stage"), is_required=True, removed_at=None
    ).exclude(kind="TOOL")
    counted = rows.order_by().values("stage").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _owner() -> Subquery:
    held = Holding._base_manager.filter(
        subject_type="opportunity", subject_id=OuterRef("pk"), role="OWNER", ends_at=None,
        removed_at=None,
    )  # fmt: skip
    return Subquery(held.values("person")[:1])


_FORECAST = Response._base_manager.filter(covers__contains=list(seed.FORECAST))
facts.extend(
    Stage,
    {
        "elements": facts.Derived(
            "已配要素",
            kind="set",
            reads=(("stage_item", "stage"),),
            value=lambda: _elements(),
        ),
    },
)
facts.extend(
    Opportunity,
    {
        "owner": facts.Derived(
            "负责人", kind="record", reads=(("holding", "subject"),), value=lambda: _owner()
        ),
        "roles_in": facts.Rows(
            "参与角色", source="holding", subject="subject", value="role",
            choices=dict(Holding.Role.choices),
        ),
        "items_due": facts.Derived(
            "本阶段未完必需项数", kind="int", reads=(("step", "opportunity"),), value=lambda: _due()
        ),
        "forecast_updated_at": facts.Derived(
            "预测更新", kind="at", reads=(("response", "subject"),),
            value=lambda: _last(_FORECAST, "submitted_at"),
        ),
        "progress_fact_at": facts.Derived(
            "推进事实发生", kind="at", reads=(("change", "subject"),),
            value=lambda: _last(Change._base_manager.filter(kind="PROGRESS"), "occurred_at"),
        ),
        "stage_changed_at": facts.Derived(
            "阶段更新", kind="at", reads=(("stage_entry", "subject"),),
            value=lambda: _last(StageEntry._base_manager, "entered_at"),
        ),
        "text_fixed": facts.Derived(
            "合同文本已定", kind="bool", reads=(("step", "opportunity"),),
            value=lambda: is_true(
                Q(Exists(Step._base_manager.filter(
                    opportunity=OuterRef("pk"), name=FIXED_TEXT, state="DONE", removed_at=None)))
            ),
        ),
        "risk_score": facts.Derived("风险评估分", kind="int", value=lambda: _risk()),
    },
)  # fmt: skip

facts.declare_streams(
    Opportunity,
    {
        "opportunity.progressed": facts.Stream(
            "change", "occurred_at", "subject", {"kind": "PROGRESS"}
        ),
        "opportunity.forecast_updated": facts.Stream(
            "response", "submitted_at", "subject", {"covers": {"has": list(seed.FORECAST)}}
        ),
        "opportunity.updated_weekly": facts.Stream(
            "response", "submitted_at", "subject", {"kind": "WEEKLY"}
        ),
    },
)
