"""The desks of the rooms below the desk: core, org, access, engine."""

from __future__ import annotations

from fangyuan.access.models import AccessLog
from fangyuan.core.models import CalendarDay, Event, Operation, Term, Tracked
from fangyuan.desk import debts, said, waivers
from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Duties, Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.desk.why import ClauseChip, DutyTitle, Why, duty_title, request_title
from fangyuan.engine import approval
from fangyuan.engine import models as engine
from fangyuan.engine.packs import schema
from fangyuan.org import models as org

# What only the system writes.
KEPT = {"is_new": False, "is_edited": False}

register(
    Desk(
        model=org.Person,
        columns=[
            Title("name", sub="work_no"),
            *("phone", "email", "manager", "joined_on", "account_state", "is_on_duty"),
        ],
        filters="account_state manager joined_on is_on_duty",
        search=["name", "work_no"],
        sorts=["name", "joined_on"],
        form=[
            Section("人员", "name work_no phone email manager joined_on left_on"),
            Section("状态", "is_on_duty location_consent"),
        ],
        head="work_no phone email manager joined_on",
        badges=["account_state"],
        page=[
            Related(
                "", "任职", record="membership", by="person", show="position team starts_on ends_on"
            ),
            Timeline(),
            Facts(),
            Duties(),
        ],
        icon="smile",
    )
)
register(
    Desk(
        model=org.Team,
        columns="name kind parent leader regions",
        said={"policies": said.policies},
        sorts=["code", "name"],
        default_sort="code",
        head="code kind parent leader",
        page=[
            Related(
                "", "成员", record="membership", by="team", show="person position starts_on ends_on"
            ),
            Related("", "下级", record="team", by="parent", show="name kind leader"),
            Facts(),
            Duties(),
        ],
        icon="team",
    )
)
register(Desk(model=org.Membership, icon="users"))
register(Desk(model=org.Holding, page=[Facts(), Approvals()], is_edited=False, icon="key"))
register(
    Desk(
        model=org.Leave,
        form=[
            Section("请假", "person kind requested_at starts_at ends_at reason"),
            Section("交接", "stand_in handover_items"),
        ],
        head="kind starts_at ends_at stand_in",
        actions=["submit_leave", "approve_leave", "cancel_leave"],
        page=[Facts(), Approvals(), Timeline()],
        icon="clock",
    )
)
register(
    Desk(
        model=org.Message,
        columns="title topic person sent_at seen_at acted_at",
        filters="topic kind person sent_at seen_at acted_at channel",
        form=[
            Section("消息", "title text kind topic person subject channel"),
            Section("到了哪一步", "sent_at seen_at confirmed_at acted_at"),
        ],
        badges=["topic"],
        page=[Facts()],
        icon="bell",
        **KEPT,
    )
)
register(
    Desk(
        model=AccessLog,
        columns="kind person at subject rows terminal purpose",
        said={"purpose": said.purpose},
        icon="eye",
    )
)
register(
    Desk(
        model=Event,
        columns="action op record record_id actor at channel reason",
        filters="op channel record record_id actor at action",
        form=[Section("事件", "at actor action reason channel op record record_id")],
        icon="history",
    )
)
register(
    Desk(
        model=Term,
        columns="label domain parent rank is_open active",
        filters="domain active is_open",
        sorts=["rank", "label"],
        head="domain code rank",
        page=[Related("", "下级", record="term", by="parent", show="label active"), Facts()],
        icon="cols",
    )
)
register(
    Desk(
        model=CalendarDay,
        columns="on name is_working calendar_version is_published",
        filters="on is_working calendar_version is_published",
        said={"calendar_version": {"public": "国务院公布", "company": "公司"}},
        sorts=["on"],
        default_sort="on",
        views=[View("今年", {"on": "year"}, "on")],
        icon="cal",
    )
)
register(
    Desk(
        model=Operation,
        sorts=["started_at"],
        default_sort="-started_at",
        page=[Facts(), Duties()],
        icon="gear",
    )
)
register(
    Desk(
        model=Tracked,
        filters="fact starts_at",
        said={"fact": said.fact, "value": said.past},
        icon="history",
        **KEPT,
    )
)
register(
    Desk(
        model=engine.Policy,
        columns=[
            Title("title", sub="number"),
            *"version publisher stage starts_on ends_on".split(),
        ],
        filters="stage code publisher starts_on",
        sorts=["code", "starts_on"],
        default_sort="code",
        form=[
            Section("制度", "title code number version publisher applies_to scope_note"),
            Section("生效", "starts_on ends_on stage published_at"),
        ],
        head="number version publisher starts_on",
        said={"applies_to": said.terms("position", "department")},
        page=[
            Related("", "条款", record="clause", by="policy", show="number title area kind"),
            Facts(),
            Approvals(),
            Duties(),
            Timeline(),
        ],
        address=lambda policy: (
            f"/drafts/{policy.pk}" if policy.supersedes_id else f"/policies/{policy.code}"
        ),
        icon="book",
        **KEPT,
    )
)
register(
    Desk(
        model=engine.Clause,
        columns="number title text policy area kind",
        filters="policy area kind number",
        search=["number", "title", "text"],
        form=[Section("条款", "policy number title text chapter area kind evidence acceptance")],
        head="number area kind policy",
        page=[
            Related("", "规则", record="rule", by="clause", show="record kind starts_at is_shadow"),
            Facts(),
        ],
        said={"area": schema.AREAS, "kind": schema.KINDS},
        address=lambda clause: f"/clause/{clause.number}",
        icon="book",
        **KEPT,
    )
)
register(Desk(model=engine.Rule, page=[Facts()], icon="gear", **KEPT))
register(
    Desk(
        model=engine.Obligation,
        columns=[DutyTitle(), "state", ClauseChip(), "person", "due_at", "met_at"],
        opens=0,
        filters="state person due_at met_at subject_type",
        sorts=["due_at"],
        default_sort="due_at",
        form=[Section("义务", "subject person state began_at due_at met_at")],
        page=[Why(), Facts()],
        named=duty_title,
        views=[
            View("未结", {"state": "OPEN,BREACHED"}, "due_at"),
            View("我的", {"state": "OPEN,BREACHED", "person": "me"}, "due_at"),
            View("违规", {"state": "BREACHED"}, "-due_at"),
            View("今天到期", {"state": "OPEN,BREACHED", "due_at": "today"}, "due_at"),
        ],
        icon="task",
    )
)
register(
    Desk(
        model=engine.Move,
        columns="obligation_id was became at",
        filters="became at",
        said={"was": dict(engine.State.choices), "became": dict(engine.State.choices)},
        form=[Section("义务变动", "obligation_id was became at")],
        icon="history",
    )
)
register(
    Desk(
        model=engine.Refusal,
        columns=["last_at", "person", "action", "subject", "clause", "sentence", "number"],
        filters="person clause action channel last_at subject_type",
        sorts=["last_at", "number"],
        default_sort="-last_at",
        form=[
            Section("拦截记录", "person action subject clause sentence"),
            Section("次数", "number first_at last_at channel"),
        ],
        page=[Facts()],
        views=[
            View("今天", {"last_at": "today"}, "-last_at"),
            View("我的", {"person": "me"}, "-last_at"),
            View("没有权限", {"clause": "none"}, "-last_at"),
        ],
        icon="lock",
    )
)
register(
    Desk(
        model=engine.Alert,
        columns=[Title("rule"), "subject", "person", "raised_at", "cleared_at", "handled_at"],
        filters="rule person raised_at cleared_at handled_at subject_type",
        sorts=["raised_at"],
        default_sort="-raised_at",
        form=[
            Section("预警", "rule subject person raised_at measured cleared_at handled_at outcome")
        ],
        said={"measured": said.measured},
        head="subject person raised_at cleared_at handled_at",
        page=[Facts(), Duties(), Timeline()],
        actions=["handle_alert"],
        views=[
            View("未解除", {"cleared_at": "none"}, "-raised_at"),
            View("未处置", {"handled_at": "none"}, "-raised_at"),
        ],
        icon="alert",
        **KEPT,
    )
)
register(
    Desk(
        model=engine.Debt,
        columns=[Title("rule"), "subject", "person", "due_at", "paid_at", "granted_by"],
        filters="rule person due_at paid_at granted_by",
        sorts=["due_at"],
        default_sort="due_at",
        form=[Section("先放行，后补齐", "rule subject person due_at reason")],
        create=debts.grant,
        head="subject person due_at paid_at granted_by",
        page=[Facts(), Duties(), Timeline()],
        views=[View("没补齐", {"paid_at": "none"}, "due_at")],
        is_edited=False,
        icon="scale",
    )
)
register(
    Desk(
        model=engine.Waiver,
        columns="clause subject person stage starts_at ends_at reason",
        filters="clause person stage starts_at ends_at",
        search=["clause"],
        sorts=["starts_at", "ends_at"],
        default_sort="-starts_at",
        form=[
            Section("申请豁免", "clause subject person starts_at ends_at reason"),
            Section("批准", "asked_by stage granted_by granted_at end_reason"),
        ],
        create=waivers.ask,
        actions=["end_waiver"],
        badges=["stage"],
        head="clause subject person starts_at ends_at",
        page=[waivers.Counted(), Facts(), Approvals(), Timeline()],
        views=[
            View("待批", {"stage": "REQUESTED"}, "-starts_at"),
            View("已准", {"stage": "ACTIVE"}, "-ends_at"),
        ],
        is_edited=False,
        icon="scale",
    )
)
register(
    Desk(
        model=engine.Request,
        columns="action subject asked_by asked_at state clause decided_at",
        filters="state asked_by asked_at clause",
        form=[Section("审批申请", "action subject clause asked_by asked_at state decided_at")],
        badges=["state"],
        address=lambda request: f"/approvals/{request.pk}",
        besides=approval.visible,
        named=request_title,
        page=[
            Related("", "意见", record="decision", by="request", show="person verdict comment at"),
            Facts(),
        ],
        icon="stamp",
        **KEPT,
    )
)
register(Desk(model=engine.Approval, page=[Facts()], icon="stamp", **KEPT))
register(Desk(model=engine.Decision, page=[Facts()], icon="stamp", **KEPT))
