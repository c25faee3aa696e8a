"""Meetings of ours: asked to, held with an agenda that the facts fill, minuted."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Person, Team


class Meeting(Record):
    """One meeting; it may count as several kinds. `minutes` is a list of what each topic came to:
    topic, names, said, and once held the figures and rows that were shown."""

    class Kind(models.TextChoices):
        KA_WEEKLY = "KA_WEEKLY", "KA例会"
        WEEKLY = "WEEKLY", "销售周会"
        REGULAR = "REGULAR", "销售例会"
        MONTHLY = "MONTHLY", "销售月会"
        QUARTERLY = "QUARTERLY", "销售季会"
        DEAL_REVIEW = "DEAL_REVIEW", "商机评审会"
        QUARTER_SUM = "QUARTER_SUM", "季度总结会"
        YEAR_SUM = "YEAR_SUM", "年度总结会"
        RETRO = "RETRO", "流程复盘会"
        PROJECT = "PROJECT", "项目会议"
        KICKOFF = "KICKOFF", "启动或交接会"
        WORKSHOP = "WORKSHOP", "方案研讨会"
        ONE_ON_ONE = "ONE_ON_ONE", "一对一"
        TEAM_EVENT = "TEAM_EVENT", "团队活动"

    class Every(models.TextChoices):
        WEEK = "WEEK", "每周"
        BIWEEK = "BIWEEK", "每双周"
        MONTH = "MONTH", "每月"
        QUARTER = "QUARTER", "每季"

    title = fields.Text("主题")
    kinds = fields.ChoiceSet("类型", vocabulary=Kind, blank=False)
    team = models.ForeignKey(Team, models.PROTECT, related_name="meetings", verbose_name="团队")
    host = models.ForeignKey(Person, models.PROTECT, related_name="hosted", verbose_name="主持人")
    starts_at = models.DateTimeField("开始")
    ended_at = models.DateTimeField("结束", null=True, blank=True)
    place = fields.Text("地点", blank=True, default="")
    every = fields.Choice("周期", choices=Every, null=True)
    previous = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="nexts", verbose_name="上次会议"
    )
    opportunity = models.ForeignKey(
        Opportunity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="meetings",
        verbose_name="商机",
    )
    agenda = fields.TextSet("已覆盖议程")
    minutes = models.JSONField("各议程纪要", default=list, blank=True)
    inputs = fields.TextSet("输入")
    departments = fields.RefSet("参加部门", to="team")
    outputs = fields.Note("产出")

    begins = "starts_at"
    tracked = ("agenda",)
    owned_by = "host"
    reach = {"people": ("host",), "seats": ("participants",)}
    governed = {
        "ended_at": "hold_meeting",
        "agenda": "write_minutes",
        "minutes": "write_minutes",
    }

    class Meta(Record.Meta):
        verbose_name = "会议"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("starts_at")),
                name="meeting_span",
                violation_error_message="结束时间不能早于开始时间",
            ),
            models.UniqueConstraint(
                fields=["previous"],
                condition=Q(removed_at=None),
                name="meeting_one_next",
                violation_error_message="下一次会议已经排好",
            ),
        ]
        indexes = [models.Index(fields=["team", "ended_at"], name="meeting_of_team")]

    def __str__(self) -> str:
        return self.title
