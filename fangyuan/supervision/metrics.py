"""Metrics over findings and notices: how right the records are, how notices are put right."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, F, Q

from fangyuan.metrics.declare import Metric, Ratio, declare
from fangyuan.supervision.models import Finding, Rectification


def _samples(name: str, label: str, **where: Any) -> Metric:
    value = Count("pk")
    metric: Metric = declare(
        Metric(name, label, Finding, "found_at", value, unit="件", where=Q(**where))
    )
    return metric


def _rightness(name: str, label: str, kind: str, clause: str) -> Ratio:
    of = {"subject_type": kind}
    right = _samples(f"{name}_right", f"{label}：相符", verdict="OK", **of)
    every = _samples(f"{name}_sampled", f"{label}：样本", **of)
    ratio: Ratio = declare(Ratio(name, label, over=right, under=every, clause=clause))
    return ratio


customer_data_validity_rate = _rightness(
    "customer_data_validity_rate", "客户信息有效率", "customer", "RES-3.2.2c"
)
opportunity_accuracy = _rightness(
    "opportunity_accuracy", "商机信息准确性", "opportunity", "PS-2.2.5.3"
)
problems_found = _samples("problems_found", "发现问题", verdict="PROBLEM")


def _closed(name: str, label: str, where: Q) -> Metric:
    notices, closed = Rectification, Q(stage="CLOSED") & where
    value = Count("pk")
    metric: Metric = declare(
        Metric(name, label, notices, "closed_at", value, unit="件", where=closed)
    )
    return metric


notices_closed = _closed("notices_closed", "已销号整改", Q())
notices_in_time = _closed("notices_in_time", "按期销号整改", Q(closed_at__lte=F("due_at")))
rectification_on_time_rate = declare(
    Ratio("rectification_on_time_rate", "按期销号率", over=notices_in_time, under=notices_closed)
)
