"""Verbs: named actions on one record type, declared beside what they act on, run by the door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verb:
    """A named action on one record type, run by the door."""

    record: str
    name: str
    label: str
    run: Callable[..., Any]
    asks: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.record}.{self.name}"

    def fits(self, record: Any) -> bool:
        """Whether the record stands in a stage in which this may be done."""
        stage_field = getattr(type(record), "stage_field", None)
        return not self.stages or getattr(record, str(stage_field)) in self.stages


VERBS: dict[str, Verb] = {}


def verb(
    record: str,
    *,
    label: str,
    asks: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    stages: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function `(deed, record, **payload)` as a verb.

    `asks` are the values it needs, `writes` the governed fields that it may set,
    `stages` those of the record in which it is offered; none named, it always is.
    """

    def keep(run: Callable[..., Any]) -> Callable[..., Any]:
        name = run.__name__
        VERBS[f"{record}.{name}"] = Verb(record, name, label, run, asks, writes, stages)
        return run

    return keep
