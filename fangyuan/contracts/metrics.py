"""Metrics over solutions, quotes and talks: how whole, how punctual, how welcome, at what price."""

from __future__ import annotations

from typing import Any

from fangyuan.contracts.models import Negotiation, Point, Quote, Solution
from fangyuan.metrics.declare import Ratio, declare, narrowed, part
from fangyuan.metrics.dimensions import tell_apart

QUARTER = "quarter"
OFFERS = (Solution, Quote, Negotiation, Point)

for _model in OFFERS:
    tell_apart(
        _model, customer="opportunity__customer", source="opportunity__source",
        region="opportunity__customer__region",
    )  # fmt: skip
tell_apart(Quote, product="main_product")


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
    narrowed(_final, confirmed_at={"not_empty": True}),
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
