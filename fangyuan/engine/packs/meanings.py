"""What the names in a binding mean to the domain model, and which of them are mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fangyuan.core.words import FORMATS, WORDS
from fangyuan.engine.kinds.alert import Alert
from fangyuan.engine.kinds.approval import KNOWN, Approval
from fangyuan.engine.kinds.base import Owed
from fangyuan.engine.kinds.cadence import Cadence
from fangyuan.engine.kinds.gate import Gate
from fangyuan.engine.kinds.required import Required
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

Where = tuple[str | int, ...]
Said = Iterator[tuple[Where, str]]
MEASURED: Final = ("drop_at_least", "over", "against")
_VIA: Final = ("company", "participants")


def mistakes(binding: Binding) -> Said:
    """Every name in a binding that neither the model nor the language knows."""
    yield from _Meaning(names.model()).of(binding)


class _Meaning:
    """The names of the model, asked binding by binding."""

    def __init__(self, known: names.Names) -> None:
        self.known = known

    def of(self, b: Binding) -> Said:
        """Every mistake in one binding."""
        if isinstance(b, Owed):
            yield from self._rule(b)
        elif isinstance(b, Gate | Approval | Notice):
            yield from self._step(b)
        elif isinstance(b, Page | Principle):
            yield from self._listed(("page",), b.page, self.known.pages, "页面")
        elif isinstance(b, MetricBinding):
            yield from self._listed(("metric",), b.metric, self.known.metrics, "指标")
        else:
            yield from self._carried(b)
        yield from self._shown(b)

    def _carried(self, b: Binding) -> Said:
        if isinstance(b, RecordBinding):
            yield from self._named(b.record, b.fields, ("fields",))
        elif isinstance(b, Document):
            yield from self._try(("record",), self.known.need_record, b.record)
        elif isinstance(b, Access):
            for at, record in enumerate(b.records):
                yield from self._try(("records", at), self.known.need_record, record)
            yield from self._listed(("role",), b.role, self.known.roles, "角色")

    def _named(self, record: str, wanted: list[str], where: Where) -> Said:
        if record not in self.known.facts:
            yield from self._try(("record",), self.known.need_record, record)
            return
        for at, name in enumerate(wanted):
            yield from self._try((*where, at), self.known.kind, record, name)

    def _shown(self, b: Binding) -> Said:
        for at, path in enumerate(getattr(b, "facts", ())):
            record, _, name = path.partition(".")
            yield from self._try(("facts", at), self.known.kind, record, name)

    def _rule(self, b: Any) -> Said:
        if b.record not in self.known.facts:
            yield from self._try(("record",), self.known.need_record, b.record)
            return
        yield from self.conditions(b.record, b.where, ("where",))
        for word in ("on", "until", "by", "since"):
            if (name := getattr(b, word, None)) is not None:
                yield from self._moment(b.record, name, (word,))
        if isinstance(b, Cadence):
            yield from self._cadence(b)
        elif isinstance(b, Required):
            yield from self._named(b.record, b.fields, ("fields",))
            yield from self.conditions(b.record, b.holds, ("holds",))
        elif isinstance(b, Alert):
            yield from self.conditions(b.record, b.when, ("when",))
        yield from self._who(b.record, b.who)

    def _cadence(self, b: Cadence) -> Said:
        source, _, at = b.event.partition(".")
        if source not in self.known.facts or not at:
            yield from self._try(("event",), self.known.need_record, source)
            if source in self.known.facts:
                yield ("event",), "事件写成 记录.时刻，如 activity.ended_at"
            return
        yield from self._moment(source, at, ("event",))
        yield from self.conditions(source, b.when, ("when",))
        if b.via not in _VIA and not b.via.startswith(b.record + "."):
            yield from self._try(("via",), self.known.kind, source, b.via)

    def _step(self, b: Any) -> Said:
        if b.record not in self.known.facts:
            yield from self._try(("record",), self.known.need_record, b.record)
            return
        verbs = self.known.verbs[b.record]
        label = self.known.labels[b.record]
        yield from self._listed(("on",), b.on, verbs, f"{label}的动作")
        for word in ("holds", "where"):
            yield from self.conditions(b.record, getattr(b, word, {}), (word,))
        for word in ("to", "copies"):
            for at, role in enumerate(getattr(b, word, ())):
                yield from self._listed((word, at), role, self.known.roles, "角色")
        if isinstance(b, Approval):
            yield from self._approvers(b)

    def _approvers(self, b: Approval) -> Said:
        names_person = {n for n, kind in self.known.facts[b.record].items() if kind == "@person"}
        known = frozenset({*KNOWN, *names_person, *self.known.roles})
        for at, step in enumerate(b.approvers):
            yield from self._listed(("approvers", at), step.who, known, "审批人")
            yield from self.conditions(b.record, step.where, ("approvers", at, "where"))
            yield from self.conditions("person", step.asker, ("approvers", at, "asker"))

    def conditions(self, record: str, given: dict[str, Any], where: Where) -> Said:
        """Every mistake in a set of conditions on a record."""
        for name, wanted in given.items():
            here = (*where, name)
            if name == "any":
                yield from self._any(record, wanted, here)
                continue
            try:
                kind = self.known.kind(record, name)
            except names.Unknown as unknown:
                yield here, str(unknown)
                continue
            tests = wanted if isinstance(wanted, dict) else {_plain(wanted): wanted}
            for word, value in tests.items():
                yield from self._test(record, name, kind, str(word), value, here)

    def _any(self, record: str, groups: Any, where: Where) -> Said:
        if not isinstance(groups, list) or not groups:
            yield where, "any 后面要列出几组条件，满足一组即可"
            return
        for at, group in enumerate(groups):
            if isinstance(group, dict):
                yield from self.conditions(record, group, (*where, at))
            else:
                yield (*where, at), "any 的每一组要写成 {事实: 条件}"

    def _test(self, record: str, name: str, kind: str, word: str, value: Any, where: Where) -> Said:
        plain = {"not": "is"}.get(word, word.removeprefix("not_"))
        if plain not in WORDS and word not in MEASURED:
            known = [*WORDS, *(f"not_{w}" for w in WORDS), *MEASURED]
            yield where, f"没有“{word}”这个条件词{names.nearest(word, known)}"
            return
        if plain == "same_as":
            yield from self._try(where, self.known.kind, record, str(value))
        elif plain == "valid" and value not in FORMATS:
            yield where, f"没有“{value}”这种格式，只有 {'、'.join(FORMATS)}"
        elif plain in ("in", "has") and not (isinstance(value, list) and value):
            yield where, f"“{word}”后面要写一个列表，如 [甲, 乙]"
        elif plain in ("is", "in", "has"):
            yield from self._codes(name, kind, value, where)
        elif plain == "empty" and not isinstance(value, bool):
            yield where, f"“{word}”后面写 true 或 false"
        elif plain in ("at_least", "at_most", "above", "below") and not _is_number(value):
            yield where, f"“{word}”后面要写数字，现在是“{value}”"

    def _codes(self, name: str, kind: str, value: Any, where: Where) -> Said:
        allowed = names.codes(kind)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict | list) or one is None:
                yield where, f"“{name}”的取值要写成一个词或数"
            elif allowed and one not in allowed:
                near = names.nearest(str(one), allowed)
                yield where, f"“{name}”没有“{one}”这个取值{near}"
            elif kind == "bool" and not isinstance(one, bool):
                yield where, f"“{name}”后面写 true 或 false"

    def _moment(self, record: str, name: str, where: Where) -> Said:
        if stream := self.known.streams.get(name):
            if stream.record != record:
                label = self.known.labels[stream.record]
                yield where, f"“{name}”是{label}的事件，不是{self.known.labels[record]}的"
            return
        try:
            kind = self.known.kind(record, name)
        except names.Unknown as unknown:
            streams = [s for s, of in self.known.streams.items() if of.record == record]
            near = names.nearest(name, [*self.known.facts[record], *streams])
            yield where, str(unknown).split(",")[0] + near
            return
        if kind not in (*names.INSTANTS, names.ANYTHING):
            yield where, f"“{name}”不是时刻，请换一个时间事实"

    def _who(self, record: str, who: str) -> Said:
        for one in (name.strip() for name in who.split(",")):
            if one in ("owner", "self") or one in self.known.roles:
                continue
            if self.known.facts[record].get(one) in ("@person", "@team"):
                continue
            people = [n for n, k in self.known.facts[record].items() if k in ("@person", "@team")]
            near = names.nearest(one, [*self.known.roles, *people, "owner", "self"])
            yield ("who",), f"没有“{one}”这个责任人{near}"

    def _listed(self, where: Where, name: str, known: Any, what: str) -> Said:
        if name not in known:
            yield where, f"没有“{name}”这个{what}{names.nearest(name, known)}"

    def _try(self, where: Where, ask: Any, *names_: str) -> Said:
        try:
            ask(*names_)
        except names.Unknown as unknown:
            yield where, str(unknown)


def _plain(value: Any) -> str:
    return "in" if isinstance(value, list) else "is"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
