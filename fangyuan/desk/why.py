"""Why a duty stands where it stands, on its page; and how the ledger reads in lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.utils import timezone

from fangyuan.access import table
from fangyuan.core import records
from fangyuan.desk import duties, looking_back
from fangyuan.desk.columns import Cell, Column, Facade
from fangyuan.desk.panels import Panel, Scene, verb_label
from fangyuan.engine import explain, known, reasons
from fangyuan.engine.models import State, Waiver
from fangyuan.org import then
from fangyuan.org.models import Person


@dataclass
class Why(Panel):
    """The derivation of one obligation, from the engine's own explanation."""

    name: str = "why"
    title: str = "为什么"
    looks_back: ClassVar[bool] = True

    def context(self, scene: Scene) -> dict[str, Any]:
        self._name(scene)
        at = scene.as_of.at if scene.as_of else scene.now
        told = explain.explain(scene.record, now=at, is_past=scene.as_of is not None)
        return {
            **(self._then(scene, scene.as_of) if scene.as_of else {}),
            "duty": duties.describe([scene.record], scene.actor)[0],
            "told": told,
            "state": State(told.state).label,
            "skipped": [day for day in told.days if not day.counts],
            "waiver": self._waiver(scene.record),
            "ask_url": self._ask_url(scene),
        }

    def _then(self, scene: Scene, as_of: looking_back.AsOf) -> dict[str, Any]:
        """Where the person stood then, and in what today's facts say otherwise of that instant."""
        row = scene.record
        post = then.post(row.person_id, as_of.at) if row.person_id else None
        return {"post": post, "differs": self._differs(row, row.beside) if as_of.is_known else []}

    def _differs(self, known: Any, today: Any) -> list[tuple[str, str, str]]:
        """What was known beside what is known today: label, then, today."""
        if today is None:
            return [("义务", "在账上", "当时不该有这件义务：后来的更正使它不成立")]
        numbers = [one.person_id for one in (known, today) if one.person_id]
        names = (
            Person.objects.everything("同事名录").in_bulk(numbers) if len(set(numbers)) > 1 else {}
        )
        pairs = {
            "状态": [State(one.state).label for one in (known, today)],
            "责任人": [str(names.get(one.person_id, "没有人")) for one in (known, today)],
            "到期": [reasons.clock(one.due_at) for one in (known, today)],
            "完成": [reasons.clock(one.met_at) if one.met_at else "没有" for one in (known, today)],
        }
        if not names:
            del pairs["责任人"]
        return [(label, was, now) for label, (was, now) in pairs.items() if was != now]

    def _name(self, scene: Scene) -> None:
        """What the page names anyway need not be asked again for the duty in words."""
        row, labels = scene.record, scene.facade.labels
        subject = records.row_types()[row.subject_type]
        name = labels.name(subject, row.subject_id)
        duties.know_by_name(row.subject_type, row.subject_id, name, scene.actor)
        if person := labels.name(Person, row.person_id):
            row.person = Person(pk=row.person_id, name=person)

    def _ask_url(self, scene: Scene) -> str:
        """Where whoever owes the duty, or leads them, asks for a waiver of it."""
        row, led = scene.record, table.sight(scene.actor).below_ids
        if (
            scene.as_of
            or row.state not in ("OPEN", "BREACHED")
            or row.person_id not in (scene.actor.pk, *led)
        ):
            return ""
        begun = min(row.began_at, scene.now)
        asked = {
            "clause": row.rule.clause.number,
            "subject": f"{row.subject_type}:{row.subject_id}",
            "person": row.person_id,
            "starts_at": f"{timezone.localtime(begun):%Y-%m-%dT%H:%M}",
            "ends_at": f"{timezone.localtime(row.due_at):%Y-%m-%dT%H:%M}",
        }
        return f"/waiver/new?{urlencode(asked)}"

    def _waiver(self, row: Any) -> Any:
        number = row.cause.get("waiver")
        return Waiver._base_manager.filter(pk=number).first() if number else None


@dataclass
class DutyTitle(Column):
    """What an obligation asks for, and about whom."""

    name: str = "duty"
    label: str = "义务"

    def fields(self) -> tuple[str, ...]:
        return ()

    def is_numeric(self, model: Any) -> bool:
        return False

    def load(self, rows: Sequence[Any], facade: Facade, now: datetime) -> None:
        known.named(rows)
        self.found = {one.pk: one for one in duties.describe(rows, facade.labels.actor)}

    def cell(self, row: Any, facade: Facade) -> Cell:
        duty = self.found[row.pk]
        return Cell("title", duty.title, url=duty.why_url, note=duty.subject)


@dataclass
class ClauseChip(Column):
    """The clause behind an obligation."""

    name: str = "clause"
    label: str = "依据"
    is_wide: bool = True

    def fields(self) -> tuple[str, ...]:
        return ()

    def is_numeric(self, model: Any) -> bool:
        return False

    def load(self, rows: Sequence[Any], facade: Facade, now: datetime) -> None:
        known.named(rows)

    def cell(self, row: Any, facade: Facade) -> Cell:
        clause = row.rule.clause
        return Cell("clause", clause.number, url=f"/clause/{clause.number}", note=clause.title)


def duty_title(row: Any, actor: Any) -> str:
    """What an obligation is called: what to do, about whom."""
    duty = duties.describe([row], actor)[0]
    return f"{duty.title} · {duty.subject}"


def request_title(row: Any, actor: Any) -> str:
    """What a request is called: the action, about what."""
    name = duties.subject_names([row], actor).get((row.subject_type, row.subject_id))
    return f"{verb_label(row.action)} · {name}" if name else verb_label(row.action)
