"""Verbs: named actions on one record type, declared beside what they act on, run by the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    # Of which field an ask is that the record lacks, `customer.address`, or what may be answered.
    like: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)

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
    like: Mapping[str, str | Mapping[str, str]] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function `(deed, record, **payload)` as a verb.

    `asks` are the values it needs, `writes` the governed fields that it may set,
    `stages` those of the record in which it is offered; none named, it always is. `like` says of
    which other type's field an ask is (`customer.address`), of which vocabulary (`term:source`), or
    the answers among which to choose.
    """

    def keep(run: Callable[..., Any]) -> Callable[..., Any]:
        name = run.__name__
        VERBS[f"{record}.{name}"] = Verb(
            record, name, label, run, asks, writes, stages, dict(like or {})
        )
        return run

    return keep


Follow = Callable[[Any, set[int]], None]
FOLLOWS: dict[str, list[Follow]] = {}


def follows(record: str) -> Callable[[Follow], Follow]:
    """Register what keeps stored results right: `(deed, numbers)`, called with the records of a
    type that a deed wrote or whose children it wrote, before its rules are judged."""

    def keep(run: Follow) -> Follow:
        FOLLOWS.setdefault(record, []).append(run)
        return run

    return keep


def follow(deed: Any, record: str, numbers: set[int]) -> None:
    """Bring up to date what is kept about these records."""
    for run in FOLLOWS.get(record, ()):
        run(deed, numbers)
