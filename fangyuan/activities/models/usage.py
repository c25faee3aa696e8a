"""What was used of the company's means: materials, gifts, hours, money."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Customer
from fangyuan.marketing.models import Campaign
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Person


class ResourceUsage(Record):
    """One use of materials, gifts, hours or money: by whom, when, how much, what for."""

    class Kind(models.TextChoices):
        MATERIAL = "MATERIAL", "资料领用"
        GIFT = "GIFT", "礼品样品"
        HOURS = "HOURS", "工时"
        EXPENSE = "EXPENSE", "费用"
        OTHER = "OTHER", "其他资源"

    class Class(models.TextChoices):
        CUSTOMER = "CUSTOMER", "客户"
        MARKET = "MARKET", "市场"
        TOOL = "TOOL", "销售工具"
        HUMAN = "HUMAN", "人力"

    class Damage(models.TextChoices):
        NONE = "NONE", "无"
        LOST = "LOST", "遗失"
        BROKEN = "BROKEN", "损坏"

    kind = fields.Choice("类别", choices=Kind, default=Kind.MATERIAL)
    resource = fields.AnyField("资源", null=True)
    resource_class = fields.Choice("资源大类", choices=Class, null=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="usages", verbose_name="使用人")
    occurred_at = models.DateTimeField("使用日")
    quantity = models.DecimalField("数量", max_digits=18, decimal_places=4, null=True, blank=True)
    amount = fields.Money("金额", null=True)
    hours = models.DecimalField("工时", max_digits=8, decimal_places=2, null=True, blank=True)
    category = fields.TermField("科目", domain="expense", null=True)
    purpose = fields.Note("用途")
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="usages", verbose_name="客户"
    )
    opportunity = models.ForeignKey(
        Opportunity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="usages",
        verbose_name="商机",
    )
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="usages",
        verbose_name="市场活动",
    )
    returned_at = models.DateTimeField("归还", null=True, blank=True)
    damage = fields.Choice("损失", choices=Damage, default=Damage.NONE)
    damage_note = fields.Note("损失说明")

    begins = "occurred_at"
    owned_by = "person"
    passes_on = False
    reach = {"people": ("person",), "via": ("customer",)}

    class Meta(Record.Meta):
        verbose_name = "资源使用记录"
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gt=0),
                name="usage_quantity",
                violation_error_message="数量要大于 0",
            ),
            models.CheckConstraint(
                condition=Q(damage="NONE") | ~Q(damage_note=""),
                name="usage_damage_told",
                violation_error_message="遗失或损坏要写明经过",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.purpose}"
