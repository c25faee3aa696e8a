"""Records as rows of a table that reads back the same: what the person may see, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from fangyuan.access import scopes, table
from fangyuan.core import fields, records
from fangyuan.desk import columns as faces
from fangyuan.desk.exchange import columns as shape
from fangyuan.desk.exchange import identity, terms
from fangyuan.desk.exchange.columns import Column

_CHUNK = 1_000


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
        names = self._names(chunk)
        for record in chunk:
            unseen = hidden.get(record.pk, ())
            yield [self._cell(record, column, unseen, names) for column in self.columns]

    def _names(self, chunk: Sequence[Any]) -> dict[tuple[str, int], str]:
        """How the records that these rows refer to are named."""
        wanted: dict[str, set[int]] = {}
        for column in self.columns:
            for record in chunk:
                if pointer := _pointer(record, column):
                    wanted.setdefault(pointer[0], set()).add(pointer[1])
        return {
            (kind, number): name
            for kind, numbers in wanted.items()
            for number, name in _called(records.row_types()[kind], numbers)
        }

    def _cell(
        self, record: Any, column: Column, hidden: Iterable[str], names: dict[tuple[str, int], str]
    ) -> Any:
        if column.name in hidden:
            return None if self._plain else ""
        if column.kind == "key":
            return getattr(record, "key", None) or f"#{record.pk}"
        if column.kind in ("reference", "pointer"):
            return self._reference(record, column, names)
        value = getattr(record, column.field.attname)
        if column.name in self._masked and value:
            return faces.mask(str(value))
        return self._value(column.field, value)

    def _reference(
        self, record: Any, column: Column, names: dict[tuple[str, int], str]
    ) -> str | None:
        pointer = _pointer(record, column)
        if pointer is None:
            return None if self._plain else ""
        name = names.get(pointer, f"#{pointer[1]}")
        return f"{pointer[0]}:{name}" if column.kind == "pointer" else name

    def _value(self, field: Any, value: Any) -> Any:
        if value is None:
            return None if self._plain else ""
        if isinstance(value, datetime):
            return self._instant(value)
        if isinstance(field, fields.TermField):
            code = str(value).split(":", 1)[-1]
            return code if self._plain else self._lookups.label(field.domain, str(value))
        if isinstance(value, list) and not isinstance(field, models.JSONField):
            return list(value) if self._plain else self._many(field, value)
        return _json(value) if self._plain else self._text(field, value)

    def _text(self, field: Any, value: Any) -> str:
        if isinstance(field, models.JSONField):
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, bool):
            return "是" if value else "否"
        if field.choices:
            return str(dict(field.flatchoices).get(value, value))
        return format(value, "f") if isinstance(value, Decimal) else str(value)

    def _instant(self, value: datetime) -> str:
        local = value.astimezone(self._zone)
        return local.isoformat() if self._plain else local.isoformat(" ")

    def _many(self, field: Any, items: list[str]) -> str:
        if isinstance(field, fields.ChoiceSet):
            said = dict(field.vocabulary)
            return ";".join(str(said.get(item, item)) for item in items)
        if isinstance(field, fields.TermSet):
            keys = [f"{field.domain}:{item}" for item in items]
            return ";".join(self._lookups.label(field.domain, key) for key in keys)
        if any(set(item) & set(";;\n") or item != item.strip() for item in items):
            return json.dumps(items, ensure_ascii=False)
        return ";".join(items)


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
    for number, name in model._base_manager.filter(pk__in=numbers).values_list(*fetched):
        yield number, str(name) if has_key and name else f"#{number}"


def _json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value
