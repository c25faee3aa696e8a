"""Public pools of customers and leads, and the draws that give them out."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Func, Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.org.models import Team


class Pool(Record):
    """Where customers or leads lie that nobody answers for: who may take them, and how many.

    When they fall back is said by the clauses of a regulation, not here.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "CUSTOMER", "客户公海"
        LEAD = "LEAD", "线索池"
        NURTURE = "NURTURE", "培育池"

    class Method(models.TextChoices):
        ROUND_ROBIN = "ROUND_ROBIN", "轮流"
        LOAD = "LOAD", "按在手数量"
        SPECIALITY = "SPECIALITY", "按专长"
        REGION = "REGION", "按区域"

    name = fields.Text("名称")
    kind = fields.Choice("类别", choices=Kind, default=Kind.CUSTOMER)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="pools", verbose_name="所属团队"
    )
    # What falls into it: the first pool by rank whose team, industries and regions fit.
    rank = models.PositiveIntegerField("次序", default=100)
    industries = fields.TermSet("行业", domain="industry")
    regions = fields.TermSet("地域", domain="region")
    starts_at = models.DateTimeField("启用")
    is_active = models.BooleanField("在用", default=True)
    # What one person may take.
    quota = models.PositiveIntegerField("库容", null=True, blank=True)
    counts_won = models.BooleanField("成交客户计入库容", default=False)
    daily_claims = models.PositiveIntegerField("日领取限", null=True, blank=True)
    cool_off_days = models.PositiveIntegerField("前任冷却（天）", null=True, blank=True)
    fresh_hours = models.PositiveIntegerField("新入池保护（小时）", null=True, blank=True)
    # How it is given out.
    method = fields.Choice("分配方式", choices=Method, default=Method.ROUND_ROBIN)
    is_automatic = models.BooleanField("自动分配", default=False)

    class Meta(Record.Meta):
        verbose_name = "公海"
        ordering = ["rank", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(removed_at=None),
                name="pool_name",
                violation_error_message="已有同名的公海",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Digest(Func):
    """SHA-256 of a text as the database computes it, in hexadecimal."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    output_field = models.TextField()


class Allotment(Record):
    """One draw: its seed's digest is published first, the seed and all the rest with the result.

    The seed follows from `nonce` and the installation's secret, so that nothing kept gives it away.
    """

    record = fields.Text("对象类型")
    pool = models.ForeignKey(Pool, models.PROTECT, related_name="allotments", verbose_name="公海")
    nonce = fields.Text("编号", editable=False)
    seed_digest = fields.Text("种子摘要", editable=False)
    seed = fields.Text("种子", blank=True, default="", editable=False)
    method = fields.Choice("分配方式", choices=Pool.Method, null=True, editable=False)
    items = models.JSONField("待分配", default=list, editable=False)
    skipped = models.JSONField("未参加", default=list, editable=False)
    candidates = models.JSONField("候选", default=list, editable=False)
    weights = models.JSONField("权重", default=dict, editable=False)
    result = models.JSONField("结果", default=list, editable=False)
    at = models.DateTimeField("分配时间", null=True, editable=False)
    spread = models.IntegerField("数量极差", null=True, editable=False)

    unlogged = ("items", "skipped", "candidates", "result")

    class Meta(Record.Meta):
        verbose_name = "分配批次"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["pool"],
                condition=Q(at=None, removed_at=None),
                name="allotment_one_sealed",
                violation_error_message="这个公海已有一份公布了摘要、还没有分配的批次",
            ),
            models.CheckConstraint(
                condition=Q(seed="") | Q(seed_digest=Digest(F("seed"))),
                name="allotment_seed_was_promised",
                violation_error_message="种子和先公布的摘要对不上",
            ),
            models.CheckConstraint(
                condition=Q(at=None, seed="") | Q(at__isnull=False) & ~Q(seed=""),
                name="allotment_seed_with_result",
                violation_error_message="种子要和结果一起公布",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool} 第 {self.pk} 批"
