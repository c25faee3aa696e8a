"""Customers and contacts: who could buy, and whom we talk to there."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from fangyuan.core import fields, text
from fangyuan.core.records import Record
from fangyuan.desk.models import Level
from fangyuan.org.models import Person


class Degree(models.TextChoices):
    """Three steps of anything."""

    HIGH = "HIGH", "高"
    MIDDLE = "MIDDLE", "中"
    LOW = "LOW", "低"


class Searched(Record):
    """A record found by name: Chinese fragments, pinyin, initials."""

    name = fields.Text("名称")
    name_key = fields.Text("查重名", default="", blank=True, editable=False)
    grams = ArrayField(models.TextField(), default=list, blank=True, editable=False)
    pinyin = fields.Text("拼音", default="", blank=True, editable=False)

    unlogged: ClassVar[tuple[str, ...]] = ("grams", "pinyin", "name_key")

    class Meta(Record.Meta):
        abstract = True

    def index(self) -> None:
        self.name_key = text.normalise(self.name)
        self.grams = text.grams(self.name)
        self.pinyin = text.company_pinyin(self.name).key

    def __str__(self) -> str:
        return self.name


class Customer(Searched):
    """An organisation or person that buys from us or may."""

    class Kind(models.TextChoices):
        ORG = "ORG", "组织"
        PERSON = "PERSON", "个人"

    class Size(models.TextChoices):
        LARGE = "LARGE", "大型"
        MEDIUM = "MEDIUM", "中型"
        SMALL = "SMALL", "小型"
        MICRO = "MICRO", "微型"

    class Grade(models.TextChoices):
        A = "A", "重点"
        B = "B", "重要"
        C = "C", "一般"
        D = "D", "潜在"

    class KaTier(models.TextChoices):
        TIER1 = "TIER1", "重点KA"
        TIER2 = "TIER2", "次重点KA"
        TIER3 = "TIER3", "一般KA"

    CREDITS = [(c, c) for c in ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D")]

    name = fields.Text("法定全称")
    kind = fields.Choice("主体", choices=Kind, default=Kind.ORG)
    uscc = fields.Uscc("统一社会信用代码")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="集团"
    )
    customer_type = fields.TermField("客户类型", domain="customer_type", null=True)
    is_partner = models.BooleanField("合作伙伴", default=False)
    address = fields.Text("注册地址", blank=True, default="")
    region = fields.TermField("地域", domain="region", null=True)
    source = fields.TermField("来源", domain="source")
    referrer = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="referred",
        verbose_name="推荐方",
    )
    learned_at = models.DateTimeField("信息获取")
    industry = fields.TermField("行业", domain="industry", null=True)
    segment = fields.TermField("细分", domain="industry", null=True)
    size = fields.Choice("规模", choices=Size, null=True)
    revenue = fields.Money("营收", null=True)
    assets = fields.Money("资产", null=True)
    headcount = models.PositiveIntegerField("员工数", null=True, blank=True)
    business_scope = fields.Note("经营范围")
    position = fields.Note("行业地位")
    phase = fields.TermField("发展阶段", domain="growth", null=True)
    rivals_note = fields.Note("竞争对手情况")
    product_need = fields.Note("产品需求")
    service_needs = fields.TermSet("服务需求", domain="service_need")
    special_need = fields.Note("特殊需求")
    budget_low = fields.Money("预算下限", null=True)
    budget_high = fields.Money("预算上限", null=True)
    buying_plan = fields.Note("采购计划")
    intent = fields.Choice("购买意向", choices=Degree, null=True)
    decision_days = models.PositiveIntegerField("决策周期（天）", null=True, blank=True)
    org_chart = fields.Note("组织架构")
    buying_process = fields.Note("采购决策流程")
    buying_habits = fields.Note("采购习惯")
    expected_spend = fields.Money("预计年采购额", null=True)
    credit = fields.Choice("信用评级", choices=CREDITS, null=True)
    credit_basis = fields.Note("评级依据")
    grade = fields.Choice("分级", choices=Grade, null=True, default=Grade.D)
    grade_basis = fields.Note("定级依据")
    graded_at = models.DateTimeField("定级时间", null=True, blank=True)
    is_ka = models.BooleanField("KA客户", default=False)
    ka_tier = fields.Choice("KA档", choices=KaTier, null=True)
    ka_basis = fields.Note("分档依据")
    growth_note = fields.Note("业务发展")
    forecast_need = fields.Note("预测需求")
    strategy = fields.Note("跟进策略")
    level = fields.Choice("密级", choices=Level, default=Level.PUBLIC)
    locked_until = models.DateTimeField("保护至", null=True, blank=True)
    pool = models.ForeignKey(
        "customers.Pool",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name="公海",
    )
    pooled_at = models.DateTimeField("入池", null=True, blank=True)
    pool_reason = fields.Text("入池原因", blank=True, default="")
    prospect_at = models.DateTimeField("转意向", null=True, blank=True)
    won_at = models.DateTimeField("首份双签", null=True, blank=True)
    lost_at = models.DateTimeField("确认流失", null=True, blank=True)
    urgent_until = models.DateTimeField("紧急期至", null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        verbose_name="已并入",
        editable=False,
    )

    begins = "learned_at"
    tracked = ("grade", "is_ka", "ka_tier", "urgent_until", "lost_at")
    governed = {
        "grade": "regrade",
        "is_ka": "set_ka_tier",
        "ka_tier": "set_ka_tier",
        "prospect_at": "become_prospect",
        "lost_at": "confirm_lost",
        "locked_until": "lock_customer",
        "pool": "release_to_pool",
        "pooled_at": "release_to_pool",
        "pool_reason": "release_to_pool",
    }
    reach = {"held": True, "pooled": True}

    class Meta(Record.Meta):
        verbose_name = "客户"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                Upper("uscc"),
                condition=~Q(uscc="") & Q(removed_at=None),
                name="customer_uscc",
                violation_error_message="这个统一社会信用代码已有客户，请先搜索再决定是否新建",
            ),
            models.UniqueConstraint(
                fields=["name_key"],
                condition=Q(removed_at=None, merged_into=None),
                name="customer_name_key",
                violation_error_message="已有同名客户，请先搜索再决定是否新建",
            ),
            models.CheckConstraint(
                condition=Q(is_ka=True) | Q(ka_tier=None),
                name="customer_tier_needs_ka",
                violation_error_message="只有KA客户才能定KA档",
            ),
            models.CheckConstraint(
                condition=Q(budget_low=None)
                | Q(budget_high=None)
                | Q(budget_high__gte=models.F("budget_low")),
                name="customer_budget",
                violation_error_message="预算上限不能低于下限",
            ),
        ]
        indexes = [
            GinIndex(fields=["grams"], name="customer_grams"),
            GinIndex(OpClass("pinyin", "gin_trgm_ops"), name="customer_pinyin"),
            models.Index(
                fields=["pool", "-pooled_at"],
                name="customer_in_pool",
                condition=Q(pooled_at__isnull=False),
            ),
        ]


class Contact(Record):
    """A person on the customer's side, with their part in buying."""

    class Part(models.TextChoices):
        DECIDER = "DECIDER", "决策者"
        INFLUENCER = "INFLUENCER", "影响者"
        USER = "USER", "使用者"
        TECHNICAL = "TECHNICAL", "技术"
        BUSINESS = "BUSINESS", "业务"
        SUPPORTER = "SUPPORTER", "支持者"
        BUYER = "BUYER", "采购"

    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="contacts", verbose_name="客户"
    )
    name = fields.Text("姓名")
    title = fields.Text("职位", blank=True, default="")
    phone = fields.Phone("电话")
    email = fields.Email("邮箱")
    wechat = fields.Text("微信", blank=True, default="")
    roles = fields.ChoiceSet("角色", vocabulary=Part)
    concern = fields.Note("关注点")
    is_main = models.BooleanField("主要联系人", default=False)
    left_on = models.DateField("离任", null=True, blank=True)
    level = fields.Choice("密级", choices=Level, default=Level.PUBLIC)

    reach = {"via": ("customer",)}
    owned_by = "customer"
    judges = ("customer",)

    class Meta(Record.Meta):
        verbose_name = "联系人"
        ordering = ["-is_main", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_main=True, removed_at=None, left_on=None),
                name="contact_one_main",
                violation_error_message="一个客户只有一位主要联系人，请先改掉原来那位",
            ),
            models.CheckConstraint(
                condition=~Q(phone="") | ~Q(email=""),
                name="contact_reachable",
                violation_error_message="电话和邮箱至少填一个",
            ),
        ]
        indexes = [models.Index(fields=["phone"], name="contact_phone", condition=~Q(phone=""))]

    def __str__(self) -> str:
        return self.name


def owner_of(customer: Customer) -> Person | None:
    """The person who answers for a customer now."""
    from_holdings = Person._base_manager.filter(
        holdings__subject_type="customer",
        holdings__subject_id=customer.pk,
        holdings__role="OWNER",
        holdings__ends_at=None,
        holdings__removed_at=None,
    )
    return from_holdings.first()
