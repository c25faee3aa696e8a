"""Visits as they are planned and stand: one day in order of the way, the week, records to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from fangyuan.access import table
from fangyuan.activities.models import Activity
from fangyuan.core import spans
from fangyuan.customers.models import Customer
from fangyuan.engine.models import Obligation, Rule
from fangyuan.site import display

BACK = timedelta(days=28)
AHEAD = 4
MOST = 300
TIERS = {"TIER1": ("重点", "soon"), "TIER2": ("次重点", "navy"), "TIER3": ("一般", "")}


@dataclass(frozen=True)
class Clock:
    """A duty in the words of a countdown."""

    due: datetime
    start: datetime
    clause: str
    name: str
    tone: str = ""
    share: float = 100
    said: str = ""


@dataclass
class Stop:
    """One visit as a list shows it."""

    visit: Any
    tier: str = ""
    tone: str = ""
    badges: list[tuple[str, str]] = field(default_factory=list)
    clock: Clock | None = None
    cadence: Clock | None = None

    @property
    def at(self) -> datetime | None:
        """When it is planned, or when it began."""
        return self.visit.planned_at or self.visit.started_at

    @property
    def name(self) -> str:
        """Whom one visits."""
        return str(self.visit.customer or self.visit.lead or "")

    @property
    def url(self) -> str:
        """Its page."""
        return f"/visits/{self.visit.pk}"


@dataclass(frozen=True)
class DayOf:
    """A day of the week with its visits."""

    day: date
    stops: list[Stop]
    number: int
    is_today: bool
    is_shown: bool
    is_past: bool


def midnight(day: date) -> datetime:
    """The first instant of a day in the company's zone."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def monday(day: date) -> date:
    """The first day of the week that holds a day."""
    return day - timedelta(days=day.weekday())


def below(actor: Any) -> list[int]:
    """The people whose visits the actor answers for as a superior; empty for everybody else."""
    sight = table.sight(actor)
    return [number for number in sight.below_ids if number != actor.pk]


def visits(
    actor: Any, people: Sequence[int], day: date, now: datetime, *, is_team: bool = False
) -> list[Any]:
    """The week around a day (of a team the day), and whatever ended lately and is not written up;
    one query."""
    first, last = midnight(monday(day)), midnight(_last(day) + timedelta(days=1))
    if is_team:
        first, last = midnight(day), midnight(day + timedelta(days=1))
    within = Q(planned_at__gte=first, planned_at__lt=last) | Q(
        planned_at=None, started_at__gte=first, started_at__lt=last
    )
    unwritten = Q(ended_at__gte=now - BACK, ended_at__lte=now, written_at=None)
    rows = (
        Activity.objects.seen_by(actor)
        .present()
        .filter(within | unwritten, person_id__in=people)
        .exclude(stage="CANCELLED")
        .select_related("customer__region", "lead", "appointed_with", "person")
        .order_by("planned_at", "id")
    )
    return sorted(rows[:MOST], key=lambda v: (v.planned_at or v.started_at or v.ended_at, v.pk))


def counts(actor: Any, people: Sequence[int], day: date) -> dict[date, int]:
    """How many visits a team has on each day around a day."""
    first, last = midnight(monday(day)), midnight(_last(day) + timedelta(days=1))
    rows = (
        Activity.objects.seen_by(actor)
        .present()
        .filter(person_id__in=people, planned_at__gte=first, planned_at__lt=last)
        .exclude(stage="CANCELLED")
        .order_by()
        .values(day=TruncDate("planned_at"))
        .annotate(number=Count("id"))
    )
    return {row["day"]: row["number"] for row in rows}


def _last(day: date) -> date:
    return max(monday(day) + timedelta(days=6), day + timedelta(days=AHEAD))


def clocks(found: Iterable[Any], now: datetime) -> tuple[dict[int, Clock], dict[int, Clock]]:
    """The time left to write each of these records, and to visit each of their customers."""
    found = list(found)
    owing = [v for v in found if v.ended_at and not v.written_at]
    about = Q(subject_type="activity", subject_id__in=[v.pk for v in owing])
    customers = {v.customer_id for v in found if v.customer_id and not v.ended_at}
    about |= Q(
        subject_type="customer",
        subject_id__in=customers,
        rule__params__event="activity.ended_at",
        due_at__gt=now,
    )
    rows = (
        Obligation.objects.everything("拜访与记录的期限")
        .filter(about, state__in=["OPEN", "BREACHED"])
        .select_related("rule__clause")
        .order_by("-due_at")
    )
    records: dict[int, Clock] = {}
    cadences: dict[int, Clock] = {}
    for row in rows:
        side = records if row.subject_type == "activity" else cadences
        side[row.subject_id] = clock(row, now)
    if any(v.pk not in records and _is_ka_visit(v) for v in owing):
        records = _expected(owing, now) | records
    return records, cadences


def clock(row: Any, now: datetime) -> Clock:
    """An obligation as a countdown."""
    return _running(row.due_at, row.began_at, row.rule.clause, now)


def _running(due: datetime, start: datetime, clause: Any, now: datetime) -> Clock:
    tone = display.due_tone(due, now, start)
    share = 100 * display.share_left(due, now, start)
    return Clock(due, start, clause.number, clause.title, tone, share, _said(due, now))


def _said(due: datetime, now: datetime) -> str:
    """The due time as one says it; midnight is 24:00 of the day that ends."""
    local = timezone.localtime(due)
    if local.hour == local.minute == 0:
        day = local.date() - timedelta(days=1)
        return f"{'今天' if day == timezone.localdate(now) else f'{day:%m-%d}'} 24:00"
    is_today = local.date() == timezone.localdate(now)
    return f"{local:%H:%M}" if is_today else f"{local:%m-%d %H:%M}"


def _is_ka_visit(visit: Any) -> bool:
    return bool(visit.kind == "VISIT" and visit.customer and visit.customer.is_ka)


def _expected(owing: list[Any], now: datetime) -> dict[int, Clock]:
    """The deadlines that the next sweep will write: the clock runs from the first second."""
    rule = (
        Rule.objects.everything("拜访记录的期限")
        .filter(Q(ends_at=None) | Q(ends_at__gt=now), record="activity", kind="DEADLINE")
        .filter(params__until="written_at", starts_at__lte=now, is_shadow=False, removed_at=None)
        .select_related("clause")
        .first()
    )
    if rule is None or not spans.parse(rule.params["within"]).is_exact:
        return {}
    within = spans.parse(rule.params["within"]).exact
    return {
        v.pk: _running(v.ended_at + within, v.ended_at, rule.clause, now)
        for v in owing
        if _is_ka_visit(v)
    }


def stop(visit: Any, clock: Clock | None = None, cadence: Clock | None = None) -> Stop:
    """A visit with its state in words."""
    tier, tone = TIERS.get(visit.customer.ka_tier or "", ("", "")) if visit.customer else ("", "")
    return Stop(visit, tier, tone, badges(visit), clock, cadence)


def badges(visit: Any) -> list[tuple[str, str]]:
    """How a visit stands, and what was out of the ordinary about it."""
    return [state(visit), *oddities(visit)]


def state(visit: Any) -> tuple[str, str]:
    """The one word for how far a visit has come, with its tone."""
    if visit.stage == "CANCELLED":
        return "已取消", "line"
    if visit.written_at or (visit.stage == "DONE" and visit.kind != "VISIT"):
        return "已记录", "ok"
    if visit.ended_at:
        return "待写记录", "soon"
    if visit.started_at:
        return "拜访中", "navy"
    return ("已约好", "ok") if visit.appointed_at else ("未约", "line")


def oddities(visit: Any) -> list[tuple[str, str]]:
    """Marks of a visit without appointment or away from the customer (KA-3.3.1b)."""
    if visit.kind != "VISIT" or not visit.started_at or visit.stage == "CANCELLED":
        return []
    marks = [] if visit.appointed_at else [("未预约拜访", "soon")]
    return marks + ([("偏离", "soon")] if visit.off_site_reason else [])


def week(
    stops: Sequence[Stop], day: date, today: date, numbers: Mapping[date, int] | None = None
) -> list[DayOf]:
    """The days from Monday on, each with its visits, or of a team their number."""
    days = []
    current, last = monday(day), _last(day)
    while current <= last:
        of_day = [s for s in stops if on(s.visit) == current]
        number = len(of_day) if numbers is None else numbers.get(current, 0)
        days.append(
            DayOf(current, of_day, number, current == today, current == day, current < today)
        )
        current += timedelta(days=1)
    return days


def on(visit: Any) -> date:
    """The day to which a visit belongs."""
    return timezone.localdate(visit.planned_at or visit.started_at or visit.ended_at)


def unwritten(stops: Sequence[Stop], now: datetime) -> list[Stop]:
    """Ended without a record, the most urgent first; those without a deadline last."""
    open_ones = [s for s in stops if s.visit.ended_at and not s.visit.written_at]
    far = now + timedelta(days=3650)
    return sorted(open_ones, key=lambda s: (s.clock.due if s.clock else far, s.visit.ended_at))


def owing_customers(actor: Any, now: datetime, most: int = 8) -> list[Any]:
    """The actor's customers whose next visit falls due first, each with its `clock`."""
    rows = (
        Obligation.objects.everything("该去的客户")
        .filter(
            person=actor,
            state="OPEN",
            subject_type="customer",
            due_at__gt=now,
            rule__params__event="activity.ended_at",
        )
        .select_related("rule__clause")
        .order_by("due_at")[: most * 2]
    )
    due: dict[int, Clock] = {}
    for row in rows:
        due.setdefault(row.subject_id, clock(row, now))
    found = Customer.objects.seen_by(actor).present().in_bulk(list(due)[:most])
    for customer in found.values():
        customer.clock = due[customer.pk]
    return [found[number] for number in due if number in found]
