"""预警: a warning while a condition over measured facts is true, once per episode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from fangyuan.core import facts, spans, words
from fangyuan.engine.kinds import base

MEASURED = ("drop_at_least", "over", "against")


class Alert(base.Owed):
    """What is watched, and for how long it must be quiet before an episode ends."""

    label: ClassVar[str] = "预警"

    kind: Literal["alert"] = "alert"
    when: base.Condition = Field(min_length=1)
    clear_after: str

    @model_validator(mode="after")
    def _readable(self) -> Alert:
        spans.parse(self.clear_after)
        return self

    def sentence(self) -> str:
        said = "且".join(self._parts(self.when))
        quiet = spans.parse(self.clear_after).label
        people = "、".join(base.who_label(self.model, w.strip()) for w in self.who.split(","))
        return f"{self.scope_words()}一旦{said},就提醒{people};连续 {quiet}不再如此才解除"

    def _parts(self, condition: dict[str, Any]) -> Iterator[str]:
        for name, wanted in condition.items():
            if name == "any":
                groups = ("且".join(self._parts(group)) for group in wanted)
                yield "(" + "或者".join(groups) + ")"
            elif isinstance(wanted, dict) and "drop_at_least" in wanted:
                label = facts.label(self.model, name)
                yield f"“{label}”比以往平均下降 {wanted['drop_at_least']}% 以上"
            else:
                yield words.sentence(self.model, {name: wanted})

    def _faults(self) -> Iterator[str]:
        yield from words.faults(self.model, _unmeasured(self.when))


def _unmeasured(condition: dict[str, Any]) -> dict[str, Any]:
    """The condition with measured comparisons left to the alert's own reading."""
    plain: dict[str, Any] = {}
    for name, wanted in condition.items():
        if name == "any":
            plain[name] = [_unmeasured(group) for group in wanted]
        elif isinstance(wanted, dict) and set(wanted) & set(MEASURED):
            plain[name] = {"not_empty": True}
        else:
            plain[name] = wanted
    return plain
