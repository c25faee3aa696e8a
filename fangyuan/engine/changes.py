"""What changed since the last sweep, read from the event log by transaction visibility."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from fangyuan.engine.asked import Asked

# Rows of these types say something about another record or person, named in these columns.
ABOUT: Final = ("tracked", "holding", "waiver")
_READ: Final = """
SELECT record, record_id,
       CASE WHEN op = 'U' THEN ARRAY(SELECT jsonb_object_keys(diff)) END,
       CASE WHEN op <> 'C' THEN (
         SELECT jsonb_object_agg(key, CASE WHEN op = 'U' THEN value -> 0 ELSE value END)
           FROM jsonb_each(diff) WHERE key LIKE '%%_id')::text END
  FROM core_event
 WHERE xid >= %s AND (xid < %s OR xid = pg_current_xact_id_if_assigned()::text::bigint)
"""
# Traces are only ever added and tell no log: they carry the number of their transaction.
_TRACES: Final = """
SELECT id FROM access_accesslog
 WHERE xid >= %s AND (xid < %s OR xid = pg_current_xact_id_if_assigned()::text::bigint)
"""


@dataclass
class Changes:
    """Changed records by type: number → changed columns (None: everything about it)."""

    records: dict[str, dict[int, set[str] | None]] = field(default_factory=dict)
    # Numbers that link columns held before they were changed: (type, column) → numbers.
    was_linked: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    # What was asked about these changes already, for several rules ask the same.
    _asked: Asked = field(default_factory=Asked)

    @classmethod
    def read(cls, cursor_at: int, horizon: int) -> Changes:
        """Every change of transactions that ended between two horizons."""
        found = cls()
        with connection.cursor() as cursor:
            cursor.execute(_READ, [cursor_at, horizon])
            for record, number, columns, links in cursor:
                found.add(record, number, None if columns is None else set(columns))
                found._keep_links(record, json.loads(links) if links else {})
            cursor.execute(_TRACES, [cursor_at, horizon])
            found.add_woken(("access_log", number) for (number,) in cursor)
        return found

    def add(self, record: str, number: int, columns: set[str] | None = None) -> None:
        """Note a changed record."""
        self._asked.clear()
        known = self.records.setdefault(record, {})
        before = known.get(number, set())
        known[number] = None if before is None or columns is None else before | columns

    def add_woken(self, woken: Iterable[tuple[str, int]]) -> None:
        """Note records an instant of which has come."""
        for record, number in woken:
            self.add(record, number)

    def numbers(self, record: str, columns: set[str] | None = None) -> set[int]:
        """The changed records of a type, of which any of these columns changed."""
        known = self.records.get(record, {})
        if columns is None:
            return set(known)
        return {n for n, changed in known.items() if changed is None or changed & columns}

    def linked_before(self, record: str, column: str) -> set[int]:
        """Numbers that a link column of changed records held before."""
        return self.was_linked.get((record, column), set())

    def once(self, key: Any, ask: Callable[[], Any]) -> Any:
        """What a question about these changes gives, asked of the database once."""
        return self._asked.once(key, ask)

    def _keep_links(self, record: str, links: dict[str, Any]) -> None:
        for column, before in links.items():
            if isinstance(before, int):
                self.was_linked.setdefault((record, column), set()).add(before)
