"""Recycling: whoever misses a duty about a holding loses it; the worker lays it into its pool.

Only the ledger knows what is overdue. A record that no pool takes stays where it is, and sales
operations are told once a day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from fangyuan import door
from fangyuan.core import records
from fangyuan.customers import pooling
from fangyuan.engine import jobs
from fangyuan.engine.models import Obligation, Rule
from fangyuan.org import lines, posting
from fangyuan.org.models import Holding, Message

SUBJECT: Final = "holding"
ROUND: Final = 500
KEEPER: Final = "sales_ops"


def rules() -> list[Rule]:
    """The rules whose missed duties end a holding."""
    found = Rule.objects.everything("公海回收").present().filter(
        record=SUBJECT, kind="DEADLINE", is_shadow=False
    )  # fmt: skip
    return list(found.select_related("clause"))


def overdue(most: int = ROUND) -> list[Obligation]:
    """Missed duties about holdings that still stand, the longest overdue first."""
    standing = Holding._base_manager.filter(
        ends_at=None, removed_at=None, role="OWNER", subject_type__in=("customer", "lead")
    )
    missed = Obligation.objects.everything("公海回收").filter(
        rule__in=[rule.pk for rule in rules()],
        state="BREACHED",
        subject_id__in=standing.values("pk"),
    )  # fmt: skip
    return list(missed.select_related("rule__clause").order_by("due_at", "id")[:most])


def recycle_due() -> int:
    """Lay what fell due into pools; says how many records were moved."""
    moved = 0
    for duty in overdue():
        held = Holding._base_manager.get(pk=duty.subject_id)
        record = records.find(held.subject)
        if record is None or record.removed_at is not None:
            continue
        clause = duty.rule.clause
        reason = f"{clause.title}（{clause.number}）"
        try:
            with door.acting(by=None, action="recycle", reason=reason, channel="JOB") as deed:
                door.act("recycle", record, by=None, payload={"reason": reason}, channel="JOB")
                _taken(record, held, reason, deed.at)
        except pooling.NoPool as nowhere:
            _tell(record, str(nowhere))
        except (door.Denied, door.Refused):
            continue  # somebody let go of it or changed it meanwhile
        else:
            moved += 1
    return moved


def _taken(record: Any, held: Holding, reason: str, at: datetime) -> None:
    """Tell who held it that it was taken away, and why."""
    note = {
        "kind": "NOTICE",
        "topic": "HOLDING",
        "title": f"{record}已收回公海",
        "text": reason,
        "sent_at": at,
    }
    pointer = {"subject_type": record.record_name(), "subject_id": record.pk}
    key = f"recycled:{held.pk}"
    posting.post([Message(person_id=held.person_id, step_key=key, **note, **pointer)])


def _tell(record: Any, problem: str) -> None:
    """Tell sales operations, once a day, what no pool takes."""
    now = timezone.now()
    key = f"nopool:{record.record_name()}:{record.pk}:{timezone.localdate(now)}"
    note = {
        "kind": "NOTICE",
        "topic": "HOLDING",
        "title": "到期未能收回公海",
        "text": problem,
        "sent_at": now,
    }
    pointer = {"subject_type": record.record_name(), "subject_id": record.pk}
    keepers = lines.holders(KEEPER, on=timezone.localdate(now)) or lines.administrators()
    with door.acting(by=None, action="recycle", channel="JOB"):
        posting.post(
            Message(person_id=person, step_key=f"{key}:{person}", **note, **pointer)
            for person in keepers
        )


jobs.register("公海回收", recycle_due)
