"""The lines of a visit plan: proposed by how often each tier must be visited, and grouped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import dateparse, timezone

from fangyuan.activities.models import Activity, PlanItem
from fangyuan.core import calendar, spans
from fangyuan.customers.models import Customer
from fangyuan.engine.models import Rule
from fangyuan.org.models import Holding
from fangyuan.site.visit_days import TIERS

SLOTS = (time(9, 30), time(11, 0), time(13, 30), time(15, 0), time(16, 30))
WRITABLE = ("at", "purpose", "content")
LABELS = {"at": "时间", "purpose": "目的", "content": "内容"}


@dataclass
class Line:
    """One line with what is wrong with it."""

    item: Any
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def gaps(self) -> list[str]:
        """The parts that are still missing, in words."""
        return [label for name, label in LABELS.items() if not getattr(self.item, name)]


@dataclass
class Group:
    """The lines about one customer."""

    customer: Any
    tier: str
    tone: str
    lines: list[Line]

    @property
    def may_copy(self) -> bool:
        """Whether some of several visits have nothing to talk about yet."""
        empty = [line for line in self.lines if not line.item.content]
        return bool(self.customer) and len(self.lines) > 1 and bool(empty)


def month_of(text: str, today: date) -> date:
    """The first day of a month written 2026-12; else the month that is to be planned now."""
    found = dateparse.parse_date(f"{text}-01") if text else None
    if found:
        return found
    first = today.replace(day=1)
    return after(first) if today.day >= 20 else first


def after(first: date) -> date:
    """The first day of the next month."""
    return (first + timedelta(days=32)).replace(day=1)


def before(first: date) -> date:
    """The first day of the month before."""
    return (first - timedelta(days=1)).replace(day=1)


def groups(plan: Any, actor: Any, errors: Mapping[tuple[int, str], str]) -> list[Group]:
    """The lines of a plan by customer, the most important first; two queries."""
    done = Activity._base_manager.filter(plan_item=OuterRef("pk"), removed_at=None)
    items = list(plan.items.seen_by(actor).present().annotate(is_placed=Exists(done)))
    customers = Customer.objects.seen_by(actor).in_bulk({i.subject_id for i in items})
    found: dict[int | None, Group] = {}
    for item in items:
        customer = customers.get(item.subject_id)
        tier, tone = TIERS.get((customer and customer.ka_tier) or "", ("", ""))
        group = found.setdefault(item.subject_id, Group(customer, tier, tone, []))
        wrong = {n: errors[item.pk, n] for n in WRITABLE if (item.pk, n) in errors}
        group.lines.append(Line(item, wrong))
    order = list(TIERS)
    ranks = {label: order.index(code) for code, (label, _) in TIERS.items()}
    return sorted(found.values(), key=lambda g: (ranks.get(g.tier, 9), str(g.customer or "")))


def frequencies(now: datetime) -> dict[str, str]:
    """How often customers of each tier must be visited, from the rules in force."""
    rules = (
        Rule.objects.everything("拜访频率")
        .present()
        .filter(Q(ends_at=None) | Q(ends_at__gt=now), kind="CADENCE", record="customer")
        .filter(params__event="activity.ended_at", starts_at__lte=now, is_shadow=False)
    )
    found = {}
    for rule in rules:
        tier = (rule.params.get("where") or {}).get("ka_tier")
        if isinstance(tier, str):
            found[tier] = rule.params["per"]
    return found


def owned(actor: Any) -> list[Any]:
    """The key accounts that the actor answers for."""
    now = timezone.now()
    held = Holding.objects.everything("本人负责的客户").filter(
        Q(ends_at=None) | Q(ends_at__gt=now),
        person=actor,
        role="OWNER",
        subject_type="customer",
        starts_at__lte=now,
        removed_at=None,
    )
    rows = Customer.objects.seen_by(actor).present().filter(pk__in=held.values("subject_id"))
    return list(rows.filter(is_ka=True).order_by("ka_tier", "id"))


def propose(actor: Any, first: date, now: datetime) -> list[dict[str, Any]]:
    """The lines of a month: as many visits as the rules demand, spread over the working days."""
    per_tier, customers = frequencies(now), owned(actor)
    days = _working_days(first)
    follow_up = _next_steps(customers)
    load: Counter[date] = Counter()
    lines = []
    for customer in customers:
        per = per_tier.get(customer.ka_tier or "")
        for choices in _occasions(per, days) if per else []:
            day = min(choices, key=lambda d: (load[d], d))
            slot = SLOTS[load[day] % len(SLOTS)]
            load[day] += 1
            lines.append(
                {
                    "subject": customer,
                    "at": timezone.make_aware(datetime.combine(day, slot)),
                    "purpose": f"每{spans.PeriodKind(per).label}拜访",
                    "content": follow_up.pop(customer.pk, ""),
                    "owner": actor,
                }
            )
    return sorted(lines, key=lambda line: line["at"])


def _working_days(first: date) -> list[date]:
    known = calendar.stored()
    day, found = first, []
    while day < after(first):
        if known.is_working(day):
            found.append(day)
        day += timedelta(days=1)
    return found


def _occasions(per: str, days: Iterable[date]) -> list[list[date]]:
    """The working days of each period of which the larger part lies within these days."""
    found: dict[str, list[date]] = defaultdict(list)
    spread: dict[str, int] = {}
    for day in days:
        period = spans.period_of(per, day)
        found[period.key].append(day)
        spread[period.key] = (period.last - period.first).days + 1
    least = {key: min(length, 31) * 5 / 14 for key, length in spread.items()}
    return [choices for key, choices in found.items() if len(choices) >= least[key]]


def _next_steps(customers: list[Any]) -> dict[int, str]:
    """What was to follow after the last contact with each customer."""
    rows = (
        Activity._base_manager.filter(
            customer__in=customers, ended_at__isnull=False, removed_at=None
        )
        .order_by("customer_id", "-ended_at")
        .distinct("customer_id")
        .values_list("customer_id", "next_step")
    )
    return {number: text for number, text in rows if text}


def typed(posted: Mapping[str, str], item: Any) -> dict[str, Any]:
    """What was entered for a line, where it differs."""
    values: dict[str, Any] = {}
    for name in WRITABLE:
        if f"{name}_{item.pk}" not in posted:
            continue
        said = posted[f"{name}_{item.pk}"].strip().replace("\r\n", "\n")
        value = _instant(said) if name == "at" else said
        if value != _shown(getattr(item, name)):
            values[name] = value
    return values


def copied(items: Iterable[Any], posted: Mapping[str, str], customer: str) -> dict[int, str]:
    """What to talk about at the first visit of a customer, for those that have nothing yet."""
    own = [i for i in items if customer and str(i.subject_id) == customer]
    said = {i.pk: posted.get(f"content_{i.pk}", i.content).strip() for i in own}
    first = next((text for text in said.values() if text), "")
    return {number: first for number, text in said.items() if first and not text}


def _shown(value: Any) -> Any:
    """The value as the form shows it: without the seconds that an input drops."""
    return value.replace(second=0, microsecond=0) if isinstance(value, datetime) else value


def _instant(text: str) -> datetime | None:
    try:
        found = dateparse.parse_datetime(text)
    except ValueError:
        return None
    return timezone.make_aware(found) if found and timezone.is_naive(found) else found


def gather(plan: Any, actor: Any) -> list[PlanItem]:
    """The lines of a plan, as they are stored."""
    return list(plan.items.seen_by(actor).present())
