"""Facts: what rules, filters and columns may know of a record, by name.

Plain fields are facts by themselves; a model declares further ones in its attribute `facts`, and an
upper room adds its own with `extend`. Nothing outside the declared facts can be asked.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Now, TruncDate

from fangyuan.core import fields, records

Expression = Any
KINDS = {
    models.BooleanField: "bool",
    models.DateTimeField: "at",
    models.DateField: "date",
    models.IntegerField: "int",
    models.DecimalField: "number",
    models.JSONField: "json",
    models.FileField: "file",
}


class UnknownFact(ValueError):
    """A name that no field and no declared fact of the record type carries."""


@dataclass(frozen=True)
class Fact:
    """One thing known of a record type: its name, its Chinese label, what it is made of."""

    label: str
    kind: str = "text"
    choices: dict[str, str] = field(default_factory=dict)
    domain: str = ""
    # Other record types whose rows change this fact: (type name, column with the subject's number).
    # With a third name the column ("" for the row itself) gives the record at which that pointer of
    # the subject points; with all empty any row may concern every subject.
    reads: tuple[tuple[str, ...], ...] = ()
    name: str = ""
    model: Any = None

    @property
    def path(self) -> str:
        """How a filter names it: the field itself, or the annotation `annotate` adds."""
        return f"fact_{self.name}"

    def now(self) -> Expression | None:
        """The value as of now as an expression, None where the field itself is the value."""
        return None

    @property
    def is_temporal(self) -> bool:
        """Whether its past values are known as spans of time."""
        return False


@dataclass(frozen=True)
class Plain(Fact):
    """A column of the record, or of a record reached by foreign keys (`inspection.kind`)."""

    column: str = ""
    is_tracked: bool = False

    @property
    def path(self) -> str:
        return self.column

    @property
    def is_temporal(self) -> bool:
        return self.is_tracked or (self.kind in ("at", "date") and "__" not in self.column)


@dataclass(frozen=True)
class Derived(Fact):
    """A value computed from the record as it stands; it has no past of its own."""

    value: Callable[[], Expression] = lambda: Value(None)

    def now(self) -> Expression:
        return self.value()


@dataclass(frozen=True)
class Phases(Fact):
    """A life in phases, each begun by an instant of the record; a later phase wins."""

    kind: str = "enum"
    begun_by: tuple[tuple[str, str], ...] = ()
    first: str = ""

    @property
    def is_temporal(self) -> bool:
        return True

    def now(self) -> Expression:
        begun = [When(Q(**{f"{at}__lte": Now()}), then=Value(code)) for code, at in self.begun_by]
        return Case(*reversed(begun), default=Value(self.first), output_field=models.TextField())


@dataclass(frozen=True)
class Until(Fact):
    """True until an instant that is itself tracked."""

    kind: str = "bool"
    until: str = ""

    @property
    def is_temporal(self) -> bool:
        return True

    def now(self) -> Expression:
        return _truth(Q(**{f"{self.until}__gt": Now()}))


@dataclass(frozen=True)
class DaysTo(Fact):
    """Whole days from today to a day of the record; less than nothing once it has gone by."""

    kind: str = "int"
    day: str = ""

    @property
    def is_temporal(self) -> bool:
        return True

    def now(self) -> Expression:
        return Func(
            F(self.day),
            TruncDate(Now()),
            template="(%(expressions)s)",
            arg_joiner=" - ",
            output_field=models.IntegerField(),
        )


@dataclass(frozen=True)
class Among(Fact):
    """True while another fact of the record has one of some values."""

    kind: str = "bool"
    of: str = ""
    values: tuple[str, ...] = ()

    @property
    def is_temporal(self) -> bool:
        return find(self.model, self.of).is_temporal

    def now(self) -> Expression:
        return _truth(Q(**{f"{find(self.model, self.of).path}__in": self.values}))


@dataclass(frozen=True)
class Since(Fact):
    """The instant since which another fact has been true without a break."""

    kind: str = "at"
    of: str = ""

    @property
    def is_temporal(self) -> bool:
        return True

    def now(self) -> Expression:
        tracked = apps.get_model("core", "Tracked")._base_manager.filter(
            subject_type=self.model.record_name(), subject_id=OuterRef("pk"), ends_at=None,
            fact=self._kept, removed_at=None,
        )  # fmt: skip
        kept = Subquery(tracked.order_by("-starts_at").values("starts_at")[:1])
        fact = find(self.model, self.of)
        holds = Q(**{fact.path: True}) if fact.now() is None else Q(fact.now())
        return Case(When(holds, then=Coalesce(kept, F(self.model.begins))))

    @property
    def _kept(self) -> str:
        fact = find(self.model, self.of)
        return fact.of if isinstance(fact, Among) else fact.name


@dataclass(frozen=True)
class Via(Fact):
    """A fact of the record to which this one points."""

    link: str = ""
    to: str = ""
    of: str = ""

    @property
    def is_temporal(self) -> bool:
        return find(self.target, self.of).is_temporal

    @property
    def target(self) -> Any:
        """The record type in which the fact is at home."""
        return records.row_types()[self.to]

    def now(self) -> Expression:
        rows = annotate(self.target._base_manager.filter(pk=OuterRef(f"{self.link}_id")), [self.of])
        found = Subquery(rows.values(find(self.target, self.of).path)[:1])
        if self.link not in getattr(self.model, "any_fields", {}):
            return found
        return Case(When(Q(**{f"{self.link}_type": self.to}), then=found))


@dataclass(frozen=True)
class Rows(Fact):
    """A set of values, each held for spans of time by rows of another record type.

    `subject` is the foreign key back to the record, or the name of a pointer of any type.
    """

    kind: str = "set"
    source: str = ""
    subject: str = ""
    value: str = ""

    @property
    def is_temporal(self) -> bool:
        return True

    @property
    def rows(self) -> Any:
        """The record type whose rows carry the values."""
        return records.row_types()[self.source]

    @property
    def by_pointer(self) -> bool:
        """Whether the rows point at the record by type and number."""
        return self.subject in getattr(self.rows, "any_fields", {})

    @property
    def ends(self) -> tuple[str, str]:
        """The columns in which a row's span begins and ends."""
        names = {f.name for f in self.rows._meta.concrete_fields}
        return ("starts_on", "ends_on") if "starts_on" in names else ("starts_at", "ends_at")

    def held(self) -> Any:
        """The rows in force now of the record in the outer query."""
        starts, ends = self.ends
        by_day = starts == "starts_on"
        now = TruncDate(Now()) if by_day else Now()
        over = Q(**{f"{ends}__gte" if by_day else f"{ends}__gt": now})
        rows = self.rows._base_manager.filter(
            Q(**{ends: None}) | over, removed_at=None, **{f"{starts}__lte": now}
        ).filter(**{f"{self.subject}_id": OuterRef("pk")})
        if self.by_pointer:
            rows = rows.filter(**{f"{self.subject}_type": self.model.record_name()})
        return rows

    def now(self) -> Expression:
        code = Cast(F(f"{self.value}_id" if self.domain else self.value), models.TextField())
        return ArraySubquery(self.held().annotate(code=code).values("code"))


@dataclass(frozen=True)
class HoldsAny(Fact):
    """True while a set that changes over time contains any of some values."""

    kind: str = "bool"
    of: str = ""
    values: tuple[str, ...] = ()

    @property
    def is_temporal(self) -> bool:
        return True

    def now(self) -> Expression:
        of = find(self.model, self.of)
        codes = [qualified(of, code) for code in self.values]
        return Exists(of.held().filter(**{f"{of.value}__in": codes}))


def _truth(condition: Q) -> Case:
    return Case(
        When(condition, then=Value(True)), default=Value(False), output_field=models.BooleanField()
    )


def qualified(fact: Fact, code: Any) -> Any:
    """A value as the column holds it: open vocabularies hold `domain:code`."""
    return f"{fact.domain}:{code}" if fact.domain and ":" not in str(code) else code


_extensions: dict[Any, dict[str, Fact]] = {}


def extend(model: Any, added: dict[str, Fact]) -> None:
    """An upper room adds facts to a record type of a room below it."""
    _extensions.setdefault(model, {}).update(added)
    of.cache_clear()


@functools.cache
def of(model: Any) -> dict[str, Fact]:
    """Every fact of a record type by its name."""
    declared = {**getattr(model, "facts", {}), **_extensions.get(model, {})}
    found: dict[str, Fact] = {
        f.name: _plain(model, f) for f in model._meta.concrete_fields if f.name != "password"
    }
    for name, fact in declared.items():
        found[name] = replace(fact, name=name, model=model)
    return found


def _plain(model: Any, column: Any) -> Plain:
    choices = {str(code): str(said) for code, said in column.flatchoices or ()}
    choices = choices or {str(c): str(said) for c, said in getattr(column, "vocabulary", ())}
    kind = next((k for t, k in KINDS.items() if isinstance(column, t)), "text")
    if isinstance(column, ArrayField):
        kind = "set"
    elif choices:
        kind = "enum"
    elif isinstance(column, models.ForeignKey):
        kind = "enum" if isinstance(column, fields.TermField) else "record"
    return Plain(
        label=str(column.verbose_name),
        kind=kind,
        choices=choices,
        domain=column.domain if isinstance(column, fields.TermField) else "",
        name=column.name,
        model=model,
        column=column.name,
        is_tracked=column.name in getattr(model, "tracked", ()),
    )


def find(model: Any, name: str) -> Any:
    """The fact of this name; raises UnknownFact with the nearest known name."""
    known = of(model)
    if name in known:
        return known[name]
    if "." in name:
        return _along(model, name)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"，是不是“{near[0]}”（{known[near[0]].label}）" if near else ""
    raise UnknownFact(f"{model._meta.verbose_name}没有“{name}”这个事实{hint}")


@functools.cache
def _along(model: Any, name: str) -> Plain:
    first, rest = name.split(".", 1)
    try:
        to = model._meta.get_field(first).related_model
    except FieldDoesNotExist:
        to = None
    if to is None:
        raise UnknownFact(f"{model._meta.verbose_name}没有通向“{name}”的路，请查记录清单")
    there = find(to, rest)
    if not isinstance(there, Plain):
        raise UnknownFact(f"“{name}”不是可直接取用的字段，请在{model._meta.verbose_name}上声明事实")
    label = f"{model._meta.get_field(first).verbose_name}的{there.label}"
    path = f"{first}__{there.column}"
    return replace(there, label=label, name=name, model=model, column=path, is_tracked=False)


def label(model: Any, name: str) -> str:
    """The Chinese name of a fact or pointer, or the name itself where there is no such thing."""
    try:
        return find(model, name).label
    except UnknownFact:
        pointer = getattr(model, "any_fields", {}).get(name)
        return str(pointer.verbose_name) if pointer else name


def annotate(rows: Any, names: Iterable[str]) -> Any:
    """The queryset with the named facts as of now; a derived one is called `fact_<name>`."""
    wanted: dict[str, Expression] = {}
    for name in names:
        fact = find(rows.model, name)
        value = fact.now()
        if value is not None and fact.path not in rows.query.annotations:
            wanted[fact.path] = value
    return rows.annotate(**wanted) if wanted else rows


@dataclass(frozen=True)
class Stream:
    """Events that happen to a record: the instant of a source record, filtered, and the way back.

    `subject` is the source's foreign key or pointer to the record, "" for the source itself.
    """

    source: str
    at: str
    subject: str = ""
    when: dict[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.source, self.at, self.subject, str(self.when)))


_streams: dict[str, tuple[str, Stream]] = {}


def declare_streams(model: Any, streams: dict[str, Stream]) -> None:
    """Name event streams whose subject is this record type."""
    for name, stream in streams.items():
        _streams[name] = (model.record_name(), stream)


def stream(name: str, record: str) -> Stream | None:
    """The stream of this name that happens to this record type, or None."""
    found = _streams.get(name)
    return found[1] if found and found[0] == record else None


def streams(record: str) -> dict[str, Stream]:
    """Every stream of events that happen to a record type, by name."""
    return {name: stream for name, (own, stream) in _streams.items() if own == record}
