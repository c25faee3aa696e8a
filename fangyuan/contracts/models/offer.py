"""Solutions, quotes with their lines, negotiations, and the points that stand between the sides."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.desk.models import Attachment
from fangyuan.library.models import PriceList, Product
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Person


class Confirmed(models.TextChoices):
    """How a customer said yes (PS-2.4.2.5)."""

    PRINCIPLE = "PRINCIPLE", "原则同意"
    WRITTEN = "WRITTEN", "书面"
    ORAL = "ORAL", "口头"


def _scored(name: str) -> Q:
    return Q(**{name: None}) | Q(**{f"{name}__range": (1, 5)})


class Solution(Record):
    """One version of what is proposed to a customer (KA-4.2, PS-2.3, PA-8)."""

    class Kind(models.TextChoices):
        DRAFT = "DRAFT", "初稿"
        FINAL = "FINAL", "终稿"
        CUSTOM = "CUSTOM", "定制"

    class Feasible(models.TextChoices):
        FEASIBLE = "FEASIBLE", "可行"
        INFEASIBLE = "INFEASIBLE", "不可行"

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "起草"
        PASSED = "PASSED", "审核通过"
        SENT = "SENT", "已提交"
        ACCEPTED = "ACCEPTED", "客户接受"
        DECLINED = "DECLINED", "客户拒绝"
        REVISED = "REVISED", "已改版"

    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="solutions", verbose_name="商机"
    )
    version = models.PositiveIntegerField("版本", default=1)
    kind = fields.Choice("类别", choices=Kind, default=Kind.DRAFT)
    title = fields.Text("标题")
    sections = fields.TextSet("已含章节")
    value_types = fields.TextSet("价值类型")
    amount = fields.Money("金额", null=True)
    nonstandard = models.BooleanField("含非标", default=False)
    roi_in = fields.Money("投入", null=True)
    roi_gain = fields.Money("年收益", null=True)
    roi_payback = models.PositiveIntegerField("回收期（月）", null=True, blank=True)
    roi_basis = fields.Note("假设")
    authors = fields.TextSet("参与部门")
    feasible = fields.Choice("技术可行", choices=Feasible, null=True)
    feasible_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="论证人"
    )
    differs = fields.Note("差异化说明")
    promised_on = models.DateField("承诺提交", null=True, blank=True)
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)
    reviewed_at = models.DateTimeField("评审通过", null=True, blank=True)
    sent_at = models.DateTimeField("提交", null=True, blank=True)
    presented_at = models.DateTimeField("呈现", null=True, blank=True)
    confirmed_at = models.DateTimeField("客户确认", null=True, blank=True)
    confirm_form = fields.Choice("确认方式", choices=Confirmed, null=True)
    confirm_proof = models.ForeignKey(
        Attachment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="确认凭证"
    )
    fits_need = models.PositiveSmallIntegerField("客户需求", null=True, blank=True)
    fits_house = models.PositiveSmallIntegerField("公司利益", null=True, blank=True)
    fits_market = models.PositiveSmallIntegerField("市场竞争力", null=True, blank=True)
    review_note = fields.Note("评审意见")
    answers_point = models.ForeignKey(
        "contracts.Point",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="answered_in",
        verbose_name="回应意见",
    )

    owned_by = "opportunity"
    judges = ("opportunity",)
    reach = {"via": ("opportunity",)}
    stage_field = "stage"
    moves = {
        "DRAFT": ("PASSED",),
        "PASSED": ("SENT", "DRAFT"),
        "SENT": ("ACCEPTED", "DECLINED", "REVISED"),
    }
    governed = {
        "stage": "review_solution",
        "reviewed_at": "review_solution",
        "sent_at": "send_solution",
        "presented_at": "present_solution",
        "confirmed_at": "confirm_solution",
        "confirm_form": "confirm_solution",
        **dict.fromkeys(
            ("fits_need", "fits_house", "fits_market", "review_note"), "score_solution"
        ),
    }

    class Meta(Record.Meta):
        verbose_name = "解决方案"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "version"],
                condition=Q(removed_at=None),
                name="solution_once",
                violation_error_message="这个商机已有这个版本的方案，请换一个版本号",
            ),
            models.CheckConstraint(
                condition=_scored("fits_need") & _scored("fits_house") & _scored("fits_market"),
                name="solution_scores",
                violation_error_message="每项打 1 到 5 分",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} 第 {self.version} 版"


class Quote(Record):
    """One version of a formal offer; what it comes to is the sum of its lines (PS-2.4.2.2)."""

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        APPROVED = "APPROVED", "已批"
        SENT = "SENT", "已提交"
        ACCEPTED = "ACCEPTED", "接受"
        EXPIRED = "EXPIRED", "失效"

    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="quotes", verbose_name="商机"
    )
    solution = models.ForeignKey(
        Solution, models.PROTECT, null=True, blank=True, related_name="quotes", verbose_name="方案"
    )
    number = fields.Text("编号", blank=True, default="")
    version = models.PositiveIntegerField("版本", default=1)
    price_list = models.ForeignKey(
        PriceList, models.PROTECT, related_name="quotes", verbose_name="价格表"
    )
    valid_until = models.DateField("有效期")
    tax_rate = fields.Percent("税率", default=13)
    total = fields.Money("合计", default=0)
    list_total = fields.Money("目录价合计", default=0)
    discount_reason = fields.Note("折扣理由")
    terms = fields.Note("付款与交付条件")
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)
    approved_at = models.DateTimeField("核准", null=True, blank=True)
    sent_at = models.DateTimeField("提交", null=True, blank=True)
    # Digests of what it offers: as approved, and as it went to the customer.
    approved_hash = fields.Text("所批版本", blank=True, default="", editable=False)
    sent_hash = fields.Text("所发版本", blank=True, default="", editable=False)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="改自"
    )

    owned_by = "opportunity"
    judges = ("opportunity",)
    content = ("lines",)
    reach = {"via": ("opportunity",)}
    stage_field = "stage"
    moves = {
        "DRAFT": ("APPROVED",),
        "APPROVED": ("SENT", "EXPIRED", "DRAFT"),
        "SENT": ("ACCEPTED", "EXPIRED"),
    }
    governed = {
        "version": "revise_quote",
        "replaces": "revise_quote",
        "stage": "discount_quote",
        "approved_at": "discount_quote",
        "sent_at": "send_quote",
        "total": "discount_quote",
        "list_total": "discount_quote",
    }

    class Meta(Record.Meta):
        verbose_name = "报价单"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["number", "version"],
                condition=Q(removed_at=None) & ~Q(number=""),
                name="quote_once",
                violation_error_message="这张报价单已有这个版本，请换一个版本号",
            ),
            models.CheckConstraint(
                condition=Q(tax_rate__gte=0) & Q(tax_rate__lte=100),
                name="quote_tax",
                violation_error_message="税率在 0 到 100 之间",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number or '报价单'} 第 {self.version} 版"


class QuoteLine(Record):
    """One product of a quote: how many, at which price beside the list's."""

    quote = models.ForeignKey(Quote, models.PROTECT, related_name="lines", verbose_name="报价")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name="产品")
    quantity = models.DecimalField("数量", max_digits=12, decimal_places=2, default=1)
    price = fields.Money("成交价")
    list_price = fields.Money("目录价", null=True)
    cost = fields.Money("预计成本", null=True)
    deliver_on = models.DateField("交期", null=True, blank=True)
    is_nonstandard = models.BooleanField("非标", default=False)

    owned_by = "quote"
    judges = ("quote",)
    reach = {"via": ("quote__opportunity",)}

    class Meta(Record.Meta):
        verbose_name = "报价行"
        ordering = ["quote_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0) & Q(price__gte=0),
                name="quote_line_sound",
                violation_error_message="数量要大于零，成交价不能小于零",
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.price}"


class Negotiation(Record):
    """One negotiation: goal, floor, strategy, mandate; the floor is for those entitled (PS-2.5)."""

    class Join(models.TextChoices):
        JOINS = "JOINS", "参加"
        STAYS = "STAYS", "不参加"

    class Stage(models.TextChoices):
        PREPARE = "PREPARE", "准备"
        RUNNING = "RUNNING", "进行"
        AGREED = "AGREED", "达成"
        BROKEN = "BROKEN", "破裂"

    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="negotiations", verbose_name="商机"
    )
    goal = fields.Note("目标")
    walk_away = fields.Note("底线")
    strategy = fields.Note("策略")
    mandate = fields.Note("授权范围")
    mandate_rate = fields.Percent("授权让利", null=True)
    within_policy = models.BooleanField("符合价格政策", null=True, blank=True)
    appointed_at = models.DateTimeField("约定时间", null=True, blank=True)
    customer_people = fields.TextSet("客户参与人")
    knows_solution = models.BooleanField("熟悉方案", default=False)
    knows_floor = models.BooleanField("了解客户底线", default=False)
    materials_ready = models.BooleanField("资料已备", default=False)
    manager_joins = fields.Choice("经理参加", choices=Join, null=True)
    join_reason = fields.Note("参加与否理由")
    stage = fields.Choice("状态", choices=Stage, default=Stage.PREPARE)
    started_at = models.DateTimeField("开始", null=True, blank=True)
    ended_at = models.DateTimeField("结束", null=True, blank=True)

    owned_by = "opportunity"
    judges = ("opportunity",)
    reach = {"via": ("opportunity",)}
    stage_field = "stage"
    moves = {"PREPARE": ("RUNNING",), "RUNNING": ("AGREED", "BROKEN")}
    governed = {
        "mandate_rate": "grant_mandate",
        "stage": "start_negotiation",
        "started_at": "start_negotiation",
        "ended_at": "end_negotiation",
    }

    class Meta(Record.Meta):
        verbose_name = "商务谈判"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(started_at=None) | Q(ended_at__gte=F("started_at")),
                name="negotiation_span",
                violation_error_message="结束不能早于开始",
            ),
            models.CheckConstraint(
                condition=Q(mandate_rate=None) | Q(mandate_rate__range=(0, 100)),
                name="negotiation_mandate",
                violation_error_message="授权让利在 0 到 100 之间",
            ),
        ]

    def __str__(self) -> str:
        day = self.appointed_at or self.started_at
        return f"{day:%Y-%m-%d} 的谈判" if day else "准备中的谈判"


class Point(Record):
    """A question, feedback, objection, topic or risk: what was said, answered and settled."""

    class Kind(models.TextChoices):
        QUESTION = "QUESTION", "疑问"
        FEEDBACK = "FEEDBACK", "反馈"
        OBJECTION = "OBJECTION", "异议"
        TOPIC = "TOPIC", "谈判议题"
        RISK = "RISK", "履约风险"

    class Mood(models.TextChoices):
        POSITIVE = "POSITIVE", "积极"
        NEUTRAL = "NEUTRAL", "中性"
        NEGATIVE = "NEGATIVE", "消极"

    opportunity = models.ForeignKey(
        Opportunity, models.PROTECT, related_name="points", verbose_name="商机"
    )
    kind = fields.Choice("类别", choices=Kind)
    topic = fields.TermField("主题", domain="point_topic", null=True)
    solution = models.ForeignKey(
        Solution, models.PROTECT, null=True, blank=True, related_name="points", verbose_name="方案"
    )
    negotiation = models.ForeignKey(
        Negotiation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="points",
        verbose_name="谈判",
    )
    round = models.PositiveSmallIntegerField("轮次", null=True, blank=True)
    raised_at = models.DateTimeField("提出")
    text = fields.Note("内容", blank=False)
    impact = fields.Note("影响")
    answer = fields.Note("应对")
    ours = fields.Note("我方立场")
    theirs = fields.Note("对方立场")
    result = fields.Note("结果")
    concession = fields.Percent("我方让利", null=True)
    contract = models.ForeignKey(
        "contracts.Contract",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="points",
        verbose_name="合同",
    )
    mood = fields.Choice("倾向", choices=Mood, null=True)
    closed_at = models.DateTimeField("关闭", null=True, blank=True)
    led_to = models.ForeignKey(
        Solution,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="引起的方案版本",
    )

    begins = "raised_at"
    owned_by = "opportunity"
    judges = ("opportunity", "negotiation")
    reach = {"via": ("opportunity",)}
    governed = {"closed_at": "close_point"}

    class Meta(Record.Meta):
        verbose_name = "意见与议题"
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(concession=None) | Q(concession__range=(0, 100)),
                name="point_concession",
                violation_error_message="让利在 0 到 100 之间",
            )
        ]

    def __str__(self) -> str:
        return self.text.partition("\n")[0][:40]
