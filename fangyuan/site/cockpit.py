"""The cockpit: the whole rulebook at one look, every number a sum over the ledger's tallies."""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from django.db.models import Count
from django.db.models.functions import TruncWeek
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.core import past, ready
from fangyuan.desk import looking_back
from fangyuan.engine import health, known
from fangyuan.engine.models import Clause, Policy, Rule
from fangyuan.metrics.compliance import TARGET
from fangyuan.metrics.declare import Dimension
from fangyuan.metrics.measure import Span, share
from fangyuan.site import counted, wheel

WEEKS = 12
SPANS = {"day": "今日", "week": "本周", "month": "本月", "quarter": "本季"}
SPANS_THEN = {"day": "当日", "week": "当周", "month": "当月", "quarter": "当季"}
DEFAULT = "quarter"
WEEK = Dimension("week", "周", TruncWeek("due_on"))
_COMMON = re.compile(r"^销售(公司|部|团队)?|制度|（.*）$")
DUTY_KINDS = ("DEADLINE", "CADENCE", "REQUIRED")
EARLIER = {"week": "1 周前", "month": "1 个月前", "quarter": "3 个月前"}
MONTHS = {"month": 1, "quarter": 3}


@dataclass
class Line:
    """One line of the tree: a policy, a chapter or a clause with its numbers."""

    label: str
    note: str = ""
    number: str = ""
    title: str = ""
    met: int = 0
    due: int = 0
    open: int = 0
    today: int = 0
    done: int = 0
    red: int = 0
    waived: int = 0
    pending: int = 0
    weeks: dict[date, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    version: str = ""
    parent: str = ""
    key: str = ""
    level: int = 2
    was: Line | None = None

    @property
    def rate(self) -> float | None:
        """Met ÷ due; None while nothing fell due."""
        return share(self.met, self.due)

    @property
    def waiver_rate(self) -> float | None:
        """Waived ÷ (due and waived): what compliance is worth depends on it."""
        return share(self.waived, self.due + self.waived)

    @property
    def percent(self) -> float | None:
        """The rate as a part of a hundred, for bars."""
        return None if self.rate is None else 100 * self.rate

    @property
    def change(self) -> float | None:
        """By how many points of a hundred the rate changed since the line it is compared with."""
        if self.was is None or self.rate is None or self.was.rate is None:
            return None
        return 100 * (self.rate - self.was.rate)

    @property
    def spark(self) -> list[float | None]:
        """The rate of each of the last weeks."""
        return [share(met, due) for _, (met, due, _) in sorted(self.weeks.items())]

    def add(self, other: Line) -> None:
        """Sum another line into this one."""
        for name in counted.COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for week, numbers in other.weeks.items():
            self.weeks[week] = [a + b for a, b in zip(self.weeks[week], numbers, strict=True)]


@require_safe
@looking_back.looks_back
def cockpit(request: HttpRequest) -> HttpResponse:
    """The page; `span` is one of day, week, month, quarter; `as_of` a past day's end or instant;
    `against` one of week, month, quarter: how long before the numbers are compared with."""
    back = looking_back.of(request)
    today = back.day if back else timezone.localdate()
    span = request.GET.get("span", DEFAULT)
    span = span if span in SPANS else DEFAULT
    against = request.GET.get("against", "")
    against = against if against in EARLIER else ""
    policies, clauses = _rulebook(back)
    days = _days(today, span, back is not None, back)
    lines = _clause_lines(request.user, clauses, days)
    tree, total = _tree(policies, clauses, lines)
    if against:
        earlier = _days(before(today, against), span, True)
        _compare(
            [*tree, total], _tree(policies, clauses, _clause_lines(request.user, clauses, earlier))
        )
    week_starts = [monday(today) - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]
    moment = f"as_of={quote(back.text)}&" if back else ""
    context = {
        "spans": SPANS_THEN if back else SPANS,
        "past": moment,
        "rest": moment + (f"against={against}&" if against else ""),
        "span": span,
        "total": total,
        "goal": TARGET,
        "sectors": wheel.draw(_sectors(policies, clauses, lines), TARGET),
        "tree": tree,
        "first": _first(lines),
        "trend": _trend(total, week_starts),
        "people": counted.people(request.user, days),
        "done_today": total.done,
        "clause_count": sum(p.clause_count for p in policies),
        "policy_count": len(policies),
        "run_count": len(lines),
        "health": {"ok": True} if back else health.look(timezone.now()),
        "only_low": request.GET.get("only") == "low",
        "back": back,
        "day": today,
        "earlier": EARLIER,
        "against": against,
        "against_day": before(today, against) if against else None,
        **(_recomputed(request.user, clauses, _days(today, span, False), total) if back else {}),
    }
    return render(request, "site/cockpit.html", context)


def _days(
    today: date, span: str, is_past: bool, back: looking_back.AsOf | None = None
) -> counted.Days:
    first = monday(today) - timedelta(weeks=WEEKS - 1)
    at = back.at if back and back.is_within_day else None
    return counted.Days(today, first, _span(span, today).start, today if is_past else None, at)


def _recomputed(
    actor: Any, clauses: dict[int, Clause], days: counted.Days, total: Line
) -> dict[str, Any]:
    """The same span by what is known now, and whether that says anything else than was known:
    what was recorded, waived or corrected since counts; what was still open is judged now."""
    found = Line("")
    for line in _clause_lines(actor, clauses, days).values():
        found.add(line)
    agrees = found.met == total.met and found.due == total.due + total.pending
    return {"recomputed": found, "agrees": agrees}


def before(day: date, against: str) -> date:
    """The day so long before: a week, or as many months, at most the last day of that month."""
    if against == "week":
        return day - timedelta(weeks=1)
    months = day.year * 12 + day.month - 1 - MONTHS[against]
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _compare(lines: list[Line], earlier: tuple[list[Line], Line]) -> None:
    """Let every line know the line it was at the earlier day."""
    was = {line.key: line for line in (*earlier[0], earlier[1])}
    for line in lines:
        line.was = was.get(line.key)


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _span(name: str, today: date) -> Span:
    starts = {
        "day": today,
        "week": monday(today),
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
    }
    return Span(starts[name], today + timedelta(days=1))


def _rulebook(back: looking_back.AsOf | None) -> tuple[list[Any], dict[int, Clause]]:
    """The policies in force, and the clauses that a rule carries out as duties, by rule."""
    rules = known.rules(number for (number,) in _DUTY_RULES())
    ranked = sorted(rules.values(), key=lambda rule: (rule.clause_id, rule.line, rule.pk))
    policies, clauses = _POLICIES(), {rule.pk: rule.clause for rule in ranked}
    return (policies, clauses) if back is None else _as_they_read(policies, clauses, back)


def _as_they_read(
    policies: list[Any], clauses: dict[int, Clause], back: looking_back.AsOf
) -> tuple[list[Any], dict[int, Clause]]:
    """The same with the versions in force, and the words of the clauses, at the instant."""
    versions = dict(_VERSIONS(day=back.day))
    for policy in policies:
        policy.version = versions.get(policy.code, "当时未生效")
    every = {clause.pk: clause for clause in clauses.values()}
    then = {clause.pk: clause for clause in past.turned(every.values(), back.at)}
    return policies, {rule: then[clause.pk] for rule, clause in clauses.items()}


_VERSIONS = ready.Ready(
    lambda: (
        Policy.objects.everything("制度人人可读")
        .present()
        .filter(stage__in=["PUBLISHED", "SUPERSEDED"], starts_on__lte=ready.Slot("day"))
        .order_by("starts_on", "pk")
        .values_list("code", "version")
    )
)


_POLICIES = ready.Ready(
    lambda: (
        Policy.objects.everything("制度人人可读")
        .filter(stage="PUBLISHED")
        .annotate(clause_count=Count("clauses"))
        .order_by("id")
    )
)
_DUTY_RULES = ready.Ready(
    lambda: (
        Rule.objects.everything("条款人人可读")
        .present()
        .filter(kind__in=DUTY_KINDS, is_shadow=False)
        .exclude(kind="REQUIRED", params__enforce="write")
        .order_by()
        .values_list("pk")
    )
)


def _clause_lines(actor: Any, clauses: dict[int, Clause], days: counted.Days) -> dict[int, Line]:
    lines = {
        c.pk: Line(label=c.text, number=c.number, title=c.title, key=f"c{c.pk}")
        for c in clauses.values()
    }
    for line in lines.values():
        line.weeks.update({days.first_week + timedelta(weeks=n): [0, 0, 0] for n in range(WEEKS)})
    for count in counted.counts(actor, days):
        if count.rule not in clauses:
            continue
        line = lines[clauses[count.rule].pk]
        for name, number in count.sums.items():
            setattr(line, name, getattr(line, name) + number)
        if count.week in line.weeks:
            line.weeks[count.week] = [
                a + b for a, b in zip(line.weeks[count.week], count.weekly, strict=True)
            ]
    return lines


def _tree(
    policies: list[Any], clauses: dict[int, Clause], lines: dict[int, Line]
) -> tuple[list[Line], Line]:
    total, tree = Line("全部"), []
    every = {c.pk: c for c in clauses.values()}
    for policy in policies:
        own = [c for c in every.values() if c.policy_id == policy.pk]
        top = Line(policy.title, level=0, key=f"p{policy.pk}", version=policy.version)
        top.note = f"{policy.clause_count} 条，{len(own)} 条自动执行"
        chapters: dict[str, list[Line]] = {}
        for clause in sorted(own, key=lambda c: c.pk):
            chapters.setdefault(clause.chapter or "其他", []).append(lines[clause.pk])
        below: list[Line] = []
        for place, (name, members) in enumerate(chapters.items()):
            head = Line(name, level=1, key=f"{top.key}h{place}", parent=top.key)
            for member in members:
                member.parent = head.key
                head.add(member)
            below += [head, *members]
            top.add(head)
        total.add(top)
        tree += [top, *below] if own else []
    return tree, total


def _sectors(
    policies: list[Any], clauses: dict[int, Clause], lines: dict[int, Line]
) -> list[tuple[str, float | None, list[wheel.Stat]]]:
    every = {c.pk: c for c in clauses.values()}
    sectors = []
    for policy in policies:
        own = [
            lines[c.pk]
            for c in sorted(every.values(), key=lambda c: c.pk)
            if c.policy_id == policy.pk
        ]
        due, met = sum(x.due for x in own), sum(x.met for x in own)
        stats = [wheel.Stat(x.number, x.title, x.rate, x.red) for x in own]
        name = _COMMON.sub("", policy.title)
        sectors.append((name, share(met, due), stats))
    return sectors


def _first(lines: dict[int, Line]) -> list[Line]:
    """The clauses to deal with first: the most missed duties, weighted by how low the rate is."""
    low = [x for x in lines.values() if x.rate is not None and x.rate < TARGET and x.due - x.met]
    return sorted(low, key=lambda x: -(x.due - x.met) * (1 - (x.rate or 0)))[:4]


def _trend(total: Line, weeks: list[date]) -> dict[str, object]:
    numbers = [total.weeks[week] for week in weeks]
    return wheel.trend(
        [share(met, due) for met, due, _ in numbers],
        [red for _, _, red in numbers],
        [f"{week.isocalendar().week}周" for week in weeks],
    )
