"""Opportunities, their way through the stages, what was done in each, and who else competes."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Contact, Customer, Degree, Lead, Searched
from fangyuan.desk.models import Attachment
from fangyuan.opportunities.models.stage import Stage, StageItem
from fangyuan.org.models import InstantSpan, Person


class Opportunity(Searched):
    """A sales project that is being pursued; carries the tags of chances (TAG-2.2)."""

    class Outcome(models.TextChoices):
        OPEN = "OPEN", "在途"
        WON = "WON", "赢单"
        LOST = "LOST", "输单"
        DROPPED = "DROPPED", "放弃"

    class Origin(models.TextChoices):
        NEW = "NEW", "新客户"
        UPSELL = "UPSELL", "增购"
        UPGRADE = "UPGRADE", "升级"
        CROSS = "CROSS", "交叉销售"
        RENEWAL = "RENEWAL", "续约"

    class TagSource(models.TextChoices):
        CAMPAIGN = "CAMPAIGN", "市场活动"
        REFERRAL = "REFERRAL", "客户推荐"
        CALL = "CALL", "电话营销"
        WEB = "WEB", "网络营销"
        EXPO = "EXPO", "行业展会"
        OTHER = "OTHER", "其他"

    class Feasibility(models.TextChoices):
        FEASIBLE = "FEASIBLE", "可行"
        INFEASIBLE = "INFEASIBLE", "不可行"
        UNSURE = "UNSURE", "待定"

    class Evaluation(models.TextChoices):
        PASS = "PASS", "通过"
        FAIL = "FAIL", "不通过"

    class Proof(models.TextChoices):
        MAIL = "MAIL", "邮件"
        MINUTES = "MINUTES", "会议纪要"
        NEXT = "NEXT", "下一步日程"

    class Forecast(models.TextChoices):
        OMITTED = "OMITTED", "不计"
        PIPELINE = "PIPELINE", "在途"
        BEST = "BEST", "看好"
        COMMIT = "COMMIT", "承诺"

    name = fields.Text("名称")
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="opportunities", verbose_name="客户"
    )
    lead = models.ForeignKey(
        Lead, models.PROTECT, null=True, blank=True, related_name="opened", verbose_name="来源线索"
    )
    pipeline = fields.TermField("流水线", domain="pipeline", default="pipeline:s1s7")
    stage = models.ForeignKey(
        Stage, models.PROTECT, null=True, blank=True, related_name="standing", verbose_name="阶段"
    )
    # The stage that the last step forward left; by it a gate knows whose exit it guards.
    left = models.ForeignKey(
        Stage, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="上一阶段",
    )  # fmt: skip
    outcome = fields.Choice("结果", choices=Outcome, default=Outcome.OPEN)
    project_type = fields.TermField("项目类型", domain="project_type", null=True)
    origin = fields.Choice("缘起", choices=Origin, default=Origin.NEW)
    # The contract it goes on from; contracts are of a room above.
    from_contract = fields.AnyField("原合同", null=True)
    source = fields.TermField("来源", domain="source", null=True)
    tag_source = fields.Choice("机会来源", choices=TagSource, null=True)
    amount = fields.Money("预计合同额", null=True)
    expected_on = models.DateField("预计签约", null=True, blank=True)
    win_rate = fields.Percent("赢率", null=True)
    forecast = fields.Choice("预测类别", choices=Forecast, default=Forecast.PIPELINE)
    is_major = models.BooleanField("重大", default=False)
    major_at = models.DateTimeField("标为重大", null=True, blank=True)
    is_complex = models.BooleanField("复杂", default=False)
    # What the customer wants, and how it decides: the sheets of BANT and MEDDPICC.
    needs_summary = fields.Note("初步需求概要")
    real_need = fields.Note("真实需求")
    pain = fields.Note("痛点")
    business_goal = fields.Note("期望业务目标")
    challenge = fields.Note("面临挑战")
    deep_need = fields.Note("深层需求")
    criteria = fields.Note("决策标准")
    influences = fields.Note("影响因素")
    timeframe = fields.Text("时间框架", blank=True, default="")
    budget = fields.Text("预算范围", blank=True, default="")
    budget_source = fields.Text("预算来源", blank=True, default="")
    budget_ok = models.BooleanField("预算已确认", default=False)
    need_ok = models.BooleanField("需求已确认", default=False)
    decision_chain = fields.Note("决策链")
    decision_ok = models.BooleanField("决策流程已确认", default=False)
    procurement = fields.Note("采购流程")
    authority = fields.Note("审批权限")
    champion = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="支持者"
    )
    metrics_note = fields.Note("成效指标")
    current_solution = fields.Note("现有方案")
    current_gap = fields.Note("现有不足")
    fit = fields.Choice("匹配度", choices=Degree, null=True)
    purchasing_power = fields.Note("购买能力")
    need_traits = fields.Note("需求特点")
    feasibility = fields.Choice("可行性", choices=Feasibility, null=True)
    evaluated_at = models.DateTimeField("机会评估", null=True, blank=True)
    evaluation = fields.Choice("评估结论", choices=Evaluation, null=True)
    # What it is worth to the customer (PJ-1.1).
    value_metric = fields.Text("价值指标", blank=True, default="")
    value_base = models.DecimalField("基线", max_digits=18, decimal_places=4, null=True, blank=True)
    value_target = models.DecimalField(
        "目标值", max_digits=18, decimal_places=4, null=True, blank=True
    )
    value_text = fields.Note("可衡量客户价值")
    is_preferred = models.BooleanField("视为优选方", default=False)
    direction_given = models.BooleanField("已给初步方向", default=False)
    commitment_at = models.DateTimeField("客户愿继续", null=True, blank=True)
    commitment_proof = fields.Choice("承诺证据", choices=Proof, null=True)
    bought_at = models.DateTimeField("客户已作购买决定", null=True, blank=True)
    customer_state = models.PositiveSmallIntegerField("客户旅程状态", null=True, blank=True)
    next_step = fields.Note("下一步计划")
    next_at = models.DateTimeField("下次跟进", null=True, blank=True)
    strategy = fields.Note("策略")
    loss_reason = fields.TermField("输单原因", domain="loss_reason", null=True)
    loss_note = fields.Note("输赢说明")
    closed_at = models.DateTimeField("关闭", null=True, blank=True)
    initiated_at = models.DateTimeField("立项", null=True, blank=True)
    poc_at = models.DateTimeField("启动验证", null=True, blank=True)
    moved_pipeline_at = models.DateTimeField("换流水线", null=True, blank=True)

    tracked = ("pipeline", "outcome", "amount", "expected_on", "win_rate", "forecast")
    governed = {
        "stage": "advance",
        "left": "advance",
        "outcome": "win",
        "closed_at": "win",
        "loss_reason": "lose",
        "evaluated_at": "evaluate",
        "evaluation": "evaluate",
        "initiated_at": "initiate",
        "major_at": "mark_major",
        "is_major": "mark_major",
        "poc_at": "start_poc",
        "moved_pipeline_at": "change_pipeline",
    }
    reach = {"held": True}

    class Meta(Record.Meta):
        verbose_name = "商机"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(outcome="LOST") | Q(loss_reason__isnull=False),
                name="opportunity_loss_reason",
                violation_error_message="输单要选原因",
            ),
            models.CheckConstraint(
                condition=Q(outcome="OPEN", closed_at=None)
                | (~Q(outcome="OPEN") & Q(closed_at__isnull=False)),
                name="opportunity_closed",
                violation_error_message="已关闭的商机要有关闭时间，在途的没有",
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0),
                name="opportunity_amount",
                violation_error_message="预计合同额不能小于零",
            ),
            models.CheckConstraint(
                condition=Q(win_rate=None) | Q(win_rate__range=(0, 100)),
                name="opportunity_win_rate",
                violation_error_message="赢率在 0 到 100 之间",
            ),
        ]
        indexes = [
            GinIndex(fields=["grams"], name="opportunity_grams"),
            GinIndex(OpClass("pinyin", "gin_trgm_ops"), name="opportunity_pinyin"),
            # The lanes of a board: their cards in order, their sums from the index alone.
            models.Index(
                fields=["stage", "expected_on", "-id"],
                name="opportunity_in_lane",
                condition=Q(outcome="OPEN", removed_at=None),
                include=["amount", "win_rate"],
            ),
            models.Index(
                fields=["from_contract_id"],
                name="opportunity_from_contract",
                condition=Q(from_contract_id__isnull=False),
            ),
        ]


class StageEntry(Record):
    """Somebody's record entered a stage, and when it left; the spans of one do not overlap."""

    subject = fields.AnyField("对象")
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="entries", verbose_name="阶段")
    entered_at = models.DateTimeField("进入")
    left_at = models.DateTimeField("离开", null=True, blank=True)
    left_to = models.ForeignKey(
        Stage, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="去向"
    )
    by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="操作人"
    )

    begins = "entered_at"
    owned_by = "subject"
    reach = {"any": ("subject",)}
    governed = dict.fromkeys(("subject", "stage", "entered_at", "left_at", "left_to"), "advance")

    class Meta(Record.Meta):
        verbose_name = "阶段进出"
        ordering = ["-entered_at", "-id"]
        constraints = [
            ExclusionConstraint(
                name="stage_entry_once",
                expressions=[
                    ("subject_type", RangeOperators.EQUAL),
                    ("subject_id", RangeOperators.EQUAL),
                    (InstantSpan("entered_at", "left_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(removed_at=None),
                violation_error_message="同一商机不能同时在两个阶段",
            )
        ]

    def __str__(self) -> str:
        return f"{self.entered_at:%Y-%m-%d} 进入阶段"


class Step(Record):
    """What was done of a stage's items, of the customer's buying steps or its signing."""

    class Kind(models.TextChoices):
        ACTIVITY = "ACTIVITY", "活动"
        DELIVERABLE = "DELIVERABLE", "交付物"
        CONFIRM = "CONFIRM", "确认项"
        BUYING = "BUYING", "客户采购步骤"
        SIGNING = "SIGNING", "客户侧签批"

    class State(models.TextChoices):
        PENDING = "PENDING", "待办"
        DOING = "DOING", "进行"
        DONE = "DONE", "完成"
        SKIPPED = "SKIPPED", "免除"

    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="steps", verbose_name="商机"
    )
    item = models.ForeignKey(
        StageItem, models.PROTECT, null=True, blank=True, related_name="steps", verbose_name="事项"
    )
    kind = fields.Choice("类别", choices=Kind)
    name = fields.Text("名称")
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="负责人"
    )
    customer_side = fields.Text("客户方负责人", blank=True, default="")
    due_on = models.DateField("预计日", null=True, blank=True)
    done_at = models.DateTimeField("完成", null=True, blank=True)
    proof = models.ForeignKey(
        Attachment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="佐证"
    )
    note = fields.Note("说明")
    state = fields.Choice("状态", choices=State, default=State.PENDING)

    owned_by = "opportunity"
    judges = ("opportunity",)
    reach = {"via": ("opportunity",)}
    stage_field = "state"
    moves = {"PENDING": ("DOING", "DONE", "SKIPPED"), "DOING": ("DONE", "SKIPPED")}
    governed = {"state": "finish_step", "done_at": "finish_step"}

    class Meta(Record.Meta):
        verbose_name = "阶段办理"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "item"],
                condition=Q(removed_at=None),
                name="step_once",
                violation_error_message="这件事项已有办理记录",
            ),
            models.CheckConstraint(
                condition=~Q(state="DONE") | Q(done_at__isnull=False),
                name="step_done_at",
                violation_error_message="完成的事项要有完成时间",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Rivalry(Record):
    """A rival in an opportunity: where we lead, where we trail, what we do (TAG-2.2.3)."""

    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="rivalries", verbose_name="商机"
    )
    rival = fields.TermField("竞争对手", domain="competitor")
    strengths = fields.TermSet("我方优势方面", domain="aspect")
    strength_note = fields.Note("优势")
    weakness_aspects = fields.TermSet("劣势方面", domain="aspect")
    weaknesses = fields.Note("我方劣势")
    landscape = fields.Note("竞争格局")
    counter = fields.Note("应对策略")
    seen_at = models.DateTimeField("出现")

    begins = "seen_at"
    owned_by = "opportunity"
    judges = ("opportunity",)
    reach = {"via": ("opportunity",)}

    class Meta(Record.Meta):
        verbose_name = "竞争记录"
        ordering = ["-seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "rival"],
                condition=Q(removed_at=None),
                name="rivalry_once",
                violation_error_message="这家竞争对手已登记，请直接改它",
            )
        ]

    def __str__(self) -> str:
        return f"{self.seen_at:%Y-%m-%d} 的竞争记录"
