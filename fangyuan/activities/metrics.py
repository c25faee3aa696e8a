"""Metrics over what was done with customers: how often, how well (PA-16.1d, RES-6.3.1g)."""

from __future__ import annotations

from typing import Any

from fangyuan.activities.models import Activity
from fangyuan.metrics.declare import Metric, Ratio, declare, narrowed, part
from fangyuan.metrics.dimensions import tell_apart

POINTS = "分"

tell_apart(Activity, customer="customer", region="customer__region", campaign="lead__campaign")


def _times(name: str, label: str, clause: str, windows: str = "month", **where: Any) -> Metric:
    made: Metric = declare(
        Metric(name, label, Activity, "ended_at", "count", "次", where, clause, windows)
    )
    return made


visit_count = _times(
    *("visit_count", "销售拜访次数", "RES-6.3.1g", "month quarter year"),
    kind="VISIT",
    is_recorded=True,
)
activity_volume = _times(
    *("activity_volume", "活动量", "PA-16.1d", "appraisal"),
    stage="DONE",
    is_recorded=True,
)
effective_contacts = _times(
    *("effective_contacts", "有效沟通次数", "PA-6.6.3"),
    is_effective=True,
)


def _ratio(name: str, label: str, clause: str, over: Any, under: Any, **more: Any) -> Ratio:
    made: Ratio = declare(Ratio(name, label, over, under, clause=clause, **more))
    return made


_tried = part(Activity, "ended_at", kind=["DEMO", "POC"], stage="DONE")
poc_demo_success_rate = _ratio(
    *("poc_demo_success_rate", "POC与Demo成功率", "PS-2.3.5.3"),
    narrowed(_tried, succeeded=True),
    _tried,
    windows="quarter",
)
SHOWN = ["DEMO", "ONSITE", "VIDEO"]
demo_effectiveness_score = _ratio(
    *("demo_effectiveness_score", "演示会议有效性评分", "PJ-2.2.4.4"),
    part(Activity, "ended_at", "sum(effect)", kind=SHOWN),
    part(Activity, "ended_at", kind=SHOWN, effect={"not_empty": True}),
    unit=POINTS,
)
