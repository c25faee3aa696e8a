"""What time does to a chain: seats whose duty to answer is breached, or whose person left, go up.

Whether an answer is overdue is the ledger's word alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from fangyuan.core import events
from fangyuan.engine import jobs
from fangyuan.engine.approval import acts, content
from fangyuan.engine.models import Obligation
from fangyuan.engine.requests import Approval

GONE = Q(person__account_state="DISABLED") | Q(person__removed_at__isnull=False)


def escalate(now: datetime | None = None) -> int:
    """Hand up what is overdue by the rule or left behind; says how many seats."""
    at = now or timezone.now()
    breached = Obligation.objects.everything("逾期未审").filter(
        subject_type="approval", state="BREACHED"
    )
    asked = Approval.objects.everything("逾期未审").filter(state="ASKED", request__state="WAITING")
    late = asked.filter(pk__in=breached.values("subject_id")).select_related("request")
    moves = [(seat, "逾期未审") for seat in late if _goes_up(seat)]
    moves += [(seat, "审批人已离职") for seat in asked.filter(GONE).select_related("request")]
    return sum(_escalate(seat, why, at) for seat, why in moves)


def _goes_up(seat: Approval) -> bool:
    step = next((s for s in seat.request.chain if s["id"] == seat.step), None)
    return bool(step) and step["parties"][seat.party].get("overdue") == "escalate"  # type: ignore[index]


def _escalate(seat: Any, why: str, at: datetime) -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            events.announce(cursor, actor=0, action="escalate", reason=why, channel="JOB")
        request, _ = content.hold(seat.request)
        still = Approval._base_manager.filter(pk=seat.pk, state="ASKED").first()
        if request.state != "WAITING" or still is None:
            return False
        return acts.escalate(request, still, why=why, at=at)


jobs.register("审批升级", escalate)
