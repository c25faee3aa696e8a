"""Verbs on activities and plans: appoint, check in and out, write up, submit, approve."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fangyuan import door
from fangyuan.activities.models import NO_ISSUE, Activity, Task
from fangyuan.core import spans
from fangyuan.customers import conversion


@door.verb(
    "activity",
    label="登记预约",
    asks=("appointed_at", "appointed_with", "appointed_by"),
    writes=("stage",),
)
def appoint_visit(
    deed: door.Deed,
    activity: Any,
    *,
    appointed_at: datetime | None = None,
    appointed_with: Any = None,
    appointed_by: str = "",
) -> Any:
    """Note the appointment with the customer: a planned visit becomes ready (KA-3.3.1b)."""
    return deed.change(
        activity,
        stage="READY",
        appointed_at=appointed_at or activity.appointed_at,
        appointed_with=appointed_with or activity.appointed_with,
        appointed_by=appointed_by or activity.appointed_by,
    )


@door.verb("activity", label="签到", asks=("latitude", "longitude", "accuracy", "off_site_reason"))
def check_in(
    deed: door.Deed,
    activity: Any,
    *,
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
    accuracy: int | None = None,
    off_site_reason: str = "",
    at: datetime | None = None,
) -> Any:
    """Begin a visit on the spot; too far away it needs a reason."""
    return deed.change(
        activity,
        started_at=at or deed.at,
        latitude=latitude,
        longitude=longitude,
        accuracy=accuracy,
        off_site_reason=off_site_reason or activity.off_site_reason,
    )


@door.verb("activity", label="离场")
def check_out(deed: door.Deed, activity: Any, *, at: datetime | None = None) -> Any:
    """End a visit: it counts from now on, and the clock of its record starts (KA-3.3.2b)."""
    ended = at or deed.at
    return deed.change(activity, started_at=activity.started_at or ended, ended_at=ended)


@door.verb(
    "activity",
    label="写记录",
    asks=("situation", "feedback", "result"),
    writes=("stage", "written_at"),
)
def write_record(deed: door.Deed, activity: Any, **said: Any) -> Any:
    """Write up an activity; complete with its three parts it counts as written (KA-3.3.2a)."""
    ended = said.pop("ended_at", None) or activity.ended_at or deed.at
    parts = [
        said.get(name, getattr(activity, name)) for name in ("situation", "feedback", "result")
    ]
    written = activity.written_at or (deed.at if all(parts) else None)
    changed = deed.change(
        activity,
        said,
        stage="DONE",
        started_at=said.get("started_at") or activity.started_at or ended,
        ended_at=ended,
        written_at=written,
    )
    _open_issue(deed, changed)
    return changed


def _open_issue(deed: door.Deed, activity: Any) -> None:
    """A customer's issue noted on a visit becomes a task of its own (RES-3.4.2c)."""
    if not activity.customer_issues or activity.customer_issues.strip() in NO_ISSUE:
        return
    known = Task._base_manager.filter(
        subject_type="activity", subject_id=activity.pk, kind="CUSTOMER_ISSUE"
    )
    if not known.exists():
        deed.create(
            Task,
            {
                "kind": "CUSTOMER_ISSUE",
                "title": activity.customer_issues.splitlines()[0][:60],
                "subject": activity,
                "customer": activity.customer,
                "asker": activity.person,
                "person": activity.person,
                "asked_at": deed.at,
                "due_at": deed.at + timedelta(days=7),
            },
        )


TALK = ("kind", "ended_at", "is_deep", "situation", "result")
FIRST_TALK = ("background", "pain", "contact_pain", "basic_need", "introduced")


@door.verb(
    "lead",
    label="登记联系",
    asks=(*TALK, *FIRST_TALK),
    stages=("NEW", "NURTURE", "MQL", "ASSIGNED", "SQL"),
    like={
        name: f"activity.{name}" for name in ("kind", "ended_at", "is_deep", "situation", "result")
    },
)
def contact_lead(deed: door.Deed, lead: Any, **said: Any) -> Any:
    """Note a talk with a lead together with what it told of the lead (PA-6.2.1, PA-6.2.2)."""
    told = {name: said.pop(name) for name in FIRST_TALK if said.get(name)}
    changed = deed.change(lead, told)
    ended = said.get("ended_at") or deed.at
    is_first = not lead.activities.everything("首次联系").present().filter(stage="DONE").exists()
    deed.create(
        Activity,
        {
            "lead": changed,
            "person": deed.by,
            "kind": said.get("kind") or "CALL",
            "purpose": "FIRST" if is_first else "FOLLOW",
            "stage": "DONE",
            "started_at": ended,
            "ended_at": ended,
            "is_deep": bool(said.get("is_deep")),
            "situation": said.get("situation") or "",
            "result": said.get("result") or "",
            "written_at": deed.at,
        },
    )
    return changed


@conversion.carries
def carry_talks(deed: door.Deed, lead: Any, customer: Any) -> None:
    """The talks with a lead are talks with the customer that it became."""
    with door.acting(by=None, action="carry_talks", reason="线索转化"):
        talks = Activity._base_manager.filter(lead=lead, customer=None, removed_at=None)
        talks.update(customer=customer)


@door.verb("activity", label="取消", asks=("reason",), writes=("stage",))
def cancel_activity(deed: door.Deed, activity: Any, *, reason: str = "") -> Any:
    """Call off a planned activity."""
    return deed.change(activity, stage="CANCELLED", off_site_reason=reason)


@door.verb("plan", label="提交", writes=("stage", "submitted_at"), stages=("DRAFT",))
def submit_plan(deed: door.Deed, plan: Any) -> Any:
    """Hand in a plan with complete lines; a visit plan then waits for the manager (KA-3.3.1)."""
    if plan.stage != "DRAFT":
        raise door.Denied(f"计划已{plan.get_stage_display()}，不能再提交")
    lines = list(plan.items.everything("提交时检查").present())
    if not lines:
        what = "要拜访的客户" if plan.kind == "VISIT" else "各项内容"
        raise door.Refused([door.Unmet(f"计划里还没有一项，请先加上{what}", record="plan")])
    missing = [gap for line in lines for gap in _gaps(line)]
    if missing and plan.kind == "VISIT":
        raise door.Refused(missing)
    submitted = deed.change(plan, stage="SUBMITTED", submitted_at=plan.submitted_at or deed.at)
    if plan.person_id and deed.by is not None:
        door.act("approve_plan", submitted, by=deed.by, channel=deed.channel)
    return submitted


def _gaps(line: Any) -> list[door.Unmet]:
    parts = {
        "subject_id": "客户",
        "at": "时间",
        "purpose": "目的",
        "content": "内容",
    }
    return [
        door.Unmet(
            f"第 {line.pk} 项还缺“{label}”(KA-3.3.1a)", name, "KA-3.3.1a", "plan_item", line.pk
        )
        for name, label in parts.items()
        if not getattr(line, name)
    ]


@door.verb(
    "plan",
    label="审核",
    asks=("guidance",),
    writes=("stage", "guidance"),
    stages=("SUBMITTED",),
)
def approve_plan(deed: door.Deed, plan: Any, *, guidance: str = "") -> Any:
    """Pass a plan, with guidance (KA-3.3.1c)."""
    approved = deed.change(plan, stage="APPROVED", guidance=guidance or plan.guidance)
    if approved.kind == "SALES":
        _make_tasks(deed, approved)
    return approved


def _make_tasks(deed: door.Deed, plan: Any) -> None:
    """The lines of a sales plan that name who does it by when become their tasks (DAY-4.4.3)."""
    lines = plan.items.everything("计划转任务").present().filter(done_at=None)
    for line in lines.filter(owner__isnull=False, due_on__isnull=False):
        with deed.entrusted():
            deed.create(
                Task,
                {
                    "kind": "ACTION",
                    "title": (line.purpose or line.content).splitlines()[0][:60],
                    "plan": plan,
                    "subject": line,
                    "asker": plan.person or deed.by,
                    "person": line.owner,
                    "asked_at": deed.at,
                    "due_at": spans.midnight(line.due_on + timedelta(days=1)),
                },
            )


@door.verb("plan", label="退回", asks=("comment",), writes=("stage", "guidance"))
def approve_plan_refused(deed: door.Deed, plan: Any, *, comment: str = "") -> Any:
    """Send a plan back to its author with the manager's words."""
    return deed.change(plan, stage="DRAFT", guidance=comment or plan.guidance)


@door.verb("change", label="已更新相关信息")
def settle_change(deed: door.Deed, change: Any) -> Any:
    """Note that the information touched by a change was brought up to date (KA-3.2.2b)."""
    return deed.change(change, updated_at=change.updated_at or deed.at)
