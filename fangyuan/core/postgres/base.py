"""The database connection: statements may be prepared, and a lost line is noticed for free."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations
from psycopg import _queries, pq
from psycopg.types.datetime import TimestamptzLoader

# Wide records make long statements, the same each time: their places are looked for once.
_queries.MAX_CACHED_STATEMENT_LENGTH = 2**16
_queries.MAX_CACHED_STATEMENT_PARAMS = 500


class AskedCursor(base.CursorMixin, psycopg.RawCursor[Any]):
    """A cursor for statements whose places are `$1`, `$2` …: nothing in their text is looked for.

    A statement without values has them written out: nobody will ask it again.
    """

    def execute(self, sql: Any, params: Any = None) -> Any:  # type: ignore[override]
        return super().execute(sql, params, prepare=None if params else False)


class DatabaseOperations(operations.DatabaseOperations):
    """Django's operations, which can also say what a prepared statement was."""

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        if isinstance(cursor, AskedCursor):
            return f"{sql} {params}" if params else str(sql)
        if isinstance(cursor, base.ServerBindingCursor):
            return str(self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)


def _reading(cursor: Any) -> Any:
    """A cursor that reads instants with the driver's compiled reader: they come in UTC, as the
    session asks, and Django's own reader takes ten times as long."""
    cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
    return cursor


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection, with a second kind of cursor."""

    ops_class = DatabaseOperations

    def prepared(self) -> Any:
        """A cursor whose statements the server parses and plans once per connection."""
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(_reading(base.ServerBindingCursor(self.connection)))  # type: ignore[call-arg, attr-defined]

    def asked(self) -> Any:
        """The same for statements with numbered places; without values they are planned anew."""
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(_reading(AskedCursor(self.connection)))  # type: ignore[attr-defined]

    def is_usable(self) -> bool:
        """Whether the line still stands: a server that hung up has left something to read.

        Asked before every request, so it must not cost a round trip.
        """
        if self.connection is None or self.connection.pgconn.status != pq.ConnStatus.OK:
            return False
        line = select.poll()
        line.register(self.connection.pgconn.socket, select.POLLIN)
        return not line.poll(0)
