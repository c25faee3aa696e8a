"""Documents that are filed and kept for their time, and agreements besides sales contracts."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, TruncDate

from fangyuan.core import facts, fields
from fangyuan.core.records import Record
from fangyuan.desk.models import is_true
from fangyuan.org.models import Person, Team


class Document(Record):
    """One document that is filed: its form, where it lies, who signed for it, how long it stays."""

    class Kind(models.TextChoices):
        CONTRACT = "CONTRACT", "销售合同"
        PLAN = "PLAN", "销售计划"
        REPORT = "REPORT", "销售报告"
        CUSTOMER = "CUSTOMER", "客户资料"
        RESEARCH = "RESEARCH", "市场调研报告"
        OTHER = "OTHER", "其他"

    class Form(models.TextChoices):
        ORIGINAL = "ORIGINAL", "原件"
        SCAN = "SCAN", "扫描件"
        COPY = "COPY", "副本"

    title = fields.Text("题名")
    kind = fields.Choice("类别", choices=Kind)
    form = fields.Choice("形式", choices=Form, default=Form.SCAN)
    subject = fields.AnyField("对象", null=True)
    handler = models.ForeignKey(
        Person, models.PROTECT, related_name="documents", verbose_name="经手人"
    )
    produced_at = models.DateTimeField("产生")
    filed_at = models.DateTimeField("归档", null=True, blank=True)
    place = fields.Text("存放位置", blank=True, default="")
    to_team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="接收部门"
    )
    sent_at = models.DateTimeField("送出", null=True, blank=True)
    signed_for_at = models.DateTimeField("签收", null=True, blank=True)
    keep_until = models.DateField("保存至", null=True, blank=True)

    begins = "produced_at"
    owned_by = "handler"
    reach = {"people": ("handler",), "any": ("subject",)}
    governed = {
        "filed_at": "file_document",
        "sent_at": "hand_in_document",
        "to_team": "hand_in_document",
        "signed_for_at": "sign_for_document",
    }
    facts = {
        "is_kept": facts.Derived(
            "保存期内", kind="bool", value=lambda: is_true(Q(keep_until__gte=TruncDate(Now())))
        )
    }

    class Meta(Record.Meta):
        verbose_name = "归档文档"
        ordering = ["-produced_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(removed_at=None)
                | Q(keep_until=None)
                | Q(removed_at__date__gt=F("keep_until")),
                name="document_kept",
                violation_error_message="保存期还没有满，不能销毁；到期以后再办",
            )
        ]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="document_of")]

    def __str__(self) -> str:
        return self.title


TERMS = [
    (one, one)
    for one in (
        *("授权范围", "使用期限", "费用支付"),
        *("保密义务", "违约责任", "赔偿措施"),
        *("交付内容", "使用权限", "合作范围", "终止条件"),
    )
]


class Agreement(Record):
    """An agreement besides sales contracts: secrecy, use of the brand, a subscription, a study."""

    class Kind(models.TextChoices):
        NDA = "NDA", "保密协议"
        BRAND = "BRAND", "品牌授权"
        SUBSCRIPTION = "SUBSCRIPTION", "订阅"
        RESEARCH = "RESEARCH", "外购报告"
        PARTNER = "PARTNER", "伙伴合作"

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        REVIEWED = "REVIEWED", "已审"
        SIGNED = "SIGNED", "生效"
        SUSPENDED = "SUSPENDED", "停用"
        ENDED = "ENDED", "终止"

    kind = fields.Choice("类别", choices=Kind)
    party = fields.Text("对方")
    person = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="agreements",
        verbose_name="签约员工",
    )
    terms = fields.ChoiceSet("已含条款", vocabulary=TERMS)
    scope = fields.Note("范围")
    fee = fields.Money("费用", null=True)
    starts_on = models.DateField("起", null=True, blank=True)
    ends_on = models.DateField("止", null=True, blank=True)
    item_count = models.PositiveIntegerField("产出条数", null=True, blank=True)
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)
    qualified_at = models.DateTimeField("资质审核通过", null=True, blank=True)
    signed_at = models.DateTimeField("签署", null=True, blank=True)
    over_scope_at = models.DateTimeField("发现超范围", null=True, blank=True)
    over_scope_note = fields.Note("超范围情形")
    suspended_at = models.DateTimeField("停用时间", null=True, blank=True)

    tracked = ("stage",)
    stage_field = "stage"
    moves = {
        "DRAFT": ("REVIEWED",),
        "REVIEWED": ("SIGNED", "DRAFT"),
        "SIGNED": ("SUSPENDED", "ENDED"),
        "SUSPENDED": ("SIGNED", "ENDED"),
    }
    governed = {
        "stage": "sign_agreement",
        "qualified_at": "qualify_agreement",
        "signed_at": "sign_agreement",
        "over_scope_at": "note_over_scope",
        "over_scope_note": "note_over_scope",
        "suspended_at": "suspend_agreement",
    }
    reach = {"people": ("person",)}
    facts = {
        "days_left": facts.DaysTo("距到期天数", day="ends_on"),
        "is_expired": facts.Derived(
            "已到期", kind="bool", value=lambda: is_true(Q(ends_on__lt=TruncDate(Now())))
        ),
    }

    class Meta(Record.Meta):
        verbose_name = "协议"
        ordering = ["ends_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(starts_on=None) | Q(ends_on__gte=F("starts_on")),
                name="agreement_span",
                violation_error_message="协议的止期不能早于起期",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.party}"
