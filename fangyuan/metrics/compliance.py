"""The metrics of the rulebook itself: how much of what fell due was done in time."""

from __future__ import annotations

from typing import Any

from django.db.models import ExpressionWrapper, F, FloatField, Func, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, NullIf

from fangyuan.core import facts
from fangyuan.engine.models import Clause, Rule, Tally
from fangyuan.metrics.declare import Metric, Ratio, declare

SETTLED = Q(state__in=["MET", "LATE", "BREACHED"])
TARGET = 0.95

due_duties = declare(
    Metric(
        "due_duties",
        "到期义务",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=SETTLED,
    )
)
met_duties = declare(
    Metric(
        "met_duties",
        "按时完成",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=Q(state="MET"),
    )
)
breached_duties = declare(
    Metric(
        "breached_duties",
        "未处理违规",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=Q(state="BREACHED"),
    )
)
waived_duties = declare(
    Metric(
        "waived_duties",
        "豁免义务",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=Q(state="WAIVED"),
    )
)
owed_duties = declare(
    Metric(
        "owed_duties",
        "到期与豁免",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=SETTLED | Q(state="WAIVED"),
    )
)
waiver_rate = declare(Ratio("waiver_rate", "豁免率", over=waived_duties, under=owed_duties))
compliance_rate = declare(
    Ratio("compliance_rate", "守规率", over=met_duties, under=due_duties, target=TARGET)
)


def _counted(where: Q) -> Any:
    """How many duties of a clause stand so, over all its rules and versions."""
    rules = Rule._base_manager.filter(clause__number=OuterRef(OuterRef("number")), is_shadow=False)
    rows = Tally._base_manager.filter(where, rule_id__in=rules.values("pk"))
    summed = rows.order_by().annotate(n=Func(F("number"), function="sum")).values("n")
    return Coalesce(Subquery(summed), 0)


def _rate() -> Any:
    met, due = _counted(met_duties.where), NullIf(_counted(SETTLED), 0)
    return ExpressionWrapper(met * 1.0 / due, output_field=FloatField())


facts.extend(
    Clause,
    {
        "open_count": facts.Derived(
            "未结义务", kind="int", value=lambda: _counted(Q(state="OPEN"))
        ),
        "breach_count": facts.Derived(
            "违规数", kind="int", value=lambda: _counted(breached_duties.where)
        ),
        "compliance": facts.Derived("执行率", kind="number", value=lambda: _rate()),
    },
)
