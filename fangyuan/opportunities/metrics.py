"""Metrics over opportunities and their way through the stages: won, how fast, how far, how full."""

from __future__ import annotations

from typing import Any

from fangyuan.metrics import targets
from fangyuan.metrics.declare import Balance, Metric, Ratio, declare, narrowed, part
from fangyuan.metrics.dimensions import tell_apart
from fangyuan.opportunities.models import Need, Opportunity, StageEntry, Step

DAYS, YUAN = "天", "元"
QUARTER, COHORT = "quarter", "cohort-quarter"
SAID: dict[str, Any] = {"not_empty": True}

tell_apart(
    Opportunity,
    source="source",
    region="customer__region",
    industry="customer__industry",
    customer="customer",
    product="main_product",
    pipeline="pipeline",
    stage="stage",
    loss_reason="loss_reason",
)
tell_apart(StageEntry, source="source", customer="customer", stage="stage")
tell_apart(Need, customer="customer")


def _ratio(name: str, label: str, clause: str, over: Any, under: Any, **more: Any) -> Ratio:
    made: Ratio = declare(Ratio(name, label, over, under, clause=clause, **more))
    return made


def _closed(value: str = "count", **where: Any) -> Metric:
    return part(Opportunity, "closed_at", value, **where)


won_count = declare(
    Metric(
        *("won_count", "赢单数", Opportunity, "closed_at"),
        unit="个",
        where={"outcome": "WON"},
        windows="month quarter year",
    )
)
won_amount = declare(
    Metric(
        *("won_amount", "赢单金额", Opportunity, "closed_at", "sum(amount)", YUAN),
        where={"outcome": "WON"},
        windows="month quarter year",
    )
)
won_average = _ratio(
    *("won_average", "平均赢单金额", ""),
    won_amount,
    won_count,
    unit=YUAN,
    windows=QUARTER,
)
win_rate = _ratio(
    *("win_rate", "赢单率", "PS-1.1f"),
    won_count,
    _closed(outcome=["WON", "LOST"]),
    windows=QUARTER,
)
opportunity_conversion_rate = _ratio(
    *("opportunity_conversion_rate", "商机转化率", "PA-16.1c"),
    won_count,
    _closed(),
    windows="appraisal",
)
sales_cycle_days = _ratio(
    *("sales_cycle_days", "销售周期", "PS-1.1d PJ-2.3.4.5"),
    _closed("sum(cycle_days)", outcome="WON"),
    won_count,
    unit=DAYS,
    windows=QUARTER,
    falls=True,
)
_begun = part(Opportunity, "initiated_at")
early_loss_rate = _ratio(
    *("early_loss_rate", "早期商机流失率", "PS-2.2.5.4"),
    narrowed(_begun, closed_early=True),
    _begun,
    windows=COHORT,
    falls=True,
)
win_conversion_rate = _ratio(
    *("win_conversion_rate", "赢单转化率", "PS-2.6.5.4"),
    narrowed(_begun, outcome="WON"),
    _begun,
    windows=COHORT,
)
opportunities_found = declare(
    Metric(
        *("opportunities_found", "机会挖掘数量", Opportunity, "evaluated_at"),
        unit="个",
        where={"evaluation": "PASS"},
        clause="KA-5.1.3a",
    )
)

# --- as things stand now


def _open(value: str, **where: Any) -> Balance:
    return Balance("", "", Opportunity, value, where={"is_open": True, **where})


open_count = declare(
    Balance(
        *("open_count", "在途商机数", Opportunity),
        unit="个",
        where={"is_open": True},
    )
)
open_amount = declare(
    Balance(
        *("open_amount", "在途商机金额", Opportunity, "sum(amount)", YUAN),
        where={"is_open": True},
    )
)
opportunity_completeness = _ratio(
    *("opportunity_completeness", "商机信息完整性", "PS-2.2.5.2"),
    _open("sum(required_filled)"),
    _open("sum(required_total)"),
    windows="instant",
)
need_completeness = _ratio(
    *("need_completeness", "需求确认完整度", "PJ-2.2.4.2"),
    _open("sum(required_filled)", **{"stage.code": "J2"}),
    _open("sum(required_total)", **{"stage.code": "J2"}),
    windows="instant",
)
decision_maker_coverage = _ratio(
    *("decision_maker_coverage", "关键决策人覆盖率", "PJ-2.2.4.3"),
    _open("sum(deciders_met)"),
    _open("sum(deciders_known)"),
    windows="lifetime",
)

# --- through the stages


def _entered(**where: Any) -> Metric:
    return part(StageEntry, "entered_at", subject_type="opportunity", **where)


def _left(value: str = "count", **where: Any) -> Metric:
    return part(StageEntry, "left_at", value, subject_type="opportunity", **where)


def _conversion(name: str, label: str, clause: str, windows: str = COHORT, **stage: Any) -> Ratio:
    entered = _entered(**stage)
    over = narrowed(entered, moved_on=True)
    return _ratio(name, label, clause, over, entered, windows=windows)


opportunity_stage_conversion = _conversion(
    "opportunity_stage_conversion", "机会阶段转化率", "TAG-5.3.1b"
)
stage_conversion_rate_s4 = _conversion(
    "stage_conversion_rate_s4", "S4转化率", "PS-2.4.5.4", **{"stage.code": "S4"}
)
prospect_conversion_rate = _conversion(
    *("prospect_conversion_rate", "意向客户转化率", "PJ-2.2.4.1", "cohort-month"),
    **{"stage.code": "J2"},
)
_analysed = _entered(**{"stage.code": "A3"})
decision_maker_identified_rate = _ratio(
    *("decision_maker_identified_rate", "关键决策人识别率", "PA-7.6.3"),
    narrowed(_analysed, decider_known=True),
    _analysed,
)
stage_velocity_days = _ratio(
    *("stage_velocity_days", "商机推进速度", "PJ-2.3.4.2"),
    _left("sum(days)"),
    _left(),
    unit=DAYS,
    windows=QUARTER,
    falls=True,
)
_TALKS: dict[str, Any] = {"stage.stage_tag": "NEGOTIATION"}
negotiation_cycle_days = _ratio(
    *("negotiation_cycle_days", "谈判周期", "PS-2.5.5.1 PA-9.6.4"),
    _left("sum(days)", **_TALKS),
    _left(**_TALKS),
    unit=DAYS,
    windows=QUARTER,
    falls=True,
)
_due = part(Step, "due_on", kind="ACTIVITY")
key_activity_completion_rate = _ratio(
    *("key_activity_completion_rate", "关键活动执行率", "PJ-3.4b"),
    narrowed(_due, on_time=True),
    _due,
    windows="appraisal",
)

# --- needs

_told = part(Need, "recorded_at", opportunity=SAID)
need_report_accuracy = _ratio(
    *("need_report_accuracy", "需求报告准确性", "PA-7.6.2"),
    narrowed(_told, corrected_at={"empty": True}),
    _told,
    windows=QUARTER,
)
_confirmed = part(Need, "confirmed_at")
solution_fit_rate = _ratio(
    *("solution_fit_rate", "方案需求匹配度", "PS-2.3.5.1 PA-8.6.2"),
    narrowed(_confirmed, is_answered=True),
    _confirmed,
    windows="month quarter",
)

# --- what was to be reached: until orders are entered, what was sold is what was won

quota_attainment = _ratio(
    *("quota_attainment", "目标达成率", "KA-2.2.2a PJ-3.4f TAG-2.4.5a"),
    won_amount,
    targets.of("sales_amount", unit=YUAN),
    windows="appraisal month quarter",
)
