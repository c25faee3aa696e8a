"""The names a pack may use: those of the domain model, and those that the product has by now.

A name unknown to both is a mistake; a name only the model knows is waited for.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

MODEL_NAMES: Final = Path(__file__).parents[1] / "model_names.yaml"
INSTANTS: Final = ("at", "date")
# A path through a reference of any type cannot be followed further than one step.
ANYTHING: Final = "any"


class Unknown(Exception):
    """A name that nobody knows; the message says so and suggests the nearest one."""


@dataclass(frozen=True)
class Stream:
    """Events of one record type about another, told apart by their instant."""

    record: str
    source: str
    at: str


@dataclass(frozen=True)
class Names:
    """Everything the domain model has a name for."""

    rooms: dict[str, str]
    labels: dict[str, str]
    facts: dict[str, dict[str, str]]
    verbs: dict[str, frozenset[str]]
    streams: dict[str, Stream]
    pages: frozenset[str]
    metrics: frozenset[str]
    roles: frozenset[str]
    screens: dict[str, str]

    def said(self, name: str) -> str:
        """What a reader calls a record type, page or metric; other names as they are."""
        return self.labels.get(name) or self.screens.get(name, name)

    def room(self, record: str) -> str:
        """The room in which a record type lives."""
        return self.rooms[record]

    def need_record(self, record: str) -> None:
        """Raises Unknown when there is no such record type."""
        if record not in self.facts:
            raise Unknown(f"没有“{record}”这种记录{nearest(record, self.facts)}")

    def kind(self, record: str, path: str) -> str:
        """The kind of a fact, followed through references; raises Unknown."""
        self.need_record(record)
        here = record
        steps = path.split(".")
        for at, name in enumerate(steps):
            known = self.facts[here]
            if name not in known:
                label = self.labels[here]
                raise Unknown(f"{label}（{here}）没有“{name}”这个事实{nearest(name, known)}")
            kind = known[name]
            if at == len(steps) - 1:
                return kind
            if kind == ANYTHING:
                return ANYTHING
            if not kind.startswith("@"):
                raise Unknown(f"“{name}”不指向别的记录，后面不能再写“.{steps[at + 1]}”")
            here = kind[1:]
        raise Unknown("事实的名称是空的")


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion for a mistyped name, or how to go on without one."""
    cutoff = 0.5 if len(name) <= 3 else 0.6
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f"，是不是“{close[0]}”" if close else "，请核对拼写"


def codes(kind: str) -> frozenset[str]:
    """The closed codes of a fact, empty where it is open."""
    _, found, listed = kind.partition("one of ")
    if not found:
        _, found, listed = kind.partition("set of ")
    if not found or listed.startswith("@"):
        return frozenset()
    return frozenset(listed.split())


@functools.cache
def model() -> Names:
    """The names of the domain model, read once."""
    raw: dict[str, Any] = YAML(typ="safe").load(MODEL_NAMES)
    records: dict[str, Any] = raw["records"]
    base: dict[str, str] = raw["base"]
    return Names(
        rooms={name: record["room"] for name, record in records.items()},
        labels={name: record["label"] for name, record in records.items()},
        facts={name: {**base, **record["names"]} for name, record in records.items()},
        verbs={name: frozenset(record.get("verbs", ())) for name, record in records.items()},
        streams={
            name: Stream(stream["record"], stream["from"], stream["at"])
            for name, stream in raw["streams"].items()
        },
        pages=frozenset(raw["pages"]),
        metrics=frozenset(raw["metrics"]),
        roles=frozenset(code for group in raw["roles"].values() for code in group),
        screens={**raw["pages"], **raw["metrics"]},
    )
