"""What the alerts of the rulebook raised: one record an episode, followed by duties and people."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from fangyuan.core import facts, fields
from fangyuan.core.records import Record
from fangyuan.org.models import Person


class Alert(Record):
    """One episode of a warning about one record; the sweep raises and clears it.

    An episode that corrected facts no longer give is removed as of the instant it was raised.
    """

    rule = models.ForeignKey(
        "engine.Rule", models.PROTECT, related_name="alerts", verbose_name="规则"
    )
    subject = fields.AnyField("对象")
    raised_at = models.DateTimeField("触发")
    known_at = models.DateTimeField("得知")
    cleared_at = models.DateTimeField("解除", null=True, blank=True)
    measured = models.JSONField("命中数值", default=dict, blank=True)
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="alerts", verbose_name="责任人"
    )
    also_told = ArrayField(
        models.BigIntegerField(), verbose_name="另知会", default=list, blank=True
    )
    warned_at = models.DateTimeField("已提醒", null=True, blank=True)
    handled_at = models.DateTimeField("处置", null=True, blank=True)
    outcome = fields.Note("处置结论")

    begins = "raised_at"
    known_since = "known_at"
    owned_by = "subject"
    governed = {"handled_at": "handle_alert", "outcome": "handle_alert"}
    reach = {"people": ("person",), "any": ("subject",)}
    facts: ClassVar = {"subject_kind": facts.Derived("对象类型", value=lambda: F("subject_type"))}

    class Meta(Record.Meta):
        verbose_name = "预警"
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject_id", "raised_at"], name="alert_once_an_episode"
            )
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="alert_of_subject"),
            models.Index(fields=["known_at"], name="alert_unsaid", condition=Q(warned_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.rule.clause.title or self.rule.clause.number}预警"
