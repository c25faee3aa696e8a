"""Records as rows of a table that reads back the same: what the person may see, and no more."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from fangyuan.access import scopes, table
from fangyuan.core import fields, records
from fangyuan.desk import columns as faces
from fangyuan.desk.exchange import columns as shape
from fangyuan.desk.exchange import identity, terms
from fangyuan.desk.exchange.columns import Column

_CHUNK = 2_000
Teller = Callable[[Any], Any]  # what a record has in one column, as the file says it


def columns(model: Any, actor: Any) -> list[Column]:
    """The columns of an export, in the order of the template."""
    usual = shape.template(model, actor)
    return [column for column in usual if column.kind != "child"]


class Export:
    """Rows of one type as text (for tables) or as plain values (for JSON)."""

    def __init__(self, model: Any, actor: Any, *, plain: bool = False) -> None:
        self.model, self.actor, self._plain = model, actor, plain
        self.columns = columns(model, actor)
        self._lookups = terms.Lookups()
        self._zone = ZoneInfo(settings.TIME_ZONE)
        is_admin = actor is None or table.sight(actor).is_admin
        self._masked = frozenset() if is_admin else table.masked(model.record_name())
        self._called: dict[tuple[str, int], str] = {}
        self._tellers = [self._teller(column) for column in self.columns]
        self._seen: dict[frozenset[str], list[Teller]] = {frozenset(): self._tellers}

    @property
    def header(self) -> list[str]:
        """Labels, or identifiers for JSON."""
        return [column.name if self._plain else column.label for column in self.columns]

    def rows(self, found: Any) -> Iterator[list[Any]]:
        """The rows of a queryset, in chunks, whatever their number."""
        coming = iter(found.order_by("pk").iterator(_CHUNK))
        while chunk := list(islice(coming, _CHUNK)):
            yield from self.cells(chunk)

    def cells(self, chunk: Sequence[Any]) -> Iterator[list[Any]]:
        """The cells of these records, a list for each."""
        hidden = scopes.veil(self.actor, list(chunk)) if self.actor is not None else {}
        self._called = self._names(chunk)
        nothing = frozenset[str]()
        for record in chunk:
            yield [tell(record) for tell in self._telling(hidden.get(record.pk, nothing))]

    def _telling(self, hidden: frozenset[str]) -> list[Teller]:
        """What tells a record of which these fields are hidden."""
        if hidden not in self._seen:
            self._seen[hidden] = [
                self._nothing if column.name in hidden else tell
                for column, tell in zip(self.columns, self._tellers, strict=True)
            ]
        return self._seen[hidden]

    @property
    def _empty(self) -> Any:
        return None if self._plain else ""

    def _nothing(self, _: Any) -> Any:
        return self._empty

    def _names(self, chunk: Sequence[Any]) -> dict[tuple[str, int], str]:
        """How the records that these rows refer to are named."""
        wanted: dict[str, set[int]] = {}
        for column in self.columns:
            if column.kind in ("reference", "pointer"):
                for record in chunk:
                    if pointer := _pointer(record, column):
                        wanted.setdefault(pointer[0], set()).add(pointer[1])
        return {
            (kind, number): name
            for kind, numbers in wanted.items()
            for number, name in _called(records.row_types()[kind], numbers)
        }

    def _teller(self, column: Column) -> Teller:
        """What tells a column of any record; all that its field decides is decided here."""
        if column.kind == "key":
            return lambda record: getattr(record, "key", None) or f"#{record.pk}"
        if column.kind in ("reference", "pointer"):
            return lambda record: self._reference(record, column)
        read, empty = operator.attrgetter(column.field.attname), self._empty
        write = _masked if column.name in self._masked else self._writer(column.field)
        if write is None:
            return read

        def tell(record: Any) -> Any:
            value = read(record)
            return empty if value is None else write(value)

        return tell

    def _writer(self, field: Any) -> Teller | None:
        """What makes of a field's value what the file holds; None where it is the same."""
        if isinstance(field, models.DateTimeField):
            between = "T" if self._plain else " "
            return lambda value: value.astimezone(self._zone).isoformat(between)
        if isinstance(field, fields.TermField):
            return _code if self._plain else lambda value: self._label(field, value)
        if isinstance(field, ArrayField):
            return list if self._plain else self._many(field)
        return _json(field) if self._plain else _text(field)

    def _label(self, field: Any, value: Any) -> str:
        return self._lookups.label(field.domain, str(value))

    def _many(self, field: Any) -> Teller:
        if isinstance(field, fields.ChoiceSet):
            said = {code: str(label) for code, label in field.vocabulary}
            return lambda items: ";".join([said.get(item, str(item)) for item in items])
        if isinstance(field, fields.TermSet):
            return lambda items: ";".join(
                [self._lookups.label(field.domain, f"{field.domain}:{item}") for item in items]
            )
        if isinstance(field, fields.RefSet):
            return lambda items: ";".join(f"#{number}" for number in items)
        return _list

    def _reference(self, record: Any, column: Column) -> str | None:
        pointer = _pointer(record, column)
        if pointer is None:
            return self._empty  # type: ignore[no-any-return]
        name = self._called.get(pointer, f"#{pointer[1]}")
        return f"{pointer[0]}:{name}" if column.kind == "pointer" else name


def _pointer(record: Any, column: Column) -> tuple[str, int] | None:
    if column.kind == "pointer":
        found: tuple[str, int] | None = getattr(record, column.name)
        return found
    if column.kind == "reference":
        number = getattr(record, column.field.attname)
        return (column.target.record_name(), number) if number is not None else None
    return None


def _called(model: Any, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    own = identity.own(model)
    has_key = any(field.name == own for field in model._meta.concrete_fields)
    fetched = ("pk", own) if has_key else ("pk", "pk")
    rows = model._base_manager.filter(pk__any_of=list(numbers)).order_by()
    for number, name in rows.values_list(*fetched):
        yield number, str(name) if has_key and name else f"#{number}"


def _masked(value: Any) -> Any:
    return faces.mask(str(value)) if value else value


def _code(value: Any) -> str:
    return str(value).split(":", 1)[-1]


def _list(items: list[str]) -> str:
    if any(set(item) & set(";；\n") or item != item.strip() for item in items):
        return json.dumps(items, ensure_ascii=False)
    return ";".join(items)


def _json(field: Any) -> Teller | None:
    if isinstance(field, models.DateField):
        return lambda value: value.isoformat()
    return (lambda value: format(value, "f")) if isinstance(field, models.DecimalField) else None


def _text(field: Any) -> Teller:
    if isinstance(field, models.JSONField):
        return lambda value: json.dumps(value, ensure_ascii=False)
    if isinstance(field, models.BooleanField):
        return lambda value: "是" if value else "否"
    if field.choices:
        said = {code: str(label) for code, label in field.flatchoices}
        return lambda value: said.get(value, str(value))
    return (lambda value: format(value, "f")) if isinstance(field, models.DecimalField) else str
