"""The results that a meeting looks back on, beside those of the time before."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Count, Q, Sum
from django.utils import timezone

from fangyuan.activities.models import Activity
from fangyuan.activities.showing import Figure, Line, Room, Shown, held_by, share, wan
from fangyuan.core import spans
from fangyuan.desk import declare
from fangyuan.engine.models import Tally
from fangyuan.metrics.models import Target
from fangyuan.opportunities.models import Opportunity

SIGNED: Final = 5
SOLD: Final = ("sales_amount", "contract_amount", "won_amount")  # targets of what is to be sold


def results(here: Room) -> Shown:
    """What was signed, opened, visited and kept since the last time."""
    before = here.since - (here.until - here.since)
    now, was = (here.since, here.until), (before, here.since)
    sold, talks, kept = _sold(here, now, was), _talks(here, now, was), _kept(here, now, was)
    figures = [
        *_goal(here),
        Figure(
            "签约额",
            wan(sold["won"] or 0),
            f"上期 {wan(sold['won_was'] or 0)}",
            _tone(sold["won"] or 0, sold["won_was"] or 0),
        ),
        Figure("签约", f"{sold['signed']} 单", f"上期 {sold['signed_was']} 单"),
        Figure(
            "新增商机",
            f"{sold['opened']} 个",
            f"上期 {sold['opened_was']} 个",
            _tone(sold["opened"], sold["opened_was"]),
        ),
        Figure(
            "拜访与沟通",
            f"{talks['n']} 次",
            f"上期 {talks['was']} 次",
            _tone(talks["n"], talks["was"]),
        ),
        Figure(
            "守规率",
            share(kept["met"], kept["due"]),
            f"上期 {share(kept['met_was'], kept['due_was'])}",
        ),
    ]
    won = _own(here).filter(outcome="WON", **_in("closed_at", now)).select_related("customer")
    lines = [
        Line(str(one), declare.address(one), f"{one.customer}，{wan(one.amount)}", tone="ok")
        for one in won.order_by("-amount")[:SIGNED]
    ]
    return Shown(figures, lines, empty="这段时间没有签约")


def _goal(here: Room) -> list[Figure]:
    """What the team signed of its target of the running period, beside how much time is gone."""
    day = timezone.localdate(here.now)
    rows = Target.objects.everything("会议对照目标").present().filter(
        subject_type="team", subject_id=here.meeting.team_id, metric__in=SOLD, tier="BASE"
    )  # fmt: skip
    running = rows.filter(starts_on__lte=day, ends_on__gt=day, category=None)
    goal = running.order_by("ends_on", "-version").first()
    if goal is None or not goal.value:
        return []
    span = spans.midnight(goal.starts_on), spans.midnight(goal.ends_on)
    won = _own(here).filter(outcome="WON", **_in("closed_at", span))
    reached = won.order_by().aggregate(n=Sum("amount"))["n"] or 0
    gone = (day - goal.starts_on) / (goal.ends_on - goal.starts_on)
    tone = "ok" if reached >= float(goal.value) * gone else "soon"
    said = f"目标 {wan(goal.value)}，时间已过 {100 * gone:.0f}%"
    return [Figure(f"{goal.period} 达成", share(reached, goal.value), said, tone, "/target/")]


def _in(name: str, span: tuple[Any, ...]) -> dict[str, Any]:
    return {f"{name}__gte": span[0], f"{name}__lt": span[-1]}


def _tone(now: Any, was: Any) -> str:
    return "ok" if now > was else "soon" if now < was else ""


def _own(here: Room) -> Any:
    rows = Opportunity.objects.seen_by(here.actor).present()
    return rows.filter(pk__in=held_by(here.people, "opportunity"))


def _sold(here: Room, now: Any, was: Any) -> dict[str, Any]:
    signed = {
        "": Q(outcome="WON", **_in("closed_at", now)),
        "_was": Q(outcome="WON", **_in("closed_at", was)),
    }
    sums = {f"signed{end}": Count("pk", filter=one) for end, one in signed.items()}
    sums |= {f"won{end}": Sum("amount", filter=one) for end, one in signed.items()}
    sums["opened"] = Count("pk", filter=Q(**_in("recorded_at", now)))
    sums["opened_was"] = Count("pk", filter=Q(**_in("recorded_at", was)))
    return _own(here).order_by().aggregate(**sums)


def _talks(here: Room, now: Any, was: Any) -> dict[str, Any]:
    rows = Activity.objects.seen_by(here.actor).present().order_by()
    rows = rows.filter(person__any_of=here.people, stage="DONE", **_in("ended_at", (*was, *now)))
    late = Q(ended_at__gte=now[0])
    return rows.aggregate(n=Count("pk", filter=late), was=Count("pk", filter=~late))


def _kept(here: Room, now: Any, was: Any) -> dict[str, Any]:
    """How many duties of these people fell due, and how many were met in time."""
    since, until, before = (timezone.localdate(one) for one in (*now, was[0]))
    rows = Tally.objects.everything("会议上的守规率").order_by()
    rows = rows.filter(person_id__any_of=here.people, state__in=("MET", "LATE", "BREACHED"))
    late, early = Q(due_on__gte=since), Q(due_on__lt=since)
    found = rows.filter(due_on__gte=before, due_on__lt=until).aggregate(
        met=Sum("number", filter=late & Q(state="MET")),
        due=Sum("number", filter=late),
        met_was=Sum("number", filter=early & Q(state="MET")),
        due_was=Sum("number", filter=early),
    )
    return {name: number or 0 for name, number in found.items()}
