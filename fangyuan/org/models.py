"""The organisation over time. Spans hold on `(start, end]` where they say who answers."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField,
    DateRangeField,
    DateTimeRangeField,
    RangeOperators,
)
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Count, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now, TruncDate
from django.db.models.lookups import Exact

from fangyuan.core import facts, fields, text
from fangyuan.core.records import Record

SALES_POSITIONS = (
    "sales_director", "sales_dept_manager", "regional_sales_manager", "sales_manager",
    "ka_manager", "ka_supervisor", "ka_senior_rep", "ka_rep", "senior_sales_rep", "sales_rep",
    "sales_specialist", "sales_assistant", "sdr",
)  # fmt: skip


# Who leads a team of sellers.
MANAGING = ("sales_manager", "ka_manager", "regional_sales_manager", "sales_dept_manager")
# The way up, rung by rung (KA-6.5.2).
LADDERS = (
    ("ka_rep", "ka_senior_rep", "ka_supervisor", "ka_manager", "sales_director"),
    ("sales_specialist", "sales_rep", "senior_sales_rep", "sales_manager", "sales_director"),
)


class DateSpan(Func):
    """`daterange(start, end)`, for exclusion constraints."""

    function = "daterange"
    output_field = DateRangeField()


class InstantSpan(Func):
    """`tstzrange(start, end)`, for exclusion constraints."""

    function = "tstzrange"
    output_field = DateTimeRangeField()


class Team(Record):
    """A company, department, team or body; together they are one tree."""

    class Kind(models.TextChoices):
        COMPANY = "COMPANY", "公司"
        DEPARTMENT = "DEPARTMENT", "部门"
        TEAM = "TEAM", "团队"
        BODY = "BODY", "机构"

    name = fields.Text("名称")
    kind = fields.Choice("类别", choices=Kind, default=Kind.TEAM)
    code = fields.Text("代码", unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    leader = models.ForeignKey(
        "org.Person",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="led",
        verbose_name="负责人",
    )
    regions = fields.TermSet("负责区域", domain="region")
    policies = fields.TextSet("采用的制度")
    shift = fields.Text("班次", blank=True, default="")
    # Which standard papers for selling are current; the library keeps it right.
    kit = fields.TextSet("销售工具包", editable=False)

    tracked = ("policies", "regions", "shift", "kit")
    owned_by = "leader"
    facts = {
        "departments": facts.Rows(
            "成员来自的部门", source="membership", subject="team", value="sent_by__code",
        ),
        "manager_count": facts.Derived("经理人数", kind="int", value=lambda: managers()),
        "filled": facts.Rows(
            "已有人任职的岗位", domain="position", source="membership", subject="team",
            value="position",
        ),
        "owner": facts.Derived("负责人", kind="record", value=lambda: F("leader")),
    }  # fmt: skip

    class Meta(Record.Meta):
        verbose_name = "团队"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


def managers() -> Any:
    """How many hold a manager's position in the team of the outer query today."""
    today = TruncDate(Now())
    rows = Membership._base_manager.filter(
        Q(ends_on=None) | Q(ends_on__gte=today),
        team=OuterRef("pk"),
        starts_on__lte=today,
        is_main=True,
        position__code__in=MANAGING,
        removed_at=None,
    )
    counted = rows.order_by().values("team").annotate(n=Count("person", distinct=True)).values("n")
    return Coalesce(Subquery(counted, output_field=models.IntegerField()), Value(0))


class Person(AbstractBaseUser, Record):
    """An employee and their account."""

    class AccountState(models.TextChoices):
        ACTIVE = "ACTIVE", "启用"
        LOCKED = "LOCKED", "锁定"
        DISABLED = "DISABLED", "停用"

    name = fields.Text("姓名")
    work_no = fields.Text("工号", unique=True, null=True, blank=True)
    phone = fields.Phone("手机")
    email = fields.Email("邮箱")
    manager = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name="直接上级",
    )
    joined_on = models.DateField("入职时间")
    left_on = models.DateField("离职日", null=True, blank=True)
    login = fields.Text("登录名", unique=True, null=True, blank=True)
    account_state = fields.Choice("账户", choices=AccountState, default=AccountState.ACTIVE)
    is_admin = models.BooleanField("系统管理员", default=False, editable=False)
    account_disabled_at = models.DateTimeField("账户停用", null=True, blank=True)
    is_on_duty = models.BooleanField("已上岗", default=True)
    onboarding_passed_at = models.DateTimeField("上岗考核通过", null=True, blank=True)
    competences = fields.TextSet("已登记资质")
    expertise = fields.TermSet("业务专长", domain="expertise")
    teamwork = fields.TermSet("团队协作", domain="teamwork")
    motivation = fields.TermSet("激励方式", domain="motivation")
    motivation_note = fields.Note("激励档案")
    location_consent = models.BooleanField("定位同意", default=False)
    pinyin = fields.Text("拼音", blank=True, default="", editable=False)

    # The access log keeps who signed in and when; a write here would need an actor.
    last_login = None
    begins = "joined_on"
    ends = "left_on"
    known_since = "joined_on"
    owned_by = "id"
    tracked = ("competences",)
    governed = {
        "account_state": "disable_account",
        "account_disabled_at": "disable_account",
        "onboarding_passed_at": "pass_onboarding",
        "is_on_duty": "start_duty",
        "teamwork": "grant_tags",
        "motivation": "adjust_member_tags",
        "motivation_note": "adjust_member_tags",
    }
    unlogged = ("password", "pinyin")
    facts = {
        "roles": facts.Rows(
            "岗位", domain="position", source="membership", subject="person", value="position"
        ),
        "teams": facts.Rows("团队", source="membership", subject="person", value="team__code"),
        "is_sales": facts.HoldsAny("涉销人员", of="roles", values=SALES_POSITIONS),
    }
    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta(Record.Meta):
        verbose_name = "人员"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(manager=F("id")), name="person_not_own_manager")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.account_state == self.AccountState.ACTIVE and self.removed_at is None

    def index(self) -> None:
        self.pinyin = text.person_pinyin(self.name).key


class Membership(Record):
    """A person in a position of a team for a span of days."""

    class Kind(models.TextChoices):
        HIRE = "HIRE", "入职"
        PROMOTE = "PROMOTE", "晋升"
        ROTATE = "ROTATE", "轮岗"
        MOVE = "MOVE", "调岗"
        CONCURRENT = "CONCURRENT", "兼职"

    person = models.ForeignKey(
        Person, models.PROTECT, related_name="memberships", verbose_name="人员"
    )
    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships", verbose_name="团队")
    position = fields.TermField("岗位", domain="position")
    is_main = models.BooleanField("主职", default=True)
    kind = fields.Choice("缘由", choices=Kind, default=Kind.HIRE)
    starts_on = models.DateField("起")
    ends_on = models.DateField("止", null=True, blank=True)
    sent_by = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="sent", verbose_name="派出部门"
    )
    wish = fields.Note("意向")
    basis = fields.Note("依据")
    summary = fields.Note("总结")

    begins = "starts_on"
    judges = ("team",)
    facts = {
        "is_one_step": facts.Derived("逐级", kind="bool", value=lambda: one_step()),
    }

    class Meta(Record.Meta):
        verbose_name = "任职"
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="membership_span"
            ),
            ExclusionConstraint(
                name="membership_one_main",
                expressions=[
                    ("person", RangeOperators.EQUAL),
                    (DateSpan("starts_on", "ends_on", Value("[]")), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_main=True, removed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.position}"


def one_step() -> Any:
    """Whether the position is the next rung above the one held just before (KA-6.5.2)."""
    before = Membership._base_manager.filter(
        person=OuterRef("person"),
        starts_on__lt=OuterRef("starts_on"),
        is_main=True,
        removed_at=None,
    ).order_by("-starts_on", "-pk")
    held = Subquery(before.values("position__code")[:1])
    steps = [
        When(Q(position__code=above) & Exact(held, Value(below)), then=Value(True))
        for ladder in LADDERS
        for below, above in itertools.pairwise(ladder)
    ]
    return Case(*steps, default=Value(False), output_field=models.BooleanField())


class Holding(Record):
    """A person answers for, helps with or may see a record, for a span of time."""

    class Role(models.TextChoices):
        OWNER = "OWNER", "负责人"
        COLLABORATOR = "COLLABORATOR", "协作人"
        PRESALES = "PRESALES", "售前"
        TECHNICAL = "TECHNICAL", "技术支持"
        AFTERSALES = "AFTERSALES", "售后"
        CSM = "CSM", "客户成功"
        PROJECT = "PROJECT", "项目经理"
        PRODUCT = "PRODUCT", "产品"
        READER = "READER", "授权查看"

    subject = fields.AnyField("对象")
    person = models.ForeignKey(Person, models.PROTECT, related_name="holdings", verbose_name="人员")
    role = fields.Choice("角色", choices=Role, default=Role.OWNER)
    can_write = models.BooleanField("可写", default=True)
    starts_at = models.DateTimeField("起")
    ends_at = models.DateTimeField("止", null=True, blank=True)
    reason = fields.Text("理由", blank=True, default="")
    from_pool = models.BooleanField("来自公海", default=False)
    extended_at = models.DateTimeField("延期", null=True, blank=True)

    begins = "starts_at"
    owned_by = "person"
    # A duty about a holding is said of what is held.
    spoken_of = "subject"

    class Meta(Record.Meta):
        verbose_name = "归属"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="holding_span"
            ),
            ExclusionConstraint(
                name="holding_one_owner",
                expressions=[
                    ("subject_type", RangeOperators.EQUAL),
                    ("subject_id", RangeOperators.EQUAL),
                    (InstantSpan("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(role="OWNER", removed_at=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["person", "subject_type", "subject_id"],
                name="holding_of_person",
                include=["role", "starts_at", "ends_at", "removed_at"],
            ),
            models.Index(fields=["subject_type", "subject_id", "role"], name="holding_of_subject"),
            models.Index(
                fields=["subject_id", "subject_type", "starts_at"],
                name="holding_of_owner",
                condition=Q(role="OWNER", removed_at=None),
                include=["person", "ends_at"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}（{self.get_role_display()}）"


class Leave(Record):
    """An absence asked for, with the colleague who stands in."""

    class Kind(models.TextChoices):
        ANNUAL = "ANNUAL", "年休"
        SICK = "SICK", "病假"
        PERSONAL = "PERSONAL", "事假"
        OTHER = "OTHER", "其他"

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        WAITING = "WAITING", "待批"
        APPROVED = "APPROVED", "已批"
        REFUSED = "REFUSED", "未批"
        CANCELLED = "CANCELLED", "撤销"

    person = models.ForeignKey(Person, models.PROTECT, related_name="leaves", verbose_name="请假人")
    kind = fields.Choice("类型", choices=Kind, default=Kind.PERSONAL)
    requested_at = models.DateTimeField("申请时间")
    starts_at = models.DateTimeField("开始")
    ends_at = models.DateTimeField("结束")
    reason = fields.Note("事由")
    late_reason = fields.Note("补办说明")
    stand_in = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="stands_in",
        verbose_name="交接人",
    )
    handover_items = fields.Note("交接事项")
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)

    begins = "starts_at"
    stage_field = "stage"
    moves = {"DRAFT": ("WAITING",), "WAITING": ("APPROVED", "REFUSED"), "APPROVED": ("CANCELLED",)}
    reach = {"people": ("person", "stand_in")}
    facts = {
        "asked_ahead": facts.Derived(
            "申请早于开始",
            kind="bool",
            value=lambda: Case(
                When(requested_at__lt=F("starts_at"), then=Value(True)),
                default=Value(False),
                output_field=models.BooleanField(),
            ),
        ),
    }

    class Meta(Record.Meta):
        verbose_name = "请假"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="leave_span"),
            models.CheckConstraint(
                condition=Q(stand_in=None) | ~Q(stand_in=F("person")), name="leave_other_stand_in"
            ),
            ExclusionConstraint(
                name="leave_once",
                expressions=[
                    ("person", RangeOperators.EQUAL),
                    (InstantSpan("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(stage="APPROVED", removed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.get_kind_display()}"


class Message(Record):
    """A reminder or notice to one person; `step_key` makes sure that each is sent once.

    `channel` says where it is read: in the inbox, or (a digest) only where it was sent.
    """

    class Kind(models.TextChoices):
        REMIND = "REMIND", "提醒"
        NOTICE = "NOTICE", "通知"
        SIGN = "SIGN", "签收"
        ALERT = "ALERT", "预警"
        DIGEST = "DIGEST", "汇总"

    class By(models.TextChoices):
        INBOX = "INBOX", "站内"
        MAIL = "MAIL", "邮件"
        WECOM = "WECOM", "企业微信"
        DINGTALK = "DINGTALK", "钉钉"
        LARK = "LARK", "飞书"
        SMS = "SMS", "短信"
        MEETING = "MEETING", "会议"

    class Topic(models.TextChoices):
        DUE = "DUE", "义务到期"
        ESCALATION = "ESCALATION", "逾期升级"
        ALERT = "ALERT", "预警"
        APPROVAL = "APPROVAL", "审批"
        RECTIFICATION = "RECTIFICATION", "整改"
        SIGN = "SIGN", "制度签收"
        HOLDING = "HOLDING", "归属变动"
        WORK = "WORK", "任务与会议"
        MENTION = "MENTION", "评论提到"
        INTEL = "INTEL", "情报共享"
        DIGEST = "DIGEST", "汇总"
        SYSTEM = "SYSTEM", "系统运行"

    person = models.ForeignKey(
        Person, models.PROTECT, related_name="messages", verbose_name="收件人"
    )
    kind = fields.Choice("类别", choices=Kind)
    topic = fields.Choice("事项", choices=Topic, default=Topic.SYSTEM)
    subject = fields.AnyField("对象", null=True)
    obligations = ArrayField(
        models.BigIntegerField(), default=list, blank=True, verbose_name="所涉义务"
    )
    title = fields.Text("标题")
    text = fields.Note("内容")
    channel = fields.Choice("渠道", choices=By, default=By.INBOX)
    sent_at = models.DateTimeField("发出")
    seen_at = models.DateTimeField("已读", null=True, blank=True)
    confirmed_at = models.DateTimeField("确认", null=True, blank=True)
    acted_at = models.DateTimeField("处理", null=True, blank=True)
    step_key = fields.Text("去重键", unique=True)

    begins = "sent_at"
    passes_on = False
    reach = {"people": ("person",)}
    governed = {"confirmed_at": "sign_message"}

    class Meta(Record.Meta):
        verbose_name = "消息"
        ordering = ["-sent_at", "-id"]
        indexes = [
            models.Index(fields=["person", "seen_at"], name="message_unseen"),
            models.Index(fields=["person", "-sent_at", "-id"], name="message_of_person"),
            models.Index(fields=["sent_at"], name="message_unacted", condition=Q(acted_at=None)),
            GinIndex(fields=["obligations"], name="message_of_duty"),
        ]

    def __str__(self) -> str:
        return self.title


def signed_in(person: Any) -> bool:
    """Whether the request carries a known, enabled person."""
    return isinstance(person, Person) and person.is_active
