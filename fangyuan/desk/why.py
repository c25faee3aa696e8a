"""Why a duty stands where it stands, on its page; and how the ledger reads in lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from fangyuan.access import table
from fangyuan.core import records
from fangyuan.desk import duties
from fangyuan.desk.columns import Cell, Column, Facade
from fangyuan.desk.panels import Panel, Scene, verb_label
from fangyuan.engine import explain, known
from fangyuan.engine.models import State, Waiver
from fangyuan.org.models import Person


@dataclass
class Why(Panel):
    """The derivation of one obligation, from the engine's own explanation."""

    name: str = "why"
    title: str = "为什么"

    def context(self, scene: Scene) -> dict[str, Any]:
        self._name(scene)
        told = explain.explain(scene.record, now=scene.now)
        return {
            "duty": duties.describe([scene.record], scene.actor)[0],
            "told": told,
            "state": State(told.state).label,
            "skipped": [day for day in told.days if not day.counts],
            "waiver": self._waiver(scene.record),
            "ask_url": self._ask_url(scene),
        }

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
        if row.state not in ("OPEN", "BREACHED") or row.person_id not in (scene.actor.pk, *led):
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
