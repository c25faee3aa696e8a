"""What the shell of every page needs: who, where, what waits; three queries at most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone

from fangyuan.engine.models import Approval, Obligation
from fangyuan.org import models as org
from fangyuan.org.models import Message
from fangyuan.site import navigation


def shell(request: HttpRequest) -> dict[str, Any]:
    """The shell's values; a fragment asked for by htmx gets only the moment and the theme."""
    now = timezone.now()
    base = {"now": now, "theme": request.COOKIES.get("theme", "")}
    actor = getattr(request, "user", None)
    if not org.signed_in(actor) or getattr(request, "htmx", False):
        return base
    duties, hot, unseen, approvals = _counts(actor, now)
    counts = {"/obligation/": (duties, hot), "/approvals": (approvals, False)}
    return {
        **base,
        "nav": navigation.groups(actor, request.path, counts),
        "quick": navigation.quick(actor),
        "tabbar": navigation.tabs(actor, request.path),
        "bell": {"url": "/messages", "count": unseen},
        "me": _me(actor),
    }


def _counts(actor: Any, now: Any) -> tuple[int, bool, int, int]:
    week = now + timedelta(days=7)
    mine = Obligation.objects.everything("侧栏计数").filter(
        Q(state="OPEN", due_at__lte=week) | Q(state="BREACHED", due_at__gte=now - WEEKS),
        person=actor,
    )
    found = mine.aggregate(all=Count("id"), red=Count("id", filter=Q(state="BREACHED")))
    unseen = Message.objects.everything("侧栏计数").filter(person=actor, seen_at=None).count()
    waiting = Approval.objects.everything("侧栏计数").filter(person=actor, request__state="WAITING")
    return found["all"], found["red"] > 0, unseen, waiting.count()


WEEKS = timedelta(days=28)


def _me(actor: Any) -> dict[str, Any]:
    today = timezone.localdate()
    main = (
        org.Membership.objects.everything("我是谁")
        .present()
        .filter(Q(ends_on=None) | Q(ends_on__gte=today), person=actor, starts_on__lte=today)
        .select_related("team", "position")
        .order_by("-is_main")
        .first()
    )
    return {
        "pk": actor.pk,
        "name": actor.name,
        "title": main.position.label if main else ("系统管理员" if actor.is_admin else ""),
        "team": main.team.name if main else "",
        "links": [navigation.Item("我的资料", f"/person/{actor.pk}", "users")],
    }
