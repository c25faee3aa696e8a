"""What was forecast when: snapshots that nobody changes, and figures a manager sets beside them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record, Row
from fangyuan.opportunities.models.opportunity import Opportunity
from fangyuan.opportunities.models.stage import Stage
from fangyuan.org.models import Person, Team


class Snapshot(Row):
    """An open opportunity as it was forecast on one day; append-only, kept forever (PS-3.3c)."""

    taken_on = models.DateField("快照日")
    # The first one taken from a month's first working day on: forecasts are judged by it (PS-1.1b).
    is_opening = models.BooleanField("月初快照", default=False)
    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="snapshots", verbose_name="商机"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, related_name="+", verbose_name="负责人"
    )
    stage = models.ForeignKey(
        Stage, models.PROTECT, null=True, related_name="+", verbose_name="阶段"
    )
    amount = fields.Money("预计合同额", null=True)
    expected_on = models.DateField("预计签约", null=True)
    win_rate = fields.Percent("赢率", null=True)
    forecast = fields.Choice("预测类别", choices=Opportunity.Forecast)

    reach = {"people": ("person",)}

    class Meta(Row.Meta):
        verbose_name = "预测快照"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["taken_on", "opportunity"], name="snapshot_once")
        ]
        indexes = [
            models.Index(fields=["opportunity"], name="snapshot_of_opportunity"),
            models.Index(
                fields=["taken_on"], name="snapshot_opening", condition=Q(is_opening=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taken_on:%Y-%m-%d} 的预测快照"


class Adjustment(Record):
    """What a manager expects of a person or team in a month, beside their own figure.

    One never overwrites another: the newest counts, the earlier ones are its history.
    """

    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="adjusted", verbose_name="谁的"
    )
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="哪个团队的"
    )
    month = models.DateField("月份")
    amount = fields.Money("判断额")
    own_amount = fields.Money("当时自报")
    reason = fields.Note("理由", blank=False)
    author = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name="判断人")

    owned_by = "author"
    passes_on = False
    reach: dict[str, Any] = {"people": ("person", "author", "team__leader")}

    class Meta(Record.Meta):
        verbose_name = "预测调整"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None, team__isnull=False) | Q(team=None, person__isnull=False),
                name="adjustment_of_one",
                violation_error_message="预测调整写明是谁的或哪个团队的，二者选一",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="adjustment_amount",
                violation_error_message="判断额不能小于零",
            ),
        ]
        indexes = [models.Index(fields=["month", "-id"], name="adjustment_of_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} 的预测调整"
