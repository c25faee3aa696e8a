"""预警: a warning while a condition over measured facts is true, once per episode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from fangyuan.core import facts, measured, spans, words
from fangyuan.engine.kinds import base


class Alert(base.Owed):
    """What is watched, and for how long it must be quiet before an episode ends."""

    label: ClassVar[str] = "预警"
    sql: ClassVar[str] = "alert"

    kind: Literal["alert"] = "alert"
    when: base.Condition = Field(min_length=1)
    clear_after: str

    @model_validator(mode="after")
    def _readable(self) -> Alert:
        if spans.parse(self.clear_after).unit is spans.Unit.WORKDAY:
            raise ValueError("clear_after 按小时或自然日计，不能用工作日")
        return self

    @property
    def people(self) -> list[str]:
        """Who is warned: the first one answers, the others are told as well."""
        return [one.strip() for one in self.who.split(",")]

    @property
    def plainly(self) -> dict[str, Any]:
        """The condition with each fall as if its fact were merely given: for names and checks."""
        return unmeasured(self.when)

    @property
    def watched(self) -> dict[str, Any]:
        """The measured facts of the condition, by name."""
        found = {name: facts.find(self.model, name) for name in words.names(self.plainly)}
        return {n: fact for n, fact in found.items() if isinstance(fact, measured.Measured)}

    @property
    def grid(self) -> str:
        """At which fixed instants it is judged: counts of an hour or a day every hour."""
        hourly = any(
            isinstance(fact, measured.Run)
            or (isinstance(fact, measured.Counted) and fact.per in ("hour", "day"))
            for fact in self.watched.values()
        )
        return "hour" if hourly else "day"

    def parts(self) -> base.Parts:
        yield self.scope_slot()
        yield f"{'每个整点' if self.grid == 'hour' else '每天零点'}看，一旦"
        yield base.Slot("when", "且".join(self._parts(self.when)))
        yield "，就提醒"
        yield base.Slot("who", "、".join(base.who_label(self.model, one) for one in self.people))
        yield "；连续 "
        yield base.Slot("clear_after", spans.parse(self.clear_after).label)
        yield "不再如此才解除"

    def _parts(self, condition: dict[str, Any]) -> Iterator[str]:
        for name, wanted in condition.items():
            if name == "any":
                groups = ("且".join(self._parts(group)) for group in wanted)
                yield "（" + "，或者".join(groups) + "）"
            elif measured.is_measured(self.model, name):
                yield measured.sentence(self.model, name, wanted)
            else:
                yield words.sentence(self.model, {name: wanted})

    def _faults(self) -> Iterator[str]:
        yield from self.measured_faults(self.where)
        yield from words.faults(self.model, self.plainly)
        for name, wanted in _flat(self.when):
            if measured.is_measured(self.model, name):
                yield from measured.faults(self.model, name, wanted)


def unmeasured(condition: dict[str, Any]) -> dict[str, Any]:
    """A condition in which what only an alert can say is merely asked for."""
    plain: dict[str, Any] = {}
    for name, wanted in condition.items():
        if name == "any":
            plain[name] = [unmeasured(group) for group in wanted]
        elif isinstance(wanted, dict) and measured.FALL in wanted:
            plain[name] = {"not_empty": True}
        else:
            plain[name] = wanted
    return plain


def _flat(condition: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, wanted in condition.items():
        if name == "any":
            for group in wanted:
                yield from _flat(group)
        else:
            yield name, wanted
