"""门槛: a step is refused while any of its conditions is unmet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from fangyuan.core import words
from fangyuan.engine.kinds import base
from fangyuan.engine.kinds.required import demand_parts


class Gate(base.Kind):
    """Conditions on the record as it would be after the step."""

    label: ClassVar[str] = "门槛"

    kind: Literal["gate"] = "gate"
    on: str
    holds: base.Condition = Field(min_length=1)

    def parts(self) -> base.Parts:
        yield self.scope_slot()
        yield "须"
        yield from demand_parts(self.model, [], self.holds)
        yield f"，才能走{base.step_label(self.record, self.on)}"

    def _faults(self) -> Iterator[str]:
        yield from words.faults(self.model, self.holds)
