"""Contacts with customers: planned, made ready, done, written up."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fangyuan.activities.models.plan import PlanItem
from fangyuan.contracts.models import Contract
from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Contact, Customer, Lead
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Person

NO_ISSUE = ("无", "没有", "暂无", "无。", "没有。")  # what is written when a customer raised none


class Activity(Record):
    """One contact with a customer: planned, made ready, done, and written up."""

    class Kind(models.TextChoices):
        VISIT = "VISIT", "面对面拜访"
        CALL = "CALL", "电话"
        MAIL = "MAIL", "邮件"
        WECHAT = "WECHAT", "微信"
        VIDEO = "VIDEO", "视频"
        ONSITE = "ONSITE", "会议"
        DEMO = "DEMO", "演示"
        POC = "POC", "概念验证"
        WORKSHOP = "WORKSHOP", "研讨"
        EXECUTIVE = "EXECUTIVE", "高层对接"
        SHARE = "SHARE", "内容分享"
        NOTICE = "NOTICE", "正式通知"
        TRAINING = "TRAINING", "客户培训"

    class Purpose(models.TextChoices):
        FOLLOW = "FOLLOW", "跟进"
        FIRST = "FIRST", "首次联系"
        FORMAL = "FORMAL", "首次正式沟通"
        NEED = "NEED", "需求访谈"
        PRESENT = "PRESENT", "方案呈现"
        NEGOTIATE = "NEGOTIATE", "谈判"
        DELIVERY = "DELIVERY", "交付期沟通"
        RETURN = "RETURN", "回访"
        REVIEW = "REVIEW", "业务回顾"
        CARE = "CARE", "关注"
        INTRODUCE = "INTRODUCE", "介绍接口人"
        RECOMMEND = "RECOMMEND", "推介增购"
        REFERRAL = "REFERRAL", "邀请推荐或案例"
        NURTURE = "NURTURE", "培育"
        URGENT = "URGENT", "紧急沟通"
        COMPLAINT = "COMPLAINT", "投诉沟通"

    class Approach(models.TextChoices):
        DIAGNOSE = "DIAGNOSE", "业务诊断"
        ADVISE = "ADVISE", "专业建议"
        PROMOTE = "PROMOTE", "产品推介"

    class Outcome(models.TextChoices):
        NONE = "NONE", "无"
        OPPORTUNITY = "OPPORTUNITY", "转商机"
        LEAD = "LEAD", "转线索"
        CASE = "CASE", "成案例"
        DECLINED = "DECLINED", "婉拒"

    class Stage(models.TextChoices):
        PLANNED = "PLANNED", "计划"
        READY = "READY", "待执行"
        DONE = "DONE", "已完成"
        CANCELLED = "CANCELLED", "取消"

    kind = fields.Choice("方式", choices=Kind, default=Kind.VISIT)
    purpose = fields.Choice("目的", choices=Purpose, default=Purpose.FOLLOW)
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activities",
        verbose_name="客户",
    )
    lead = models.ForeignKey(
        Lead, models.PROTECT, null=True, blank=True, related_name="activities", verbose_name="线索"
    )
    opportunity = models.ForeignKey(
        Opportunity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activities",
        db_index=False,  # most talks are about none: see the index of those that are
        verbose_name="商机",
    )
    contract = models.ForeignKey(
        Contract,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activities",
        db_index=False,  # as above
        verbose_name="合同",
    )
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="activities", verbose_name="执行人"
    )
    plan_item = models.ForeignKey(
        PlanItem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activities",
        verbose_name="计划项",
    )
    is_incoming = models.BooleanField("来方", default=False)
    planned_at = models.DateTimeField("计划时间", null=True, blank=True)
    appointed_at = models.DateTimeField("预约", null=True, blank=True)
    appointed_with = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="预约确认人"
    )
    appointed_by = fields.Text("预约方式", blank=True, default="")
    started_at = models.DateTimeField("开始", null=True, blank=True)
    ended_at = models.DateTimeField("结束", null=True, blank=True)
    situation = fields.Note("情况")
    feedback = fields.Note("客户反馈")
    result = fields.Note("沟通结果")
    need_changes = fields.Note("需求变化")
    customer_issues = fields.Note("客户问题")
    business_growth = fields.Note("业务发展")
    new_needs = fields.Note("新需求")
    next_step = fields.Note("下一步")
    written_at = models.DateTimeField("记录齐全", null=True, blank=True)
    is_deep = models.BooleanField("深度沟通", default=False)
    is_connected = models.BooleanField("接通", null=True, blank=True)
    got_new_info = models.BooleanField("取得新信息", null=True, blank=True)
    effect = models.PositiveSmallIntegerField("有效性分", null=True, blank=True)
    success_criteria = fields.Note("成功标准")
    succeeded = models.BooleanField("达标", null=True, blank=True)
    approach = fields.Choice("性质", choices=Approach, null=True)
    answers_needs = fields.RefSet("回应的痛点", to="need")
    materials = fields.RefSet("所用资料", to="material")
    intel = fields.RefSet("引用情报", to="intel")
    recommended = fields.TermField("推介类型", domain="recommendation", null=True)
    outcome = fields.Choice("结果去向", choices=Outcome, null=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    accuracy = models.PositiveIntegerField("精度", null=True, blank=True)
    off_site_reason = fields.Note("偏离理由")
    stage = fields.Choice("状态", choices=Stage, default=Stage.PLANNED)

    begins = "ended_at"
    owned_by = "person"
    passes_on = False
    reach = {"people": ("person",), "via": ("customer", "lead")}
    implied = {"stage": ("ended_at", "DONE")}
    stage_field = "stage"
    moves = {"PLANNED": ("READY", "DONE", "CANCELLED"), "READY": ("DONE", "CANCELLED")}
    governed = {"stage": "move_activity", "written_at": "write_record"}
    judges = ("lead", "opportunity")

    class Meta(Record.Meta):
        verbose_name = "活动"
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(started_at=None) | Q(ended_at__gte=F("started_at")),
                name="activity_span",
                violation_error_message="结束时间不能早于开始时间",
            ),
            models.CheckConstraint(
                condition=Q(effect=None) | Q(effect__range=(1, 5)),
                name="activity_effect",
                violation_error_message="有效性分是 1 到 5 分",
            ),
            models.CheckConstraint(
                condition=~Q(stage="DONE") | ~Q(ended_at=None),
                name="activity_done_ended",
                violation_error_message="完成的活动要有结束时间",
            ),
        ]
        indexes = [
            models.Index(
                fields=["opportunity"],
                name="activity_of_opportunity",
                condition=models.Q(opportunity__isnull=False),
            ),
            models.Index(
                fields=["contract"],
                name="activity_of_contract",
                condition=models.Q(contract__isnull=False),
            ),
            models.Index(fields=["customer", "ended_at"], name="activity_of_customer"),
            models.Index(fields=["person", "planned_at"], name="activity_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_purpose_display()}"
