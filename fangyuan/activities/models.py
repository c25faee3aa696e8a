"""Activities with customers, the plans they follow and the tasks they leave."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Contact, Customer, Degree, Lead
from fangyuan.engine.models import Policy
from fangyuan.opportunities.models import Opportunity
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
    period = fields.Text("期间")
    goal = fields.Note("目标")
    path = fields.Note("路径")
    bases = fields.TextSet("依据")
    basis_note = fields.Note("依据说明")
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
    due_on = models.DateField("期限", null=True, blank=True)
    done_at = models.DateTimeField("完成", null=True, blank=True)
    is_priority = models.BooleanField("重点对象", default=False)

    reach = {"people": ("plan__person", "owner")}

    class Meta(Record.Meta):
        verbose_name = "计划项"
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.purpose or self.content


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
    new_needs = fields.Note("新需求")
    next_step = fields.Note("下一步")
    written_at = models.DateTimeField("记录齐全", null=True, blank=True)
    is_deep = models.BooleanField("深度沟通", default=False)
    is_connected = models.BooleanField("接通", null=True, blank=True)
    got_new_info = models.BooleanField("取得新信息", null=True, blank=True)
    effect = models.PositiveSmallIntegerField("有效性分", null=True, blank=True)
    success_criteria = fields.Note("成功标准")
    succeeded = models.BooleanField("达标", null=True, blank=True)
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
            models.Index(fields=["customer", "ended_at"], name="activity_of_customer"),
            models.Index(fields=["person", "planned_at"], name="activity_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_purpose_display()}"


class Participant(Record):
    """Someone who took part in an activity, ours or theirs."""

    activity = models.ForeignKey(
        Activity, models.PROTECT, related_name="participants", verbose_name="活动"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="人员"
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="联系人"
    )

    reach = {"people": ("person", "activity__person"), "via": ("activity__customer",)}

    class Meta(Record.Meta):
        verbose_name = "参与人"
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None, contact__isnull=False)
                | Q(contact=None, person__isnull=False),
                name="participant_one_side",
                violation_error_message="参与人是同事或客户联系人，二者选一",
            )
        ]

    def __str__(self) -> str:
        return str(self.person or self.contact)


class Task(Record):
    """Something one person asks another to do by a time."""

    class Kind(models.TextChoices):
        ACTION = "ACTION", "行动计划"
        CUSTOMER_ISSUE = "CUSTOMER_ISSUE", "客户问题"
        ISSUE = "ISSUE", "客户使用问题"
        COMMITMENT = "COMMITMENT", "对客户承诺"
        WORK_ISSUE = "WORK_ISSUE", "工作问题"
        COOPERATE = "COOPERATE", "协作请求"
        TEAM = "TEAM", "团队任务"
        COACH = "COACH", "辅导"
        VERIFY = "VERIFY", "存疑确认"
        FOLLOW = "FOLLOW", "跟进"

    kind = fields.Choice("类别", choices=Kind, default=Kind.FOLLOW)
    title = fields.Text("事项")
    subject = fields.AnyField("对象", null=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="客户"
    )
    asker = models.ForeignKey(
        Person, models.PROTECT, related_name="asked_tasks", verbose_name="提出人"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="责任人"
    )
    asked_at = models.DateTimeField("提出")
    due_at = models.DateTimeField("期限", null=True, blank=True)
    done_at = models.DateTimeField("完成", null=True, blank=True)
    result = fields.Note("结果")
    measures = fields.Note("措施")
    priority = fields.Choice("优先级", choices=Degree, null=True)

    begins = "asked_at"
    owned_by = "person"
    reach = {"people": ("person", "asker"), "via": ("customer",)}

    class Meta(Record.Meta):
        verbose_name = "任务"
        ordering = ["due_at", "-id"]

    def __str__(self) -> str:
        return self.title


class Report(Record):
    """What a person or team says of a period; the review of a regulation is one as well."""

    class Kind(models.TextChoices):
        DAILY = "DAILY", "销售日报"
        MONTHLY = "MONTHLY", "月度销售报告"
        PERFORMANCE = "PERFORMANCE", "销售业绩报告"
        FORECAST = "FORECAST", "销售预测"
        BRIEF = "BRIEF", "行业信息简报"
        RESEARCH = "RESEARCH", "市场调研报告"
        KA_MARKET = "KA_MARKET", "KA市场分析"
        COLLECTION = "COLLECTION", "回款分析"
        SATISFACTION = "SATISFACTION", "满意度分析"
        RESOURCE = "RESOURCE", "资源效果评估"
        POLICY = "POLICY", "制度执行报告"
        ANALYSIS = "ANALYSIS", "销售分析"
        REVIEW = "REVIEW", "制度评审"
        CAMPAIGN = "CAMPAIGN", "市场活动报告"
        MAINTENANCE = "MAINTENANCE", "系统自检"

    kind = fields.Choice("类别", choices=Kind, default=Kind.MONTHLY)
    title = fields.Text("标题")
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="reports", verbose_name="团队"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="written_reports", verbose_name="提交人"
    )
    period = fields.Text("期间")
    period_end = models.DateField("期末")
    submitted_at = models.DateTimeField("提交", null=True, blank=True)
    policy = models.ForeignKey(
        Policy, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所评制度"
    )
    sections = fields.TextSet("已含栏目")
    text = fields.Note("正文")
    numbers = models.JSONField("数据快照", default=dict, blank=True)
    forecasts = models.JSONField("预测明细", default=list, blank=True)
    findings = fields.Note("结论")
    lessons = fields.Note("经验")
    advice = fields.Note("建议")
    sent_to = fields.TextSet("送达")
    opportunities = fields.Note("市场机会")
    improvements = fields.Note("改进点")
    inputs = fields.TextSet("输入")

    owned_by = "person"
    passes_on = False
    reach = {"people": ("person",)}
    governed = {"submitted_at": "submit_report"}

    class Meta(Record.Meta):
        verbose_name = "报告"
        ordering = ["-period_end", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "person", "team", "policy", "period"],
                condition=Q(removed_at=None),
                name="report_once",
                nulls_distinct=False,
                violation_error_message="这一期已有这份报告，请在原报告上改",
            )
        ]

    def __str__(self) -> str:
        return self.title
