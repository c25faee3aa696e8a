"""The workbench: what this person owes now, why, and the shortest way to do it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import scopes, table
from fangyuan.activities.models import Activity
from fangyuan.core import ready
from fangyuan.desk import duties
from fangyuan.engine.models import Obligation
from fangyuan.site import team_duties

BACK, AHEAD = timedelta(days=28), timedelta(days=7)
ROWS = 60
MOST = 3 * ROWS
ORDERS = {"due": "时间", "subject": "客户", "clause": "条款"}


@dataclass(frozen=True)
class Band:
    """A heading among the duties with the duties under it."""

    label: str
    note: str
    duties: list[duties.Duty]
    is_late: bool = False


@require_safe
def workbench(request: HttpRequest) -> HttpResponse:
    """The first page after signing in."""
    now = timezone.now()
    members = team_duties.members(request.user, now)
    if members and request.GET.get("whose", "team") == "team":
        return _of_team(request, members, now)
    order = request.GET.get("by", "due")
    owed = _owed(request.user, now)
    today = [d for d in owed if timezone.localdate(d.due_at) == timezone.localdate(now)]
    bands = _by_time(owed, now, request.user) if order == "due" else None
    context = {
        "bands": bands or _by(duties.describe(owed, request.user), order),
        "orders": ORDERS,
        "order": order if order in ORDERS else "due",
        "next": next((d for d in today if _is_open(d) and d.due_at > now), None),
        "left_today": sum(map(_is_open, today)),
        "done_today": sum(not _is_open(d) for d in today),
        "all_today": len(today),
        "late": sum(d.state == "BREACHED" for d in owed),
        "week": sum(map(_is_open, owed)),
        "rate": {"title": "我的守规率", **_rate([int(request.user.pk)], now)},
        "whose": "mine" if members else "",
        **_around(request.user, now),
    }
    return render(request, "site/workbench.html", context)


def _around(person: Any, now: datetime) -> dict[str, Any]:
    """What stands on the workbench whoever's duties are looked at."""
    return {
        "greeting": _greeting(timezone.localtime(now)),
        "visits": _visits(person, now),
        "may": {
            "plan": table.may(person, "activity", "c"),
            "look": table.may(person, "activity", "r"),
        },
    }


def _of_team(
    request: HttpRequest, members: list[team_duties.Member], now: datetime
) -> HttpResponse:
    """The workbench of who leads people: where theirs stand, the most overdue first."""
    context = {
        "members": members,
        "whose": "team",
        "late": sum(one.late for one in members),
        "late_people": sum(one.late > 0 for one in members),
        "done_today": sum(one.done for one in members),
        "all_today": sum(one.today for one in members),
        "left_today": sum(one.today - one.done for one in members),
        "week": sum(one.week + one.late for one in members),
        "rate": {"title": "团队守规率", **_rate([one.pk for one in members], now)},
        **_around(request.user, now),
    }
    return render(request, "site/workbench.html", context)


def _owed(person: Any, now: datetime) -> list[Any]:
    """Open within a week, red within four weeks, done today: two ranges of two indexes."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    given = {"person": person.pk, "since": now - BACK, "until": now + AHEAD, "midnight": midnight}
    found = [*_UNMET(**given), *_DONE(**given)]
    return sorted(found, key=lambda one: (one.due_at, one.pk))[:MOST]


def _of_person(**more: Any) -> Any:
    rows = Obligation.objects.everything("本人义务").filter(person=ready.Slot("person"), **more)
    span = (ready.Slot("since"), ready.Slot("until"))
    return rows.filter(due_at__gte=span[0], due_at__lte=span[1]).order_by("due_at")[:MOST]


_UNMET = ready.Ready(lambda: _of_person(state__in=["OPEN", "BREACHED"]))
_DONE = ready.Ready(
    lambda: _of_person(state__in=["MET", "LATE"], met_at__gte=ready.Slot("midnight"))
)


def _is_open(duty: Obligation) -> bool:
    return duty.state in duties.SHOWN


def _by_time(owed: Iterable[Obligation], now: datetime, actor: Any) -> list[Band]:
    """What is late, then day by day; only what is shown is put into words."""
    today = timezone.localdate(now)
    late = [d for d in owed if d.state == "BREACHED"]
    days: dict[date, list[Obligation]] = {}
    for duty in owed:
        if duty.state != "BREACHED":
            days.setdefault(_shown_day(duty, today), []).append(duty)
    cut = [late[::-1][:ROWS], *(found[:ROWS] for _, found in sorted(days.items()))]
    said = {one.pk: one for one in duties.describe(itertools.chain(*cut), actor)}
    bands = [Band("已逾期", f"{len(late)} 件", [], is_late=True)] if late else []
    for day, found in sorted(days.items()):
        done = sum(not _is_open(d) for d in found)
        note = f"{len(found)} 件" + (f"，已完成 {done} 件" if done else "")
        bands.append(Band(_day(day, today), note, []))
    for band, shown in zip(bands, cut if late else cut[1:], strict=True):
        band.duties.extend(said[one.pk] for one in shown)
    return bands


def _shown_day(duty: Obligation, today: date) -> date:
    """A duty due at 24:00 belongs to the day that ends then; what is done today is shown today."""
    day = timezone.localdate(duty.due_at - timedelta(microseconds=1))
    return max(day, today) if _is_open(duty) else today


def _day(day: date, today: date) -> str:
    ahead = (day - today).days
    if ahead in (0, 1, 2):
        return ("今天", "明天", "后天")[ahead]
    return f"{day.month}-{day.day:02d} 周{'一二三四五六日'[day.weekday()]}"


def _by(owed: Iterable[duties.Duty], order: str) -> list[Band]:
    groups: dict[str, list[duties.Duty]] = {}
    for duty in owed:
        name = duty.subject if order == "subject" else f"{duty.clause} {duty.name}"
        groups.setdefault(name, []).append(duty)
    ranked = sorted(groups.items(), key=lambda g: (-sum(d.is_open for d in g[1]), g[0]))
    return [Band(name, f"{len(found)} 件", found[:ROWS]) for name, found in ranked]


# One row for each of the last twelve weeks: how much fell due, how much was met in time; then the
# same of this month.
_RATE = """
SELECT least((due_on - %(since)s::date) / 7, 11), due_on >= %(month)s::date,
       sum(number) FILTER (WHERE state = 'MET'), sum(number)
  FROM engine_tally
 WHERE person_id = ANY (%(people)s) AND due_on >= %(since)s::date AND due_on < %(today)s::date
   AND state IN ('MET', 'LATE', 'BREACHED')
 GROUP BY 1, 2
"""


def _rate(people: list[int], now: datetime) -> dict[str, Any]:
    """These people's rate of compliance this month, and over the last twelve weeks."""
    today = timezone.localdate(now)
    since = today - timedelta(weeks=12)
    given = {"people": people, "since": since, "month": today.replace(day=1), "today": today}
    weeks, month = [[0, 0] for _ in range(12)], [0, 0]
    for place, is_month, met, due in ready.ask(_RATE, given):
        for sums in (weeks[place], month) if is_month else (weeks[place],):
            sums[0] += int(met or 0)
            sums[1] += int(due)
    spark = [met / due if due else None for met, due in weeks]
    return {"month": month[0] / month[1] if month[1] else None, "spark": spark, "due": month[1]}


def _visits(person: Any, now: datetime) -> list[Any]:
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    given = {"person": person.pk, "since": day, "until": day + timedelta(days=1)}
    return _VISITS(scopes.reach(person, Activity), actor=person, **given)


_VISITS = ready.Ready(
    lambda seen: (
        Activity.objects.everything("在范围内")
        .present()
        .filter(
            scopes.later(seen, Activity, few=True),
            person=ready.Slot("person"),
            kind="VISIT",
            planned_at__gte=ready.Slot("since"),
            planned_at__lt=ready.Slot("until"),
        )
        .exclude(stage="CANCELLED")
        .select_related("customer", "appointed_with")
        .order_by("planned_at")[:12]
    )
)


def _greeting(at: datetime) -> str:
    hours = ((5, "夜深了"), (11, "早上好"), (13, "中午好"), (18, "下午好"), (24, "晚上好"))
    return next(word for hour, word in hours if at.hour < hour)
