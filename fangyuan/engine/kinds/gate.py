"""门槛: a step is refused while any of its conditions is unmet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from fangyuan.core import words
from fangyuan.engine.kinds import base


class Gate(base.Kind):
    """Conditions on the record as it would be after the step."""

    label: ClassVar[str] = "门槛"

    kind: Literal["gate"] = "gate"
    on: str
    holds: base.Condition = Field(min_length=1)

    def sentence(self) -> str:
        what = words.sentence(self.model, self.holds)
        return f"{self.scope_words()}须{what},才能走这一步"

    def _faults(self) -> Iterator[str]:
        yield from words.faults(self.model, self.holds)
