"""Records as they were: the present row, with what the event log says was written since taken back.

The log begins when a record was entered here; of imported history the values of that day are the
oldest known. Columns kept out of the log (search columns, passwords) stay as they are now.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection

from fangyuan.core import records

# The first write after the instant holds the value that stood at it.
_WAS = """
SELECT DISTINCT ON (e.record, e.record_id, d.key) e.record, e.record_id, d.key, d.value -> 0
  FROM unnest(%s::text[], %s::bigint[]) r (record, record_id)
  JOIN core_event e ON e.record = r.record AND e.record_id = r.record_id
 CROSS JOIN jsonb_each(e.diff) d
 WHERE e.op = 'U' AND e.at > %s
 ORDER BY e.record, e.record_id, d.key, e.at, e.id
"""
R = TypeVar("R", bound=records.Row)


def was_there(record: Any, at: datetime) -> bool:
    """Whether the record was entered, and not in the recycle bin, at an instant (by its own row:
    ask with what `turned` gives)."""
    entered: datetime | None = getattr(record, "recorded_at", None)
    removed: datetime | None = getattr(record, "removed_at", None)
    return (entered is None or entered <= at) and (removed is None or removed > at)


def turned(rows: Iterable[R], at: datetime) -> list[R]:
    """Copies of these rows, of any types, with the values of an instant; one query at most.

    Rows that are no records never change.
    """
    found = list(rows)
    logged = [row for row in found if isinstance(row, records.Record)]
    was = _was([(row.record_name(), row.pk) for row in logged], at) if logged else {}
    return [_with(row, was.get((row.record_name(), row.pk), {})) for row in found]


def _was(pointers: list[tuple[str, int]], at: datetime) -> dict[tuple[str, int], dict[str, Any]]:
    values: dict[tuple[str, int], dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_WAS, [*(list(side) for side in zip(*pointers, strict=True)), at])
        for kind, number, column, value in cursor.fetchall():
            told = json.loads(value) if isinstance(value, str) else value
            values.setdefault((kind, number), {})[column] = told
    return values


def _with(row: R, values: dict[str, Any]) -> R:
    """A copy of the row in which these columns have these values, as the log writes them."""
    turned = copy.copy(row)
    for field in row._meta.concrete_fields:
        if field.column in values:
            value = values[field.column]
            setattr(turned, field.attname, None if value is None else field.to_python(value))
            turned._state.fields_cache.pop(field.name, None)
    return turned
