"""Campaigns: what the company does so that it becomes known; leads name the one they came from."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record


class Campaign(Record):
    """One fair, seminar, promotion or advertisement."""

    class Kind(models.TextChoices):
        EXPO = "EXPO", "展会"
        SEMINAR = "SEMINAR", "研讨会"
        PROMOTION = "PROMOTION", "促销"
        AD = "AD", "广告投放"
        ONLINE = "ONLINE", "线上活动"
        OFFLINE = "OFFLINE", "线下活动"
        CONTENT = "CONTENT", "内容营销"
        PR = "PR", "公关"
        CULTURE = "CULTURE", "文化建设"

    class Stage(models.TextChoices):
        PLANNED = "PLANNED", "计划"
        PREPARING = "PREPARING", "筹备"
        RUNNING = "RUNNING", "进行"
        ENDED = "ENDED", "结束"
        CANCELLED = "CANCELLED", "取消"

    name = fields.Text("主题")
    kind = fields.Choice("类别", choices=Kind)
    place = fields.Text("地点", blank=True, default="")
    form = fields.Text("形式", blank=True, default="")
    attendees = fields.Note("参与人员")
    starts_at = models.DateTimeField("开始", null=True, blank=True)
    ends_at = models.DateTimeField("结束", null=True, blank=True)
    stage = fields.Choice("状态", choices=Stage, default=Stage.PLANNED)
    ended_at = models.DateTimeField("实际结束", null=True, blank=True)

    stage_field = "stage"
    moves = {
        "PLANNED": ("PREPARING", "RUNNING", "CANCELLED"),
        "PREPARING": ("RUNNING", "CANCELLED"),
        "RUNNING": ("ENDED",),
    }
    governed = {"stage": "start_campaign", "ended_at": "end_campaign"}

    class Meta(Record.Meta):
        verbose_name = "市场活动"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gte=F("starts_at")),
                name="campaign_span",
                violation_error_message="活动的结束不能早于开始",
            )
        ]

    def __str__(self) -> str:
        return self.name
