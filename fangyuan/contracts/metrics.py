"""Metrics over offers and contracts: how whole, how punctual, how welcome, at what price."""

from __future__ import annotations

from typing import Any

from fangyuan.contracts.models import Contract, Negotiation, Point, Quote, Solution
from fangyuan.metrics.declare import Formula, Metric, Ratio, declare, narrowed, part
from fangyuan.metrics.dimensions import tell_apart
from fangyuan.opportunities import forecast_metrics
from fangyuan.opportunities.models import Opportunity

QUARTER, YUAN = "quarter", "元"
SAID: dict[str, Any] = {"not_empty": True}
SEASONS = "month quarter year"
OFFERS = (Solution, Quote, Negotiation, Point)

for _model in OFFERS:
    tell_apart(
        _model, customer="opportunity__customer", source="opportunity__source",
        region="opportunity__customer__region",
    )  # fmt: skip
tell_apart(Quote, product="main_product")
tell_apart(Contract, customer="customer", region="customer__region", source="opportunity__source")


def _ratio(name: str, label: str, clause: str, over: Any, under: Any, **more: Any) -> Ratio:
    made: Ratio = declare(Ratio(name, label, over, under, clause=clause, **more))
    return made


_answered = part(Solution, "sent_at", stage=["ACCEPTED", "DECLINED"])
proposal_acceptance_rate = _ratio(
    *("proposal_acceptance_rate", "方案接受率", "PJ-2.3.4.1"),
    narrowed(_answered, stage="ACCEPTED"),
    _answered,
    windows=QUARTER,
)
_final = part(Solution, "sent_at", kind="FINAL")
proposal_completeness = _ratio(
    *("proposal_completeness", "方案提交完整性", "PS-2.4.5.1"),
    narrowed(_final, is_complete=True),
    _final,
    windows=QUARTER,
)
customer_confirmation_rate = _ratio(
    *("customer_confirmation_rate", "客户确认比例", "PS-2.4.5.3"),
    narrowed(_final, confirmed_at=SAID),
    _final,
    windows=QUARTER,
)
_promised = part(Solution, "promised_on")
proposal_timeliness = _ratio(
    *("proposal_timeliness", "方案提交及时率", "PS-2.4.5.2 PA-8.6.1"),
    narrowed(_promised, on_promise=True),
    _promised,
    windows="month quarter",
)
_feedback = part(Point, "raised_at", kind="FEEDBACK")
solution_feedback_positivity = _ratio(
    *("solution_feedback_positivity", "方案反馈积极性", "PS-2.3.5.2 PA-8.6.3"),
    narrowed(_feedback, mood="POSITIVE"),
    _feedback,
    windows="month quarter",
)
_ended = part(Negotiation, "ended_at")
negotiation_success_rate = _ratio(
    *("negotiation_success_rate", "谈判成功率", "KA-5.1.3c PJ-2.3.4.3"),
    narrowed(_ended, signed=True),
    _ended,
    windows="month quarter",
)
discount_rate = _ratio(
    *("discount_rate", "价格折扣率", "PS-2.5.5.2"),
    part(Quote, "sent_at", "sum(discount_amount)", stage="ACCEPTED"),
    part(Quote, "sent_at", "sum(list_total)", stage="ACCEPTED"),
    windows=QUARTER,
    falls=True,
)

# --- contracts, by the day on which both sides had signed


def _signed(value: str = "count", **where: Any) -> Metric:
    return part(Contract, "signed_at", value, **where)


contract_count = declare(
    Metric(
        *("contract_count", "销售合同签订数量", Contract, "signed_at"),
        unit="份",
        clause="RES-6.3.1h",
        windows=SEASONS,
    )
)
contract_amount = declare(
    Metric(
        *("contract_amount", "合同金额", Contract, "signed_at", "sum(amount)", YUAN),
        clause="PA-9.6.2 PA-16.1a",
        windows="appraisal month",
    )
)
forecast_accuracy = declare(
    Formula(
        *("forecast_accuracy", "预测准确率", forecast_metrics.near),
        (forecast_metrics.forecast_amount, contract_amount),
        unit="%",
        clause="PS-1.1b",
        said="1 减去月初预测与实际签约之差占实际签约的比例，不小于 0",
        windows="month",
    )
)
avg_contract_value = _ratio(
    *("avg_contract_value", "平均合同价值", "PJ-2.3.4.4"),
    contract_amount,
    contract_count,
    unit=YUAN,
    windows=QUARTER,
)
contract_margin_rate = _ratio(
    *("contract_margin_rate", "合同利润率", "PA-9.6.3"),
    _signed("sum(margin)", estimated_cost=SAID),
    _signed("sum(amount)", estimated_cost=SAID),
)
contract_compliance_rate = _ratio(
    *("contract_compliance_rate", "合同条款合规率", "PS-2.5.5.3"),
    _signed(is_compliant=True),
    contract_count,
    windows=QUARTER,
)
_agreed = part(Contract, "agreed_sign_on")
contract_signing_on_time_rate = _ratio(
    *("contract_signing_on_time_rate", "合同签署及时率", "PS-2.6.5.1"),
    narrowed(_agreed, on_time=True),
    _agreed,
    windows=QUARTER,
)
_SOLD = "distinct(customer)"
renewal_rate = _ratio(
    *("renewal_rate", "客户续约率", "PJ-2.5.4.1 PS-2.7.5.3 PA-11.6.2"),
    part(Contract, "ends_on", _SOLD, renewed_at=SAID),
    part(Contract, "ends_on", _SOLD),
    windows=QUARTER,
)
_begun = part(Opportunity, "initiated_at")
opportunity_close_rate = _ratio(
    *("opportunity_close_rate", "合同签约率", "PA-9.6.1"),
    narrowed(_begun, contract_signed_at=SAID),
    _begun,
    windows="cohort-quarter",
)
