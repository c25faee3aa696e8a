"""频率: each record in scope has at least so many matching events in every period."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from fangyuan.core import facts, records, spans, words
from fangyuan.engine.kinds import base


class Cadence(base.Reminded):
    """A duty that returns with every period."""

    label: ClassVar[str] = "频率"
    sql: ClassVar[str] = "cadence"

    kind: Literal["cadence"] = "cadence"
    event: str
    via: str
    per: spans.PeriodKind
    at_least: int = Field(1, ge=1, le=1000)
    when: base.Condition = {}
    counts_by: Literal["occurred", "period"] = "occurred"
    due: str | None = None
    days: Literal["working", "calendar"] = "working"
    first_period: Literal["next", "immediately", "prorated"] = "next"

    @model_validator(mode="after")
    def _readable(self) -> Cadence:
        if self.due is not None:
            spans.parse_due(self.due)
        if self.on_leave == "extend":
            raise ValueError("频率的一期不能因请假顺延，on_leave 写 delegate 或 none")
        if "." not in self.event:
            raise ValueError("event 要写成 记录.时刻，例如 activity.ended_at")
        return self

    @property
    def source(self) -> Any:
        """The record type whose events are counted."""
        return records.row_types()[self.event.split(".")[0]]

    @property
    def at(self) -> str:
        """The instant of the event."""
        return self.event.split(".", 1)[1]

    @property
    def due_rule(self) -> spans.DueRule:
        """Where the due time lies."""
        return spans.parse_due(self.due) if self.due else spans.PERIOD_END

    @property
    def only_worked(self) -> bool:
        """Whether days off bear no duty."""
        return self.per == spans.PeriodKind.DAY and self.days == "working"

    def parts(self) -> base.Parts:
        yield "" if self.who == "self" else "对"
        yield self.scope_slot()
        yield "，"
        yield self.who_slot()
        yield base.Slot("per", f"每{'个工作日' if self.only_worked else self.per.label}")
        yield "至少 "
        yield base.Slot("at_least", str(self.at_least))
        yield " 次"
        noun = str(self.source._meta.verbose_name)
        yield base.Slot("when", words.about(self.source, self.when, noun))
        if self.due:
            yield "，"
            yield base.Slot("due", f"{self.due_rule.label}到期")

    def _faults(self) -> Iterator[str]:
        yield from self.measured_faults(self.where)
        source = self.event.split(".")[0]
        if source not in records.row_types():
            yield f"没有“{source}”这种记录"
            return
        yield from words.faults(self.source, self.when)
        try:
            facts.find(self.source, self.at)
        except facts.UnknownFact as unknown:
            yield str(unknown)
