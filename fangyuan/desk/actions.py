"""Verbs on what any record may carry, and on records of the rooms below the door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from fangyuan import door
from fangyuan.org.models import Membership


@door.verb("alert", label="处置", asks=("outcome",), writes=("handled_at", "outcome"))
def handle_alert(deed: door.Deed, alert: Any, *, outcome: str = "") -> Any:
    """Note what was done about an alert; the warning itself ends when the facts say so."""
    if not outcome.strip():
        raise door.Refused([door.Unmet("请写明处置结论", "outcome", record="alert")])
    return deed.change(alert, handled_at=alert.handled_at or deed.at, outcome=outcome)


@door.verb("leave", label="提交", writes=("stage",), stages=("DRAFT",))
def submit_leave(deed: door.Deed, leave: Any) -> Any:
    """Ask for an absence; it then waits for the superior (KA-7.1.3)."""
    if leave.stage != "DRAFT":
        raise door.Denied(f"请假已{leave.get_stage_display()}，不能再提交")
    waiting = deed.change(leave, stage="WAITING")
    if deed.by is not None:
        door.act("leave.approve_leave", waiting, by=deed.by, channel=deed.channel)
    return waiting


@door.verb("leave", label="批准", writes=("stage",), stages=("WAITING",))
def approve_leave(deed: door.Deed, leave: Any) -> Any:
    """Grant an absence; nobody grants their own."""
    if deed.by is not None and deed.by.pk == leave.person_id and not deed.is_trusted:
        raise door.Denied("不能批准自己的请假")
    if leave.stage != "WAITING":
        raise door.Denied("只有待批的请假才能批准")
    return deed.change(leave, stage="APPROVED")


@door.verb("leave", label="不批", asks=("comment",), writes=("stage",))
def approve_leave_refused(deed: door.Deed, leave: Any, *, comment: str = "") -> Any:
    """Refuse an absence."""
    return deed.change(leave, stage="REFUSED")


@door.verb("leave", label="撤销", writes=("stage",))
def cancel_leave(deed: door.Deed, leave: Any, *, at: datetime | None = None) -> Any:
    """Take back an absence that was granted."""
    if leave.stage not in ("DRAFT", "WAITING", "APPROVED"):
        raise door.Denied(f"请假已{leave.get_stage_display()}，不用撤销")
    return deed.change(leave, stage="CANCELLED")


@door.verb("person", label="停用账户", writes=("account_state", "account_disabled_at"))
def disable_account(deed: door.Deed, person: Any) -> Any:
    """Close an account for good, as on the day somebody leaves (RES-5.3.2c)."""
    if deed.by is not None and deed.by.pk == person.pk:
        raise door.Denied("不能停用自己的账户")
    return _account(deed, person, "DISABLED", person.account_disabled_at or deed.at)


@door.verb("person", label="锁定账户", writes=("account_state",))
def lock_account(deed: door.Deed, person: Any) -> Any:
    """Keep somebody from signing in until it is cleared up."""
    return _account(deed, person, "LOCKED", person.account_disabled_at)


@door.verb("person", label="启用账户", writes=("account_state", "account_disabled_at"))
def enable_account(deed: door.Deed, person: Any) -> Any:
    """Let somebody sign in again; who has left is engaged anew first."""
    if person.left_on is not None:
        raise door.Denied("已离职，先清掉离职日再启用")
    return _account(deed, person, "ACTIVE", None)


def _account(deed: door.Deed, person: Any, state: str, disabled_at: datetime | None) -> Any:
    # Who may is said by the access table's acts; those departments write no other field.
    with deed.entrusted():
        return deed.change(person, account_state=state, account_disabled_at=disabled_at)


@door.verb("person", label="登记上岗考核通过", writes=("onboarding_passed_at",))
def pass_onboarding(deed: door.Deed, person: Any) -> Any:
    """Note that somebody passed the test for their post (PA-13.2)."""
    with deed.entrusted():
        return deed.change(person, onboarding_passed_at=person.onboarding_passed_at or deed.at)


@door.verb("person", label="上岗", writes=("is_on_duty",))
def start_duty(deed: door.Deed, person: Any) -> Any:
    """Let somebody take on leads and customers (PA-13.2)."""
    with deed.entrusted():
        return deed.change(person, is_on_duty=True)


@door.verb("person", label="授予成员标签", asks=("expertise", "teamwork"), writes=("teamwork",))
def grant_tags(deed: door.Deed, person: Any, **said: Any) -> Any:
    """Say what somebody is good at and how they work with others (TAG-2.4.4, TAG-2.4.6)."""
    with deed.entrusted():
        return deed.change(person, said)


@door.verb(
    "person",
    label="调整激励方式",
    asks=("motivation", "motivation_note"),
    writes=("motivation", "motivation_note"),
)
def adjust_member_tags(deed: door.Deed, person: Any, **said: Any) -> Any:
    """Note what drives somebody, for their superior and the personnel department (DAY-2.4.3)."""
    with deed.entrusted():
        return deed.change(person, said)


@door.verb("membership", label="确认晋升", asks=("basis",), writes=("kind", "is_main"))
def promote(deed: door.Deed, membership: Any, *, basis: str = "") -> Any:
    """Make a nominated post the person's main one; the one before ends the day before (KA-6.5.2).

    A nomination is a post beside the main one, with its basis.
    """
    before = Membership._base_manager.filter(
        person=membership.person, is_main=True, removed_at=None, starts_on__lt=membership.starts_on
    ).exclude(pk=membership.pk)
    with deed.entrusted():
        for post in before.filter(Q(ends_on=None) | Q(ends_on__gte=membership.starts_on)):
            deed.change(post, ends_on=membership.starts_on - timedelta(days=1))
        return deed.change(
            membership, kind="PROMOTE", is_main=True, basis=basis or membership.basis
        )
