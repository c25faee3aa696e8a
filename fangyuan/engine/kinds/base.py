"""What the six kinds of rule share: frozen typed parameters, checked names, a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from django.db.models import ForeignKey
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fangyuan.core import facts, measured, records, spans, words
from fangyuan.org.models import Holding, Person
from fangyuan.verbs import VERBS

Condition = dict[str, Any]
OnLeave = Literal["delegate", "extend", "none"]
HELD_ROLES = {"csm": "CSM", "presales_consultant": "PRESALES", "project_manager": "PROJECT"}


@dataclass(frozen=True)
class Slot:
    """A part of a sentence that says one parameter, and can be changed where it stands."""

    name: str
    text: str


Parts = Iterator[str | Slot]


class Kind(BaseModel):
    """One rule as typed parameters: nothing extra, nothing guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: ClassVar[str] = ""
    sql: ClassVar[str] = ""

    record: str
    where: Condition = {}

    @property
    def model(self) -> Any:
        """The record type that the rule is about."""
        return records.row_types()[self.record]

    def sentence(self) -> str:
        """The rule read back in Chinese."""
        return "".join(part.text if isinstance(part, Slot) else part for part in self.parts())

    def parts(self) -> Parts:
        """The same as plain text and slots; a kind says its parts or its sentence."""
        yield self.sentence()

    def faults(self) -> list[str]:
        """Every name in the rule that the product does not know, in Chinese."""
        if self.record not in records.row_types():
            return [f"没有“{self.record}”这种记录"]
        return [*words.faults(self.model, self.where), *self._faults()]

    def _faults(self) -> Iterator[str]:
        yield from ()

    def scope_words(self) -> str:
        """For which records the rule holds, as the beginning of a sentence."""
        return words.about(self.model, self.where, str(self.model._meta.verbose_name))

    def scope_slot(self) -> Slot:
        """The same as a slot."""
        return Slot("where", self.scope_words())


class Owed(Kind):
    """A rule whose breach somebody answers for."""

    who: str = "owner"
    on_leave: OnLeave = "delegate"

    def measured_faults(self, *conditions: Condition) -> Iterator[str]:
        """Measured facts where only what has a past may stand."""
        for name in sorted(name for one in conditions for name in words.names(one)):
            if measured.is_measured(self.model, name):
                yield f"“{facts.label(self.model, name)}”是量出来的数，只能用在预警的 when 里"

    def who_slot(self) -> Slot:
        """Who answers, as a slot."""
        return Slot("who", self.who_words())

    def who_words(self) -> str:
        """Who answers, in Chinese."""
        return who_label(self.model, self.who)

    def stream_or_fact_faults(self, names: list[str]) -> Iterator[str]:
        """Names that are neither a fact of the record nor a stream that happens to it."""
        for name in names:
            if facts.stream(name, self.record) is not None:
                continue
            try:
                fact = facts.find(self.model, name)
            except facts.UnknownFact as unknown:
                yield str(unknown)
                continue
            if fact.kind not in ("at", "date"):
                yield f"“{name}”（{fact.label}）不是时刻"


class Reminded(Owed):
    """A rule whose duties are reminded of: before they fall due, and step by step upwards after.

    Steps count working days after the due day; 0 leaves a step out. What a rule does not say is the
    company's default.
    """

    remind_before: str | None = None  # a span; without one, when a quarter of the time is left
    remind_again: int = Field(1, ge=0, le=20)
    remind_manager: int = Field(2, ge=0, le=20)
    remind_director: int = Field(5, ge=0, le=20)

    @model_validator(mode="after")
    def _reminds(self) -> Reminded:
        if self.remind_before is not None and not spans.parse(self.remind_before).is_exact:
            raise ValueError("remind_before 按小时或分钟写，如 2h")
        return self


def moment_label(model: Any, name: str) -> str:
    """An instant or event stream in Chinese."""
    stream = facts.stream(name, model.record_name())
    if stream is None:
        return facts.label(model, name)
    source = records.row_types()[stream.source]
    noun = words.about(source, stream.when, str(source._meta.verbose_name))
    return f"{noun}{facts.label(source, stream.at)}"


def step_label(record: str, step: str) -> str:
    """The step that a gate or an approval is about, as its button says it."""
    verb = VERBS.get(f"{record}.{step}")
    said = verb.label if verb else {"create": "新建"}.get(step, "")
    return f"“{said}”这一步" if said else "这一步"


def who_label(model: Any, who: str) -> str:
    """The name of a role, field or position as a reader knows it."""
    fixed = {"owner": "负责人", "self": "本人", "recorded_by": "录入人"}
    if who in fixed:
        return fixed[who]
    if who in HELD_ROLES:
        return str(Holding.Role[HELD_ROLES[who]].label)
    if person_field(model, who):
        return facts.label(model, who)
    for domain in ("position", "department", "body"):
        said = words.term_label(f"{domain}:{who}")
        if said != who:
            return said
    return who


def person_field(model: Any, name: str) -> Any:
    """The field of this name if it points at a person, or None."""
    found = [f for f in model._meta.concrete_fields if f.name == name]
    field = found[0] if found else None
    points = isinstance(field, ForeignKey) and field.related_model is Person
    return field if points else None
