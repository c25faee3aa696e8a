"""Things that one person asks of another, of a department, or of themselves."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from fangyuan.activities.models.meeting import Meeting
from fangyuan.activities.models.plan import Plan
from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Customer, Degree
from fangyuan.metrics.models import Target
from fangyuan.org.models import Person, Team


class Task(Record):
    """Something one person asks another to do by a time."""

    class Kind(models.TextChoices):
        ACTION = "ACTION", "行动计划"
        RESOLUTION = "RESOLUTION", "会议决议"
        IMPROVE = "IMPROVE", "改进项"
        TEAM = "TEAM", "团队任务"
        COOPERATE = "COOPERATE", "协作请求"
        PRESALES = "PRESALES", "售前支持"
        FEATURE = "FEATURE", "系统功能需求"
        QUESTION = "QUESTION", "条款释疑"
        ISSUE = "ISSUE", "客户使用问题"
        PROJECT_ISSUE = "PROJECT_ISSUE", "实施问题"
        CUSTOMER_ISSUE = "CUSTOMER_ISSUE", "客户问题"
        PROCESS_ISSUE = "PROCESS_ISSUE", "过程问题"
        COMMITMENT = "COMMITMENT", "对客户承诺"
        TRAIN_NEED = "TRAIN_NEED", "培训需求"
        WORK_ISSUE = "WORK_ISSUE", "工作问题"
        HELP = "HELP", "互助"
        WINBACK = "WINBACK", "挽回措施"
        COACH = "COACH", "辅导"
        ALLOCATE = "ALLOCATE", "资源调整"
        VERIFY = "VERIFY", "存疑确认"
        FOLLOW = "FOLLOW", "跟进"

    kind = fields.Choice("类别", choices=Kind, default=Kind.FOLLOW)
    title = fields.Text("事项")
    subject = fields.AnyField("对象", null=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="客户"
    )
    meeting = models.ForeignKey(
        Meeting, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="会议"
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="计划"
    )
    asker = models.ForeignKey(
        Person, models.PROTECT, related_name="asked_tasks", verbose_name="提出人"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="责任人"
    )
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="承接部门"
    )
    asked_at = models.DateTimeField("提出")
    assigned_at = models.DateTimeField("派定", null=True, blank=True)
    accepted_at = models.DateTimeField("受理", null=True, blank=True)
    answered_at = models.DateTimeField("答复", null=True, blank=True)
    due_at = models.DateTimeField("期限", null=True, blank=True)
    done_at = models.DateTimeField("完成", null=True, blank=True)
    result = fields.Note("结果")
    measures = fields.Note("措施")
    priority = fields.Choice("优先级", choices=Degree, null=True)
    rating = models.PositiveSmallIntegerField(
        "评分", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    rated_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="评分人"
    )
    tags = fields.RefSet("关联标签", to="tag")
    target = models.ForeignKey(
        Target, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="挂接目标"
    )
    stage_tag = fields.Text("关联阶段", blank=True, default="")
    led_to = fields.AnyField("落实到", null=True)
    is_major = models.BooleanField("重大", default=False)

    begins = "asked_at"
    owned_by = "person"
    reach = {"people": ("person", "asker", "team__leader"), "via": ("customer",)}
    governed = {
        "assigned_at": "assign_task",
        "accepted_at": "accept_task",
        "answered_at": "answer_task",
        "rating": "rate_task",
        "rated_by": "rate_task",
    }

    class Meta(Record.Meta):
        verbose_name = "任务"
        ordering = ["due_at", "-id"]

    def __str__(self) -> str:
        return self.title
