"""The desks of targets and readings."""

from __future__ import annotations

from fangyuan.desk import filters
from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Facts
from fangyuan.desk.timeline import Timeline
from fangyuan.metrics import drill, targets
from fangyuan.metrics.models import Reading, Target

register(
    Desk(
        model=Target,
        columns=[Title("metric"), "subject", "period", "tier", "value", "version"],
        filters="metric period tier subject_type",
        search=["metric", "period"],
        sorts=["starts_on"],
        default_sort="-starts_on",
        form=[Section("目标", "metric subject period tier value category basis")],
        head="subject period tier value version",
        said={"metric": targets.Named()},
        actions=["adjust_target"],
        page=[Facts(), Approvals(), Timeline()],
        views=[View("本年", {"starts_on": "year"}, "-starts_on")],
        is_edited=False,
        icon="medal",
    )
)
register(
    Desk(
        model=Reading,
        columns=[Title("series", sub="source"), "value", "at", "subject", "origin"],
        filters="series at origin subject_type",
        search=["source"],
        sorts=["at"],
        default_sort="-at",
        form=[Section("读数", "series value at source subject")],
        head="value at source origin",
        badges=["series", "origin"],
        page=[Facts(), Timeline()],
        views=[
            View("网站访客", {"series": "WEB_VISITORS"}, "-at"),
            View("广告投放", {"series": "AD_IMPRESSIONS,AD_CLICKS,AD_SPEND"}, "-at"),
        ],
        icon="pulse",
    )
)
filters.everywhere(drill.Counted)
