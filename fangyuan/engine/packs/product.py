"""What the running product has by now, asked binding by binding: the rest is waited for.

Record types, facts and streams come from the registry; rooms above tell their verbs, pages and
metrics once, through `register`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fangyuan.access import table
from fangyuan.core import facts, records, words
from fangyuan.engine.kinds.alert import Alert
from fangyuan.engine.kinds.approval import Approval
from fangyuan.engine.kinds.base import Kind, Owed
from fangyuan.engine.kinds.cadence import Cadence
from fangyuan.engine.kinds.gate import Gate
from fangyuan.engine.packs import names
from fangyuan.engine.packs.bindings import (
    Access,
    Binding,
    Document,
    MetricBinding,
    Notice,
    Page,
    Principle,
    RecordBinding,
)


@dataclass(frozen=True, order=True)
class Wait:
    """Something a clause needs that the product does not have yet, and the room it belongs to."""

    room: str
    name: str

    def __str__(self) -> str:
        return f"{self.room}:{self.name}"


@dataclass(frozen=True)
class Offers:
    """What rooms above the engine offer; verbs, documents and notices as `record.name`."""

    verbs: frozenset[str] = frozenset()
    pages: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    notices: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset({"deadline", "cadence", "required", "alert"})


_source: list[Callable[[], Offers]] = [Offers]


def register(source: Callable[[], Offers]) -> None:
    """The room at the top registers here the function that says what the product offers."""
    _source[:] = [source]


def running() -> Product:
    """The product as it runs."""
    return Product(_source[0]())


@dataclass
class Product:
    """Answers what a binding waits for; an empty answer means that it resolves."""

    offers: Offers = field(default_factory=Offers)

    def fingerprint(self) -> str:
        """Everything that the answers of this product depend on, as text."""
        known = {
            name: sorted((f, fact.kind, sorted(fact.choices)) for f, fact in facts.of(m).items())
            for name, m in sorted(records.row_types().items())
        }
        offered = {name: sorted(value) for name, value in vars(self.offers).items()}
        return repr((known, offered, sorted(table.table().records)))

    def waits(self, binding: Binding) -> list[Wait]:
        """Everything this binding needs and the product lacks, each once."""
        found = sorted(set(self._waits(binding)))
        if not found and isinstance(binding, Kind):
            found = [self._wait(binding.record, fault) for fault in binding.faults()]
        return found

    def _waits(self, b: Binding) -> Iterator[Wait]:
        if isinstance(b, Owed):
            yield from self._rule(b)
        elif isinstance(b, Access):
            yield from self._access(b)
        elif isinstance(b, Page | Principle):
            yield from self._page(b)
        elif isinstance(b, MetricBinding):
            if b.metric not in self.offers.metrics:
                yield Wait("metrics", b.metric)
        else:
            yield from self._carried(b)

    def _carried(self, b: Any) -> Iterator[Wait]:
        if self._model(b.record) is None:
            yield self._wait(b.record, b.record)
        elif isinstance(b, RecordBinding):
            yield from self._facts(b.record, b.fields)
        elif isinstance(b, Document):
            yield from self._offered(b.record, b.form, self.offers.documents)
        elif isinstance(b, Notice):
            yield from self._offered(b.record, b.on, self.offers.notices)
        elif isinstance(b, Gate | Approval):
            yield from self._offered(b.record, b.on, self.offers.verbs)
            yield from self._conditions(b.record, b.where)
            yield from self._conditions(b.record, getattr(b, "holds", {}))
            for step in getattr(b, "approvers", ()):
                yield from self._conditions(b.record, step.where)
                yield from self._conditions("person", step.asker)

    def _offered(self, record: str, name: str, offered: frozenset[str]) -> Iterator[Wait]:
        if f"{record}.{name}" not in offered:
            yield self._wait(record, f"{record}.{name}")

    def _page(self, b: Page | Principle) -> Iterator[Wait]:
        if b.page not in self.offers.pages:
            yield Wait("site", b.page)
        for path in b.facts:
            record, _, name = path.partition(".")
            yield from self._facts(record, [name])

    def _access(self, b: Access) -> Iterator[Wait]:
        """The access table is the rule; a type that does not exist yet is closed by its row."""
        known = table.table().records
        if not any(record in records.row_types() for record in b.records):
            yield self._wait(b.records[0], b.records[0])
        for record in b.records:
            if record in records.row_types() and record not in known:
                yield Wait("access", record)

    def _rule(self, b: Any) -> Iterator[Wait]:
        if b.kind not in self.offers.kinds:
            yield Wait("engine", b.kind)
            return
        model = self._model(b.record)
        if model is None:
            yield self._wait(b.record, b.record)
            return
        yield from self._conditions(b.record, b.where)
        for word in ("on", "until", "by", "since"):
            if (name := getattr(b, word, None)) is not None and not facts.stream(name, b.record):
                yield from self._facts(b.record, [name])
        yield from self._facts(b.record, getattr(b, "fields", ()))
        yield from self._conditions(b.record, getattr(b, "holds", {}))
        if isinstance(b, Cadence):
            yield from self._cadence(b)
        elif isinstance(b, Alert):
            yield from self._conditions(b.record, b.plainly)
        people = [n.strip() for n in b.who.split(",")]
        own = [n for n in people if n not in (*names.model().roles, "owner", "self")]
        yield from self._facts(b.record, own)

    def _cadence(self, b: Cadence) -> Iterator[Wait]:
        source, at = b.event.split(".", 1)
        if self._model(source) is None:
            yield self._wait(source, source)
            return
        yield from self._facts(source, [at])
        yield from self._conditions(source, b.when)
        if b.via not in ("company", "participants") and not self._points(source, b.via):
            yield from self._facts(source, [b.via])

    def _points(self, record: str, name: str) -> bool:
        return name in getattr(self._model(record), "any_fields", {})

    def _facts(self, record: str, wanted: Iterable[str]) -> Iterator[Wait]:
        model = self._model(record)
        if model is None:
            yield self._wait(record, record)
            return
        for name in wanted:
            if not self._has(model, name):
                yield self._wait(record, f"{record}.{name}")

    def _has(self, model: Any, name: str) -> bool:
        if name in getattr(model, "any_fields", {}):
            return True
        try:
            facts.find(model, name)
        except facts.UnknownFact:
            return False
        return True

    def _conditions(self, record: str, given: dict[str, Any]) -> Iterator[Wait]:
        model = self._model(record)
        for name in sorted(words.names(given)):
            if not self._has(model, name):
                yield self._wait(record, f"{record}.{name}")
                return
        for fault in words.faults(model, given):
            yield self._wait(record, f"{record}（{fault}）")

    def _model(self, record: str) -> Any:
        return records.row_types().get(record)

    def _wait(self, record: str, name: str) -> Wait:
        return Wait(names.model().rooms.get(record, "core"), name)
