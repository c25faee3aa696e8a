"""Products, price lists, prices and materials; customers, quotes and orders refer to them."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q, Value

from fangyuan.core import facts, fields
from fangyuan.core.records import Record
from fangyuan.desk.models import is_true
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


class Material(Record):
    """One version of a brochure, template, case, script, guide or other text for selling."""

    class Kind(models.TextChoices):
        BROCHURE = "BROCHURE", "宣传册"
        MANUAL = "MANUAL", "说明书"
        SLIDES = "SLIDES", "演示文稿"
        COMPANY = "COMPANY", "公司介绍"
        PRODUCT_BOOK = "PRODUCT_BOOK", "产品手册"
        TEMPLATE = "TEMPLATE", "模板"
        CONTRACT_TEMPLATE = "CONTRACT_TEMPLATE", "销售合同模板"
        CASE = "CASE", "案例"
        WHITE_PAPER = "WHITE_PAPER", "白皮书"
        BLOG = "BLOG", "博客"
        SCRIPT = "SCRIPT", "话术"
        KNOWLEDGE = "KNOWLEDGE", "知识条目"
        BRAND = "BRAND", "品牌文件"
        GUIDE = "GUIDE", "操作手册"
        RUNBOOK = "RUNBOOK", "恢复手册"
        METHOD = "METHOD", "办法"
        COURSE = "COURSE", "课程教材"
        FORM_FILE = "FORM_FILE", "录入模板"
        INTERPRETATION = "INTERPRETATION", "条款释疑"

    class Reach(models.TextChoices):
        INTERNAL = "INTERNAL", "内部"
        EXTERNAL = "EXTERNAL", "可对外"

    class State(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        CHECKED = "CHECKED", "已核验"
        PUBLISHED = "PUBLISHED", "已发布"
        RETIRED = "RETIRED", "停用"

    code = fields.Text("编号")
    version = models.PositiveIntegerField("版本", default=1)
    title = fields.Text("标题")
    kind = fields.Choice("形态", choices=Kind)
    category = fields.TermField("类别", domain="knowledge")
    product = models.ForeignKey(
        Product,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="materials",
        verbose_name="产品",
    )
    sections = fields.TextSet("已含内容")
    summary = fields.Note("摘要")
    level = fields.Choice("可见级别", choices=Reach, default=Reach.INTERNAL)
    state = fields.Choice("状态", choices=State, default=State.DRAFT)
    is_accurate = models.BooleanField("内容准确", default=False)
    is_full = models.BooleanField("内容完整", default=False)
    is_clear = models.BooleanField("内容清晰", default=False)
    published_at = models.DateTimeField("发布", null=True, blank=True)
    effective_on = models.DateField("生效日", null=True, blank=True)
    improves = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="改进自"
    )
    legal_signed_at = models.DateTimeField("法务签认", null=True, blank=True)

    stage_field = "state"
    moves = {
        "DRAFT": ("CHECKED", "RETIRED"),
        "CHECKED": ("PUBLISHED", "DRAFT", "RETIRED"),
        "PUBLISHED": ("RETIRED",),
    }
    governed = {
        "state": "publish_material",
        "published_at": "publish_material",
        "level": "open_to_customers",
        "legal_signed_at": "sign_template",
    }
    facts = {
        "is_current": facts.Derived(
            "现行", kind="bool", value=lambda: is_true(Q(state="PUBLISHED"))
        )
    }

    class Meta(Record.Meta):
        verbose_name = "资料"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version"],
                condition=Q(removed_at=None),
                name="material_once",
                violation_error_message="这个编号已有这个版本，请换一个版本号",
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(state="PUBLISHED", removed_at=None),
                name="material_one_current",
                violation_error_message="这份资料已有现行版本，请先停用旧的",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} 第 {self.version} 版" if self.version > 1 else self.title
