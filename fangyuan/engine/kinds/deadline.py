"""期限: each time `on` happens to a record in scope, `until` must hold within a span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import model_validator

from fangyuan.core import facts, spans
from fangyuan.engine.kinds import base


class Deadline(base.Owed):
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

    def sentence(self) -> str:
        begun = base.moment_label(self.model, self.on)
        done = "录入系统" if self.is_entry else base.moment_label(self.model, self.until)
        end = (
            f"在{spans.parse(self.within).label}内"
            if self.within
            else f"在“{facts.label(self.model, str(self.by))}”前"
        )
        return f"{self.scope_words()}自“{begun}”起,{self.who_words()}须{end}完成“{done}”"

    def _faults(self) -> Iterator[str]:
        yield from self.measured_faults(self.where)
        names = [self.on, self.until, *([self.by] if self.by else [])]
        yield from self.stream_or_fact_faults(names)
