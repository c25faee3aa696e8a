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

Given = Mapping[str, Any]
_PLACE = re.compile(r"%(s|%)")
MOST_KNOWN = 1000  # shapes of one query that a process remembers
_VALUES = (str, int, Decimal, date)


class Slot(Expression):
    """The place of a value in a query: a name, or how the value follows from what is given."""

    def __init__(self, take: str | Callable[[Given], Any]) -> None:
        super().__init__()
        self.take = (lambda given: given[take]) if isinstance(take, str) else take

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
        return self._compiled(shape).ask(given, ask)

    def anew(self, *shape: Hashable, **given: Any) -> list[Any]:
        """The same, planned for these very values: where the best way depends on them."""
        return self._compiled(shape).ask(given, ask_anew)

    def once(self, *shape: Any, **given: Any) -> list[Any]:
        """The same for a shape that will not come again: built, asked and forgotten."""
        return _Compiled(self._build(*shape), self._is_counted).ask(given, ask_anew)

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
        self.is_empty, self.nothing = False, [(0,)] if is_counted else []
        self.model: Any = None
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:  # nobody with this shape sees anything
            self.is_empty = True
            return
        self.sql, self.slots = _text(sql, params)
        if is_counted:
            self.sql = f"SELECT count(*) FROM ({self.sql}) found"  # noqa: S608
            self.converters: dict[int, Any] = {}
            return
        self.select = compiler.select
        self.converters = compiler.get_converters([one[0] for one in self.select])
        if rows._fields is None:  # type: ignore[attr-defined]
            self._shape(compiler)

    def _shape(self, compiler: Any) -> None:
        shown: Any = compiler.klass_info
        places = shown["select_fields"]
        self.model, self.span = shown["model"], (places[0], places[-1] + 1)
        self.names = [one[0].target.attname for one in self.select[slice(*self.span)]]
        self.related = get_related_populators(shown, self.select, connection.alias)  # type: ignore[call-arg]
        self.notes = list((compiler.annotation_col_map or {}).items())

    def ask(self, given: Given, how: Callable[[str, Any], list[Any]]) -> list[Any]:
        """The rows for these values; one statement."""
        if self.is_empty:
            return list(self.nothing)
        rows = how(self.sql, [slot.take(given) for slot in self.slots])
        if self.converters:
            rows = [self._converted(row) for row in rows]
        return [self._instance(row) for row in rows] if self.model else rows

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return values

    def _instance(self, row: Sequence[Any]) -> Any:
        """What `from_db` makes of a row, without a call for each of sixty columns."""
        start, end = self.span
        found = self.model.__new__(self.model)
        found._state = state = ModelState()
        state.adding, state.db = False, connection.alias
        found.__dict__.update(zip(self.names, row[start:end], strict=True))
        for populator in self.related:
            populator.populate(row, found)
        for name, place in self.notes:
            setattr(found, name, row[place])
        return found


def ask(sql: str, params: Any) -> list[Any]:
    """The rows of a statement that the server parses and plans once per connection."""
    with connection.prepared() as cursor:  # type: ignore[attr-defined]
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def ask_anew(sql: str, params: Any) -> list[Any]:
    """The rows of a statement that the server plans for these very values."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _text(sql: str, params: Sequence[Any]) -> tuple[str, list[Slot]]:
    """The statement with its constants written out, and the slots in their order."""
    values, slots = iter(params), list[Slot]()

    def place(found: re.Match[str]) -> str:
        if found[1] == "%":
            return "%%"
        value = next(values)
        if isinstance(value, Slot):
            slots.append(value)
            return "%s"
        return str(connection.ops.compose_sql("%s", [value])).replace("%", "%%")  # type: ignore[attr-defined]

    return _PLACE.sub(place, sql), slots
