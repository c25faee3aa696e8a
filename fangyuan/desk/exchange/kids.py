"""Child records entered together with their parent in one row: a customer's main contact.

Which children a type takes along follows from its desk's form: sections with `of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

from fangyuan.access import table
from fangyuan.core import bulk
from fangyuan.desk import declare
from fangyuan.desk.exchange import echoes, mistakes
from fangyuan.desk.exchange.mistakes import Bad, Mistake

S = bulk.STAGE
ABOVE, ROWS = "fy_above", "fy_rows"


def sections(model: Any) -> list[declare.Section]:
    """The sections of the type's form that are about a child record."""
    try:
        desk = declare.desk_of(model.record_name())
    except declare.UnknownDesk:
        return []
    return [section for section in desk.form if section.of]


def relation(model: Any, section: declare.Section) -> tuple[Any, Any]:
    """The child type of a section, and its foreign key to the parent."""
    found = model._meta.get_field(section.of)
    return found.related_model, found.field


def write(load: Any) -> Iterator[tuple[Any, list[int]]]:
    """Write the children that rows bring along; yields type and numbers written."""
    load.cursor.execute(
        f"DROP TABLE IF EXISTS pg_temp.{ROWS};"
        f"CREATE TEMP TABLE {ROWS} ON COMMIT DROP AS SELECT id, row FROM {bulk.FRESH}"
    )
    for section in sections(load.model):
        slots = [s for s in load.slots if s.column.kind == "child" and s.column.group == section.of]
        if slots:
            yield _write(load, section, slots)


def _write(load: Any, section: declare.Section, slots: list[Any]) -> tuple[Any, list[int]]:
    model, link = relation(load.model, section)
    if not load.sees_all and not table.may(load.order.by, model.record_name(), "c"):
        raise mistakes.whole(f"你的岗位不能新建{model._meta.verbose_name}", "删掉这几列")
    given = {slot.column.field.column for slot in slots} | {link.column, *section.fixed}
    cursor = load.cursor
    cursor.execute(f"ALTER TABLE {S} RENAME TO {ABOVE}")
    load.note(_lay_out(load, section, slots, model, link))
    _know(cursor, section, model, link)
    bulk.number(cursor, model)
    stamped = given | ({"recorded_at"} & load.given)
    history = load.order.is_history
    bulk.freshen(cursor, model, stamped, actor=load.deed.actor_id, history=history)
    load.note(_broken(cursor, model, section))
    cursor.execute(f"INSERT INTO {ROWS} SELECT -id, row FROM {bulk.FRESH}")
    numbers: list[int] = []
    if not load.found.rows & _rows(cursor):
        created, changed = bulk.write(cursor, model, given)
        numbers = [*created, *changed]
        load.remark(echoes.phones(cursor, model, given))
    cursor.execute(f"DROP TABLE {S}; ALTER TABLE {ABOVE} RENAME TO {S}")
    return model, numbers


def _rows(cursor: Any) -> set[int]:
    cursor.execute(f"SELECT row FROM {S}")
    return {row for (row,) in cursor.fetchall()}


def _lay_out(
    load: Any, section: declare.Section, slots: list[Any], model: Any, link: Any
) -> Iterator[Mistake]:
    """Make the children's stage out of the parents'; yields children that lack what they need."""
    told = ", ".join(bulk.quoted(slot.column.stored) for slot in slots)
    parts = [_part(slot.column) for slot in slots]
    values = []
    for name, value in section.fixed.items():
        parts.append(f"%s::{model._meta.get_field(name).db_type(connection)} AS {name}")
        values.append(value)
    if "recorded_at" in load.given:
        parts.append("recorded_at")
    load.cursor.execute(
        f"CREATE TEMP TABLE {S} ON COMMIT DROP AS SELECT row, NULL::bigint AS id, false AS known,"
        f" id AS {bulk.quoted(link.column)}, {', '.join(parts)} FROM {ABOVE}"
        f" WHERE num_nonnulls({told}) > 0",
        values,
    )
    for slot in slots:
        field = slot.column.field
        if not (field.null or field.blank or field.has_default()):
            load.cursor.execute(f"SELECT row FROM {S} WHERE {bulk.quoted(field.column)} IS NULL")
            for (row,) in load.cursor.fetchall():
                yield Mistake(row, slot.column.label, "", "不能为空", "填上它，或清空同组各格")


def _part(column: Any) -> str:
    field, stored = column.field, bulk.quoted(column.stored)
    usual = field.get_default() if not field.null and field.has_default() else None
    sql = f"coalesce({stored}, '{usual}')" if isinstance(usual, str) else stored
    return f"{sql} AS {bulk.quoted(field.column)}"


def _know(cursor: Any, section: declare.Section, model: Any, link: Any) -> None:
    same = " AND ".join(f"t.{name} = s.{name}" for name in [link.column, *section.fixed])
    cursor.execute(
        f"UPDATE {S} s SET id = m.id, known = true FROM (SELECT DISTINCT ON (s.row) s.row, t.id"
        f" FROM {S} s JOIN {bulk.quoted(model._meta.db_table)} t ON {same}"
        " WHERE t.removed_at IS NULL ORDER BY s.row, t.id DESC) m WHERE m.row = s.row"
    )


def _broken(cursor: Any, model: Any, section: declare.Section) -> Iterator[Mistake]:
    for one in bulk.violations(cursor, model):
        said = str(one.constraint.violation_error_message)
        own = said != str(one.constraint.default_violation_error_message)
        bad = Bad(said if own else f"{section.title}不合要求", "改正后再导入")
        yield Mistake(one.row, section.title, "", bad.reason, bad.remedy)
