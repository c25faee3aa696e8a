"""What a clause stopped of late: attempts that its gate or its check refused, with who tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Sum
from django.utils import timezone

from fangyuan import door
from fangyuan.core import records
from fangyuan.desk import timeline
from fangyuan.engine.models import Refusal

WEEKS: Final = 12
SHOWN: Final = 5


def of_clause(actor: Any, number: str) -> dict[str, Any]:
    """How often the clause stopped somebody in the last weeks, and the latest attempts, of those
    that the actor may see."""
    since = timezone.now() - timedelta(weeks=WEEKS)
    rows = Refusal.objects.seen_by(actor).filter(clause=number, last_at__gt=since)
    counted = rows.aggregate(times=Sum("number"), people=Count("person", distinct=True))
    if not counted["times"]:
        return {}
    latest = rows.select_related("person").order_by("-last_at", "-pk")[:SHOWN]
    return {**counted, "rows": [(one, _deed(one)) for one in latest]}


def _deed(one: Refusal) -> str:
    """What was tried, in words."""
    model = records.row_types().get(one.subject_type or "")
    verb = door.VERBS.get(f"{one.subject_type}.{one.action}")
    said = verb.label if verb else timeline.ACTIONS.get(one.action, one.action)
    return f"{said}{model._meta.verbose_name}" if model and not verb else said
