"""期限: each time `on` happens to a record in scope, `until` must hold within a span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import model_validator

from fangyuan.core import facts, spans
from fangyuan.engine.kinds import base


class Deadline(base.Reminded):
    """A duty that begins with an instant and is due a span later."""

    label: ClassVar[str] = "期限"
    sql: ClassVar[str] = "deadline"

    kind: Literal["deadline"] = "deadline"
    on: str
    until: str
    within: str | None = None
    by: str | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Deadline:
        if (self.within is None) == (self.by is None):
            raise ValueError("期限要写 within(多久内)或 by(到哪个时刻)之一")
        if self.within is not None:
            spans.parse(self.within)
        return self

    @property
    def is_entry(self) -> bool:
        """Whether the duty is to enter the record itself."""
        return self.until == "recorded_at"

    def parts(self) -> base.Parts:
        yield self.scope_slot()
        yield "自“"
        yield base.Slot("on", base.moment_label(self.model, self.on))
        yield "”起，"
        yield self.who_slot()
        yield "须在 " if self.within else "须在"
        if self.within:
            yield base.Slot("within", spans.parse(self.within).label)
            yield "内"
        else:
            yield base.Slot("by", f"“{facts.label(self.model, str(self.by))}”前")
        if self.is_entry:
            yield base.Slot("until", "录入系统")
        else:
            yield "完成“"
            yield base.Slot("until", base.moment_label(self.model, self.until))
            yield "”"

    def _faults(self) -> Iterator[str]:
        yield from self.measured_faults(self.where)
        names = [self.on, self.until, *([self.by] if self.by else [])]
        yield from self.stream_or_fact_faults(names)
