"""Taking an import back from the log: what it made is removed, what it changed is as it was.

Whatever somebody changed afterwards is left alone.
"""

from __future__ import annotations

from typing import Any

from fangyuan.core import bulk, records

_UNTOUCHED = (
    "NOT EXISTS (SELECT FROM core_event l WHERE l.record = e.record"
    " AND l.record_id = e.record_id AND l.id > e.id AND (l.xid, l.reason) <> (e.xid, e.reason))"
)


def take_back(cursor: Any, xid: int, reason: str) -> tuple[int, int]:
    """Undo what a deed wrote, known by its transaction and its reason.

    Returns how many records went back and how many stayed.
    """
    cursor.execute(
        "SELECT e.record, count(*) FROM core_event e WHERE e.xid = %s AND e.reason = %s"
        " GROUP BY 1 ORDER BY 1",
        [xid, reason],
    )
    written = dict(cursor.fetchall())
    undone = 0
    for name in written:
        model = records.record_types()[name]
        undone += _remove(cursor, model, xid, reason) + _restore(cursor, model, xid, reason)
    return undone, sum(written.values()) - undone


def _remove(cursor: Any, model: Any, xid: int, reason: str) -> int:
    """What was made goes to the recycle bin and gives its external key free."""
    cursor.execute(
        f"UPDATE {bulk.quoted(model._meta.db_table)} t SET removed_at = now(), key = NULL,"
        " revision = revision + 1, changed_at = now() FROM core_event e"
        " WHERE e.xid = %s AND e.reason = %s AND e.record = %s AND e.op = 'C'"
        " AND e.record_id = t.id"
        f" AND t.removed_at IS NULL AND {_UNTOUCHED}",
        [xid, reason, model.record_name()],
    )
    return int(cursor.rowcount)


def _restore(cursor: Any, model: Any, xid: int, reason: str) -> int:
    """What was changed gets its former values back."""
    keep = {"id", "revision", "changed_at"}
    names = [f.column for f in model._meta.concrete_fields if f.column not in keep]
    listed = ", ".join(bulk.quoted(name) for name in names)
    values = ", ".join(f"r.{bulk.quoted(name)}" for name in names)
    table = bulk.quoted(model._meta.db_table)
    cursor.execute(
        f"UPDATE {table} t SET ({listed}) = (SELECT {values} FROM jsonb_populate_record(t,"
        " (SELECT jsonb_object_agg(d.key, d.value -> 0) FROM jsonb_each(e.diff) d)) r),"
        " revision = t.revision + 1, changed_at = now() FROM core_event e"
        " WHERE e.xid = %s AND e.reason = %s AND e.record = %s AND e.op = 'U'"
        " AND e.record_id = t.id"
        f" AND {_UNTOUCHED} RETURNING t.id",
        [xid, reason, model.record_name()],
    )
    numbers = [number for (number,) in cursor.fetchall()]
    if model.unlogged and numbers:
        _index(model, numbers)
    return len(numbers)


def _index(model: Any, numbers: list[int]) -> None:
    """Search columns are in no log; they are made anew from what they say."""
    known = {field.name for field in model._meta.concrete_fields}
    names = [name for name in model.unlogged if name in known - {"password", "last_login"}]
    found = list(model._base_manager.filter(pk__in=numbers))
    for record in found:
        record.index()
    model._base_manager.bulk_update(found, names, batch_size=500)
