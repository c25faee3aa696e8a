"""Queries that are built, compiled and planned once and then only asked, with other values.

Building a query and compiling it to SQL takes longer than most pages' answers. A `Ready` is made
with `Slot`s where values come in; everything else becomes part of the text, so that partial indexes
fit and the server's plan can be kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, Q, QuerySet
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from psycopg.sql import Literal

Given = Mapping[str, Any]
_PLACE = re.compile(r"%(s|%)")
MOST_KNOWN = 1000  # shapes of one query that a process remembers
_VALUES = (str, int, Decimal, date)


class Slot(Expression):
    """The place of a value in a query: a name, or how the value follows from what is given."""

    def __init__(self, take: str | Callable[[Given], Any], key: Hashable = None) -> None:
        """Slots of one name, or of one `key`, take one value, which is sent once."""
        super().__init__()
        self.take = (lambda given: given[take]) if isinstance(take, str) else take
        self.key = take if isinstance(take, str) else key

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Unfit(Exception):
    """A condition whose values cannot be taken out of it."""


@dataclass(frozen=True)
class Mould:
    """A condition without its values: the same for all that differ in nothing else.

    The values are given to the query as `values`, in the order in which they were taken out.
    """

    form: Hashable
    where: Q = field(compare=False, repr=False)


def mould(where: Q) -> tuple[Mould, list[Any]]:
    """A condition as a shape and the values that go into it; raises Unfit."""
    values: list[Any] = []
    form, emptied = _emptied(where, values)
    return Mould(form, emptied), values


def _emptied(part: Any, values: list[Any]) -> tuple[Hashable, Any]:
    if isinstance(part, Q):
        within = [_emptied(one, values) for one in part.children]
        emptied = Q.create([one for _, one in within], part.connector, part.negated)
        return (part.connector, part.negated, *(form for form, _ in within)), emptied
    if not isinstance(part, tuple):
        raise Unfit
    name, value = part
    if value is None or isinstance(value, bool):
        return (name, value), part
    if name.endswith("__in") and isinstance(value, (list, tuple)):
        return (name, *value), part
    if isinstance(value, _VALUES) or _is_list(value):
        place = len(values)
        values.append(value)
        return name, (name, Slot(lambda given: given["values"][place]))
    raise Unfit


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, _VALUES) for one in value)


class Ready:
    """A family of queries: `build(*shape)` makes the queryset of one shape, with slots.

    Calling it with a shape and the slots' values gives model instances, or tuples if the queryset
    asks for `values_list`; a family that is counted gives the number of its rows.
    """

    def __init__(self, build: Callable[..., QuerySet[Any]], *, is_counted: bool = False) -> None:
        self._build, self._is_counted = build, is_counted
        self._known: dict[tuple[Hashable, ...], _Compiled] = {}

    def __call__(self, *shape: Hashable, **given: Any) -> list[Any]:
        return self._compiled(shape).ask(given)

    def anew(self, *shape: Hashable, **given: Any) -> list[Any]:
        """The same, planned for these very values: where the best way depends on them."""
        return self._compiled(shape).ask(given, is_planned_anew=True)

    def once(self, *shape: Any, **given: Any) -> list[Any]:
        """The same for a shape that will not come again: built, asked and forgotten."""
        return _Compiled(self._build(*shape), self._is_counted).ask(given, is_planned_anew=True)

    def _compiled(self, shape: tuple[Hashable, ...]) -> _Compiled:
        known = self._known.get(shape)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[shape] = _Compiled(self._build(*shape), self._is_counted)
        return known


class _Compiled:
    """The text of a queryset, and how its rows become what the queryset promises."""

    def __init__(self, rows: QuerySet[Any], is_counted: bool) -> None:
        if guard := getattr(rows, "_guard", None):
            guard()
        compiler = rows.query.get_compiler(using=connection.alias)
        self.nothing: list[Any] = [(0,)] if is_counted else []
        self.model: Any = None
        self.converters: dict[int, Any] = {}
        self.statement: Statement | None = None
        try:
            self.statement = Statement(*compiler.as_sql(), is_counted=is_counted)
        except EmptyResultSet:  # nobody with this shape sees anything
            return
        if is_counted:
            return
        self.select = compiler.select
        self.converters = compiler.get_converters([one[0] for one in self.select])
        if rows._fields is None:  # type: ignore[attr-defined]
            self._shape(compiler)

    def _shape(self, compiler: Any) -> None:
        shown: Any = compiler.klass_info
        places = shown["select_fields"]
        self.alias = connection.alias
        self.model, self.span = shown["model"], (places[0], places[-1] + 1)
        self.names = [one[0].target.attname for one in self.select[slice(*self.span)]]
        self.related = get_related_populators(shown, self.select, connection.alias)  # type: ignore[call-arg]
        self.notes = list((compiler.annotation_col_map or {}).items())

    def ask(self, given: Given, *, is_planned_anew: bool = False) -> list[Any]:
        """The rows for these values; one statement."""
        if self.statement is None:
            return list(self.nothing)
        rows = self.statement.ask(given, is_planned_anew=is_planned_anew)
        if self.converters:
            rows = [self._converted(row) for row in rows]
        return [self._instance(row) for row in rows] if self.model else rows

    def _converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return tuple(values)

    def _instance(self, row: Sequence[Any]) -> Any:
        """What `from_db` makes of a row, without a call for each of sixty columns."""
        start, end = self.span
        found = self.model.__new__(self.model)
        found._state = state = ModelState()
        state.adding, state.db = False, self.alias
        found.__dict__.update(zip(self.names, row[start:end], strict=True))
        for populator in self.related:
            populator.populate(row, found)
        for name, place in self.notes:
            setattr(found, name, row[place])
        return found


class Statement:
    """A statement cut at its slots once, so that asking it need not read its text again."""

    def __init__(self, sql: str, params: Sequence[Any], *, is_counted: bool) -> None:
        """`sql` as Django compiles it; what is no slot among its values becomes part of it."""
        self._slots: list[Slot] = []
        self._places: list[int] = []  # which slot stands after each part
        self._parts = [""]
        values, end = iter(params), 0
        for found in _PLACE.finditer(sql):
            self._parts[-1] += sql[end : found.start()]
            end = found.end()
            self._place("%" if found[1] == "%" else next(values))
        self._parts[-1] += sql[end:]
        if is_counted:
            self._parts[0] = "SELECT count(*) FROM (" + self._parts[0]  # noqa: S608
            self._parts[-1] += ") found"
        numbered = zip(self._places, self._parts[1:], strict=True)
        self._text = self._parts[0] + "".join(f"${place + 1}{part}" for place, part in numbered)

    def _place(self, value: Any) -> None:
        if isinstance(value, Slot):
            keys = [one.key if one.key is not None else one for one in self._slots]
            key = value.key if value.key is not None else value
            place = keys.index(key) if key in keys else len(keys)
            if place == len(keys):
                self._slots.append(value)
            self._places.append(place)
            self._parts.append("")
        else:
            said = "%" if value == "%" else connection.ops.compose_sql("%s", [value])  # type: ignore[attr-defined]
            self._parts[-1] += str(said)

    def ask(self, given: Given, *, is_planned_anew: bool) -> list[Any]:
        """The rows for these values."""
        values = [_param(slot.take(given)) for slot in self._slots]
        with connection.asked() as cursor:  # type: ignore[attr-defined]
            if is_planned_anew:
                cursor.execute(self._written_out(values))
            else:
                cursor.execute(self._text, values)
            return list(cursor.fetchall())

    def _written_out(self, values: Sequence[Any]) -> str:
        line = connection.connection
        said = [Literal(value).as_string(line) for value in values]
        numbered = zip(self._places, self._parts[1:], strict=True)
        return self._parts[0] + "".join(said[place] + part for place, part in numbered)


def _param(value: Any) -> Any:
    """Numbers as PostgreSQL writes an array: `any_of` says their type, nobody need guess it."""
    if type(value) is list and value and type(value[0]) is int:
        return "{" + ",".join(map(str, value)) + "}"
    return value


def ask(sql: str, params: Any) -> list[Any]:
    """The rows of a statement that the server parses and plans once per connection."""
    with connection.prepared() as cursor:  # type: ignore[attr-defined]
        cursor.execute(sql, params)
        return list(cursor.fetchall())
