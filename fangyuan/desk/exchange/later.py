"""References to records that come with a later file: a team's leader, whose own file names teams.

What was not found yet is kept with the batch; when the records come, it is pointed at them.
"""

from __future__ import annotations

from typing import Any

from fangyuan.core import bulk, records
from fangyuan.desk.exchange import identity, resolve

S = bulk.STAGE
_NAMED = 10
_WAITING = (
    "SELECT w.* FROM desk_importbatch b,"
    " jsonb_to_recordset(b.awaited) w (record text, id bigint, field text, said text)"
    " WHERE b.stage = 'DONE' AND b.removed_at IS NULL AND w.record = %s AND w.field = %s"
)


def may_wait(model: Any, name: str) -> bool:
    """Whether a reference may be to a record that is not there yet."""
    return name in identity.LATER.get(model.record_name(), ())


def note(load: Any) -> None:
    """Keep what the rows just written refer to in vain, and say so."""
    load.outcome.awaited = []
    for column in (slot.column for slot in load.slots if may_wait(load.model, slot.column.name)):
        said, stored = bulk.quoted(resolve.reference_column(column)), bulk.quoted(column.stored)
        load.cursor.execute(
            f"SELECT id, {said} FROM {S} WHERE {said} IS NOT NULL AND {stored} IS NULL ORDER BY row"
        )
        found = load.cursor.fetchall()
        about = {"record": load.model.record_name(), "field": column.name}
        load.outcome.awaited += [{**about, "id": number, "said": text} for number, text in found]
        if found:
            names = "、".join(dict.fromkeys(text for _, text in found[:_NAMED]))
            label = column.target._meta.verbose_name
            load.remark(f"{column.label} {names} 还不在系统里，先空着，导入{label}后自动补上")


def join(load: Any) -> None:
    """Point what waited for records of the type just written at them."""
    for kind, names in identity.LATER.items():
        model = records.record_types()[kind]
        for name in names:
            field = model._meta.get_field(name)
            if field.related_model is load.model:
                _join(load, model, field)


def _join(load: Any, model: Any, field: Any) -> None:
    cursor, about = load.cursor, [model.record_name(), field.name]
    wanted = f"SELECT DISTINCT said FROM ({_WAITING}) w"
    cursor.execute(f"SELECT EXISTS ({wanted})", about)
    if not cursor.fetchone()[0]:
        return
    table, stored = bulk.quoted(model._meta.db_table), bulk.quoted(field.column)
    for best, params in resolve.ways(wanted, about, load.model, load.order.by):
        cursor.execute(
            f"UPDATE {table} t SET {stored} = b.id, revision = t.revision + 1, changed_at = now()"
            f" FROM ({_WAITING}) w JOIN ({best}) b ON b.said = w.said AND b.n = 1"
            f" WHERE t.id = w.id AND t.{stored} IS NULL AND t.removed_at IS NULL",
            [*about, *params],
        )
    cursor.execute(
        "UPDATE desk_importbatch b SET awaited = (SELECT coalesce(jsonb_agg(w), '[]') FROM"
        f" jsonb_array_elements(b.awaited) w LEFT JOIN {table} t ON t.id = (w ->> 'id')::bigint"
        f" WHERE (w ->> 'record', w ->> 'field') <> (%s, %s) OR t.{stored} IS NULL)"
        " WHERE b.stage = 'DONE' AND b.awaited <> '[]'",
        about,
    )
