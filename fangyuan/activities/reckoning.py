"""The figures of a report's period, taken from the data once and kept with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, Q, Sum

from fangyuan.activities import showing
from fangyuan.activities.models import Activity, ResourceUsage
from fangyuan.core import spans
from fangyuan.engine.models import Obligation
from fangyuan.opportunities.models import Opportunity

# How many days before its last day the period of a report of each kind begins.
BACK: Final = {"DAILY": 0, "BRIEF": 6, "RESEARCH": 91, "RESOURCE": 91, "ANALYSIS": 30}
MOST: Final = 12
CLAUSES: Final = ("POLICY", "REVIEW")


def period(report: Any) -> tuple[datetime, datetime]:
    """From when to when a report counts: its month, unless its kind says otherwise."""
    last: date = report.period_end
    back = BACK.get(report.kind)
    first = last.replace(day=1) if back is None else last - timedelta(days=back)
    return spans.midnight(first), spans.midnight(last + timedelta(days=1))


def numbers(report: Any, actor: Any) -> dict[str, Any]:
    """The figures as plain values, by their Chinese names."""
    since, until = period(report)
    people = _people(report)
    if report.kind in CLAUSES:
        return _clauses(people, since, until, report.policy_id)
    if report.kind == "RESOURCE":
        return _usage(people, since, until)
    if report.kind == "FORECAST":
        return _forecast(people, actor)
    found = _sales(people, since, until, actor)
    if report.kind == "ANALYSIS":
        found |= _industries(people, since, until, actor)
    return found


def _people(report: Any) -> list[int]:
    if report.team_id:
        return showing.people_of(report.team_id, report.period_end)
    return [report.person_id]


def _own(people: list[int], actor: Any) -> Any:
    rows = Opportunity.objects.seen_by(actor).present().order_by()
    return rows.filter(pk__in=showing.held_by(people, "opportunity"))


def _sales(people: list[int], since: datetime, until: datetime, actor: Any) -> dict[str, Any]:
    signed = Q(outcome="WON", closed_at__gte=since, closed_at__lt=until)
    opened = Q(recorded_at__gte=since, recorded_at__lt=until)
    lost = Q(outcome="LOST", closed_at__gte=since, closed_at__lt=until)
    sold = _own(people, actor).aggregate(
        won=Sum("amount", filter=signed),
        signed=Count("pk", filter=signed),
        opened=Count("pk", filter=opened),
        lost=Count("pk", filter=lost),
        running=Count("pk", filter=Q(outcome="OPEN")),
    )
    talks = Activity.objects.seen_by(actor).present().order_by().filter(
        person__any_of=people, stage="DONE", ended_at__gte=since, ended_at__lt=until
    )  # fmt: skip
    return {
        "签约额": _plain(sold["won"]),
        "签约单数": sold["signed"],
        "输单数": sold["lost"],
        "新增商机": sold["opened"],
        "在途商机": sold["running"],
        "拜访与沟通": talks.count(),
    }


def _plain(amount: Decimal | None) -> float:
    return float(amount or 0)


def _industries(people: list[int], since: datetime, until: datetime, actor: Any) -> dict[str, Any]:
    """Win rates by industry: where they are well above the whole there is more to win."""
    closed = _own(people, actor).filter(
        outcome__in=("WON", "LOST"), closed_at__gte=since, closed_at__lt=until
    )
    rows = list(
        closed.values(name=F("customer__industry__label"))
        .annotate(won=Count("pk", filter=Q(outcome="WON")), n=Count("pk"))
        .order_by("-n")[:MOST]
    )
    total, won = sum(r["n"] for r in rows), sum(r["won"] for r in rows)
    if not total:
        return {}
    rates = {
        f"赢单率（{row['name'] or '未分行业'}）": f"{100 * row['won'] / row['n']:.0f}%"
        for row in rows
    }
    return {"赢单率": f"{100 * won / total:.0f}%", **rates}


def _forecast(people: list[int], actor: Any) -> dict[str, Any]:
    rows = _own(people, actor).filter(outcome="OPEN", expected_on__isnull=False, amount__gt=0)
    found: dict[str, Any] = {}
    for on, amount, rate in rows.order_by("expected_on").values_list(
        "expected_on", "amount", "win_rate"
    ):
        month = f"{on:%Y-%m} 加权"
        found[month] = found.get(month, 0.0) + float(amount) * float(rate or 0) / 100
    return {month: round(amount, 2) for month, amount in list(found.items())[:MOST]}


def _clauses(
    people: list[int], since: datetime, until: datetime, policy: int | None
) -> dict[str, Any]:
    """Of each clause how many duties fell due, how many were met in time, how many breached."""
    rows = Obligation.objects.everything("执行报告").filter(
        person_id__any_of=people, due_at__gte=since, due_at__lt=until
    )
    if policy:
        rows = rows.filter(rule__clause__policy_id=policy)
    counted = (
        rows.order_by()
        .values(number=F("rule__clause__number"), title=F("rule__clause__title"))
        .annotate(
            n=Count("pk", filter=~Q(state__in=("VOID", "WAIVED"))),
            met=Count("pk", filter=Q(state="MET")),
            red=Count("pk", filter=Q(state="BREACHED")),
        )
        .order_by("-red", "-n")
    )
    return {
        f"{one['number']} {one['title']}": f"{one['n']} 件，按时 {one['met']}，违规 {one['red']}"
        for one in counted[: 4 * MOST]
    }


def _usage(people: list[int], since: datetime, until: datetime) -> dict[str, Any]:
    rows = ResourceUsage.objects.everything("资源效果").present().filter(
        person__any_of=people, occurred_at__gte=since, occurred_at__lt=until
    )  # fmt: skip
    classes = dict(ResourceUsage.Class.choices)
    sums = rows.order_by().values("resource_class").annotate(
        n=Count("pk"), spent=Sum("amount"), worked=Sum("hours")
    )  # fmt: skip
    return {
        f"{classes.get(one['resource_class'], '未分类')}资源": f"{one['n']} 次，"
        f"¥{_plain(one['spent']):,.0f}，{_plain(one['worked']):.0f} 工时"
        for one in sums
    }


def texts(kind: str, found: Mapping[str, Any]) -> dict[str, str]:
    """What the figures put under the headings by themselves."""
    lines = [f"{name}：{_said(value)}" for name, value in found.items()]
    return {"数据汇总": "\n".join(lines)} if lines else {}


def _said(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
