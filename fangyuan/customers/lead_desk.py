"""The desks of leads and of the touches that warm them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fangyuan import door
from fangyuan.core import facts
from fangyuan.customers import holding, scoring
from fangyuan.customers.models import Lead, Touch
from fangyuan.desk.columns import Cell, Column, Due, Facade, Owner, Title
from fangyuan.desk.declare import Desk, Section, View, extend, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Facts, Panel, Related, Scene, Team
from fangyuan.desk.timeline import Source, Timeline
from fangyuan.library.models import Material
from fangyuan.marketing.models import Campaign
from fangyuan.org.models import Person

BANT = {
    "budget": "预算（B）",
    "authority": "权限（A）",
    "need_detail": "需求（N）",
    "timeline": "时间（T）",
}


def enter(deed: door.Deed, values: dict[str, Any]) -> Lead:
    """Write a new lead; whoever sells and enters one follows it, marketing's go to be shared."""
    lead: Lead = deed.create(Lead, values)
    sellers = facts.annotate(Person.objects.everything("谁来跟进"), ["is_sales"])
    if deed.by is not None and sellers.filter(pk=deed.by.pk, fact_is_sales=True).exists():
        holding.hand_to(lead, deed.by, at=deed.at, reason="自主开发")
    return lead


class Score(Column):
    """The score, with what it is made of where the pointer rests."""

    def fields(self) -> tuple[str, ...]:
        return ("score", "score_parts")

    def cell(self, row: Any, facade: Facade) -> Cell:
        told = "；".join(f"{part['label']} {part['points']:+d}" for part in row.score_parts)
        return Cell("hint", row.score, note=told)


@dataclass
class Points(Panel):
    """What the score is made of, how far it is from handing over, and what would add to it."""

    name: str = "points"
    title: str = "评分"
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        lead = scene.record
        got = {part["code"] for part in lead.score_parts}
        wanted = scoring.threshold()
        return {
            "score": lead.score,
            "parts": lead.score_parts,
            "rest": [p for p in scoring.points() if p.code not in got and p.points > 0],
            "wanted": wanted,
            "short": (wanted or 0) - lead.score,
            "clause": scoring.CLAUSE,
            "share": min(100, round(100 * max(lead.score, 0) / wanted)) if wanted else None,
        }


@dataclass
class Bant(Panel):
    """Budget, authority, need and time: what is known, and what has yet to be asked."""

    name: str = "bant"
    title: str = "BANT 评估"

    def context(self, scene: Scene) -> dict[str, Any]:
        lead = scene.record
        lines = [(label, getattr(lead, name)) for name, label in BANT.items()]
        return {
            "lines": lines,
            "known": sum(bool(value) for _, value in lines),
            "intent": lead.get_intent_display() if lead.intent else "",
            "chain": lead.decision_chain,
            "url": scene.url("/do/assess_lead") if scene.may_change else "",
        }


def _touch(row: Any) -> dict[str, Any]:
    text = str(row.material or "") or row.content or str(row.campaign or "")
    return {"title": row.get_kind_display(), "text": text}


register(
    Desk(
        model=Lead,
        columns=[
            Title("company", sub="contact_name industry"),
            "stage",
            Score("score"),
            "source",
            Owner(),
            Column("phone", on_card=False),
            "occurred_at",
            Due(),
        ],
        filters=[
            *("stage", "source", "campaign", "platform", "owner", "category", "nurture"),
            *("first_verdict", "score", "industry", "region", "pipeline", "reason"),
            *("occurred_at", "assigned_at", "converted_at", "customer", "due"),
        ],
        search=["company", "contact_name", "phone"],
        sorts=["occurred_at", "score", "due"],
        default_sort="-occurred_at",
        form=[
            Section("线索", "company contact_name phone email source occurred_at need"),
            Section("行业与地域", "industry region pipeline"),
            Section("来历", "campaign platform partner referrer provider customer", is_more=True),
            Section("首次接触", "background pain aware_problem aware_us", is_more=True),
            Section(
                "首次沟通与评估",
                "contact_pain basic_need introduced intent budget authority need_detail timeline"
                " decision_chain",
                is_more=True,
            ),
        ],
        through=["holding.subject"],
        create=enter,
        head="source owner phone score occurred_at due",
        badges="stage category",
        inline="industry region",
        bulk="industry region pipeline",
        board="stage",
        actions="screen_lead mark_mql assign_lead assess_lead qualify_lead to_prospect"
        " to_opportunity nurture_lead dispose_lead enter_stage_two revive_lead move_lead",
        bulk_actions="assign_lead screen_lead dispose_lead",
        page=[
            Timeline(),
            Bant(),
            Points(),
            Related(
                "", "触达", record="touch", by="lead", show="kind content campaign at is_first"
            ),
            Comments(),
            Facts(),
            Duties(),
            Team(),
            Approvals(),
        ],
        timeline=[Source("touch", by="lead", at="at", say=_touch, icon="out")],
        views=[
            View("我的线索", {"owner": "me"}),
            View("待初筛", {"stage": "NEW", "first_verdict": "none"}),
            View("初评通过", {"first_verdict": "VALID"}),
            View("待分配", {"stage": "MQL"}, "-score"),
            View("培育池", {"stage": "NURTURE"}, "-score"),
            View("退回待处理", {"stage": "RETURNED"}),
            View("已转意向", {"stage": "PROSPECT,OPPORTUNITY"}),
        ],
        icon="pool",
    )
)
register(
    Desk(
        model=Touch,
        columns=["kind", "lead", "customer", "campaign", "material", "content", "at", "is_first"],
        filters="kind lead customer campaign material at is_first invited_as_customer",
        search=["content"],
        sorts=["at"],
        default_sort="-at",
        form=[
            Section("触达", "kind lead customer campaign material content at"),
            Section("更多", "contact is_first invited_as_customer", is_more=True),
        ],
        head="lead customer campaign material at",
        page=[Facts()],
        icon="out",
    )
)
extend(
    Campaign,
    page=[
        Related(
            "", "带来的线索", record="lead", by="campaign", show="company stage score occurred_at"
        ),
        Related("", "触达", record="touch", by="campaign", show="kind lead customer at"),
    ],
)
extend(
    Material,
    actions=["send_out"],
    page=[Related("", "触达", record="touch", by="material", show="kind lead customer at")],
)
