"""Verbs on what any record may carry, and on records of the rooms below the door."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fangyuan import door


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
