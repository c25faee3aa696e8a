"""The cockpit: the whole rulebook at one look, every number a sum over the ledger's tallies."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Func, IntegerField, Q, Sum
from django.db.models.functions import TruncWeek
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import scopes
from fangyuan.core import ready
from fangyuan.engine import health, known
from fangyuan.engine.models import Clause, Policy, Rule, Tally
from fangyuan.metrics.compliance import (
    TARGET,
    breached_duties,
    due_duties,
    met_duties,
    waived_duties,
)
from fangyuan.metrics.declare import Dimension
from fangyuan.metrics.measure import Span, share
from fangyuan.site import wheel

WEEKS = 12
SPANS = {"day": "今日", "week": "本周", "month": "本月", "quarter": "本季"}
DEFAULT = "quarter"
WEEK = Dimension("week", "周", TruncWeek("due_on"))
_COMMON = re.compile(r"^销售(公司|部|团队)?|制度|（.*）$")
DUTY_KINDS = ("DEADLINE", "CADENCE", "REQUIRED")


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
    weeks: dict[date, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    version: str = ""
    parent: str = ""
    key: str = ""
    level: int = 2

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
    def spark(self) -> list[float | None]:
        """The rate of each of the last weeks."""
        return [share(met, due) for _, (met, due, _) in sorted(self.weeks.items())]

    def add(self, other: Line) -> None:
        """Sum another line into this one."""
        for name in ("met", "due", "open", "today", "done", "red", "waived"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for week, numbers in other.weeks.items():
            self.weeks[week] = [a + b for a, b in zip(self.weeks[week], numbers, strict=True)]


@require_safe
def cockpit(request: HttpRequest) -> HttpResponse:
    """The page; `span` is one of day, week, month, quarter."""
    now = timezone.now()
    today = timezone.localdate(now)
    chosen = request.GET.get("span", DEFAULT)
    span = _span(chosen if chosen in SPANS else DEFAULT, today)
    policies, clauses = _rulebook()
    lines = _clause_lines(request.user, clauses, span, today)
    tree, total = _tree(policies, clauses, lines)
    week_starts = [monday(today) - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]
    context = {
        "spans": SPANS,
        "span": chosen if chosen in SPANS else DEFAULT,
        "total": total,
        "goal": TARGET,
        "sectors": wheel.draw(_sectors(policies, clauses, lines), TARGET),
        "tree": tree,
        "first": _first(lines),
        "trend": _trend(total, week_starts),
        "people": _people(request.user),
        "done_today": total.done,
        "clause_count": sum(p.clause_count for p in policies),
        "policy_count": len(policies),
        "run_count": len(lines),
        "health": health.look(now),
        "only_low": request.GET.get("only") == "low",
    }
    return render(request, "site/cockpit.html", context)


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


def _rulebook() -> tuple[list[Any], dict[int, Clause]]:
    """The policies in force, and the clauses that a rule carries out as duties, by rule."""
    rules = known.rules(number for (number,) in _DUTY_RULES())
    ranked = sorted(rules.values(), key=lambda rule: (rule.clause_id, rule.line, rule.pk))
    return _POLICIES(), {rule.pk: rule.clause for rule in ranked}


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


def _clause_lines(
    actor: Any, clauses: dict[int, Clause], span: Span, today: date
) -> dict[int, Line]:
    lines = {
        c.pk: Line(label=c.text, number=c.number, title=c.title, key=f"c{c.pk}")
        for c in clauses.values()
    }
    first = monday(today) - timedelta(weeks=WEEKS - 1)
    for line in lines.values():
        line.weeks.update({first + timedelta(weeks=n): [0, 0, 0] for n in range(WEEKS)})
    given = {"today": today, "since": min(first, span.start), "start": span.start}
    for rule, place, *sums in _COUNTED(scopes.reach(actor, Tally), actor=actor, **given):
        if rule not in clauses:
            continue
        line, numbers = lines[clauses[rule].pk], [int(number or 0) for number in sums]
        for name, number in zip(COUNTS, numbers[3:], strict=True):
            setattr(line, name, getattr(line, name) + number)
        week = _MONDAY + timedelta(weeks=place)
        if week in line.weeks:
            line.weeks[week] = [a + b for a, b in zip(line.weeks[week], numbers, strict=False)]
    return lines


# Weeks are counted from a Monday: truncating dates would take longer than summing.
_MONDAY = date(2001, 1, 1)
_WEEK_NUMBER = Func(
    F("due_on"),
    template=f"(%(expressions)s - date '{_MONDAY}') / 7",
    output_field=IntegerField(),
)
COUNTS = ("met", "due", "waived", "open", "red", "today", "done")


def _counted(seen: scopes.Reach) -> Any:
    """By rule and week: met, due and red until today; the same and the waived within the span; what
    stands open and red at all, what falls due today and how much of it is done."""
    past = Q(due_on__lte=ready.Slot("today"))
    spanned = past & Q(due_on__gte=ready.Slot("start"))
    due_today = Q(due_on=ready.Slot("today")) & ~Q(state="VOID")
    weekly = (met_duties, due_duties, breached_duties)
    conditions = [past & metric.where for metric in weekly]
    conditions += [spanned & metric.where for metric in (met_duties, due_duties, waived_duties)]
    conditions += [Q(state="OPEN"), Q(state="BREACHED")]
    conditions += [due_today, due_today & ~Q(state__in=["OPEN", "BREACHED"])]
    rows = Tally.objects.everything("在范围内").filter(scopes.later(seen, Tally))
    rows = rows.filter(Q(due_on__gte=ready.Slot("since")) | Q(state__in=["OPEN", "BREACHED"]))
    sums = {f"sum_{n}": Sum("number", filter=one) for n, one in enumerate(conditions)}
    weeks = rows.order_by().annotate(week=_WEEK_NUMBER).values("rule_id", "week")
    return weeks.annotate(**sums).values_list("rule_id", "week", *sums)


_COUNTED = ready.Ready(_counted)
_PEOPLE = ready.Ready(
    lambda seen: (
        Tally.objects.everything("在范围内")
        .filter(scopes.later(seen, Tally), state="OPEN", number__gt=0)
        .order_by()
        .values("state")
        .annotate(people=Count("person_id", distinct=True))
        .values_list("people")
    )
)


def _people(actor: Any) -> int:
    found = _PEOPLE(scopes.reach(actor, Tally), actor=actor)
    return int(found[0][0]) if found else 0


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
