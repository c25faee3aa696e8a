"""Gate debt: a gate passed for now by leave of somebody entitled, with a reason and a due date.

The debt is owed as a duty of the gate's clause. While it is not due it opens its own gate; once
overdue it closes every gate on the same record until it is paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import F, Q

from fangyuan.core import facts, fields, ready
from fangyuan.core.records import Record
from fangyuan.org.models import Person

RECORD: Final = "debt"


class Debt(Record):
    """Leave to pass one gate with one record, and what is still owed for it."""

    rule = models.ForeignKey(
        "engine.Rule", models.PROTECT, related_name="debts", verbose_name="门槛"
    )
    subject = fields.AnyField("对象")
    person = models.ForeignKey(Person, models.PROTECT, related_name="debts", verbose_name="责任人")
    granted_by = models.ForeignKey(
        Person, models.PROTECT, related_name="+", verbose_name="放行人", null=True, blank=True
    )
    granted_at = models.DateTimeField("放行")
    due_at = models.DateTimeField("补齐期限")
    reason = fields.Note("理由", blank=False)
    paid_at = models.DateTimeField("补齐", null=True, blank=True)

    begins = "granted_at"
    owned_by = "person"
    governed: ClassVar[dict[str, str]] = {"paid_at": "pay_debt"}
    reach: ClassVar[dict[str, Any]] = {"people": ("person", "granted_by"), "any": ("subject",)}
    facts: ClassVar[dict[str, Any]] = {
        "clause": facts.Derived("条款", value=lambda: F("rule__clause__number"))
    }

    class Meta(Record.Meta):
        verbose_name = "门槛欠账"
        ordering = ["-granted_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(due_at__gt=F("granted_at")),
                name="debt_span",
                violation_error_message="补齐期限要晚于放行的时间",
            ),
            models.UniqueConstraint(
                fields=["rule", "subject_type", "subject_id"],
                condition=Q(paid_at=None, removed_at=None),
                name="debt_once",
                violation_error_message="这道门槛已经放行过，还没有补齐",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule.clause.number} 欠账"


def of(steps: Iterable[tuple[str, int]]) -> list[Debt]:
    """What these records (type, number) still owe."""
    pairs = sorted(set(steps))
    met = ready.ask(_OWED, [[record for record, _ in pairs], [number for _, number in pairs]])
    if not met:  # as nearly always
        return []
    rows = Debt.objects.everything("门槛").filter(pk__any_of=[row[0] for row in met])
    return list(rows.select_related("rule__clause"))


_OWED = """
SELECT d.id FROM unnest(%s::text[], %s::bigint[]) AS s (kind, number)
  JOIN engine_debt d ON d.subject_type = s.kind AND d.subject_id = s.number
 WHERE d.paid_at IS NULL AND d.removed_at IS NULL"""


def covers(debt: Debt, finding: Any, at: datetime) -> bool:
    """Whether a debt that is not due yet stands for an unmet condition."""
    same = (debt.rule_id, debt.subject_type, debt.subject_id)
    return same == (finding.rule_id, finding.record, finding.subject_id) and at < debt.due_at


def duty(clause: str) -> dict[str, Any]:
    """The deadline by which the debts of a clause's gates are owed."""
    return {
        "on": "granted_at",
        "until": "paid_at",
        "by": "due_at",
        "where": {"clause": clause},
        "who": "person",
    }
