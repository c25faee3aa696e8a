"""必填与校验: a record has these fields, in this form; refused at entry or a duty to complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from fangyuan.core import facts, spans, words
from fangyuan.engine.kinds import base


class Required(base.Reminded):
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

    def parts(self) -> base.Parts:
        yield self.scope_slot()
        if self.enforce == "duty":
            yield "自“"
            yield base.Slot("since", facts.label(self.model, str(self.since)))
            yield "”起，"
            yield self.who_slot()
            yield "须在 "
            yield base.Slot("within", spans.parse(str(self.within)).label)
            yield "内做到："
        else:
            yield "须"
        yield from demand_parts(self.model, self.fields, self.holds)
        if self.enforce == "write":
            yield "，否则不能保存"

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
                    yield f"“{fact.label}”没有留下何时做到，不能用于义务，只能用于写入校验"


def demand_parts(model: Any, wanted: list[str], holds: base.Condition) -> base.Parts:
    """What must be given and what must hold, as parts of a sentence."""
    asked = [n for n, one in holds.items() if one in ({"not_empty": True}, {"empty": False})]
    given = [name for name in asked if facts.find(model, name).kind != "bool"]
    others = {n: one for n, one in holds.items() if n not in given}
    if wanted:
        labels = "、".join(facts.label(model, name) for name in wanted)
        yield base.Slot("fields", f"填写{labels}")
    said = [f"填写{'、'.join(facts.label(model, name) for name in given)}"] if given else []
    said += [words.sentence(model, others)] if others else []
    if said:
        yield "，并" if wanted else ""
        yield base.Slot("holds", "且".join(said))
