"""Leads, from the first card to the customer they become, and the touches that warm them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields, text
from fangyuan.core.records import Record
from fangyuan.customers.models.customer import Contact, Customer, Degree
from fangyuan.library.models import Material
from fangyuan.marketing.models import Campaign

INTRODUCED = [("公司", "公司"), ("产品或服务", "产品或服务")]  # PA-6.2.2


class Lead(Record):
    """A piece of information that may bring a sale."""

    class Stage(models.TextChoices):
        NEW = "NEW", "新建"
        NURTURE = "NURTURE", "培育"
        MQL = "MQL", "市场合格"
        ASSIGNED = "ASSIGNED", "已分配"
        SQL = "SQL", "销售合格"
        PROSPECT = "PROSPECT", "转意向"
        OPPORTUNITY = "OPPORTUNITY", "转商机"
        ARCHIVED = "ARCHIVED", "存档"
        RETURNED = "RETURNED", "退回市场"
        INVALID = "INVALID", "无效"

    class Verdict(models.TextChoices):
        VALID = "VALID", "有效"
        INVALID = "INVALID", "无效"

    company = fields.Text("公司或个人")
    company_key = fields.Text("查重名", default="", blank=True, editable=False)
    contact_name = fields.Text("联系人", blank=True, default="")
    phone = fields.Phone("电话")
    email = fields.Email("邮箱")
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="leads", verbose_name="客户"
    )
    pipeline = fields.TermField("拟走流程", domain="pipeline", default="pipeline:articles")
    # Where it came from.
    source = fields.TermField("来源", domain="source")
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="leads",
        verbose_name="来源活动",
    )
    platform = fields.TermField("来源平台", domain="platform", null=True)
    partner = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="伙伴"
    )
    referrer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="介绍客户"
    )
    provider = fields.Text("提供方", blank=True, default="")
    occurred_at = models.DateTimeField("获取")
    # What is known of it.
    need = fields.Note("初步需求")
    industry = fields.TermField("行业", domain="industry", null=True)
    region = fields.TermField("地域", domain="region", null=True)
    background = fields.Note("行业背景")
    pain = fields.Note("普遍痛点")
    # What marketing found.
    category = fields.TermField("线索分类", domain="lead_category", null=True)
    nurture = fields.TermField("培育安排", domain="nurture", null=True)
    classified_at = models.DateTimeField("分类与培育安排完成", null=True, blank=True)
    first_verdict = fields.Choice("初评", choices=Verdict, null=True)
    fits_industry = models.BooleanField("属目标行业", null=True, blank=True)
    fits_size = models.BooleanField("规模匹配", null=True, blank=True)
    info_ok = models.BooleanField("信息完整", null=True, blank=True)
    source_ok = models.BooleanField("来源有效", null=True, blank=True)
    aware_problem = models.BooleanField("客户已认知问题", default=False)
    aware_us = models.BooleanField("客户知晓我方", default=False)
    score = models.IntegerField("评分", default=0, editable=False)
    score_parts = models.JSONField("得分项", default=list, editable=False)
    # What sales found: the first talk, then budget, authority, need and time (BANT).
    contact_pain = fields.Note("客户痛点")
    basic_need = fields.Note("基本需求")
    introduced = fields.ChoiceSet("首次沟通已介绍", vocabulary=INTRODUCED)
    intent = fields.Choice("购买意向", choices=Degree, null=True)
    budget = fields.Text("预算", blank=True, default="")
    authority = fields.Text("权限", blank=True, default="")
    need_detail = fields.Text("明确需求", blank=True, default="")
    timeline = fields.Text("时间", blank=True, default="")
    decision_chain = fields.Note("决策链")
    # How far it has come.
    stage = fields.Choice("状态", choices=Stage, default=Stage.NEW)
    reason = fields.TermField("处置原因", domain="lead_reason", null=True)
    reason_note = fields.Note("处置说明")
    screened_at = models.DateTimeField("初筛", null=True, blank=True)
    mql_at = models.DateTimeField("达MQL", null=True, blank=True)
    assigned_at = models.DateTimeField("分配", null=True, blank=True)
    stage_two_at = models.DateTimeField("进入阶段二", null=True, blank=True)
    sql_at = models.DateTimeField("成SQL", null=True, blank=True)
    converted_at = models.DateTimeField("转化", null=True, blank=True)
    pool = models.ForeignKey(
        "customers.Pool",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="leads",
        verbose_name="线索池",
    )
    pooled_at = models.DateTimeField("入池", null=True, blank=True)
    pool_reason = fields.Text("入池原因", blank=True, default="")

    begins = "occurred_at"
    tracked = ("stage", "source")
    unlogged = ("company_key", "score_parts")
    stage_field = "stage"
    moves = {
        "NEW": ("NURTURE", "MQL", "ASSIGNED", "INVALID"),
        "NURTURE": ("MQL", "ARCHIVED", "INVALID"),
        "MQL": ("ASSIGNED", "NURTURE", "INVALID"),
        "ASSIGNED": ("SQL", "PROSPECT", "RETURNED", "ARCHIVED", "NURTURE", "INVALID", "MQL"),
        "SQL": ("PROSPECT", "OPPORTUNITY", "RETURNED", "ARCHIVED"),
        "PROSPECT": ("OPPORTUNITY",),
        "RETURNED": ("NURTURE", "ARCHIVED"),
        "ARCHIVED": ("NEW",),
        "INVALID": ("NEW",),
    }
    governed = {
        "stage": "move_lead",
        "category": "screen_lead",
        "nurture": "screen_lead",
        "first_verdict": "screen_lead",
        "screened_at": "screen_lead",
        "classified_at": "screen_lead",
        "reason": "dispose_lead",
        "mql_at": "mark_mql",
        "assigned_at": "assign_lead",
        "stage_two_at": "enter_stage_two",
        "sql_at": "qualify_lead",
        "converted_at": "to_prospect",
        "pool": "release_to_pool",
        "pooled_at": "release_to_pool",
        "pool_reason": "release_to_pool",
    }
    reach = {"held": True, "pooled": True}

    class Meta(Record.Meta):
        verbose_name = "线索"
        ordering = ["-occurred_at", "-id"]
        indexes = [
            models.Index(fields=["phone"], name="lead_phone", condition=~Q(phone="")),
            models.Index(fields=["email"], name="lead_email", condition=~Q(email="")),
            models.Index(fields=["company_key"], name="lead_company"),
            models.Index(fields=["stage", "-occurred_at"], name="lead_stage"),
            models.Index(
                fields=["pool", "-pooled_at"],
                name="lead_in_pool",
                condition=Q(pooled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.company

    def index(self) -> None:
        self.company_key = text.normalise(self.company)


class Touch(Record):
    """One touch by marketing: an invitation, a visit of the site, a paper that was read."""

    class Kind(models.TextChoices):
        INVITED = "INVITED", "受邀"
        REGISTERED = "REGISTERED", "报名"
        ATTENDED = "ATTENDED", "到场"
        CLICKED = "CLICKED", "点击"
        DOWNLOADED = "DOWNLOADED", "下载"
        VISITED = "VISITED", "访问"
        PUSHED = "PUSHED", "推送"
        OPENED = "OPENED", "打开"

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="touches", verbose_name="活动"
    )
    material = models.ForeignKey(
        Material,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="touches",
        verbose_name="资料",
    )
    content = fields.Text("内容", blank=True, default="")
    lead = models.ForeignKey(
        Lead, models.PROTECT, null=True, blank=True, related_name="touches", verbose_name="线索"
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="touches", verbose_name="客户"
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="联系人"
    )
    kind = fields.Choice("方式", choices=Kind)
    at = models.DateTimeField("时间")
    is_first = models.BooleanField("首触", default=False)
    invited_as_customer = models.BooleanField("老客户受邀", default=False)

    begins = "at"
    owned_by = "lead"
    judges = ("lead",)
    reach = {"via": ("lead", "customer")}

    class Meta(Record.Meta):
        verbose_name = "触达"
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(is_first=True, removed_at=None),
                name="touch_one_first",
                violation_error_message="一条线索只有一次首触，请先改掉原来那次",
            ),
            models.CheckConstraint(
                condition=~Q(lead=None) | ~Q(customer=None),
                name="touch_of_someone",
                violation_error_message="触达要写明线索或客户",
            ),
        ]
        indexes = [
            models.Index(fields=["lead", "at"], name="touch_of_lead"),
            models.Index(fields=["campaign", "kind"], name="touch_of_campaign"),
        ]

    def __str__(self) -> str:
        what = self.material or self.content or self.campaign or self.lead
        return f"{self.get_kind_display()} · {what}"
