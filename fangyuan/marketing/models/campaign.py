"""Campaigns: what the company does so that it becomes known; leads name the one they came from."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import F, Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.metrics.models import Target

# RES-4.2.1b: the items of a budget, each a column of its own; what is not needed is 0.
BUDGET: Final = {
    "venue_budget": "场地租赁",
    "equipment_budget": "设备租赁",
    "publicity_budget": "宣传推广",
    "staff_budget": "人员费用",
    "gift_budget": "礼品奖品",
    "other_budget": "其他",
}
CHECKS: Final = [(one, one) for one in ("现场管理", "客户接待", "互动环节设计")]  # RES-4.2.2b


def _of_budget(name: str) -> Any:
    return fields.Money(BUDGET[name], null=True)


class Campaign(Record):
    """One fair, seminar, promotion, advertisement or act for the brand."""

    class Kind(models.TextChoices):
        EXPO = "EXPO", "展会"
        SEMINAR = "SEMINAR", "研讨会"
        PROMOTION = "PROMOTION", "促销"
        AD = "AD", "广告投放"
        ONLINE = "ONLINE", "线上活动"
        OFFLINE = "OFFLINE", "线下活动"
        CONTENT = "CONTENT", "内容营销"
        PR = "PR", "公关"
        CULTURE = "CULTURE", "文化建设"

    class Stage(models.TextChoices):
        PLANNED = "PLANNED", "计划"
        PREPARING = "PREPARING", "筹备"
        RUNNING = "RUNNING", "进行"
        ENDED = "ENDED", "结束"
        EVALUATED = "EVALUATED", "已评估"
        CANCELLED = "CANCELLED", "取消"

    name = fields.Text("主题")
    kind = fields.Choice("类别", choices=Kind)
    plan_line = fields.Text("年度计划项", blank=True, default="")
    place = fields.Text("地点", blank=True, default="")
    form = fields.Text("形式", blank=True, default="")
    attendees = fields.Note("参与人员")
    starts_at = models.DateTimeField("开始", null=True, blank=True)
    ends_at = models.DateTimeField("结束", null=True, blank=True)
    reschedule_note = fields.Note("改期原因")
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name="关联推广计划",
    )
    goal = models.ForeignKey(
        Target,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name="关联销售目标",
    )
    # What it costs.
    venue_budget = _of_budget("venue_budget")
    equipment_budget = _of_budget("equipment_budget")
    publicity_budget = _of_budget("publicity_budget")
    staff_budget = _of_budget("staff_budget")
    gift_budget = _of_budget("gift_budget")
    other_budget = _of_budget("other_budget")
    # A promotion: how, what, for whom, under which rule (DAY-4.3.1).
    method = fields.TermField("促销方式", domain="promotion", null=True)
    products = fields.RefSet("产品", to="product")
    segment = fields.Note("客群")
    rule = fields.Note("促销规则")
    # An advertisement: where, how often, and why there (RES-4.3.1, RES-4.3.2a).
    channel = fields.TermField("渠道", domain="ad_channel", null=True)
    frequency = fields.Text("频率", blank=True, default="")
    product_fit = fields.Note("产品特点依据")
    audience_fit = fields.Note("客群依据")
    promo_need = fields.Note("推广需求依据")
    strategy_note = fields.Note("调整的内容与依据")
    strategy_changed_at = models.DateTimeField("策略调整", null=True, blank=True)
    # How it went.
    stage = fields.Choice("状态", choices=Stage, default=Stage.PLANNED)
    checks = fields.ChoiceSet("已落实检查点", vocabulary=CHECKS)
    began_at = models.DateTimeField("实际开始", null=True, blank=True)
    ended_at = models.DateTimeField("实际结束", null=True, blank=True)
    evaluated_at = models.DateTimeField("效果评估完成", null=True, blank=True)
    # Evaluations of earlier campaigns from which it took a lesson (RES-4.2.3f).
    learned_from = fields.RefSet("采纳的经验教训", to="response")

    tracked = ("kind", "stage", "checks")
    stage_field = "stage"
    moves = {
        "PLANNED": ("PREPARING", "RUNNING", "CANCELLED"),
        "PREPARING": ("RUNNING", "CANCELLED"),
        "RUNNING": ("ENDED",),
        "ENDED": ("EVALUATED",),
    }
    governed = {
        "stage": "start_campaign",
        "starts_at": "reschedule_campaign",
        "ends_at": "reschedule_campaign",
        "reschedule_note": "reschedule_campaign",
        "began_at": "start_campaign",
        "ended_at": "end_campaign",
        "evaluated_at": "evaluate_campaign",
        "checks": "check_campaign",
        "strategy_note": "adjust_strategy",
        "strategy_changed_at": "adjust_strategy",
        "learned_from": "take_lesson",
    }

    class Meta(Record.Meta):
        verbose_name = "市场活动"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gte=F("starts_at")),
                name="campaign_span",
                violation_error_message="活动的结束不能早于开始",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{name: None}) | Q(**{f"{name}__gte": 0}),
                    name=f"campaign_{name}",
                    violation_error_message=f"{label}的预算不能小于零",
                )
                for name, label in BUDGET.items()
            ),
        ]
        indexes = [models.Index(fields=["kind", "-starts_at"], name="campaign_of_kind")]

    def __str__(self) -> str:
        return self.name
