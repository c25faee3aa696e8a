"""Metrics over what was done with customers and with each other, and what was spent on it."""

from __future__ import annotations

from typing import Any

from fangyuan.activities.models import Activity, ResourceUsage, Task
from fangyuan.customers.metrics import valid_leads
from fangyuan.metrics import targets
from fangyuan.metrics.declare import Metric, Ratio, declare, narrowed, part
from fangyuan.metrics.dimensions import tell_apart

POINTS = "分"
SAID: dict[str, Any] = {"not_empty": True}

tell_apart(ResourceUsage, customer="customer", campaign="campaign")
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
    part(Activity, "ended_at", kind=SHOWN, effect=SAID),
    unit=POINTS,
)

# --- how colleagues help each other, as those who were helped say


def _rated(name: str, label: str, clause: str, kind: str) -> Ratio:
    return _ratio(
        *(name, label, clause),
        part(Task, "done_at", "sum(rating)", kind=kind),
        part(Task, "done_at", kind=kind, rating=SAID),
        unit=POINTS,
    )


ka_collab_score = _rated("ka_collab_score", "部门协作评分", "KA-5.1.4a", "COOPERATE")
ka_peer_support_score = _rated("ka_peer_support_score", "成员互助评分", "KA-5.1.4b", "HELP")

# --- what was spent, in hours and in money


def _used(value: str, **where: Any) -> Metric:
    return part(ResourceUsage, "occurred_at", value, **where)


resource_focus_rate = _ratio(
    *("resource_focus_rate", "资源聚焦率", "PS-1.1c"),
    _used("sum(hours)", kind="HOURS", is_focused=True),
    _used("sum(hours)", kind="HOURS"),
)
sales_expense = declare(
    Metric(
        *("sales_expense", "销售费用", ResourceUsage, "occurred_at", "sum(amount)", "元"),
        where={"kind": "EXPENSE"},
        windows="month quarter year",
        falls=True,
    )
)
expense_control_rate = _ratio(
    *("expense_control_rate", "费用控制率", "RES-6.3.1i"),
    sales_expense,
    targets.of("sales_expense", unit="元"),
    windows="month quarter year",
    falls=True,
)
cost_per_lead = _ratio(
    *("cost_per_lead", "线索获取成本", "PA-5.6.3"),
    _used("sum(amount)", kind="EXPENSE", campaign=SAID),
    valid_leads,
    unit="元/条",
    falls=True,
)
