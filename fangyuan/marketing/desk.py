"""The desk of campaigns."""

from __future__ import annotations

from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Facts
from fangyuan.desk.timeline import Timeline
from fangyuan.marketing.models import Campaign

register(
    Desk(
        model=Campaign,
        columns=[Title("name", sub="place"), "kind", "stage", "starts_at", "ends_at"],
        filters="kind stage starts_at ends_at",
        search=["name", "place"],
        sorts=["starts_at"],
        default_sort="-starts_at",
        form=[Section("市场活动", "name kind place form attendees starts_at ends_at")],
        head="kind place starts_at ends_at",
        actions=["start_campaign", "end_campaign", "cancel_campaign"],
        page=[Timeline(), Facts()],
        views=[View("进行中", {"stage": "RUNNING"}, "-starts_at")],
        icon="flag",
    )
)
