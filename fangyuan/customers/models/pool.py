"""Public pools of customers and leads, and the draws that give them out."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.org.models import Team


class Pool(Record):
    """Where customers or leads lie that nobody answers for: who may take them, and how many.

    When they fall back is said by the clauses of a regulation, not here.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "CUSTOMER", "客户公海"
        LEAD = "LEAD", "线索池"
        NURTURE = "NURTURE", "培育池"

    class Method(models.TextChoices):
        ROUND_ROBIN = "ROUND_ROBIN", "轮流"
        LOAD = "LOAD", "按在手数量"
        SPECIALITY = "SPECIALITY", "按专长"
        REGION = "REGION", "按区域"

    name = fields.Text("名称")
    kind = fields.Choice("类别", choices=Kind, default=Kind.CUSTOMER)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="pools", verbose_name="所属团队"
    )
    # What falls into it: the first pool by rank whose team, industries and regions fit.
    rank = models.PositiveIntegerField("次序", default=100)
    industries = fields.TermSet("行业", domain="industry")
    regions = fields.TermSet("地域", domain="region")
    starts_at = models.DateTimeField("启用")
    is_active = models.BooleanField("在用", default=True)
    # What one person may take.
    quota = models.PositiveIntegerField("库容", null=True, blank=True)
    counts_won = models.BooleanField("成交客户计入库容", default=False)
    daily_claims = models.PositiveIntegerField("日领取限", null=True, blank=True)
    cool_off_days = models.PositiveIntegerField("前任冷却（天）", null=True, blank=True)
    fresh_hours = models.PositiveIntegerField("新入池保护（小时）", null=True, blank=True)
    # How it is given out.
    method = fields.Choice("分配方式", choices=Method, default=Method.ROUND_ROBIN)
    is_automatic = models.BooleanField("自动分配", default=False)

    class Meta(Record.Meta):
        verbose_name = "公海"
        ordering = ["rank", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(removed_at=None),
                name="pool_name",
                violation_error_message="已有同名的公海",
            )
        ]

    def __str__(self) -> str:
        return self.name
