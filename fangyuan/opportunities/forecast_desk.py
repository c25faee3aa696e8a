"""The desks of what is kept of forecasts: snapshots and the figures that managers set."""

from __future__ import annotations

from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, register
from fangyuan.desk.panels import Facts
from fangyuan.desk.timeline import Timeline
from fangyuan.opportunities.models import Adjustment, Snapshot

register(
    Desk(
        model=Snapshot,
        columns=["taken_on", "opportunity", "person", "stage", "amount", "expected_on", "win_rate",
                 "forecast"],
        filters="taken_on is_opening opportunity person forecast expected_on amount",
        sorts=["taken_on"],
        default_sort="-id",
        page=[Facts()],
        icon="history",
    )
)  # fmt: skip
register(
    Desk(
        model=Adjustment,
        columns=[Title("month"), "person", "team", "amount", "own_amount", "author", "reason"],
        filters="month person team author",
        sorts=["month"],
        default_sort="-id",
        form=[Section("判断", "person team month amount own_amount reason author")],
        is_new=False,
        is_edited=False,
        head="person team amount own_amount author",
        page=[Timeline(), Facts()],
        icon="scale",
    )
)
