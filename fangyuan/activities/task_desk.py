"""The desks of plans, tasks, reports and the use of means."""

from __future__ import annotations

from fangyuan.activities.models import Plan, PlanItem, Report, ResourceUsage, Task
from fangyuan.desk.columns import Due
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Facts, Related
from fangyuan.desk.timeline import Timeline

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
            Section("指标", "kpis targets types", is_more=True),
            Section("依据", "bases basis_note subject agreed_at", is_more=True),
        ],
        head="kind person period submitted_at due",
        badges=["stage"],
        actions=["submit_plan", "approve_plan"],
        address=lambda one: f"/plans/visit/{one.pk}" if one.kind == "VISIT" else f"/plan/{one.pk}",
        page=[
            Related(
                "", "计划项", record="plan_item", by="plan", show="subject at place purpose content"
            ),
            Related("", "任务", record="task", by="plan", show="title person due_at done_at"),
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
            Section("计划项", "plan subject at place mode purpose content owner trainer due_on"),
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
        filters="kind person asker team customer meeting plan due_at accepted_at done_at priority"
        " is_major due",
        search=["title"],
        sorts=["due_at", "asked_at"],
        default_sort="due_at",
        form=[
            Section("任务", "title kind person team asker asked_at due_at customer priority"),
            Section("由来", "subject meeting plan target stage_tag tags is_major", is_more=True),
            Section("办理", "measures result led_to", is_more=True),
        ],
        head="person asker team due_at accepted_at answered_at done_at rating",
        badges=["kind", "priority"],
        inline=["priority"],
        bulk=["person", "priority"],
        actions="accept_task finish_task answer_task assign_task rate_task",
        bulk_actions=["finish_task"],
        page=[Timeline(), Comments(), Facts(), Duties()],
        views=[
            View("未完", {"done_at": "none"}, "due_at"),
            View("我的未完", {"person": "me", "done_at": "none"}, "due_at"),
            View("我提出的", {"asker": "me"}, "-asked_at"),
            View("会议决议", {"kind": "RESOLUTION", "done_at": "none"}, "due_at"),
            View("协作请求", {"kind": "COOPERATE", "done_at": "none"}, "due_at"),
        ],
        icon="check",
    )
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
            Section("更多", "lessons opportunities inputs sections sent_to", is_more=True),
        ],
        head="kind person period submitted_at",
        actions="fill_report submit_report send_report",
        page=[
            Related(
                "", "后续任务", record="task", by="subject", show="title person due_at done_at"
            ),
            Timeline(),
            Comments(),
            Facts(),
            Duties(),
        ],
        icon="file",
    )
)
register(
    Desk(
        model=ResourceUsage,
        columns="kind purpose person occurred_at quantity amount hours customer damage",
        filters="kind resource_class person customer opportunity campaign occurred_at damage"
        " returned_at category",
        search=["purpose"],
        sorts=["occurred_at", "amount"],
        default_sort="-occurred_at",
        form=[
            Section("使用", "kind resource_class resource person occurred_at purpose"),
            Section("多少", "quantity amount hours category"),
            Section("用在哪里", "customer opportunity campaign", is_more=True),
            Section("归还与损失", "returned_at damage damage_note", is_more=True),
        ],
        head="person occurred_at quantity amount hours",
        badges=["kind", "damage"],
        page=[Facts(), Timeline(), Comments(), Duties()],
        views=[
            View("我的", {"person": "me"}, "-occurred_at"),
            View("费用", {"kind": "EXPENSE"}, "-occurred_at"),
            View("损失", {"damage": "LOST,BROKEN"}, "-occurred_at"),
        ],
        icon="box",
    )
)
