"""The board of intelligence by kind and rival, and what each analyst brought in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import table
from fangyuan.activities.models import Report
from fangyuan.core import facts, spans
from fangyuan.desk import replies
from fangyuan.marketing.models import Intel
from fangyuan.org.models import Membership, Message, Person

SHOWN: Final = 60
ANALYSTS: Final = ("market_analyst", "intel_officer")
TREND, RESEARCH, RIVAL = "TREND", "RESEARCH", "RIVAL"
NOTHING: Final = {TREND: 0, RESEARCH: 0, RIVAL: 0, "ALL": 0}


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """What is known and still holds, by kind; rivals each under their name."""
    if not table.may(request.user, "intel", "r"):
        return replies.refused(request, "你的岗位看不到情报")
    kind = request.GET.get("kind", "")
    kind = kind if kind in Intel.Kind.values else ""
    known = _holding(request)
    counts = dict(known.order_by().values_list("kind").annotate(n=Count("pk")))
    rows = known.filter(kind=kind) if kind else known
    found = list(
        facts.annotate(rows, _counted()).select_related("source", "rival", "reporter")[:SHOWN]
    )
    read = _read([row.pk for row in found])
    for row in found:
        row.read_pct = read.get(row.pk)
    context = {
        "tabs": _tabs(kind, counts, request),
        "groups": _by_rival(found) if kind == RIVAL else [("", found)],
        "q": request.GET.get("q", ""),
        "kind": kind,
        "is_all": "all" in request.GET,
        "may_add": table.may(request.user, "intel", "c"),
        "may_share": table.may_act(request.user, "intel.share_intel"),
    }
    return render(request, "site/intelligence.html", context)


def _holding(request: HttpRequest) -> Any:
    rows = Intel.objects.seen_by(request.user).present()
    if "all" not in request.GET:
        today = timezone.localdate()
        rows = rows.filter(Q(valid_until=None) | Q(valid_until__gte=today))
    if words := request.GET.get("q", "").strip():
        rows = rows.filter(
            Q(title__icontains=words) | Q(text__icontains=words) | Q(rival__label__icontains=words)
        )
    return rows.order_by("-occurred_at", "-pk")


def _counted() -> list[str]:
    """Uses are told by the room that keeps what was talked about."""
    return ["use_count"] if "use_count" in facts.of(Intel) else []


def _tabs(kind: str, counts: dict[str, int], request: HttpRequest) -> list[dict[str, Any]]:
    rest = "".join(f"&{name}={request.GET[name]}" for name in ("q", "all") if name in request.GET)
    every = [("", "全部", sum(counts.values()))]
    every += [(code, str(label), counts.get(code, 0)) for code, label in Intel.Kind.choices]
    return [
        {"label": label, "url": f"?kind={code}{rest}", "count": count, "current": code == kind}
        for code, label, count in every
    ]


def _by_rival(found: list[Any]) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for row in found:
        groups.setdefault(str(row.rival), []).append(row)
    return sorted(groups.items(), key=lambda pair: -len(pair[1]))


def _read(numbers: list[int]) -> dict[int, int]:
    """The share of a hundred of those told who have read it."""
    sent = Message.objects.everything("情报的阅读率").filter(
        subject_type="intel", subject_id__in=numbers, topic=Message.Topic.INTEL
    )
    counted = (
        sent.order_by()
        .values_list("subject_id")
        .annotate(all=Count("pk"), seen=Count("pk", filter=Q(seen_at__isnull=False)))
    )
    return {number: round(100 * seen / every) for number, every, seen in counted}


@require_safe
def analysts(request: HttpRequest) -> HttpResponse:
    """What each analyst brought in within a month: trends, research, rivals (DAY-1.3.4)."""
    if not table.may(request.user, "intel", "r"):
        return replies.refused(request, "你的岗位看不到情报")
    month = _month(request.GET.get("month", ""))
    after = (month.replace(day=28) + timedelta(days=7)).replace(day=1)
    within = (spans.midnight(month), spans.midnight(after))
    people = _people()
    told = _told(people, within)
    context = {
        "month": month,
        "before": (month - timedelta(days=1)).replace(day=1),
        "after": after if after <= timezone.localdate() else None,
        "lines": [{"person": person, **told[person.pk]} for person in people],
    }
    return render(request, "site/analysts.html", context)


def _month(text: str) -> date:
    today = timezone.localdate()
    try:
        return min(date.fromisoformat(f"{text}-01"), today).replace(day=1)
    except ValueError:
        return today.replace(day=1)


def _people() -> list[Person]:
    today = timezone.localdate()
    held = (
        Membership.objects.everything("分析人员名单")
        .present()
        .filter(
            Q(ends_on=None) | Q(ends_on__gte=today),
            position__code__in=ANALYSTS,
            starts_on__lte=today,
        )
    )
    rows = Person.objects.everything("分析人员名单").present().filter(pk__in=held.values("person"))
    return list(rows.order_by("name"))


def _told(people: list[Person], within: tuple[Any, Any]) -> dict[int, dict[str, int]]:
    """By person: trends and rivals from intelligence, research from reports that were handed in."""
    numbers = [person.pk for person in people]
    rows = Intel.objects.everything("分析人员履职").present()
    rows = rows.filter(reporter__in=numbers, occurred_at__range=within)
    found: dict[int, dict[str, int]] = {number: dict(NOTHING) for number in numbers}
    counted = rows.order_by().values_list("reporter", "kind").annotate(n=Count("pk"))
    for person, kind, count in counted:
        found[person]["ALL"] += count
        if kind in (TREND, RIVAL):
            found[person][kind] += count
    papers = Report.objects.everything("分析人员履职").present()
    papers = papers.filter(person__in=numbers, kind=RESEARCH, submitted_at__range=within)
    for person, count in papers.order_by().values_list("person").annotate(n=Count("pk")):
        found[person][RESEARCH] = count
    return found
