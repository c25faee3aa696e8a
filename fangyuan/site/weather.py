"""义务天气预报: what falls due in the next fourteen days, by person and day, beside the usual."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import scopes
from fangyuan.core import ready, spans
from fangyuan.desk import duties
from fangyuan.engine import rulebook, weather
from fangyuan.engine.models import Obligation, Tally
from fangyuan.site import skies

MANY = 40  # people; more are shown team by team
ROWS = 60
WEEKDAYS = "一二三四五六日"
_NAMES = """
SELECT p.id, p.name, t.id, t.name,
       (SELECT array_agg(l.starts_at::date || '/' || l.ends_at::date) FROM org_leave l
         WHERE l.person_id = p.id AND l.stage = 'APPROVED' AND l.removed_at IS NULL
           AND l.ends_at >= %(since)s AND l.starts_at < %(until)s)
  FROM org_person p
  LEFT JOIN org_membership m ON m.person_id = p.id AND m.is_main AND m.removed_at IS NULL
       AND m.starts_on <= %(today)s AND (m.ends_on IS NULL OR m.ends_on >= %(today)s)
  LEFT JOIN org_team t ON t.id = m.team_id
 WHERE p.id = ANY (%(people)s)
"""


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """By person or team and day; `team` shows the people of one, `who=me` only oneself."""
    now = timezone.now()
    mine = request.GET.get("who") == "me"
    found = weather.forecast(request.user, now, only=request.user.pk if mine else None)
    if request.user.pk not in found.rows and mine:
        found.rows[request.user.pk] = {}
    people = _people(found, now)
    team = request.GET.get("team", "")
    rows = _rows(found, people, team)
    seen = scopes.people(request.user, Tally)
    context = {
        "days": [_head(day, timezone.localdate(now)) for day in found.days],
        "rows": rows[:ROWS],
        "more": max(len(rows) - ROWS, 0),
        "total": _row("合计", found.days, found.total()) if len(rows) > 1 else None,
        "skies": [(name, *skies.SAID[name]) for name in skies.SAID],
        "team": next((one[2] for one in people.values() if str(one[1]) == team), ""),
        "mine": mine,
        "has_others": seen is None or len(seen) > 1,
        "swept_at": weather.last_sweep(),
    }
    return render(request, "site/weather.html", context)


def _people(found: weather.Forecast, now: datetime) -> dict[int, Any]:
    """By person: name, number and name of the main team, spans of approved leave ahead."""
    given = {
        "people": [person for person in found.rows if person],
        "today": timezone.localdate(now),
        "since": now,
        "until": now + timedelta(days=weather.DAYS),
    }
    return {
        pk: (name, team, called or "", leave or ())
        for pk, name, team, called, leave in ready.ask(_NAMES, given)
    }


def _rows(found: weather.Forecast, people: dict[int, Any], team: str) -> list[dict[str, Any]]:
    """The stormiest first."""
    busy = {who: row for who, row in found.rows.items() if any(load.all for load in row.values())}
    if team or len(busy) <= MANY:
        rows = [
            _of_person(who, found.days, row, people)
            for who, row in (busy or found.rows).items()
            if not team or who and str(people[who][1]) == team
        ]
    else:
        rows = _of_teams(found, busy, people)
    return sorted(rows, key=lambda row: (-row["storms"], -row["all"], row["label"]))


def _of_person(who: int | None, days: Any, row: weather.Row, people: dict[int, Any]) -> Any:
    if who is None:
        return _row("没有人负责", days, row, who=0)
    name, _, team, leave = people.get(who, (f"#{who}", None, "", ()))
    return {**_row(name, days, row, who=who, leave=leave), "note": team, "person": who}


def _of_teams(found: weather.Forecast, busy: Any, people: dict[int, Any]) -> list[dict[str, Any]]:
    members: dict[Any, set[Any]] = defaultdict(set)
    for who in busy:
        members[people[who][1:3] if who else (None, "没有人负责")].add(who)
    return [
        {
            **_row(name or "没有部门", found.days, found.total(some)),
            "note": f"{len(some)} 人" if None not in some else "",
            "url": f"/weather?team={team}" if team else "",
        }
        for (team, name), some in members.items()
    ]


def _row(
    label: str, days: Any, row: weather.Row, *, who: int | None = None, leave: Any = ()
) -> dict[str, Any]:
    cells = [_cell(day, row.get(day.on, weather.Load()), who, leave) for day in days]
    return {
        "label": label,
        "cells": cells,
        "all": sum(cell["load"].all for cell in cells),
        "usual": round(sum(cell["load"].usual for cell in cells)),
        "storms": sum(cell["sky"] == "storm" for cell in cells),
    }


def _cell(day: weather.Day, load: weather.Load, who: int | None, leave: Any) -> dict[str, Any]:
    sky = load.sky
    away = any(
        date.fromisoformat(first) <= day.on <= date.fromisoformat(last)
        for first, last in (one.split("/") for one in leave)
    )
    said = f"{day.on.month} 月 {day.on.day} 日 {skies.SAID[sky][0]}：要办 {load.all} 件"
    said += f"，其中 {load.coming} 件是还没开始的周期" if load.coming else ""
    said += f"，{load.moved} 件到期在后面的休息日" if load.moved else ""
    said += f"，平常 {load.usual:.0f} 件" if day.is_working else "，休息"
    return {
        "on": day.on,
        "is_working": day.is_working,
        "load": load,
        "sky": sky,
        "said": said + ("，请假" if away else ""),
        "is_away": away,
        "url": f"/weather/{who}/{day.on}" if who is not None and load.all else "",
    }


def _head(day: weather.Day, today: date) -> dict[str, Any]:
    mark = "班" if day.is_made_up else "" if day.is_working else "休"
    label = "今天" if day.on == today else f"{day.on.month}-{day.on.day:02d}"
    weekday = f"周{WEEKDAYS[day.on.weekday()]}"
    return {"label": label, "weekday": weekday, "mark": mark, "day": day}


@require_safe
def strip(request: HttpRequest) -> HttpResponse:
    """The next days at one look, as a part of another page: one's own, or of all one sees."""
    now, of_all = timezone.now(), request.GET.get("of") == "all"
    found = weather.forecast(request.user, now, only=None if of_all else request.user.pk)
    row = found.total() if of_all else found.rows.get(request.user.pk, {})
    drawn = _row("", found.days, row, who=None if of_all else request.user.pk)
    heads = [_head(day, timezone.localdate(now)) for day in found.days]
    context = {
        "pairs": list(zip(heads, drawn["cells"], strict=True)),
        "row": drawn,
        "of_all": of_all,
        "worst": max(drawn["cells"], key=lambda cell: _weight(cell["load"]), default=None),
    }
    return render(request, "site/weather_strip.html", context)


def _weight(load: weather.Load) -> tuple[int, int]:
    return [name for name, *_ in weather.SKIES].index(load.sky), load.all


@require_safe
def day(request: HttpRequest, person: int, day: str) -> HttpResponse:
    """The rows behind one cell: open duties, and what coming periods will give."""
    now = timezone.now()
    try:
        on = date.fromisoformat(day)
    except ValueError as wrong:
        raise Http404("日期写成 2026-11-30") from wrong
    found = weather.forecast(request.user, now, only=person or None)
    who = person or None
    load = found.rows.get(who, {}).get(on)
    if load is None:
        raise Http404("没有这一天的预报，或不在你的权限内")
    name = _people(found, now).get(person, ("没有人负责", None, "", ()))
    seen = Obligation.objects.seen_by(request.user).filter(person=who, state="OPEN")
    spanned = weather.due_days(found, on)
    first, last = spans.midnight(spanned[0]), spans.midnight(spanned[-1] + timedelta(days=1))
    rows = seen.filter(due_at__gt=first, due_at__lte=last).order_by("due_at", "pk")
    context = {
        "name": name[0],
        "team": name[2],
        "on": on,
        "load": load,
        "sky": skies.SAID[load.sky],
        "icon": load.sky,
        "duties": duties.describe(rows[:ROWS], request.user),
        "more": max(load.known - ROWS, 0),
        "coming": [_coming(one, number) for one, number in weather.lines(found, who, on)],
        "is_mine": person == request.user.pk,
    }
    return render(request, "site/weather_day.html", context)


def _coming(one: weather.Coming, number: int) -> dict[str, Any]:
    rule = one.rule
    return {
        "number": number,
        "clause": rule.clause,
        "sentence": rulebook.kind_of(rule).sentence(),
        "first": one.period.first,
        "last": one.period.last,
        "due_on": one.due_on,
    }
