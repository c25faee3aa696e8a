"""The desks of activities, plans and tasks, and what they add to those of customers and leads."""

from __future__ import annotations

from typing import Any

from fangyuan.activities.models import Activity, Participant, Plan, PlanItem, Report, Task
from fangyuan.customers.models import Customer, Lead
from fangyuan.desk.columns import Due
from fangyuan.desk.declare import Desk, Link, Section, View, extend, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Facts, Related
from fangyuan.desk.timeline import Source, Timeline

register(
    Desk(
        model=Activity,
        columns=[
            *("purpose", "kind", "customer", "person", "stage", "planned_at", "ended_at"),
            Due(),
        ],
        filters="stage kind purpose person customer lead planned_at ended_at written_at is_deep"
        " due",
        search=["situation", "result"],
        sorts=["planned_at", "ended_at", "due"],
        default_sort="-id",
        form=[
            Section("活动", "kind purpose customer lead opportunity person planned_at"),
            Section("预约", "appointed_at appointed_with appointed_by", is_more=True),
            Section("经过", "started_at ended_at situation feedback result next_step"),
            Section(
                "更多", "need_changes customer_issues new_needs is_deep is_incoming", is_more=True
            ),
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
register(Desk(model=Participant, page=[Facts()], icon="users"))
register(
    Desk(
        model=Plan,
        columns=["title", "kind", "person", "team", "period", "stage", "submitted_at", Due()],
        filters="kind stage person team period submitted_at due",
        search=["title", "period"],
        sorts=["period", "due"],
        default_sort="-period",
        form=[
            Section("计划", "kind title person team period goal path"),
            Section("依据", "bases basis_note types agreed_at", is_more=True),
        ],
        head="kind person period submitted_at due",
        badges=["stage"],
        actions=["submit_plan", "approve_plan"],
        address=lambda one: f"/plans/visit/{one.pk}" if one.kind == "VISIT" else f"/plan/{one.pk}",
        page=[
            Related(
                "", "计划项", record="plan_item", by="plan", show="subject at place purpose content"
            ),
            Timeline(),
            Comments(),
            Facts(),
            Duties(),
            Approvals(),
        ],
        views=[
            View("我的", {"person": "me"}, "-period"),
            View("待审", {"stage": "SUBMITTED"}, "-period"),
        ],
        icon="cal",
    )
)
register(
    Desk(
        model=PlanItem,
        columns=["purpose", "subject", "at", "place", "mode", "content", "owner", "done_at"],
        filters="plan owner at done_at mode is_priority",
        search=["purpose", "content"],
        sorts=["at"],
        form=[
            Section("计划项", "plan subject at place mode purpose content owner due_on"),
            Section("更多", "quantity amount is_priority done_at", is_more=True),
        ],
        head="plan subject at place",
        page=[Facts(), Timeline()],
        icon="cal",
    )
)
register(
    Desk(
        model=Task,
        columns=["title", "kind", "person", "asker", "customer", "due_at", "done_at", "priority"],
        filters="kind person asker customer due_at done_at priority due",
        search=["title"],
        sorts=["due_at", "asked_at"],
        default_sort="due_at",
        form=[
            Section("任务", "title kind person asker asked_at due_at customer priority"),
            Section("办理", "subject measures result", is_more=True),
        ],
        head="person asker due_at done_at customer",
        badges=["kind", "priority"],
        inline=["priority"],
        bulk=["person", "priority"],
        actions=["finish_task"],
        bulk_actions=["finish_task"],
        page=[Timeline(), Comments(), Facts(), Duties()],
        views=[
            View("未完", {"done_at": "none"}, "due_at"),
            View("我的未完", {"person": "me", "done_at": "none"}, "due_at"),
            View("我提出的", {"asker": "me"}, "-asked_at"),
        ],
        icon="check",
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
register(
    Desk(
        model=Report,
        columns="title kind person team policy period submitted_at",
        filters="kind person team policy period_end submitted_at",
        search=["title"],
        sorts=["period_end", "submitted_at"],
        default_sort="-period_end",
        form=[
            Section("报告", "kind title policy person team period period_end"),
            Section("内容", "text findings advice improvements"),
            Section("更多", "lessons opportunities sections sent_to", is_more=True),
        ],
        head="kind person period submitted_at",
        actions="submit_report",
        page=[Timeline(), Comments(), Facts(), Duties()],
        icon="file",
    )
)
