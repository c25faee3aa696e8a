"""The parts of an opportunity's page: its way, the exit of its stage, its items, its sheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, FilteredRelation, OuterRef, Q, TextField, Value, When
from django.db.models.functions import Concat

from fangyuan.core import facts
from fangyuan.core.models import Tracked
from fangyuan.desk.panels import Panel, Scene
from fangyuan.opportunities import exits, stage_facts
from fangyuan.opportunities.models import (
    Opportunity,
    Rivalry,
    Stage,
    StageEntry,
    StageItem,
    Step,
)
from fangyuan.org.models import Holding

ALONE_FROM: Final = 3  # from which stage on a deal without presales is said to have none (PJ-1.5)

# The two sheets: letter, what is asked, and the fields that answer it.
SHEETS: Final = {
    "MEDDPICC": (
        ("M", "成效指标", "成功怎么衡量", ("metrics_note",)),
        ("E", "经济决策人", "谁拍板", ("authority",)),
        ("D", "决策标准", "怎么选", ("criteria",)),
        ("D", "决策流程", "几步、多久", ("decision_chain",)),
        ("P", "采购流程", "谁审、要什么", ("procurement",)),
        ("I", "痛点", "不解决会怎样", ("pain",)),
        ("C", "支持者", "谁替我们说话", ("champion",)),
        ("C", "竞争", "对手和胜算", ("rivals",)),
    ),
    "BANT": (
        ("B", "预算", "有多少、从哪来", ("budget", "budget_source")),
        ("A", "权限", "谁批", ("authority",)),
        ("N", "需求", "真实需求是什么", ("real_need", "needs_summary")),
        ("T", "时间", "什么时候要", ("timeframe",)),
    ),
}


@dataclass
class Way(Panel):
    """The stages one after the other: when each was entered, and how long it stands in this one."""

    name: str = "way"
    title: str = "阶段"
    folder: ClassVar[str] = "opportunities"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        rows = StageEntry.objects.everything("这条商机在范围内").present()
        mine = rows.filter(subject_type="opportunity", subject_id=record.pk)
        entered = dict(mine.order_by("entered_at").values_list("stage_id", "entered_at"))
        every = _stages(scene)
        here = record.stage.seq if record.stage else 0
        return {
            "stages": [
                {
                    "stage": stage,
                    "state": "done" if stage.seq < here else "now" if stage.seq == here else "",
                    "entered": entered.get(stage.pk),
                    "days": _days(scene, entered.get(stage.pk)) if stage.seq == here else None,
                }
                for stage in every
                if stage.pipeline_id == record.pipeline_id
            ],
            "outcome": record.get_outcome_display() if record.outcome != "OPEN" else "",
        }


def _stages(scene: Scene) -> list[Stage]:
    """The stages of every pipeline, asked once for a page."""
    if "stages" not in scene.__dict__:
        scene.__dict__["stages"] = every = exits.all_stages()
        scene.record.stage = next((s for s in every if s.pk == scene.record.stage_id), None)
    found: list[Stage] = scene.__dict__["stages"]
    return found


def _days(scene: Scene, entered: Any) -> int | None:
    return (scene.now - entered).days + 1 if entered else None


@dataclass
class Outlook(Panel):
    """The forecast as it stands: how it changed, when it was last said, how risky it is."""

    name: str = "outlook"
    title: str = "预测"
    is_side: bool = True
    folder: ClassVar[str] = "opportunities"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        _stages(scene)
        rows = facts.annotate(
            Opportunity._base_manager.filter(pk=record.pk),
            ("forecast_updated_at", "risk_score", "roles_in"),
        )
        told = (
            rows.annotate(chances=_chances(), team=_team())
            .values(
                *("fact_forecast_updated_at", "fact_risk_score", "fact_roles_in"),
                *("chances", "team"),
            )
            .get()
        )
        has_presales = {"PRESALES", "TECHNICAL"} & set(told["fact_roles_in"])
        return {
            "updated_at": told["fact_forecast_updated_at"],
            "risk": told["fact_risk_score"],
            "is_risky": told["fact_risk_score"] >= stage_facts.HIGH_RISK,
            "chances": [float(one) for one in told["chances"] if one] or _only(record),
            "alone": not has_presales and bool(record.stage) and record.stage.seq >= ALONE_FROM,
            "team": [one.split(":", 1) for one in told["team"]],
            "is_open": record.outcome == "OPEN",
            "may": scene.may_change and record.outcome == "OPEN",
        }


def _chances() -> ArraySubquery:
    """The chance of winning as it was set over time, the present one last."""
    kept = Tracked.objects.everything("这条商机在范围内").present()
    mine = kept.filter(subject_type="opportunity", subject_id=OuterRef("pk"), fact="win_rate")
    return ArraySubquery(mine.order_by("starts_at").values("value"))


def _team() -> ArraySubquery:
    """Who takes part now, each as `role:name`; the owner is said elsewhere."""
    held = Holding.objects.everything("这条商机在范围内").present().filter(ends_at=None)
    mine = held.filter(subject_type="opportunity", subject_id=OuterRef("pk")).exclude(role="OWNER")
    said = Concat(_role_label(), Value(":"), F("person__name"), output_field=TextField())
    return ArraySubquery(mine.order_by("starts_at").values(one=said))


def _role_label() -> Case:
    return Case(*(When(role=code, then=Value(said)) for code, said in Holding.Role.choices))


def _only(record: Any) -> list[float]:
    return [] if record.win_rate is None else [float(record.win_rate)]


@dataclass
class Exits(Panel):
    """What the clauses demand before the stage may be left, and where each is met."""

    name: str = "exits"
    title: str = "出口条件"
    folder: ClassVar[str] = "opportunities"

    def context(self, scene: Scene) -> dict[str, Any]:
        if scene.record.outcome != "OPEN" or scene.record.stage is None:
            return {"lines": [], "met": 0, "stage": scene.record.stage}
        lines = exits.of([scene.record], _stages(scene)).get(scene.record.pk, [])
        return {
            "stage": scene.record.stage,
            "lines": lines,
            "met": sum(one.is_met for one in lines),
        }


@dataclass
class Items(Panel):
    """What the stage asks to be handed in or done, and what of it is there."""

    name: str = "items"
    title: str = "本阶段事项"
    folder: ClassVar[str] = "opportunities"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        _stages(scene)
        if record.stage_id is None:
            return {"items": [], "done": 0}
        mine = Q(steps__opportunity=record.pk, steps__removed_at=None)
        wanted = (
            StageItem.objects.everything("流程人人可读")
            .present()
            .filter(stage=record.stage_id)
            .annotate(mine=FilteredRelation("steps", condition=mine))
            .annotate(
                step=F("mine__pk"),
                state=F("mine__state"),
                done_at=F("mine__done_at"),
                by=F("mine__person__name"),
            )
            .order_by("pk")
        )
        kinds = {"", str(record.project_type_id or "").partition(":")[2]}
        fitting = [i for i in wanted if not i.project_types or kinds & set(i.project_types)]
        items = [i for i in fitting if i.kind != StageItem.Kind.TOOL]
        named = [i.name for i in fitting if i.kind == StageItem.Kind.TOOL]
        tools = "、".join(filter(None, [record.stage.tools, *named]))
        return {
            "items": items,
            "tools": tools,
            "done": sum(1 for item in items if item.state == Step.State.DONE),
            "may": scene.may_change and record.outcome == "OPEN",
        }


@dataclass
class Sheet(Panel):
    """MEDDPICC or BANT: what is known of how the customer decides, answer by answer."""

    name: str = "sheet"
    title: str = "资质评估"
    folder: ClassVar[str] = "opportunities"

    def context(self, scene: Scene) -> dict[str, Any]:
        chosen = scene.params.get("sheet", "MEDDPICC")
        sheet = chosen if chosen in SHEETS else "MEDDPICC"
        lines = [self._line(scene, *one) for one in SHEETS[sheet]]
        return {
            "lines": lines,
            "sheet": sheet,
            "sheets": list(SHEETS),
            "met": sum(line["is_met"] for line in lines),
        }

    def _line(
        self, scene: Scene, letter: str, label: str, hint: str, fields: tuple[str, ...]
    ) -> dict[str, Any]:
        if fields == ("rivals",):
            rows = Rivalry.objects.everything("这条商机在范围内").present()
            found = rows.filter(opportunity=scene.record).select_related("rival")
            said = "、".join(one.rival.label for one in found)
            link = f"/rivalry/new?opportunity={scene.record.pk}"
        else:
            cells = [scene.facade.cell(scene.record, name) for name in fields]
            said = "；".join(str(c.value) for c in cells if c.kind not in ("none", "hidden"))
            link = f"{scene.url('/edit')}#f-{fields[0]}"
        return {
            "letter": letter, "label": label, "hint": hint, "said": said, "is_met": bool(said),
            "link": link if scene.may_edit else "",
        }  # fmt: skip
