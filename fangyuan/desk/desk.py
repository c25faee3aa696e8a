"""The desks of what any record may carry, and, with `below`, of the rooms under this one."""

from __future__ import annotations

from importlib import import_module

from fangyuan.desk import models
from fangyuan.desk.columns import Due, Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Duties, Facts
from fangyuan.desk.timeline import Timeline

import_module("fangyuan.desk.below")
import_module("fangyuan.desk.tag_desk")

register(
    Desk(
        model=models.Change,
        columns=["kind", "subject", "occurred_at", "reported_by", "after", "updated_at", Due()],
        filters="kind occurred_at reported_by updated_at due",
        search=["before", "after"],
        sorts=["occurred_at", "due"],
        default_sort="-occurred_at",
        form=[
            Section("变动", "subject kind occurred_at before after"),
            Section(
                "时间", "known_at known_proof reported_by told_admin_at assessed_at", is_more=True
            ),
        ],
        head="subject occurred_at reported_by updated_at due",
        actions=["settle_change"],
        page=[Timeline(), Facts(), Duties()],
        views=[View("还没更新资料", {"updated_at": "none"}, "-occurred_at")],
        icon="alert",
    )
)
register(
    Desk(
        model=models.Comment,
        columns=[Title("text"), "author", "subject", "kind", "recorded_at"],
        filters="author kind recorded_at",
        search=["text"],
        form=[Section("评论", "subject kind author text")],
        page=[Facts()],
        is_new=False,
        icon="edit",
    )
)
register(
    Desk(
        model=models.SavedView,
        form=[Section("视图", "name is_shared")],
        page=[Facts()],
        is_new=False,
        icon="filter",
    )
)
register(
    Desk(
        model=models.ImportBatch,
        columns="file_name record person stage total passed failed recorded_at",
        filters="record person stage recorded_at",
        search=["file_name"],
        form=[
            Section("导入", "file_name record mode is_history is_partial person stage"),
            Section("结果", "total passed failed message started_at undone_at"),
        ],
        address=lambda batch: f"/{batch.record}/import/{batch.pk}",
        page=[Facts()],
        is_new=False,
        is_edited=False,
        icon="in",
    )
)
register(
    Desk(
        model=models.Attachment,
        columns="name kind subject size level recorded_at",
        filters="kind level recorded_at",
        form=[Section("附件", "name kind subject size level taken_at")],
        page=[Facts(), Timeline()],
        is_new=False,
        is_edited=False,
        icon="file",
    )
)
