"""Queries that are built, compiled and planned once and then only asked, with other values.

Building a query and compiling it to SQL takes longer than most pages' answers. A `Ready` is made
with `Slot`s where values come in; everything else becomes part of the text, so that partial indexes
fit and the server's plan can be kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, QuerySet
from django.db.models.query import get_related_populators

Given = Mapping[str, Any]
_PLACE = re.compile(r"%(s|%)")


class Slot(Expression):
    """The place of a value in a query: a name, or how the value follows from what is given."""

    def __init__(self, take: str | Callable[[Given], Any]) -> None:
        super().__init__()
        self.take = (lambda given: given[take]) if isinstance(take, str) else take

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Ready:
    """A family of queries: `build(*shape)` makes the queryset of one shape, with slots.

    Calling it with a shape and the slots' values gives model instances, or tuples if the queryset
    asks for `values_list`.
    """

    def __init__(self, build: Callable[..., QuerySet[Any]]) -> None:
        self._build = build
        self._known: dict[tuple[Hashable, ...], _Compiled] = {}

    def __call__(self, *shape: Hashable, **given: Any) -> list[Any]:
        known = self._known.get(shape)
        if known is None:
            known = self._known[shape] = _Compiled(self._build(*shape))
        return known.ask(given)


class _Compiled:
    """The text of a queryset, and how its rows become what the queryset promises."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        if guard := getattr(rows, "_guard", None):
            guard()
        compiler = rows.query.get_compiler(using=connection.alias)
        self.is_empty = False
        self.model: Any = None
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:  # nobody with this shape sees anything
            self.is_empty = True
            return
        self.sql, self.slots = _text(sql, params)
        self.select = compiler.select
        self.converters = compiler.get_converters([one[0] for one in self.select])
        if rows._fields is None:  # type: ignore[attr-defined]
            shown: Any = compiler.klass_info
            places = shown["select_fields"]
            self.model, self.span = shown["model"], (places[0], places[-1] + 1)
            self.names = [one[0].target.attname for one in self.select[slice(*self.span)]]
            self.related = get_related_populators(shown, self.select, connection.alias)  # type: ignore[call-arg]
            self.notes = list((compiler.annotation_col_map or {}).items())

    def ask(self, given: Given) -> list[Any]:
        """The rows for these values; one statement."""
        if self.is_empty:
            return []
        rows = ask(self.sql, [slot.take(given) for slot in self.slots])
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
        start, end = self.span
        found = self.model.from_db(connection.alias, self.names, row[start:end])
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
