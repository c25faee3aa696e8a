"""The metrics of the rulebook itself: how much of what fell due was done in time."""

from __future__ import annotations

from typing import Any

from django.db.models import ExpressionWrapper, F, FloatField, Func, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, NullIf

from fangyuan.core import facts
from fangyuan.engine.models import Clause, Obligation, Refusal, Rule, Tally
from fangyuan.metrics.declare import Metric, Ratio, condition, declare, narrowed, part

SETTLED: dict[str, Any] = {"state": ["MET", "LATE", "BREACHED"]}
TARGET = 0.95


def _duties(name: str, label: str, *, falls: bool = False, **where: Any) -> Metric:
    made: Metric = declare(
        Metric(name, label, Tally, "due_on", "sum(number)", "件", where, "", "quarter", falls)
    )
    return made


due_duties = _duties("due_duties", "到期义务", **SETTLED)
met_duties = _duties("met_duties", "按时完成", state="MET")
breached_duties = _duties("breached_duties", "未处理违规", falls=True, state="BREACHED")
waived_duties = _duties("waived_duties", "豁免义务", falls=True, state="WAIVED")
owed_duties = _duties("owed_duties", "到期与豁免", state=[*SETTLED["state"], "WAIVED"])
waiver_rate = declare(
    Ratio("waiver_rate", "豁免率", waived_duties, owed_duties, windows="quarter", falls=True)
)
compliance_rate = declare(
    Ratio("compliance_rate", "守规率", met_duties, due_duties, target=TARGET, windows="quarter")
)

# What people tried although the rules forbid it; a clause that stops nobody may be dead letter.
refused_attempts = declare(
    Metric("refused_attempts", "被拦次数", Refusal, "on", "sum(number)", "次", windows="quarter")
)

_entries = part(Obligation, "due_at", is_entry_duty=True, state=["MET", "LATE", "BREACHED"])
crm_discipline_rate = declare(
    Ratio(
        *("crm_discipline_rate", "CRM使用规范率"),
        narrowed(_entries, state="MET"),
        _entries,
        clause="PJ-3.4c",
        windows="appraisal",
    )
)


def _counted(where: Q) -> Any:
    """How many duties of a clause stand so, over all its rules and versions."""
    rules = Rule._base_manager.filter(clause__number=OuterRef(OuterRef("number")), is_shadow=False)
    rows = Tally._base_manager.filter(where, rule_id__in=rules.values("pk"))
    summed = rows.order_by().annotate(n=Func(F("number"), function="sum")).values("n")
    return Coalesce(Subquery(summed), 0)


def _refused() -> Any:
    rows = Refusal._base_manager.filter(clause=OuterRef("number")).order_by()
    return Coalesce(Subquery(rows.annotate(n=Func(F("number"), function="sum")).values("n")), 0)


def _rate() -> Any:
    met, due = _counted(condition(met_duties)), NullIf(_counted(condition(due_duties)), 0)
    return ExpressionWrapper(met * 1.0 / due, output_field=FloatField())


facts.extend(
    Clause,
    {
        "open_count": facts.Derived(
            "未结义务", kind="int", value=lambda: _counted(Q(state="OPEN"))
        ),
        "breach_count": facts.Derived(
            "违规数", kind="int", value=lambda: _counted(condition(breached_duties))
        ),
        "refusal_count": facts.Derived("被拦次数", kind="int", value=lambda: _refused()),
        "compliance": facts.Derived("执行率", kind="number", value=lambda: _rate()),
    },
)
