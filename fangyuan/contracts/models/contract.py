"""Sales contracts: made of an accepted quote and a template, agreed to, sent, signed by both."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from fangyuan.contracts.models.offer import Quote
from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Customer
from fangyuan.library.models import Material
from fangyuan.opportunities.models import Opportunity

# Ten years, for want of a rule of the company's own (RES-5.2.3b).
KEPT = timedelta(days=3653)
CHECKS = [(one, one) for one in ("清晰", "合法", "合规")]


class Contract(Record):
    """One sales contract and its way from draft to archive (PS-2.5, PS-2.6, PA-9, RES-5.2)."""

    class Kind(models.TextChoices):
        NEW = "NEW", "新签"
        RENEWAL = "RENEWAL", "续约"
        EXPANSION = "EXPANSION", "增购"
        CHANGE = "CHANGE", "变更"

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        REVIEW = "REVIEW", "审核中"
        APPROVED = "APPROVED", "已批"
        SENT = "SENT", "已发客户"
        CUSTOMER_SIGNED = "CUSTOMER_SIGNED", "客户已签"
        SIGNED = "SIGNED", "双签"
        PERFORMING = "PERFORMING", "履行"
        EXPIRED = "EXPIRED", "到期"
        ENDED = "ENDED", "终止"
        VOID = "VOID", "作废"

    number = fields.Text("编号", blank=True, default="")
    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="contracts", verbose_name="商机"
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="contracts", verbose_name="客户", blank=True
    )
    template = models.ForeignKey(
        Material, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="模板"
    )
    quote = models.ForeignKey(
        Quote, models.PROTECT, null=True, blank=True, related_name="contracts", verbose_name="报价"
    )
    kind = fields.Choice("类别", choices=Kind, default=Kind.NEW)
    renews = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="renewals", verbose_name="续自"
    )
    amount = fields.Money("金额", default=0)
    estimated_cost = fields.Money("预计成本", null=True)
    payment_terms = fields.Note("付款方式")
    down_payment = fields.Money("首付款", null=True)
    deliver_by = models.DateField("交货日", null=True, blank=True)
    text = fields.Note("正文")
    # What the text says differently from the template filled in, and why; kept by `wording`.
    deviations = models.JSONField("变更条款", default=list, blank=True, editable=False)
    deviation_reason = fields.Note("特殊情况说明")
    deviated_at = models.DateTimeField("变更获批", null=True, blank=True)
    # Digests of what the paper says: now, as the change was agreed to, as approved, as sent.
    text_hash = fields.Text("正文哈希", blank=True, default="", editable=False)
    deviated_hash = fields.Text("获批变更的版本", blank=True, default="", editable=False)
    approved_hash = fields.Text("所批版本", blank=True, default="", editable=False)
    sent_hash = fields.Text("所发版本", blank=True, default="", editable=False)
    checks = fields.ChoiceSet("条款核对", vocabulary=CHECKS)
    legal_advice = fields.Note("法务意见")
    starts_on = models.DateField("起", null=True, blank=True)
    ends_on = models.DateField("止", null=True, blank=True)
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)
    reviewed_at = models.DateTimeField("送审", null=True, blank=True)
    approved_at = models.DateTimeField("批准", null=True, blank=True)
    sent_at = models.DateTimeField("发出", null=True, blank=True)
    promised_back_on = models.DateField("约定返回", null=True, blank=True)
    agreed_sign_on = models.DateField("约定签署", null=True, blank=True)
    customer_signed_at = models.DateTimeField("客户签署", null=True, blank=True)
    company_signed_at = models.DateTimeField("公司签章", null=True, blank=True)
    signed_at = models.DateTimeField("双签", null=True, blank=True)
    effective_at = models.DateTimeField("生效", null=True, blank=True)
    # When its first scan was filed, kept from the documents about it.
    scanned_at = models.DateTimeField("系统存档", null=True, editable=False)
    # When its renewal was taken up, kept from the opportunities and contracts that name this one.
    renewal_started_at = models.DateTimeField("续约启动", null=True, editable=False)
    ended_at = models.DateTimeField("结束", null=True, blank=True)
    end_reason = fields.Note("作废或终止原因")
    follow_note = fields.Note("执行跟进")

    owned_by = "opportunity"
    judges = ("opportunity",)
    reach = {"via": ("opportunity",)}
    tracked = ("stage",)
    stage_field = "stage"
    moves = {
        "DRAFT": ("REVIEW", "VOID"),
        "REVIEW": ("APPROVED", "DRAFT", "VOID"),
        "APPROVED": ("SENT", "DRAFT", "VOID"),
        "SENT": ("CUSTOMER_SIGNED", "SIGNED"),
        "CUSTOMER_SIGNED": ("SIGNED",),
        "SIGNED": ("PERFORMING",),
        "PERFORMING": ("EXPIRED", "ENDED"),
    }
    governed = {
        "number": "draft_contract",
        "stage": "move_contract",
        "reviewed_at": "review_contract",
        "deviated_at": "deviate",
        "approved_at": "approve_contract",
        "sent_at": "send_contract",
        "customer_signed_at": "sign_contract",
        "company_signed_at": "seal",
        "signed_at": "seal",
        "effective_at": "seal",
        "ended_at": "end_contract",
        "end_reason": "end_contract",
    }

    class Meta(Record.Meta):
        verbose_name = "销售合同"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(removed_at=None) & ~Q(number=""),
                name="contract_once",
                violation_error_message="这个合同编号已有，请换一个",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(starts_on=None) | Q(ends_on__gte=F("starts_on")),
                name="contract_span",
                violation_error_message="合同的止期不能早于起期",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0)
                & (Q(down_payment=None) | Q(down_payment__gte=0, down_payment__lte=F("amount"))),
                name="contract_amount",
                violation_error_message="金额不能小于零，首付款不能多于合同金额",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None)
                | Q(signed_at=None)
                | Q(removed_at__gt=F("signed_at") + KEPT),
                name="contract_kept",
                violation_error_message="保存期还没有满，签过的合同不能删除；到期以后再办",
            ),
            models.CheckConstraint(
                condition=Q(signed_at=None)
                | Q(customer_signed_at__isnull=False, company_signed_at__isnull=False),
                name="contract_signed_by_both",
                violation_error_message="双方都签过才算双签",
            ),
        ]
        indexes = [models.Index(fields=["signed_at"], name="contract_signed")]

    def __str__(self) -> str:
        return f"合同 {self.number}" if self.number else "合同草稿"

    def index(self) -> None:
        """The customer of a contract is that of its opportunity."""
        if self.customer_id is None and self.opportunity_id is not None:
            self.customer_id = self.opportunity.customer_id
