"""What one should know before meeting: last time, open matters, people, what to ask; and how far
a visit has come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from fangyuan.access import scopes
from fangyuan.activities.models import Activity, Task
from fangyuan.core.models import Event
from fangyuan.desk import duties
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Person
from fangyuan.site import display, route, visit_forms

FIVE = ("org_chart", "business_scope", "buying_process", "rivals_note")
MORE = ("intent", "budget_high", "buying_plan")
ASKED = 4


@dataclass
class Glance:
    """What stands on the card before the door."""

    last: Any = None
    ask: list[str] = field(default_factory=list)
    duties: list[duties.Duty] = field(default_factory=list)
    tasks: list[Any] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)


def step(visit: Any) -> str:
    """Where a visit stands: plan, in (checked in), record, done or off."""
    if visit.stage == "CANCELLED":
        return "off"
    if visit.ended_at:
        return "done" if visit.written_at or visit.stage == "DONE" else "record"
    return "in" if visit.started_at else "plan"


def steps(visit: Any, now: datetime) -> list[dict[str, str]]:
    """The three steps as a chain."""
    here = {"plan": 0, "in": 1, "record": 2, "done": 3, "off": 0}[step(visit)]
    if step(visit) == "plan" and visit.appointed_at:
        here = 1
    notes = (
        _said(visit.planned_at, now),
        _said(visit.started_at, now),
        _said(visit.written_at, now),
    )
    return [
        {
            "label": label,
            "note": notes[number],
            "state": "done" if number < here else "now" if number == here else "",
        }
        for number, label in enumerate(("计划", "签到", "记录"))
    ]


def _said(at: datetime | None, now: datetime) -> str:
    return display.moment(at, now) if at else ""


def metres(km: float) -> str:
    """A distance as one says it."""
    return f"{round(km * 1000)} 米" if km < 1 else f"{km:.1f} 公里"


def away(visit: Any) -> str:
    """How far from the customer somebody checked in."""
    if visit.customer is None or visit.latitude is None:
        return ""
    found = route.distance(visit, visit.customer)
    return "" if found is None else metres(found)


def glance(visit: Any, actor: Any, contacts: list[Any], now: datetime) -> Glance:
    """Everything about the customer that helps in the first minute; four queries."""
    if visit.customer is None:
        return Glance()
    hidden = scopes.veil(actor, contacts) if contacts else {}
    found = Glance(
        last=_last(visit, actor),
        duties=_duties(visit, actor, now),
        tasks=_tasks(visit, actor),
        people=[
            {"contact": c, "has_phone": bool(c.phone) and "phone" not in hidden[c.pk]}
            for c in contacts
        ],
    )
    found.ask = _ask(visit, found.last, scopes.veil(actor, [visit.customer])[visit.customer_id])
    return found


def _last(visit: Any, actor: Any) -> Any:
    before = visit.started_at or timezone.now()
    rows = Activity.objects.seen_by(actor).present().filter(customer=visit.customer_id)
    rows = rows.filter(ended_at__lt=before).exclude(pk=visit.pk)
    return rows.select_related("person").order_by("-ended_at").first()


def _duties(visit: Any, actor: Any, now: datetime) -> list[duties.Duty]:
    mine = Q(subject_type="customer", subject_id=visit.customer_id)
    rows = (
        Obligation.objects.seen_by(actor)
        .filter(mine, state="OPEN", due_at__gt=now)
        .select_related("rule__clause")
        .order_by("due_at")[:ASKED]
    )
    return duties.describe(rows, actor)


def _tasks(visit: Any, actor: Any) -> list[Any]:
    rows = Task.objects.seen_by(actor).present().filter(customer=visit.customer_id, done_at=None)
    return list(rows.select_related("person").order_by("due_at")[:ASKED])


def _ask(visit: Any, last: Any, hidden: frozenset[str]) -> list[str]:
    """What was planned, what was left over, and what is not known of the customer yet."""
    asks = [visit.plan_item.content] if visit.plan_item and visit.plan_item.content else []
    asks += [last.next_step] if last and last.next_step else []
    customer = visit.customer
    names = [n for n in (*FIVE, *MORE) if n not in hidden and getattr(customer, n) in (None, "")]
    if names:
        labels = [str(customer._meta.get_field(n).verbose_name) for n in names[:ASKED]]
        asks.append("还不知道：" + "、".join(labels))
    return asks


def both(record: Any, said: dict[str, Any], actor: Any) -> dict[str, Any]:
    """What somebody else wrote meanwhile beside what was typed here."""
    event = (
        Event.objects.everything("谁刚改过")
        .filter(record="activity", record_id=record.pk)
        .order_by("-id")
        .first()
    )
    who = Person._base_manager.filter(pk=event.actor).first() if event else None
    labels = {n: str(Activity._meta.get_field(n).verbose_name) for n in visit_forms.RECORD}
    lines = [
        {"label": labels[n], "theirs": getattr(record, n), "mine": said[n]}
        for n in visit_forms.RECORD
        if n in said and n != "is_deep" and getattr(record, n) != said[n] and getattr(record, n)
    ]
    name = "你在另一台设备上" if who and who.pk == actor.pk else (who.name if who else "别人")
    return {"who": name, "lines": lines}
