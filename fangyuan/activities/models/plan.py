"""Plans of a person or a team for a period, and their lines."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.org.models import Person, Team


class Plan(Record):
    """What a person or team means to do in a period; visit plans are read by the manager."""

    class Kind(models.TextChoices):
        SALES = "SALES", "销售计划"
        STRATEGY = "STRATEGY", "销售策略"
        KA = "KA", "KA销售计划"
        VISIT = "VISIT", "拜访计划"
        CAMPAIGN = "CAMPAIGN", "年度市场活动计划"
        TRAINING = "TRAINING", "培训计划"
        RECRUIT = "RECRUIT", "招聘计划"
        ALLOCATION = "ALLOCATION", "资源分配方案"
        CAREER = "CAREER", "个人发展规划"
        IMPROVE = "IMPROVE", "绩效改进"
        SURVEY = "SURVEY", "满意度调查计划"
        CAPACITY = "CAPACITY", "资源规划"
        WINBACK = "WINBACK", "挽回方案"

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        SUBMITTED = "SUBMITTED", "已提交"
        APPROVED = "APPROVED", "已批"
        CLOSED = "CLOSED", "结束"

    kind = fields.Choice("类别", choices=Kind, default=Kind.VISIT)
    title = fields.Text("标题")
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="plans", verbose_name="团队"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="plans", verbose_name="人员"
    )
    subject = fields.AnyField("对象", null=True)
    period = fields.Text("期间")
    goal = fields.Note("目标")
    path = fields.Note("路径")
    bases = fields.TextSet("依据")
    basis_note = fields.Note("依据说明")
    targets = fields.RefSet("关联目标", to="target")
    kpis = fields.TextSet("关键指标")
    types = fields.TextSet("覆盖类别")
    submitted_at = models.DateTimeField("提交", null=True, blank=True)
    agreed_at = models.DateTimeField("对方确认", null=True, blank=True)
    guidance = fields.Note("指导意见")
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)

    owned_by = "person"
    reach = {"people": ("person",)}
    content = ("items",)
    stage_field = "stage"
    moves = {
        "DRAFT": ("SUBMITTED",),
        "SUBMITTED": ("APPROVED", "DRAFT"),
        "APPROVED": ("CLOSED",),
    }
    governed = {
        "stage": "move_plan",
        "submitted_at": "submit_plan",
        "guidance": "approve_plan",
    }

    class Meta(Record.Meta):
        verbose_name = "计划"
        ordering = ["-period", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(person=None) | ~Q(team=None),
                name="plan_of_someone",
                violation_error_message="计划要写明是谁的或哪个团队的",
            ),
            models.UniqueConstraint(
                fields=["person", "period"],
                condition=Q(kind="VISIT", removed_at=None),
                name="plan_one_visit_plan",
                violation_error_message="这个月已有拜访计划，请在原计划上改",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PlanItem(Record):
    """One line of a plan: whom, when, where, what for, what about."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="items", verbose_name="计划")
    subject = fields.AnyField("对象", null=True)
    at = models.DateTimeField("时间", null=True, blank=True)
    place = fields.Text("地点", blank=True, default="")
    mode = fields.TermField("方式", domain="mode", null=True)
    purpose = fields.Note("目的或职责")
    content = fields.Note("内容或要求")
    quantity = models.DecimalField("数量", max_digits=18, decimal_places=4, null=True, blank=True)
    amount = fields.Money("金额", null=True)
    owner = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="责任人"
    )
    trainer = fields.Text("师资", blank=True, default="")
    due_on = models.DateField("期限", null=True, blank=True)
    done_at = models.DateTimeField("完成", null=True, blank=True)
    is_priority = models.BooleanField("重点对象", default=False)

    reach = {"people": ("plan__person", "owner")}
    judges = ("plan",)

    class Meta(Record.Meta):
        verbose_name = "计划项"
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.purpose or self.content
