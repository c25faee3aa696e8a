"""What the shell of every page needs: who, where, what waits; three queries at most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, IntegerField, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from fangyuan.access import table
from fangyuan.engine.models import Approval, Obligation
from fangyuan.org import models as org
from fangyuan.org.models import Message, Person
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
    """Duties to do, whether one is red, unread messages, approvals asked: one query."""
    week = now + timedelta(days=7)
    duties = Obligation.objects.everything("侧栏计数").filter(
        Q(state="OPEN", due_at__lte=week) | Q(state="BREACHED", due_at__gte=now - WEEKS),
        person=actor,
    )
    unseen = Message.objects.everything("侧栏计数").filter(person=actor, seen_at=None)
    asked = Approval.objects.everything("侧栏计数").filter(person=actor, request__state="WAITING")
    found = (
        Person.objects.everything("侧栏计数")
        .filter(pk=actor.pk)
        .values_list(
            _count(duties), Exists(duties.filter(state="BREACHED")), _count(unseen), _count(asked)
        )
        .first()
    )
    return found or (0, False, 0, 0)


def _count(rows: Any) -> Subquery:
    counted = rows.order_by().values(fy_all=Value(1)).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)  # type: ignore[return-value]


WEEKS = timedelta(days=28)


def _me(actor: Any) -> dict[str, Any]:
    seen = table.sight(actor)
    return {
        "pk": actor.pk,
        "name": actor.name,
        "title": seen.title or ("系统管理员" if actor.is_admin else ""),
        "team": seen.team,
        "links": [navigation.Item("我的资料", f"/person/{actor.pk}", "users")],
    }
