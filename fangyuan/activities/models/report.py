"""What is reported of a period: by a person or a team, on sales, markets or regulations."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.engine.models import Policy
from fangyuan.org.models import Person, Team


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
