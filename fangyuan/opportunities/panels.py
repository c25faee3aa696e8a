"""The parts of an opportunity's page: its way, the exit of its stage, its items, its sheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fangyuan.desk.panels import Panel, Scene
from fangyuan.opportunities import exits, moving
from fangyuan.opportunities.models import Rivalry, StageEntry, StageItem, Step

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

    @property
    def template(self) -> str:
        return "opportunities/way.html"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        rows = StageEntry.objects.everything("这条商机在范围内").present()
        mine = rows.filter(subject_type="opportunity", subject_id=record.pk)
        entered = dict(mine.order_by("entered_at").values_list("stage_id", "entered_at"))
        here = record.stage.seq if record.stage else 0
        return {
            "stages": [
                {
                    "stage": stage,
                    "state": "done" if stage.seq < here else "now" if stage.seq == here else "",
                    "entered": entered.get(stage.pk),
                    "days": _days(scene, entered.get(stage.pk)) if stage.seq == here else None,
                }
                for stage in moving.stages(record.pipeline_id)
            ],
            "outcome": record.get_outcome_display() if record.outcome != "OPEN" else "",
        }


def _days(scene: Scene, entered: Any) -> int | None:
    return (scene.now - entered).days + 1 if entered else None


@dataclass
class Exits(Panel):
    """What the clauses demand before the stage may be left, and where each is met."""

    name: str = "exits"
    title: str = "出口条件"

    @property
    def template(self) -> str:
        return "opportunities/exits.html"

    def context(self, scene: Scene) -> dict[str, Any]:
        if scene.record.outcome != "OPEN" or scene.record.stage is None:
            return {"lines": [], "met": 0, "stage": scene.record.stage}
        lines = exits.of([scene.record]).get(scene.record.pk, [])
        titles = exits.titles(one.clause for one in lines)
        return {
            "stage": scene.record.stage,
            "lines": [{"exit": one, "title": titles.get(one.clause, "")} for one in lines],
            "met": sum(one.is_met for one in lines),
        }


@dataclass
class Items(Panel):
    """What the stage asks to be handed in or done, and what of it is there."""

    name: str = "items"
    title: str = "本阶段事项"

    @property
    def template(self) -> str:
        return "opportunities/items.html"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        if record.stage_id is None:
            return {"items": [], "done": 0}
        wanted = (
            StageItem.objects.everything("流程人人可读").present().filter(stage=record.stage_id)
        )
        kinds = {"", record.project_type.code if record.project_type else ""}
        items = [i for i in wanted if not i.project_types or kinds & set(i.project_types)]
        rows = Step.objects.everything("这条商机在范围内").present().filter(opportunity=record)
        done = {s.item_id: s for s in rows.select_related("person") if s.item_id}
        return {
            "items": [{"item": item, "step": done.get(item.pk)} for item in items],
            "done": sum(1 for i in items if i.pk in done and done[i.pk].state == "DONE"),
            "may": scene.may_change and record.outcome == "OPEN",
        }


@dataclass
class Sheet(Panel):
    """MEDDPICC or BANT: what is known of how the customer decides, answer by answer."""

    name: str = "sheet"
    title: str = "资质评估"

    @property
    def template(self) -> str:
        return "opportunities/sheet.html"

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
