"""Inspections, findings, notices to put things right (整改通知), and incidents."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.desk.models import Attachment
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Person, Team


class Inspection(Record):
    """One check, audit or review: who looked at what, how, and what came of it."""

    class Kind(models.TextChoices):
        RESOURCE = "RESOURCE", "资源使用检查"
        TAG = "TAG", "标签制度检查"
        AUDIT = "AUDIT", "资源审计"
        SPOT = "SPOT", "抽查"
        PROCESS = "PROCESS", "过程检视"
        STAGE = "STAGE", "流程配置检查"

    kind = fields.Choice("类别", choices=Kind)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="执行机构"
    )
    inspector = models.ForeignKey(
        Person, models.PROTECT, related_name="inspections", verbose_name="检查人"
    )
    about = fields.AnyField("被检视人或团队", null=True)
    scope = fields.TextSet("范围")
    checks = fields.TextSet("检查项")
    methods = fields.TextSet("方法")
    sample_rule = models.JSONField("抽样规则与种子", default=dict, blank=True)
    started_at = models.DateTimeField("开始")
    finished_at = models.DateTimeField("完成", null=True, blank=True)
    conclusion = fields.Note("结论")

    begins = "started_at"
    owned_by = "inspector"
    reach = {"people": ("inspector",)}
    governed = {"finished_at": "finish_inspection", "sample_rule": "draw_sample"}

    class Meta(Record.Meta):
        verbose_name = "检查"
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(finished_at__gte=F("started_at")),
                name="inspection_span",
                violation_error_message="完成不能早于开始",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.started_at:%Y-%m-%d}"


class Finding(Record):
    """What was found about one sample or one matter: verdict, method and proof."""

    class Verdict(models.TextChoices):
        OK = "OK", "相符"
        WRONG = "WRONG", "不相符"
        INVALID = "INVALID", "已失效"
        PROBLEM = "PROBLEM", "有问题"

    inspection = models.ForeignKey(
        Inspection, models.PROTECT, related_name="findings", verbose_name="检查"
    )
    subject = fields.AnyField("样本")
    verdict = fields.Choice("结论", choices=Verdict)
    method = fields.TermField("方法", domain="audit_method")
    proof = models.ForeignKey(
        Attachment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="证据"
    )
    found_at = models.DateTimeField("发现")
    text = fields.Note("说明")
    obligation = models.ForeignKey(
        Obligation,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        verbose_name="所涉义务",
    )

    begins = "found_at"
    owned_by = "inspection"
    reach = {"people": ("inspection__inspector",), "any": ("subject",)}

    class Meta(Record.Meta):
        verbose_name = "检查结果"
        ordering = ["-found_at", "-id"]

    def __str__(self) -> str:
        return self.text.partition("\n")[0][:40] or self.get_verdict_display()


class Rectification(Record):
    """A notice to put something right: demand, answerer, due day, proof, and who looked at it.

    It is closed by the system alone, once what it names was measured to be right again.
    """

    class Verdict(models.TextChoices):
        PASS = "PASS", "合格"
        FAIL = "FAIL", "不合格"

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        ISSUED = "ISSUED", "已发"
        SUBMITTED = "SUBMITTED", "已提交"
        CLOSED = "CLOSED", "结案"

    finding = models.ForeignKey(
        Finding,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rectifications",
        verbose_name="检查结果",
    )
    obligations = ArrayField(
        models.BigIntegerField(), verbose_name="所涉义务", default=list, blank=True
    )
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="rectifications", verbose_name="责任人"
    )
    demand = fields.Note("要求", blank=False)
    periods = models.PositiveSmallIntegerField("连续达标期数", default=0)
    year = models.PositiveSmallIntegerField("文号年份", null=True, blank=True)
    serial = models.PositiveIntegerField("文号序号", null=True, blank=True)
    issued_at = models.DateTimeField("发出", null=True, blank=True)
    issued_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="签发人"
    )
    signed_at = models.DateTimeField("签收", null=True, blank=True)
    due_at = models.DateTimeField("期限")
    proof = fields.Note("整改证明")
    submitted_at = models.DateTimeField("提交", null=True, blank=True)
    verdict = fields.Choice("复核", choices=Verdict, null=True)
    review = fields.Note("复核意见")
    reviewed_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="复核人"
    )
    reviewed_at = models.DateTimeField("复核时间", null=True, blank=True)
    closed_at = models.DateTimeField("结案", null=True, blank=True)
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)

    begins = "issued_at"
    owned_by = "person"
    reach = {"people": ("person", "issued_by")}
    stage_field = "stage"
    moves = {"DRAFT": ("ISSUED",), "ISSUED": ("SUBMITTED",), "SUBMITTED": ("CLOSED", "ISSUED")}
    governed = {
        **dict.fromkeys(
            "finding obligations person demand periods year serial issued_at issued_by".split(),
            "issue_rectification",
        ),
        "signed_at": "sign_rectification",
        "due_at": "postpone_rectification",
        "proof": "submit_rectification",
        "submitted_at": "submit_rectification",
        "verdict": "review_rectification",
        "review": "review_rectification",
        "reviewed_by": "review_rectification",
        "reviewed_at": "review_rectification",
        "closed_at": "close_rectification",
        "stage": "issue_rectification",
    }

    class Meta(Record.Meta):
        verbose_name = "整改通知"
        ordering = ["-issued_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["year", "serial"], name="rectification_number"),
            models.CheckConstraint(
                condition=~Q(stage="CLOSED") | Q(closed_at__isnull=False),
                name="rectification_closed",
                violation_error_message="结案的通知要有结案时间",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "stage"], name="rectification_of_person"),
            GinIndex(fields=["obligations"], name="rectification_of_duty"),
        ]

    def __str__(self) -> str:
        return f"整改通知 {self.number}" if self.serial else f"整改通知 草稿 {self.pk}"

    @property
    def number(self) -> str:
        """The number on the paper (文号), once it is issued."""
        return f"监整字〔{self.year}〕{self.serial:03d} 号" if self.serial else ""


class Incident(Record):
    """A crisis, breach of secrecy, failure or overreach, from discovery to its closing report."""

    class Kind(models.TextChoices):
        BRAND = "BRAND", "品牌危机"
        NDA = "NDA", "保密违约"
        SYSTEM = "SYSTEM", "系统故障"
        BYPASS = "BYPASS", "越权记录"

    class Stage(models.TextChoices):
        FOUND = "FOUND", "发现"
        INVESTIGATE = "INVESTIGATE", "调查"
        ACCOUNT = "ACCOUNT", "追究"
        CLOSED = "CLOSED", "结案"

    kind = fields.Choice("类别", choices=Kind)
    found_at = models.DateTimeField("发现")
    responded_at = models.DateTimeField("首次响应", null=True, blank=True)
    reviewed_at = models.DateTimeField("复盘", null=True, blank=True)
    investigation = fields.Note("调查")
    accountability = fields.Note("追究")
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="涉及人"
    )
    closed_at = models.DateTimeField("结案", null=True, blank=True)
    conclusion = fields.Note("结案报告")
    stage = fields.Choice("环节", choices=Stage, default=Stage.FOUND)

    begins = "found_at"
    stage_field = "stage"
    moves = {"FOUND": ("INVESTIGATE",), "INVESTIGATE": ("ACCOUNT",), "ACCOUNT": ("CLOSED",)}
    governed = {
        "responded_at": "respond_incident",
        "reviewed_at": "review_incident",
        "closed_at": "close_incident",
        "stage": "close_incident",
    }

    class Meta(Record.Meta):
        verbose_name = "案件"
        ordering = ["-found_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(stage="CLOSED") | (Q(closed_at__isnull=False) & ~Q(conclusion="")),
                name="incident_closed",
                violation_error_message="结案要写结案报告",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.found_at:%Y-%m-%d}"


class Acknowledgement(Record):
    """One flaw that the checkup of the rulebook found and a company lives with until a day."""

    policy = fields.Text("制度", blank=True, default="")
    clause = fields.Text("条号", blank=True, default="")
    # What makes it that flaw: once the clause or the rule changes, it is another one.
    flaw = fields.Text("问题键")
    said = fields.Note("问题")
    reason = fields.Note("理由")
    ends_on = models.DateField("备案到")

    class Meta(Record.Meta):
        verbose_name = "问题备案"
        ordering = ["-ends_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="acknowledgement_reason",
                violation_error_message="备案要写明理由",
            )
        ]
        indexes = [models.Index(fields=["flaw", "ends_on"], name="acknowledgement_of_flaw")]

    def __str__(self) -> str:
        return f"{self.clause} 问题备案".strip()
