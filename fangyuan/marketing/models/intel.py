"""Intelligence: one piece of what is known of the trade, the market, a rival, or from customers."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.library.models import Agreement
from fangyuan.marketing.models.campaign import Campaign
from fangyuan.org.models import Person

WAYS = [("TRAINING", "内部培训"), ("MAIL", "邮件"), ("MEETING", "会议"), ("MESSAGE", "站内消息")]


class Intel(Record):
    """One piece of intelligence: what, from whom, how sure, until when it is worth something."""

    class Kind(models.TextChoices):
        NEWS = "NEWS", "行业动态"
        TREND = "TREND", "市场趋势"
        RIVAL = "RIVAL", "竞争对手情况"
        VOICE = "VOICE", "客户意见"
        MARKET = "MARKET", "市场信息"

    class Trust(models.TextChoices):
        CONFIRMED = "CONFIRMED", "已证实"
        LIKELY = "LIKELY", "可信"
        RUMOUR = "RUMOUR", "待证实"

    kind = fields.Choice("类别", choices=Kind)
    title = fields.Text("标题")
    text = fields.Text("内容")
    source = fields.TermField("来源", domain="intel_source")
    link = fields.Text("原文地址", blank=True, default="")
    trust = fields.Choice("可信度", choices=Trust, default=Trust.LIKELY)
    rival = fields.TermField("竞争对手", domain="competitor", null=True)
    occurred_at = models.DateTimeField("取得")
    valid_until = models.DateField("有效期至", null=True, blank=True)
    reporter = models.ForeignKey(
        Person, models.PROTECT, related_name="intel", verbose_name="提供人"
    )
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="intel",
        verbose_name="订阅或报告",
    )
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="intel",
        verbose_name="参加的活动",
    )
    sorted_at = models.DateTimeField("分类整理", null=True, blank=True)
    shared_at = models.DateTimeField("共享", null=True, blank=True)
    share_by = fields.ChoiceSet("共享渠道", vocabulary=WAYS)

    begins = "occurred_at"
    owned_by = "reporter"
    passes_on = False
    reach = {"people": ("reporter",)}
    governed = {
        "sorted_at": "sort_intel",
        "shared_at": "share_intel",
        "share_by": "share_intel",
    }

    class Meta(Record.Meta):
        verbose_name = "情报"
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="RIVAL") | Q(rival__isnull=False),
                name="intel_rival_named",
                violation_error_message="竞争对手情况要写明是哪个对手",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("occurred_at__date")),
                name="intel_valid",
                violation_error_message="有效期不能早于取得的那天",
            ),
        ]
        indexes = [models.Index(fields=["kind", "-occurred_at"], name="intel_of_kind")]

    def __str__(self) -> str:
        return self.title
