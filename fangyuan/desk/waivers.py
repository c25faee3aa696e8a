"""Waivers: asked for with a reason and a span, agreed to by the superior, counted, ended by date.

Whoever gains by one never puts it in force; what is brought in as history was agreed elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count

from fangyuan import door
from fangyuan.access import table
from fangyuan.desk.panels import Panel, Scene
from fangyuan.engine import approval
from fangyuan.engine.models import Clause, Waiver
from fangyuan.org import lines

LONGEST: Final = timedelta(days=366)
ASKED: Final = ("clause", "subject", "person_id", "starts_at", "ends_at", "reason")

approval.demand("waiver.waive", "line_manager")


def ask(deed: door.Deed, values: Mapping[str, Any]) -> Waiver:
    """Ask for a waiver of one's own duty or of one below; it waits for the superior's word.

    Raises Refused where it names no clause or no fitting span, Denied where nobody may agree to it.
    """
    kept: dict[str, Any] = {"starts_at": deed.at, "person_id": deed.actor_id}
    kept |= {name: value for name, value in values.items() if name in ASKED}
    kept["asked_by"] = deed.by
    _look(deed, kept)
    waiver: Waiver = deed.create(Waiver, kept)
    waiver.refresh_from_db()  # what is agreed to is what is stored, down to the zone of an instant
    door.act("waiver.waive", waiver, by=deed.by, channel=deed.channel)
    return waiver


def _look(deed: door.Deed, values: Mapping[str, Any]) -> None:
    unmet = []
    number = str(values.get("clause", ""))
    if not Clause.objects.everything("条款人人可读").filter(number=number).exists():
        unmet.append(
            door.Unmet(f"没有编号为“{number}”的条款，请核对条号", "clause", record="waiver")
        )
    if not str(values.get("reason", "")).strip():
        unmet.append(door.Unmet("豁免要写明理由", "reason", record="waiver"))
    ends_at, starts_at = values.get("ends_at"), values["starts_at"]
    if ends_at is not None and ends_at > starts_at + LONGEST:
        unmet.append(door.Unmet("一份豁免最长一年，到期再申请", "ends_at", record="waiver"))
    if unmet:
        raise door.Refused(unmet)
    below = [deed.actor_id, *table.sight(deed.by).below_ids]
    if values["person_id"] not in below and not table.sight(deed.by).is_admin:
        raise door.Denied("只能替自己或下属申请豁免")


@door.verb("waiver", label="豁免", writes=("stage", "granted_by", "granted_at"))
def waive(deed: door.Deed, waiver: Any) -> Any:
    """Put a waiver in force; nobody does so for a duty of their own."""
    if waiver.stage != "REQUESTED":
        raise door.Denied(f"这份豁免{waiver.get_stage_display()}，不用再批")
    if deed.by is None or deed.by.pk in (waiver.person_id, waiver.asked_by_id):
        raise door.Denied("不能批准自己的豁免，要由上级批准")
    return deed.change(waiver, stage="ACTIVE", granted_by=deed.by, granted_at=deed.at)


@door.verb("waiver", label="不准", asks=("comment",), writes=("stage",))
def waive_refused(deed: door.Deed, waiver: Any, *, comment: str = "") -> Any:
    """Close a request for a waiver that was refused, sent back or taken back."""
    if waiver.stage != "REQUESTED":
        raise door.Denied(f"这份豁免{waiver.get_stage_display()}")
    return deed.change(waiver, stage="REFUSED")


@door.verb("waiver", label="提前结束", asks=("reason",), stages=("ACTIVE",))
def end_waiver(deed: door.Deed, waiver: Any, *, reason: str = "") -> Any:
    """End a waiver before its time; duties that fall due from now on are owed again.

    Raises Refused without a reason, Denied for those who have no say about it.
    """
    if not reason.strip():
        raise door.Refused([door.Unmet("提前结束要写明理由", "reason", record="waiver")])
    if waiver.ends_at <= deed.at:
        raise door.Denied("这份豁免已经到期，不用再结束")
    own = (waiver.person_id, waiver.asked_by_id, waiver.granted_by_id)
    above = lines.superiors(waiver.person_id) if waiver.person_id else []
    if deed.by is None or not (deed.by.pk in (*own, *above) or table.sight(deed.by).is_admin):
        raise door.Denied("只有本人、批准人和上级能提前结束这份豁免")
    # One that has not begun covers nothing any more: it keeps a span too short for any duty.
    ends_at = max(deed.at, waiver.starts_at + timedelta(microseconds=1))
    with deed.entrusted():
        return deed.change(waiver, ends_at=ends_at, end_reason=reason.strip())


@dataclass
class Counted(Panel):
    """How often this person was let off within the year before, by this clause and by any."""

    name: str = "waived"
    title: str = "近一年豁免"
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        waiver = scene.record
        rows = Waiver.objects.everything("豁免计数").present().filter(stage="ACTIVE")
        rows = rows.filter(person=waiver.person_id, starts_at__gt=waiver.starts_at - LONGEST)
        found = dict(rows.values_list("clause").annotate(n=Count("id")).order_by())
        return {"of_clause": found.get(waiver.clause, 0), "of_any": sum(found.values())}
