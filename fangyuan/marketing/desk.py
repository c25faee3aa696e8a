"""The desks of campaigns and intelligence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from fangyuan.core import facts
from fangyuan.desk.attachments import Attachments
from fangyuan.desk.columns import Due, Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Facts, Panel, Related, Scene
from fangyuan.desk.timeline import Timeline
from fangyuan.forms.models import Response
from fangyuan.marketing.models import Campaign, Intel
from fangyuan.marketing.models.campaign import BUDGET, CHECKS
from fangyuan.org.models import Message


@dataclass
class Budget(Panel):
    """What each item may cost and what is left; hidden from whoever may not see costs."""

    name: str = "budget"
    title: str = "预算"
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        may_see = "spent" not in scene.hidden
        names = ["budget", *(["spent"] if may_see and _knows_spent() else [])]
        rows = Campaign.objects.everything("已按范围取出").filter(pk=scene.record.pk)
        found = facts.annotate(rows, names).values(*(f"fact_{name}" for name in names))[0]
        total, spent = found["fact_budget"], found.get("fact_spent")
        return {
            "lines": [(label, getattr(scene.record, name)) for name, label in BUDGET.items()],
            "total": total,
            "spent": spent,
            "share": round(100 * spent / total) if total and spent is not None else None,
            "spend_url": f"/resource_usage/new?kind=EXPENSE&campaign={scene.record.pk}",
        }


def _knows_spent() -> bool:
    """Costs are told by the room that keeps what was used."""
    return "spent" in facts.of(Campaign)


@dataclass
class Checks(Panel):
    """The three points of the day, each with whether it was seen to (RES-4.2.2b)."""

    name: str = "checks"
    title: str = "现场检查单"

    def context(self, scene: Scene) -> dict[str, Any]:
        done, stage = set(scene.record.checks), scene.record.stage
        return {
            "lines": [(label, code in done) for code, label in CHECKS],
            "is_over": stage in ("ENDED", "EVALUATED"),
            "url": scene.url("/do/check_campaign") if stage in ("RUNNING", "ENDED") else "",
            "may_check": scene.may_change,
        }


@dataclass
class Lessons(Panel):
    """What its own evaluation said, and what it took from earlier ones (RES-4.2.3f)."""

    name: str = "lessons"
    title: str = "经验教训"

    def context(self, scene: Scene) -> dict[str, Any]:
        rows = Response.objects.everything("活动的评估人人可学").present()
        own = Q(subject_type="campaign", subject_id=scene.record.pk, form__kind="EVALUATE")
        rows = rows.filter(own | Q(pk__in=scene.record.learned_from)).order_by("-submitted_at")
        found = list(rows.select_related("person"))
        return {
            "own": [one for one in found if one.subject_id == scene.record.pk],
            "taken": [one for one in found if one.pk in scene.record.learned_from],
        }


@dataclass
class Readers(Panel):
    """How many of those to whom it was sent have read it (RES-4.1.3a)."""

    name: str = "readers"
    title: str = "阅读"
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        sent = Message.objects.everything("情报的阅读率").filter(
            subject_type="intel", subject_id=scene.record.pk, topic=Message.Topic.INTEL
        )
        told: dict[str, Any] = sent.aggregate(
            sent=Count("pk"), seen=Count("pk", filter=Q(seen_at__isnull=False))
        )
        share = round(100 * told["seen"] / told["sent"]) if told["sent"] else None
        return {**told, "share": share}


register(
    Desk(
        model=Campaign,
        columns=[Title("name", sub="place"), "kind", "stage", "starts_at", "ends_at", Due()],
        filters="kind stage starts_at ends_at ended_at evaluated_at channel method parent due",
        search=["name", "place", "plan_line"],
        sorts=["starts_at", "name"],
        default_sort="-starts_at",
        form=[
            Section("市场活动", "name kind plan_line place form attendees starts_at ends_at"),
            Section("预算", list(BUDGET)),
            Section("促销设计", "method products segment rule", is_more=True),
            Section(
                "广告投放",
                "channel frequency product_fit audience_fit promo_need goal parent",
                is_more=True,
            ),
        ],
        head="kind place starts_at ends_at began_at ended_at",
        badges="stage kind",
        actions="prepare_campaign start_campaign check_campaign adjust_strategy end_campaign"
        " evaluate_campaign reschedule_campaign cancel_campaign",
        board="stage",
        page=[
            Checks(),
            Related("", "情报", record="intel", by="campaign", show="title kind occurred_at"),
            Lessons(),
            Comments(),
            Timeline(),
            Budget(),
            Duties(),
            Facts(),
            Attachments(),
            Approvals(),
        ],
        views=[
            View("进行中", {"stage": "RUNNING"}, "-starts_at"),
            View("筹备中", {"stage": "PLANNED,PREPARING"}, "starts_at"),
            View("待评估", {"stage": "ENDED"}, "-starts_at"),
            View("广告投放", {"kind": "AD"}, "-starts_at"),
            View("品牌动作", {"kind": "AD,PR,CULTURE"}, "-starts_at"),
        ],
        icon="flag",
    )
)
register(
    Desk(
        model=Intel,
        columns=[
            Title("title", sub="source rival"),
            "kind",
            "trust",
            "reporter",
            "occurred_at",
            "valid_until",
            "shared_at",
        ],
        filters="kind source rival trust reporter campaign occurred_at valid_until sorted_at"
        " shared_at due",
        search=["title", "text"],
        sorts=["occurred_at"],
        default_sort="-occurred_at",
        form=[
            Section("情报", "kind title text rival source occurred_at reporter"),
            Section("可信与时效", "trust valid_until"),
            Section("来处", "link campaign agreement", is_more=True),
        ],
        head="kind source rival reporter occurred_at valid_until",
        badges="trust",
        actions="sort_intel share_intel",
        page=[Facts(is_side=False), Comments(), Timeline(), Readers(), Attachments(), Duties()],
        views=[
            View("竞争对手", {"kind": "RIVAL"}, "-occurred_at"),
            View("市场趋势", {"kind": "TREND"}, "-occurred_at"),
            View("客户意见", {"kind": "VOICE"}, "-occurred_at"),
            View("待整理", {"sorted_at": "none"}, "occurred_at"),
            View("待共享", {"shared_at": "none"}, "occurred_at"),
        ],
        icon="radar",
    )
)
