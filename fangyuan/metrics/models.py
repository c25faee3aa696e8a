"""Targets that somebody is to reach, and readings: numbers that come from outside or are kept."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.metrics import periods


class Target(Record):
    """What a person, team or other subject is to reach of one metric in one period (RES-6.4.1)."""

    class Tier(models.TextChoices):
        BASE = "BASE", "目标"
        STRETCH = "STRETCH", "冲刺"
        CHALLENGE = "CHALLENGE", "挑战"

    metric = fields.Text("指标")
    subject = fields.AnyField("对象")
    period = fields.Text("期间", help_text="2026、2026-H1、2026-Q3 或 2026-07")
    category = fields.TermField("科目", domain="expense", null=True)
    tier = fields.Choice("档", choices=Tier, default=Tier.BASE)
    value = models.DecimalField(
        "值", max_digits=18, decimal_places=4, help_text="金额写元；比率写百分数，六成写 60"
    )
    basis = fields.Note("依据")
    version = models.PositiveIntegerField("版本", default=1)
    # The first and the last day that the period names.
    starts_on = models.DateField("期初", null=True, editable=False)
    ends_on = models.DateField("期末", null=True, editable=False)

    unlogged = ("starts_on", "ends_on")
    reach = {"about": ("subject",)}
    owned_by = "subject"

    class Meta(Record.Meta):
        verbose_name = "目标"
        ordering = ["-starts_on", "metric", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("metric", "subject_type", "subject_id", "period"),
                    *("category", "tier", "version"),
                ],
                condition=Q(removed_at=None),
                nulls_distinct=False,
                name="target_once",
                violation_error_message="这个对象这一期的这项目标已有，请用“调整目标”改它",
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0),
                name="target_not_negative",
                violation_error_message="目标不能小于零",
            ),
            models.CheckConstraint(
                condition=Q(period__regex=periods.WRITTEN),
                name="target_period",
                violation_error_message="期间写成 2026、2026-H1、2026-Q3 或 2026-07",
            ),
        ]
        indexes = [models.Index(fields=["metric", "starts_on"], name="target_of_metric")]

    def index(self) -> None:
        """Read the days of the period; what cannot be read is refused by its constraint."""
        span = periods.read(self.period)
        self.starts_on, self.ends_on = (span.first, span.last) if span else (None, None)

    def __str__(self) -> str:
        return f"{self.period} {self.get_tier_display()} {self.value.normalize():,f}"


class Reading(Record):
    """One number at one moment: told from outside, or kept as it was then (PJ-2.1.4.1)."""

    class Series(models.TextChoices):
        WEB_VISITORS = "WEB_VISITORS", "网站访客"
        AD_IMPRESSIONS = "AD_IMPRESSIONS", "曝光"
        AD_CLICKS = "AD_CLICKS", "点击"
        AD_SPEND = "AD_SPEND", "投放花费"
        MARKET_TOTAL = "MARKET_TOTAL", "市场总额"
        PEER_SPEND = "PEER_SPEND", "客户同类采购总额"
        FORECAST = "FORECAST", "预测签约额快照"
        PIPELINE = "PIPELINE", "漏斗快照"
        METRIC = "METRIC", "指标快照"
        UPTIME = "UPTIME", "可用率"
        USAGE = "USAGE", "产品使用"

    class Origin(models.TextChoices):
        EXTERNAL = "EXTERNAL", "外部"
        SNAPSHOT = "SNAPSHOT", "快照"

    series = fields.Choice("序列", choices=Series)
    subject = fields.AnyField("对象", null=True)
    at = models.DateTimeField("数据时点")
    value = models.DecimalField("值", max_digits=20, decimal_places=4)
    origin = fields.Choice("来历", choices=Origin, default=Origin.EXTERNAL)
    source = fields.Text("出处", help_text="数从哪里来，如 网站统计后台")

    begins = "at"
    reach = {"any": ("subject",), "about": ("subject",)}

    class Meta(Record.Meta):
        verbose_name = "读数"
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "subject_type", "subject_id", "at", "source"],
                condition=Q(removed_at=None),
                nulls_distinct=False,
                name="reading_once",
                violation_error_message="同一出处同一时点的这项数据已填过，请直接改它",
            )
        ]
        indexes = [models.Index(fields=["series", "at"], name="reading_of_series")]

    def __str__(self) -> str:
        return f"{self.get_series_display()} {self.value.normalize():,f}"
