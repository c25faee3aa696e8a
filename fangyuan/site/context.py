"""What the shell of every page needs: who, where, what waits; three queries at most."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from fangyuan.access import table
from fangyuan.core import ready
from fangyuan.desk import looking_back
from fangyuan.org import models as org
from fangyuan.site import navigation


def shell(request: HttpRequest) -> dict[str, Any]:
    """The shell's values; a fragment asked for by htmx gets only the moment and the theme."""
    now = timezone.now()
    back = looking_back.of(request)
    # A page that looks back tells time from there: what was due tomorrow then is due tomorrow.
    base = {
        "now": back.now if back else now,
        "back": back,
        "theme": request.COOKIES.get("theme", ""),
    }
    actor = getattr(request, "user", None)
    if not org.signed_in(actor) or getattr(request, "htmx", False):
        return base
    duties, hot, unseen, approvals = _counts(actor, now, back)
    counts = {"/obligation/": (duties, hot), "/approvals": (approvals, False)}
    drawn = navigation.draw(actor, request.path, counts)
    return {
        **base,
        "shell": drawn,
        "quick": drawn.quick,
        "bell": {"url": "/messages", "count": unseen},
        "me": _me(actor),
    }


# Duties to do, no further than the sidebar says, whether one is red, unread messages, approvals
# asked; since when the ledger is kept.
_COUNTS = """
SELECT (SELECT count(*) FROM (
          SELECT FROM engine_obligation
           WHERE person_id = %(person)s AND due_at BETWEEN %(since)s AND %(until)s
             AND state IN ('OPEN', 'BREACHED') LIMIT %(most)s) found),
       EXISTS (SELECT FROM engine_obligation
                WHERE person_id = %(person)s AND due_at BETWEEN %(since)s AND %(now)s
                  AND state IN ('OPEN', 'BREACHED') AND state = 'BREACHED'),
       (SELECT count(*) FROM org_message
         WHERE person_id = %(person)s AND seen_at IS NULL AND channel = 'INBOX'),
       (SELECT count(DISTINCT request_id) FROM engine_approval
         WHERE state = 'ASKED' AND (person_id = %(person)s OR person_id IN (
           SELECT person_id FROM org_leave
            WHERE stand_in_id = %(person)s AND stage = 'APPROVED' AND removed_at IS NULL
              AND starts_at < now() AND ends_at >= now()))),
       (SELECT kept_since FROM engine_progress WHERE rule_id IS NULL)
"""
WEEKS, AHEAD = timedelta(days=28), timedelta(days=7)


def _counts(
    actor: Any, now: datetime, back: looking_back.AsOf | None
) -> tuple[int, bool, int, int]:
    span = {"since": now - WEEKS, "now": now, "until": now + AHEAD}
    given = {"person": actor.pk, "most": navigation.MOST_SAID + 1, **span}
    duties, is_hot, unseen, asked, kept_since = ready.ask(_COUNTS, given)[0]
    if back:
        back.kept_since = kept_since
    return duties, is_hot, unseen, asked


def _me(actor: Any) -> dict[str, Any]:
    seen = table.sight(actor)
    return {
        "pk": actor.pk,
        "name": actor.name,
        "title": seen.title or ("系统管理员" if actor.is_admin else ""),
        "team": seen.team,
        "links": [
            navigation.Item("我的资料", f"/person/{actor.pk}", "users"),
            navigation.Item("提醒设置", "/preferences", "bell"),
        ],
    }
