"""The screen of supervision: notices by state on the left, one of them as a paper on the right."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import table
from fangyuan.core import facts
from fangyuan.desk.attachments import Attachments
from fangyuan.desk.declare import desk_of
from fangyuan.desk.panels import Scene
from fangyuan.metrics.declare import condition
from fangyuan.metrics.measure import share
from fangyuan.site import notices
from fangyuan.supervision.metrics import notices_closed, notices_in_time
from fangyuan.supervision.models import Finding, Inspection, Rectification

ROWS = 60
CHECKS = 6
STATES: dict[str, tuple[str, Q, str]] = {
    "open": ("未结", Q(stage__in=notices.OPEN), "due_at"),
    "review": ("待复核", Q(stage="SUBMITTED"), "due_at"),
    "draft": ("草稿", Q(stage="DRAFT"), "-id"),
    "closed": ("已销号", Q(stage="CLOSED"), "-closed_at"),
    "all": ("全部", Q(), "-id"),
}
WITH = ("person__manager", "finding", "issued_by", "reviewed_by")


@require_safe
def supervision(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """The split page; `state` is one of the keys of STATES."""
    actor, now = request.user, timezone.now()
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    found = list(_rows(actor, state))
    chosen = _chosen(actor, number, found)
    known = notices.known(found, chosen, actor)
    context = {
        "states": {key: label for key, (label, _, _) in STATES.items()},
        "state": state,
        "sheets": [notices.sheet(one, known, now) for one in found],
        "chosen": chosen,
        "detail": _detail(request, chosen, known, now) if chosen else None,
        "is_single": number is not None,
        "may_issue": table.may_act(actor, "rectification.issue_rectification"),
        "tiles": _tiles(actor, now),
        "checks": _checks(actor),
        "sees_checks": table.may(actor, "inspection", "r"),
    }
    return render(request, "site/supervision.html", context)


def _seen(actor: Any) -> Any:
    return Rectification.objects.seen_by(actor).present().select_related(*WITH)


def _rows(actor: Any, state: str) -> Any:
    _, where, order = STATES[state]
    return _seen(actor).filter(where).order_by(order, "id")[:ROWS]


def _chosen(actor: Any, number: int | None, found: list[Any]) -> Any:
    if number is None:
        return found[0] if found else None
    one = next((one for one in found if one.pk == number), None)
    one = one or _seen(actor).filter(pk=number).first()
    if one is None:
        raise Http404("没有这份整改通知，或不在你的范围内")
    return one


def _detail(
    request: HttpRequest, notice: Any, known: notices.Known, now: datetime
) -> dict[str, Any]:
    told = notices.detail(notice, known, request.user, now)
    scene = Scene(desk_of("rectification"), notice, request.user, now)
    panel = Attachments(title="证据")
    shown = panel.is_shown(request.user)
    return {**told, "panel": panel, "ctx": panel.context(scene) if shown else None}


def _tiles(actor: Any, now: datetime) -> dict[str, Any]:
    """This month's inspections and problems, what is overdue, what was closed in time."""
    today = timezone.localdate(now)
    month = timezone.make_aware(datetime(today.year, today.month, 1))
    is_open = Q(stage__in=notices.OPEN)
    lately = Q(closed_at__gte=now - timedelta(days=90))
    counts = facts.annotate(Rectification.objects.seen_by(actor).present(), ["on_time"]).aggregate(
        open=Count("pk", filter=is_open),
        overdue=Count("pk", filter=is_open & Q(due_at__lt=now)),
        closed=Count("pk", filter=condition(notices_closed) & lately),
        in_time=Count("pk", filter=condition(notices_in_time) & lately),
    )
    counts |= Finding.objects.seen_by(actor).present().filter(found_at__gte=month).aggregate(
        sampled=Count("pk"), problems=Count("pk", filter=Q(verdict="PROBLEM"))
    )  # fmt: skip
    rate = share(counts["in_time"], counts["closed"])
    percent = None if rate is None else 100 * rate
    ring_text = f"{counts['in_time']}/{counts['closed']}"
    return {**counts, "rate": rate, "percent": percent, "ring_text": ring_text}


def _checks(actor: Any) -> list[Any]:
    """The latest inspections with how much each looked at and found; weekly reviews are many."""
    if not table.may(actor, "inspection", "r"):
        return []
    rows = Inspection.objects.seen_by(actor).present().annotate(
        sampled=Count("findings"),
        problems=Count("findings", filter=Q(findings__verdict="PROBLEM")),
    )  # fmt: skip
    latest = rows.exclude(kind=Inspection.Kind.PROCESS).order_by(
        F("finished_at").desc(nulls_first=True), "-id"
    )
    return list(latest.select_related("team", "inspector")[:CHECKS])
