"""Needs: what a customer wants, in their own words, and when we had an answer to it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Contact, Customer


class Need(Record):
    """One need, pain, goal or special demand of a customer."""

    class Kind(models.TextChoices):
        PRODUCT = "PRODUCT", "产品需求"
        SERVICE = "SERVICE", "服务需求"
        PAIN = "PAIN", "痛点"
        GOAL = "GOAL", "业务目标"
        TECH = "TECH", "技术需求"
        SPECIAL = "SPECIAL", "特殊需求"
        VALUE = "VALUE", "价值点"
        NEW = "NEW", "潜在新需求"

    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="needs", verbose_name="客户"
    )
    opportunity = models.ForeignKey(
        "opportunities.Opportunity",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="needs",
        verbose_name="商机",
    )
    kind = fields.Choice("类别", choices=Kind)
    text = fields.Note("内容", blank=False)
    spec = fields.Note("规格型号数量")
    confirmed_at = models.DateTimeField("确认", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="确认联系人"
    )
    corrected_at = models.DateTimeField("客户更正", null=True, blank=True)
    agreed_at = models.DateTimeField("客户认同", null=True, blank=True)
    # When what was confirmed stood here as a tag that service can read (TAG-4.2.2).
    tagged_at = models.DateTimeField("标签建立", null=True, blank=True)
    to_product = models.BooleanField("转产品改进", default=False)
    adopted_at = models.DateTimeField("产品采纳", null=True, blank=True)
    expected_on = models.DateField("预计需求日", null=True, blank=True)
    answered_at = models.DateTimeField("已响应", null=True, blank=True)
    solution_ready_at = models.DateTimeField("定制方案完成", null=True, blank=True)
    solution_note = fields.Note("定制方案")

    owned_by = "customer"
    judges = ("opportunity",)
    governed = {
        "confirmed_at": "confirm_need",
        "agreed_at": "agree_need",
        "tagged_at": "confirm_need",
        "adopted_at": "adopt_need",
        "answered_at": "finish_custom_solution",
        "solution_ready_at": "finish_custom_solution",
    }
    reach = {"via": ("customer",)}

    class Meta(Record.Meta):
        verbose_name = "需求"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(solution_ready_at=None) | ~Q(solution_note=""),
                name="need_solution_said",
                violation_error_message="定制方案完成要写明方案",
            )
        ]

    def __str__(self) -> str:
        first = self.text.strip().partition("\n")[0]
        return f"{self.get_kind_display()} · {first[:30]}"
