"""Products, price lists and prices; customers, quotes and orders refer to them."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q, Value

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.org.models import DateSpan


class Product(Record):
    """One product or service that is sold (DAY-4.1.2, TAG-2.3)."""

    class State(models.TextChoices):
        PLANNED = "PLANNED", "在研"
        ON_SALE = "ON_SALE", "在售"
        RETIRED = "RETIRED", "停售"

    # Named and numbered because a clause says so (TAG-2.3.1, TAG-2.3.2), not because of the table.
    name = fields.Text("名称", blank=True, default="")
    model = fields.Text("型号", blank=True, default="")
    category = fields.TermField("类别", domain="product_category")
    features = fields.Note("特性")
    advantages = fields.TermSet("优势", domain="product_advantage")
    unit = fields.Text("单位", blank=True, default="件")
    cost = fields.Money("成本", null=True)
    state = fields.Choice("状态", choices=State, default=State.PLANNED)
    positioning = fields.Note("产品定位")
    segment = fields.Note("目标客群")
    fit_lines = fields.TermSet("适用行业", domain="industry")
    retired_at = models.DateTimeField("停售时间", null=True, blank=True)
    # What its current materials tell of it, kept right by `keeping`.
    material_sections = fields.TextSet("资料已覆盖内容", editable=False)

    tracked = ("state", "material_sections")
    stage_field = "state"
    moves = {"PLANNED": ("ON_SALE", "RETIRED"), "ON_SALE": ("RETIRED",)}
    governed = {"state": "release_product", "retired_at": "retire_product"}

    class Meta(Record.Meta):
        verbose_name = "产品"
        ordering = ["name", "model", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "model"],
                condition=Q(removed_at=None) & ~Q(name=""),
                name="product_once",
                violation_error_message="这个名称和型号的产品已有，请直接改它",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.model}".strip()


class PriceList(Record):
    """One version of the list prices, and what it rests on (DAY-4.2.1)."""

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        ACTIVE = "ACTIVE", "生效"
        RETIRED = "RETIRED", "停用"

    name = fields.Text("名称")
    version = models.PositiveIntegerField("版本", default=1)
    starts_on = models.DateField("生效")
    ends_on = models.DateField("失效", null=True, blank=True)
    cost_basis = fields.Note("产品成本依据")
    demand_basis = fields.Note("市场需求依据")
    rival_basis = fields.Note("竞争情况依据")
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)

    stage_field = "stage"
    moves = {"DRAFT": ("ACTIVE", "RETIRED"), "ACTIVE": ("RETIRED",)}
    governed = {"stage": "activate_price_list"}

    class Meta(Record.Meta):
        verbose_name = "价格表"
        ordering = ["name", "-version", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "version"],
                condition=Q(removed_at=None),
                name="price_list_once",
                violation_error_message="这份价格表已有这个版本，请换一个版本号",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="price_list_span",
                violation_error_message="失效不能早于生效",
            ),
            ExclusionConstraint(
                name="price_list_one_at_a_time",
                expressions=[
                    ("name", RangeOperators.EQUAL),
                    (DateSpan("starts_on", "ends_on", Value("[]")), RangeOperators.OVERLAPS),
                ],
                condition=Q(stage="ACTIVE", removed_at=None),
                violation_error_message="同名价格表的生效期重叠，请先停用旧的版本",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} 第 {self.version} 版"


class Price(Record):
    """The list price and the foreseen cost of one product in one price list."""

    price_list = models.ForeignKey(
        PriceList, models.PROTECT, related_name="prices", verbose_name="价格表"
    )
    product = models.ForeignKey(Product, models.PROTECT, related_name="prices", verbose_name="产品")
    amount = fields.Money("目录价")
    cost = fields.Money("预计成本", null=True)

    class Meta(Record.Meta):
        verbose_name = "价格"
        ordering = ["price_list_id", "product_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["price_list", "product"],
                condition=Q(removed_at=None),
                name="price_once",
                violation_error_message="这个产品在这份价格表里已有价格，请直接改它",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="price_not_negative",
                violation_error_message="目录价不能小于零",
            ),
        ]

    def __str__(self) -> str:
        return f"目录价 {self.amount}"
