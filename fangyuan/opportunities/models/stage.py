"""Pipelines as data: the stages of each, in their order, with goal, tasks, roles and items."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.library.models import Material


class StageTag(models.TextChoices):
    """The eight steps that every pipeline's stages are mapped to (TAG-2.2.2, conflict C-01)."""

    POTENTIAL = "POTENTIAL", "潜在客户"
    PROSPECT = "PROSPECT", "意向客户"
    NEED = "NEED", "需求确认"
    SOLUTION = "SOLUTION", "方案制定"
    NEGOTIATION = "NEGOTIATION", "商务谈判"
    SIGNING = "SIGNING", "合同签订"
    EXECUTION = "EXECUTION", "项目执行"
    SERVICE = "SERVICE", "售后维护"


class Stage(Record):
    """One stage of one pipeline (PJ-2.0, PS-2.0a, PA-5.0)."""

    class Carrier(models.TextChoices):
        LEAD = "LEAD", "线索"
        OPPORTUNITY = "OPPORTUNITY", "商机"

    pipeline = fields.TermField("流水线", domain="pipeline")
    code = fields.Text("代码")
    name = fields.Text("名称")
    seq = models.PositiveSmallIntegerField("序")
    goal = fields.Note("目标")
    tasks = fields.Note("任务")
    standard = fields.Note("衡量标准")
    # One position a line, with what it does: 销售代表：主导谈判、提交合同.
    roles = fields.Note("责任岗位")
    tools = fields.Note("工具与文档")
    customer_state = fields.Text("客户所处状态", blank=True, default="")
    stage_tag = fields.Choice("阶段标签", choices=StageTag)
    # Where an opportunity of the pipeline begins (conflict C-17), and where it ends.
    is_creating = models.BooleanField("可建商机", default=False)
    is_closing = models.BooleanField("关闭阶段", default=False)
    owner_record = fields.Choice("承载对象", choices=Carrier, default=Carrier.OPPORTUNITY)
    win_rate = fields.Percent("阶段赢率", null=True)

    class Meta(Record.Meta):
        verbose_name = "销售阶段"
        ordering = ["pipeline", "seq"]
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "code"],
                name="stage_code",
                violation_error_message="这条流水线已有这个代码的阶段",
            ),
            models.UniqueConstraint(
                fields=["pipeline", "seq"],
                name="stage_seq",
                violation_error_message="这条流水线已有这个次序的阶段",
            ),
            models.UniqueConstraint(
                fields=["pipeline"],
                condition=Q(is_creating=True, removed_at=None),
                name="stage_one_creating",
                violation_error_message="一条流水线只有一个阶段可建商机",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class StageItem(Record):
    """An activity, deliverable, tool or confirmation that a stage asks for (PS-2.0b)."""

    class Kind(models.TextChoices):
        ACTIVITY = "ACTIVITY", "活动"
        DELIVERABLE = "DELIVERABLE", "交付物"
        TOOL = "TOOL", "工具文档"
        CONFIRM = "CONFIRM", "确认项"

    stage = models.ForeignKey(Stage, models.PROTECT, related_name="items", verbose_name="阶段")
    kind = fields.Choice("类别", choices=Kind)
    name = fields.Text("名称")
    role = fields.Text("责任岗位", blank=True, default="")
    is_required = models.BooleanField("必需", default=True)
    project_types = fields.TermSet("适用项目类型", domain="project_type")
    template = models.ForeignKey(
        Material, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="模板"
    )

    class Meta(Record.Meta):
        verbose_name = "阶段事项"
        ordering = ["stage_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "name"],
                condition=Q(removed_at=None),
                name="stage_item_once",
                violation_error_message="这个阶段已有同名的事项",
            )
        ]

    def __str__(self) -> str:
        return self.name
