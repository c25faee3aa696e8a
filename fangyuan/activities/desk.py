"""The desks of activities, and what they add to those of customers, leads and opportunities."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fangyuan.activities.models import Activity, Participant
from fangyuan.customers.models import Customer, Lead
from fangyuan.desk.columns import Due
from fangyuan.desk.declare import Desk, Link, Section, View, extend, register
from fangyuan.desk.panels import Comments, Duties, Facts, Related
from fangyuan.desk.timeline import Source, Timeline

register(
    Desk(
        model=Activity,
        columns=[
            *("purpose", "kind", "customer", "person", "stage", "planned_at", "ended_at"),
            Due(),
        ],
        filters="stage kind purpose person customer lead planned_at ended_at written_at is_deep"
        " approach outcome due",
        search=["situation", "result"],
        sorts=["planned_at", "ended_at", "due"],
        default_sort="-id",
        form=[
            Section("活动", "kind purpose customer lead opportunity contract person planned_at"),
            Section("预约", "appointed_at appointed_with appointed_by", is_more=True),
            Section("经过", "started_at ended_at situation feedback result next_step"),
            Section("回访", "business_growth new_needs recommended outcome", is_more=True),
            Section("依据", "approach answers_needs materials", is_more=True),
            Section("更多", "need_changes customer_issues is_deep is_incoming", is_more=True),
            Section(
                "成效",
                "is_connected got_new_info effect success_criteria succeeded",
                is_more=True,
            ),
        ],
        head="customer person planned_at ended_at written_at due",
        badges=["stage", "kind", "purpose"],
        board="stage",
        actions="appoint_visit check_in check_out write_record cancel_activity",
        address=lambda one: f"/visits/{one.pk}" if one.kind == "VISIT" else f"/activity/{one.pk}",
        page=[
            Timeline(),
            Comments(),
            Related("", "参与人", record="participant", by="activity", show="person contact"),
            Related("", "任务", record="task", by="subject", show="title person due_at done_at"),
            Facts(),
            Duties(),
        ],
        views=[
            View("我的", {"person": "me"}, "-planned_at"),
            View(
                "待写记录", {"person": "me", "written_at": "none", "ended_at": "-30d"}, "-ended_at"
            ),
        ],
        icon="pin",
    )
)
register(
    Desk(
        model=Participant,
        columns="person contact meeting activity state signed_at reason",
        filters="state person meeting activity signed_at",
        sorts=["signed_at"],
        form=[
            Section("参与人", "meeting activity person contact"),
            Section("更多", "reason score", is_more=True),
        ],
        badges=["state"],
        actions=["sign_in", "excuse"],
        page=[Facts(), Timeline()],
        icon="users",
    )
)


def _activity(row: Any) -> dict[str, Any]:
    return {
        "title": f"{row.get_kind_display()}：{row.get_purpose_display()}",
        "text": row.result or row.situation,
        "note": row.next_step and f"下一步：{row.next_step}",
    }


def _task(row: Any) -> dict[str, Any]:
    return {"title": f"任务：{row.title}", "text": row.result}


extend(
    Customer,
    through=["activity.customer"],
    links=[
        Link("记拜访", "/visits/new?customer={id}", "activity", "pin"),
        Link("复核", "/customer/{id}/review", "response", "check"),
        Link("登记变动", "/customer/{id}/change", "change", "alert"),
    ],
    timeline=[
        Source("activity", by="customer", at="ended_at", say=_activity, icon="pin"),
        Source("task", by="customer", at="asked_at", say=_task, icon="check"),
    ],
    page=[
        Related(
            "", "往来", record="activity", by="customer", show="purpose kind person stage ended_at"
        ),
        Related("", "任务", record="task", by="customer", show="title person due_at done_at"),
    ],
)
extend(
    Lead,
    actions=["contact_lead"],
    through=["activity.lead"],
    timeline=[Source("activity", by="lead", at="ended_at", say=_activity, icon="pin")],
    page=[Related("", "往来", record="activity", by="lead", show="purpose kind person ended_at")],
)
import_module("fangyuan.activities.meeting_desk")
import_module("fangyuan.activities.task_desk")
