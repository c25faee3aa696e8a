"""The rulebook and its ledger: policies, clauses, rules; obligations and their moves; approvals."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record, Row
from fangyuan.engine.debts import Debt as Debt
from fangyuan.engine.episodes import Alert as Alert
from fangyuan.engine.requests import Approval as Approval
from fangyuan.engine.requests import Decision as Decision
from fangyuan.engine.requests import Request as Request
from fangyuan.org.models import InstantSpan, Person, Team


class InFlight(models.TextChoices):
    """What becomes of duties that are not due yet when a new version takes effect."""

    OLD = "OLD", "老案老办法"
    NEW = "NEW", "新案新办法"
    MILD = "MILD", "从旧兼从轻"


class Policy(Record):
    """One version of a regulation, with its span of effect; as a draft, what it would change."""

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        REPLAYED = "REPLAYED", "已试算"
        WAITING = "WAITING", "待批"
        PUBLISHED = "PUBLISHED", "已发布"
        SUPERSEDED = "SUPERSEDED", "已废止"

    code = fields.Text("代码")
    number = fields.Text("政策编号", blank=True, default="")
    title = fields.Text("名称")
    version = fields.Text("版本")
    publisher = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="归口部门"
    )
    applies_to = fields.TextSet("适用岗位与部门")
    scope_note = fields.Note("适用说明")
    starts_on = models.DateField("生效日", null=True, blank=True)
    ends_on = models.DateField("失效日", null=True, blank=True)
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)
    published_at = models.DateTimeField("发布时间", null=True, blank=True)
    digest = fields.Text("内容摘要", blank=True, default="", editable=False)
    supersedes = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="heirs", verbose_name="取代"
    )
    summary = fields.Text("改动", blank=True, default="")
    changes = models.JSONField("改动内容", default=dict, blank=True)
    in_flight = fields.Choice("在办义务", choices=InFlight, default=InFlight.OLD)
    shadow_since = models.DateTimeField("试运行自", null=True, editable=False)
    shadow_team = models.ForeignKey(
        Team, models.PROTECT, null=True, editable=False, related_name="+", verbose_name="试运行部门"
    )

    stage_field = "stage"
    moves = {
        "DRAFT": ("REPLAYED",),
        "REPLAYED": ("WAITING", "DRAFT"),
        "WAITING": ("PUBLISHED", "DRAFT"),
        "PUBLISHED": ("SUPERSEDED",),
    }

    class Meta(Record.Meta):
        verbose_name = "制度"
        ordering = ["code", "-starts_on"]
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="policy_version")]

    def __str__(self) -> str:
        return f"《{self.title}》"


class Clause(Record):
    """One numbered provision, bound to what carries it out."""

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="clauses", verbose_name="制度")
    number = fields.Text("条号")
    title = fields.Text("短名", blank=True, default="")
    text = fields.Note("内容")
    area = fields.Text("领域")
    kind = fields.Text("性质")
    chapter = fields.Text("章", blank=True, default="")
    params = models.JSONField("参数", default=dict, blank=True)
    bindings = models.JSONField("绑定", default=list, blank=True)
    evidence = fields.Note("证据")
    acceptance = fields.Note("验收情形")
    uses_default = models.BooleanField("用默认值", default=False)

    class Meta(Record.Meta):
        verbose_name = "条款"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="clause_number")]
        indexes = [models.Index(fields=["number"], name="clause_by_number")]

    def __str__(self) -> str:
        return self.number


class Rule(Record):
    """The executable part of a clause: one of six kinds, with typed parameters, for a span."""

    class Kind(models.TextChoices):
        DEADLINE = "DEADLINE", "期限"
        CADENCE = "CADENCE", "频率"
        GATE = "GATE", "门槛"
        APPROVAL = "APPROVAL", "审批"
        REQUIRED = "REQUIRED", "必填与校验"
        ALERT = "ALERT", "预警"

    clause = models.ForeignKey(Clause, models.PROTECT, related_name="rules", verbose_name="条款")
    line = models.PositiveIntegerField("序", default=0)
    kind = fields.Choice("种类", choices=Kind)
    record = fields.Text("对象类型")
    params = models.JSONField("参数")
    starts_at = models.DateTimeField("起")
    ends_at = models.DateTimeField("止", null=True, blank=True)
    is_shadow = models.BooleanField("试运行", default=False)
    # The version that brought the rule; the clause may have gone on to a later one.
    policy = models.ForeignKey(
        Policy, models.PROTECT, null=True, editable=False, related_name="rules", verbose_name="版本"
    )
    follows = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="followers",
        verbose_name="接替",
    )  # fmt: skip
    in_flight = fields.Choice("在办义务", choices=InFlight, default=InFlight.OLD, editable=False)

    begins = "starts_at"

    class Meta(Record.Meta):
        verbose_name = "规则"
        ordering = ["clause", "line", "starts_at"]
        constraints = [
            ExclusionConstraint(
                name="rule_one_version",
                expressions=[
                    ("clause", RangeOperators.EQUAL),
                    ("line", RangeOperators.EQUAL),
                    (InstantSpan("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_shadow=False, removed_at=None),
            )
        ]

    def __str__(self) -> str:
        again = f"（第 {self.line + 1} 条规则）" if self.line else ""
        return f"{self.clause.number} {self.clause.title}".strip() + again

    @property
    def version(self) -> str:
        """The version of the regulation that brought the rule."""
        return self.policy.version if self.policy else self.clause.policy.version


class Replay(Row):
    """A draft tried on the past, asked for by a person or kept up for a draft that runs beside."""

    class Stage(models.TextChoices):
        WAITING = "WAITING", "排队"
        RUNNING = "RUNNING", "试算中"
        DONE = "DONE", "完成"
        FAILED = "FAILED", "没有算成"

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="replays", verbose_name="草稿")
    starts_on = models.DateField("自")
    ends_on = models.DateField("至")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="+", verbose_name="部门")
    is_shadow = models.BooleanField("试运行", default=False)
    stage = fields.Choice("状态", choices=Stage, default=Stage.WAITING)
    percent = models.PositiveSmallIntegerField("进度", default=0)
    asked_by = models.ForeignKey(
        Person, models.PROTECT, null=True, related_name="+", verbose_name="发起人"
    )
    asked_at = models.DateTimeField("发起", db_default=TransactionNow())
    # Of the draft's content: a later edit makes the figures those of another draft.
    seal = fields.Text("内容摘要")
    result = models.JSONField("结果", default=dict)
    message = fields.Note("说明")

    class Meta(Row.Meta):
        verbose_name = "试算"
        ordering = ["-id"]


class State(models.TextChoices):
    """What became of an obligation."""

    OPEN = "OPEN", "未到期"
    MET = "MET", "按时"
    LATE = "LATE", "迟办"
    BREACHED = "BREACHED", "违规"
    VOID = "VOID", "作废"
    WAIVED = "WAIVED", "豁免"


class Obligation(Row):
    """One duty of one person about one record for one occurrence; partitioned by month.

    The table is made by hand-written SQL in the migrations (Django knows no partitions).
    """

    rule = models.ForeignKey(
        Rule, models.DO_NOTHING, related_name="obligations", verbose_name="规则"
    )
    subject = fields.AnyField("对象")
    occurrence = fields.Text("发生")
    began_on = models.DateField("起月")
    began_at = models.DateTimeField("起")
    person = models.ForeignKey(
        Person, models.DO_NOTHING, null=True, related_name="obligations", verbose_name="责任人"
    )
    due_at = models.DateTimeField("到期")
    met_at = models.DateTimeField("完成", null=True)
    state = fields.Choice("状态", choices=State)
    cause = models.JSONField("缘由", default=dict)
    wakes_at = models.DateTimeField("时间到此会变", null=True, editable=False)
    # When the ledger first held it; duties from before the ledger kept its history have none.
    entered_at = models.DateTimeField("入账", null=True, editable=False)

    reach = {"people": ("person",)}

    class Meta(Row.Meta):
        managed = False
        db_table = "engine_obligation"
        verbose_name = "义务"


class Move(Row):
    """One change of an obligation's state, person or times, with what stood there before."""

    obligation_id = models.BigIntegerField("义务")
    began_on = models.DateField("起月")
    was = fields.Text("前", null=True)
    became = fields.Text("后")
    at = models.DateTimeField("时间", db_default=TransactionNow())
    because = models.JSONField("原因", default=dict)
    person_was_id = models.BigIntegerField("责任人前", null=True)
    due_was = models.DateTimeField("到期前", null=True)
    met_was = models.DateTimeField("完成前", null=True)

    class Meta(Row.Meta):
        verbose_name = "义务变动"
        indexes = [models.Index(fields=["obligation_id", "at"], name="move_of_obligation")]


class Tally(Row):
    """How many duties of one rule, person and due day stand in one state; kept by the settling."""

    rule_id = models.BigIntegerField("规则")
    person_id = models.BigIntegerField("责任人", null=True)
    due_on = models.DateField("到期日")
    state = fields.Text("状态")
    number = models.BigIntegerField("件数")

    reach = {"people": ("person_id",)}

    class Meta(Row.Meta):
        verbose_name = "义务计数"
        constraints = [
            models.UniqueConstraint(
                fields=["rule_id", "due_on", "state", "person_id"],
                name="tally_once",
                nulls_distinct=False,
            )
        ]


class TallyMove(Row):
    """By how much a tally changed on the day `known_on`, as the ledger learnt of it.

    The changes up to the end of a day add up to the tallies as they stood then.
    """

    known_on = models.DateField("入账日")
    rule_id = models.BigIntegerField("规则")
    person_id = models.BigIntegerField("责任人", null=True)
    due_on = models.DateField("到期日")
    state = fields.Text("状态")
    number = models.BigIntegerField("增减件数")

    reach = {"people": ("person_id",)}

    class Meta(Row.Meta):
        verbose_name = "计数变动"
        constraints = [
            models.UniqueConstraint(
                fields=["rule_id", "due_on", "known_on", "state", "person_id"],
                name="tally_move_once",
                nulls_distinct=False,
            )
        ]


class Progress(Row):
    """How far the sweep has come: one row for the whole, one for each rule."""

    rule = models.OneToOneField(
        Rule, models.CASCADE, null=True, related_name="progress", verbose_name="规则"
    )
    cursor = models.BigIntegerField("已读到的事务号", default=0)
    as_of = models.DateTimeField("扫描时点", null=True)
    beat_at = models.DateTimeField("最近完成", null=True)
    reminded_at = models.DateTimeField("提醒到", null=True)
    # From when the ledger's history is what it held then; before, it is inferred.
    kept_since = models.DateTimeField("账本起记", null=True)
    failed_at = models.DateTimeField("失败时间", null=True)
    error = fields.Note("错误")

    class Meta(Row.Meta):
        verbose_name = "扫描进度"


class Wake(Row):
    """An instant in a record's future at which the sweep must look at it again."""

    record = fields.Text("对象类型")
    record_id = models.BigIntegerField("对象编号")
    at = models.DateTimeField("时刻")

    class Meta(Row.Meta):
        verbose_name = "待到时刻"
        constraints = [
            models.UniqueConstraint(fields=["record", "record_id", "at"], name="wake_once")
        ]
        indexes = [models.Index(fields=["at"], name="wake_at")]


class Refusal(Row):
    """What a person tried and rules or rights refused, with the clause on account of which.

    One row a day for the same person, deed, record and clause; trying again raises its number.
    """

    on = models.DateField("日期")
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="refusals", verbose_name="尝试的人"
    )
    action = fields.Text("动作")
    subject = fields.AnyField("对象", null=True)
    clause = fields.Text("条号")
    sentence = fields.Note("为什么不行")
    channel = fields.Text("途径")
    first_at = models.DateTimeField("第一次")
    last_at = models.DateTimeField("最近一次")
    number = models.PositiveIntegerField("次数", default=1)

    reach = {"people": ("person",)}

    class Meta(Row.Meta):
        verbose_name = "拦截记录"
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["on", "person", "action", "subject_type", "subject_id", "clause"],
                name="refusal_once_a_day",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["clause", "last_at"], name="refusal_of_clause")]

    def __str__(self) -> str:
        return f"{self.clause or '权限'} 拦下{self.action}"


class Waiver(Record):
    """An approved exemption of a record or person from a clause for a span of time.

    Only an active one is read by the rules; it is never put in force by whoever gains by it.
    """

    class Stage(models.TextChoices):
        REQUESTED = "REQUESTED", "待批"
        ACTIVE = "ACTIVE", "已准"
        REFUSED = "REFUSED", "未准"

    clause = fields.Text("条号")
    subject = fields.AnyField("对象", null=True)
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="waivers", verbose_name="人员"
    )
    starts_at = models.DateTimeField("起")
    ends_at = models.DateTimeField("止")
    reason = fields.Note("理由")
    asked_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="申请人"
    )
    granted_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="批准人"
    )
    granted_at = models.DateTimeField("批准时间", null=True, blank=True)
    stage = fields.Choice("状态", choices=Stage, default=Stage.REQUESTED)
    end_reason = fields.Note("提前结束的理由")

    begins = "starts_at"
    reach = {"people": ("person", "asked_by"), "any": ("subject",)}
    # History that is brought in was agreed to elsewhere.
    implied = {"stage": ("starts_at", "ACTIVE")}
    stage_field = "stage"
    moves = {"REQUESTED": ("ACTIVE", "REFUSED")}
    governed = dict.fromkeys(("stage", "asked_by", "granted_by", "granted_at"), "waive")

    class Meta(Record.Meta):
        verbose_name = "豁免"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="waiver_span",
                violation_error_message="豁免的止要晚于起",
            ),
            models.CheckConstraint(
                condition=~Q(subject_id=None) | ~Q(person=None),
                name="waiver_of_something",
                violation_error_message="豁免要写明对象或人员",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clause} 豁免"
