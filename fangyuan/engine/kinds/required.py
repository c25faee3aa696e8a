"""必填与校验: a record has these fields, in this form; refused at entry or a duty to complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from fangyuan.core import facts, spans, words
from fangyuan.engine.kinds import base


class Required(base.Owed):
    """What a record must contain."""

    label: ClassVar[str] = "必填与校验"
    sql: ClassVar[str] = "required"

    kind: Literal["required"] = "required"
    fields: list[str] = []
    holds: base.Condition = {}
    enforce: Literal["write", "duty"]
    since: str | None = None
    within: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Required:
        if not self.fields and not self.holds:
            raise ValueError("必填要写 fields(哪几项)或 holds(须成立什么)")
        if self.enforce == "duty" and (self.since is None or self.within is None):
            raise ValueError("enforce: duty 要写 since(从何时起)和 within(多久内)")
        if self.within is not None:
            spans.parse(self.within)
        return self

    @property
    def wanted(self) -> dict[str, Any]:
        """Everything that must hold, as one condition."""
        return {**{name: {"not_empty": True} for name in self.fields}, **self.holds}

    def sentence(self) -> str:
        what = words.sentence(self.model, self.wanted)
        if self.enforce == "write":
            return f"{self.scope_words()}须{what},否则不能保存"
        since = facts.label(self.model, str(self.since))
        span = spans.parse(str(self.within)).label
        return f"{self.scope_words()}自“{since}”起,{self.who_words()}须在{span}内做到{what}"

    def _faults(self) -> Iterator[str]:
        yield from words.faults(self.model, self.wanted)
        if self.enforce == "duty":
            yield from self.measured_faults(self.where, self.wanted)
        if self.since is not None:
            yield from self.stream_or_fact_faults([self.since])
        if self.enforce == "duty":
            for name in words.names(self.wanted):
                fact = facts.find(self.model, name)
                if not fact.is_temporal:
                    yield f"“{fact.label}”没有留下何时做到,不能用于义务,只能用于写入校验"
