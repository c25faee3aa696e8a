"""Forms in versions, and what was answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from fangyuan.core import facts, fields
from fangyuan.core.records import Record
from fangyuan.org.models import Person, Team


class Form(Record):
    """One version of a questionnaire: its items and the groups of facts that it covers."""

    class Kind(models.TextChoices):
        QUALIFY = "QUALIFY", "资质评估"
        NEEDS = "NEEDS", "需求调研"
        REVIEW = "REVIEW", "信息复核"
        WEEKLY = "WEEKLY", "商机周更新"
        HEALTH = "HEALTH", "健康度更新"
        SATISFACTION = "SATISFACTION", "满意度"
        BRAND = "BRAND", "品牌调研"
        INTERVIEW = "INTERVIEW", "面试评价"
        CAPABILITY = "CAPABILITY", "能力评估"
        SELF = "SELF", "自评"
        MANAGER = "MANAGER", "上级评价"
        UPWARD = "UPWARD", "下评上"
        PEER = "PEER", "互评"
        CUSTOMER = "CUSTOMER", "客户评价"
        EXAM = "EXAM", "测评"
        TRAIN_FEEDBACK = "TRAIN_FEEDBACK", "培训反馈"
        CHECKLIST = "CHECKLIST", "检查清单"
        EVALUATE = "EVALUATE", "效果评估"
        VALUE = "VALUE", "价值确认"
        RETURN_VISIT = "RETURN_VISIT", "回访表"
        ATMOSPHERE = "ATMOSPHERE", "氛围调查"
        SELF_CHECK = "SELF_CHECK", "资源自查"
        MATERIAL = "MATERIAL", "资料反馈"
        PRICE = "PRICE", "价格评估"
        QUALIFICATION = "QUALIFICATION", "对象资质"
        RISK = "RISK", "机会评估"
        DRIVER = "DRIVER", "驱动因素"

    code = fields.Text("代码")
    version = models.PositiveIntegerField("版本", default=1)
    name = fields.Text("名称")
    kind = fields.Choice("类别", choices=Kind)
    items = models.JSONField("题目", default=list, blank=True)
    covers = fields.TextSet("覆盖组")
    published_at = models.DateTimeField("发布", null=True, blank=True)
    retired_at = models.DateTimeField("停用", null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = "表单"
        ordering = ["kind", "code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="form_version_once")
        ]

    def __str__(self) -> str:
        return self.name


class Survey(Record):
    """One survey: whom it asks with which form, by whom, when it went out and came back."""

    class Kind(models.TextChoices):
        SATISFACTION = "SATISFACTION", "满意度"
        BRAND = "BRAND", "品牌"
        PRODUCT = "PRODUCT", "产品知晓"
        ATMOSPHERE = "ATMOSPHERE", "团队氛围"
        CUSTOMER = "CUSTOMER", "客户评价"

    class Phase(models.TextChoices):
        BEFORE = "BEFORE", "前测"
        AFTER = "AFTER", "后测"
        ROUTINE = "ROUTINE", "例行"
        EVENT = "EVENT", "触发"

    name = fields.Text("名称")
    kind = fields.Choice("类别", choices=Kind, default=Kind.SATISFACTION)
    form = models.ForeignKey(Form, models.PROTECT, related_name="surveys", verbose_name="问卷")
    audience = models.JSONField("对象条件", default=dict, blank=True)
    sampling = fields.Text("抽样规则")
    starts_on = models.DateField("起")
    ends_on = models.DateField("止")
    lead = models.ForeignKey(
        Person, models.PROTECT, related_name="surveys", verbose_name="调查负责人"
    )
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="surveys", verbose_name="组织部门"
    )
    subject = fields.AnyField("关联对象", null=True)
    phase = fields.Choice("时点", choices=Phase, default=Phase.ROUTINE)
    sent_at = models.DateTimeField("发出", null=True, blank=True)
    closed_at = models.DateTimeField("结束", null=True, blank=True)
    shared_at = models.DateTimeField("结果反馈", null=True, blank=True)
    findings = fields.Note("关键因素")

    owned_by = "lead"
    passes_on = False
    reach = {"people": ("lead",)}
    governed = {
        "sent_at": "send_survey",
        "closed_at": "close_survey",
        "shared_at": "share_survey",
    }
    facts = {
        "topics": facts.Derived(
            "题目主题集合",
            kind="set",
            reads=(("form", "form"),),
            value=lambda: models.F("form__covers"),
        ),
        "response_count": facts.Derived(
            "回收数", kind="int", reads=(("response", "occasion"),), value=lambda: returned()
        ),
    }

    class Meta(Record.Meta):
        verbose_name = "调查"
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=models.F("starts_on")),
                name="survey_ends_after",
                violation_error_message="调查的止不能早于起",
            )
        ]

    def __str__(self) -> str:
        return self.name


def returned() -> Coalesce:
    """How many filled-in forms came back of a survey."""
    rows = (
        Response._base_manager.order_by()
        .filter(occasion_type="survey", occasion_id=models.OuterRef("pk"), removed_at=None)
        .exclude(submitted_at=None)
    )
    told = rows.values("occasion_id").annotate(n=models.Count("pk")).values("n")
    return Coalesce(models.Subquery(told), 0)


class Response(Record):
    """One filled-in form about a record, by a colleague or a customer's contact."""

    class Verdict(models.TextChoices):
        PASS = "PASS", "通过"
        FAIL = "FAIL", "不通过"
        CHANGED = "CHANGED", "有变化"
        SAME = "SAME", "无变化"
        SATISFIED = "SATISFIED", "满意"
        FAIR = "FAIR", "基本满意"
        DISSATISFIED = "DISSATISFIED", "不满意"
        AGREED = "AGREED", "认可"
        DENIED = "DENIED", "不认可"

    form = models.ForeignKey(Form, models.PROTECT, related_name="responses", verbose_name="表单")
    subject = fields.AnyField("对象")
    occasion = fields.AnyField("场合", null=True)
    person = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="responses",
        verbose_name="填写人",
    )
    respondent = fields.AnyField("受访联系人", null=True)
    submitted_at = models.DateTimeField("提交", null=True, blank=True)
    period = fields.Text("所属期", blank=True, default="")
    answers = models.JSONField("答案", default=dict, blank=True)
    csat = models.PositiveSmallIntegerField("满意分", null=True, blank=True)
    nps = models.PositiveSmallIntegerField("推荐分", null=True, blank=True)
    score = models.DecimalField("得分", max_digits=8, decimal_places=2, null=True, blank=True)
    verdict = fields.Choice("结论", choices=Verdict, null=True)
    covers = fields.TextSet("覆盖组")
    basis = fields.Note("依据")
    lessons = fields.Note("经验")
    mistakes = fields.Note("教训")
    advice = fields.Note("建议")

    begins = "submitted_at"
    owned_by = "person"
    passes_on = False
    facts = {
        "kind": facts.Derived(
            "表单类别",
            kind="enum",
            choices=dict(Form.Kind.choices),
            reads=(("form", "form"),),
            value=lambda: models.F("form__kind"),
        ),
        "subject_kind": facts.Derived("对象类型", value=lambda: models.F("subject_type")),
    }
    reach = {"people": ("person",), "any": ("subject",)}

    class Meta(Record.Meta):
        verbose_name = "填答"
        ordering = ["-submitted_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(person=None) | ~Q(respondent_id=None),
                name="response_by_someone",
                violation_error_message="填写人和受访联系人至少填一个",
            )
        ]
        indexes = [models.Index(fields=["subject_type", "subject_id", "submitted_at"])]

    def __str__(self) -> str:
        return str(self.form)
