"""Metrics over findings and notices: how right the records are, how notices are put right."""

from __future__ import annotations

from typing import Any

from fangyuan.metrics.declare import Metric, Ratio, declare, part
from fangyuan.supervision.models import Finding, Rectification


def _samples(name: str, label: str, **where: Any) -> Metric:
    made: Metric = declare(Metric(name, label, Finding, "found_at", unit="件", where=where))
    return made


def _rightness(name: str, label: str, kind: str, clause: str) -> Ratio:
    right = part(Finding, "found_at", subject_kind=kind, verdict="OK")
    every = part(Finding, "found_at", subject_kind=kind)
    made: Ratio = declare(Ratio(name, label, right, every, clause=clause, windows="quarter"))
    return made


customer_data_validity_rate = _rightness(
    "customer_data_validity_rate", "客户信息有效率", "customer", "RES-3.2.2c"
)
opportunity_accuracy = _rightness(
    "opportunity_accuracy", "商机信息准确性", "opportunity", "PS-2.2.5.3"
)
problems_found = _samples("problems_found", "发现问题", verdict="PROBLEM")


def _closed(name: str, label: str, **where: Any) -> Metric:
    closed = {"stage": "CLOSED", **where}
    made: Metric = declare(Metric(name, label, Rectification, "closed_at", unit="件", where=closed))
    return made


notices_closed = _closed("notices_closed", "已销号整改")
notices_in_time = _closed("notices_in_time", "按期销号整改", on_time=True)
rectification_on_time_rate = declare(
    Ratio("rectification_on_time_rate", "按期销号率", over=notices_in_time, under=notices_closed)
)
