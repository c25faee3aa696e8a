"""Installing the event log: functions, the three triggers of each record table, and rights.

The `migrate` command runs `install` after every migration, so a new record type is logged without
anybody remembering it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from fangyuan.core import records

APP_ROLE = "fangyuan_app"
LOG = Path(__file__).with_name("sql") / "log.sql"
# The application may add to these tables, never change or remove what stands there.
APPEND_ONLY = (
    *("core_event", "access_accesslog", "engine_move", "integration_attempt"),
    "opportunities_snapshot",
)

_TRIGGERS = """
CREATE OR REPLACE TRIGGER fy_log_insert AFTER INSERT ON {table}
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION fy_log({args});
CREATE OR REPLACE TRIGGER fy_log_update AFTER UPDATE ON {table}
  REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION fy_log({args});
CREATE OR REPLACE TRIGGER fy_log_delete AFTER DELETE ON {table}
  REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION fy_log({args});
"""


def _column(model: type[records.Record], name: str) -> str:
    return str(model._meta.get_field(name).column)  # type: ignore[union-attr]


def triggers(model: type[records.Record]) -> str:
    """The statements that make a record type's table tell the log."""
    arguments = (
        model.record_name(),
        ",".join(_column(model, name) for name in model.tracked),
        ",".join(_column(model, name) for name in model.unlogged),
        _column(model, model.begins),
    )
    quoted = ", ".join(f"'{argument}'" for argument in arguments)
    return _TRIGGERS.format(table=f'"{model._meta.db_table}"', args=quoted)


def install(connection: Any) -> None:
    """Create the log's functions and triggers and grant the application role its rights."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        cursor.execute(LOG.read_text(encoding="utf-8"))
        for model in records.record_types().values():
            if model._meta.db_table in tables and model._meta.managed:
                cursor.execute(triggers(model))
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        if cursor.fetchone():
            grant(cursor, tables)


def grant(cursor: Any, tables: set[str]) -> None:
    """Give the application role what it needs, and nothing on what is append-only but INSERT."""
    cursor.execute(
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE};"
        f"GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {APP_ROLE};"
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE};"
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {APP_ROLE};"
    )
    for table in APPEND_ONLY:
        if table in tables:
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {APP_ROLE}")


def announce(cursor: Any, *, actor: int, action: str, reason: str, channel: str) -> datetime:
    """Tell the database, for this transaction only, who writes, what for and by which way.

    Gives the transaction's instant, under which the database records what is written.
    """
    cursor.execute(
        "SELECT set_config('fangyuan.actor', %s, true), set_config('fangyuan.action', %s, true),"
        " set_config('fangyuan.reason', %s, true), set_config('fangyuan.channel', %s, true),"
        " set_config('fangyuan.since', '', true), now()",
        [str(actor), action, reason, channel],
    )
    instant: datetime = cursor.fetchone()[-1]
    return instant


def silence(cursor: Any) -> None:
    """Nobody writes any more: until the next announcement every write is refused."""
    cursor.execute("SELECT set_config('fangyuan.actor', '', true)")
