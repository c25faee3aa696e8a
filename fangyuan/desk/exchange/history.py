"""Past values of tracked facts: the rows of a fact are its whole history and replace the old."""

from __future__ import annotations

import difflib
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from fangyuan.core import bulk, facts, fields, records
from fangyuan.desk.exchange import mistakes, terms, values
from fangyuan.desk.exchange.mistakes import Bad, Mistake

S = bulk.STAGE
_NEEDED = {"subject": "对象", "fact": "事实", "starts_at": "起", "value": "值"}


def replace(load: Any) -> None:
    """Put the spans of the file in place of those kept for the same records and facts."""
    there = {slot.column.name for slot in load.slots}
    if lacking := [label for name, label in _NEEDED.items() if name not in there]:
        raise mistakes.whole(f"缺少必填的列：{'、'.join(lacking)}", "补上这些列再导入")
    if not load.sees_all:
        raise mistakes.whole("只有系统管理员能导入历史值", "请管理员来做")
    load.cursor.execute(f"ALTER TABLE {S} ADD COLUMN told text")
    _read_values(load)
    load.note(_twice(load.cursor))
    load.note(_before_birth(load.cursor))
    if load.found and not load.order.is_partial:
        return
    bulk.drop_rows(load.cursor, load.found.rows)
    _lay_out(load.cursor)
    load.outcome.created, load.outcome.changed = _write(load)


def _read_values(load: Any) -> None:
    """Read every value as its fact's field is read; note what does not fit."""
    lookups = terms.Lookups()
    known: dict[tuple[str, str], Any] = {}
    load.cursor.execute(f"SELECT row, subject_type, fact, value FROM {S} ORDER BY row")
    told: list[tuple[int, str | None]] = []
    for row, kind, fact, value in load.cursor.fetchall():
        if kind is None or fact is None:
            continue
        try:
            if (kind, fact) not in known:
                known[kind, fact] = _reader(kind, fact, lookups)
            told.append((row, known[kind, fact](value)))
        except Bad as bad:
            is_fact = (kind, fact) not in known
            column, said = ("事实", fact) if is_fact else ("值", value)
            load.note([Mistake(row, column, said or "", bad.reason, bad.remedy)])
    load.cursor.executemany(
        f"UPDATE {S} SET told = %s WHERE row = %s", [(value, row) for row, value in told]
    )


def _kept(model: Any) -> dict[str, Any]:
    """By fact: the fields whose past is kept, and stand-ins for derived facts told as such."""
    found = {name: model._meta.get_field(name) for name in model.tracked}
    for name, fact in facts.of(model).items():
        field: Any = None
        if isinstance(fact, facts.Until):
            field = models.BooleanField(fact.label)
        elif isinstance(fact, facts.Phases):
            field = fields.Choice(fact.label, choices=list(fact.choices.items()), null=True)
        if field is not None:
            field.set_attributes_from_name(name)
            found[name] = field
    return found


def _reader(kind: str, fact: str, lookups: terms.Lookups) -> Any:
    model = records.record_types()[kind]
    kept = _kept(model)
    tracked = {name: str(field.verbose_name) for name, field in kept.items()}
    name = next((n for n, label in tracked.items() if fact.strip() in (n, label)), None)
    if name is None:
        near = difflib.get_close_matches(fact, [*tracked, *tracked.values()], n=1)
        offered = "、".join(tracked) or "没有"
        hint = f"是不是 {near[0]}？" if near else ""
        raise Bad(f"{model._meta.verbose_name}没有留历史的“{fact}”", f"{hint}可填：{offered}")
    read = values.reader(kept[name], lookups)

    def reading(value: str | None) -> str | None:
        return read(value) if value and value.strip() else None

    return reading


def _twice(cursor: Any) -> Any:
    cursor.execute(
        f"SELECT row, first FROM (SELECT row, min(row) OVER (PARTITION BY subject_type, subject_id,"
        f" fact, starts_at) AS first FROM {S} WHERE subject_id IS NOT NULL) d"
        " WHERE first < row ORDER BY row"
    )
    for row, first in cursor.fetchall():
        yield Mistake(row, "起", "", f"和第 {first} 行同时开始", "留下一行，删掉另一行")


def _before_birth(cursor: Any) -> Any:
    cursor.execute(f"SELECT row FROM {S} WHERE starts_at > now() ORDER BY row")
    for (row,) in cursor.fetchall():
        yield Mistake(row, "起", "", "开始时间在将来", "历史值只到现在，将来的改动到时再录")


def _lay_out(cursor: Any) -> None:
    """Each value holds until the next one; a boolean or instant is told as the log tells it."""
    for kind, kept in _facts(cursor).items():
        for name, field in kept.items():
            spellings = [name, str(field.verbose_name)]
            cursor.execute(
                f"UPDATE {S} SET fact = %s, told = to_jsonb(told::{_type(field)}) #>> '{{}}'"
                " WHERE subject_type = %s AND fact = ANY(%s)",
                [field.column, kind, spellings],
            )
    cursor.execute(
        f"DROP TABLE IF EXISTS pg_temp.{bulk.FRESH};"
        f"CREATE TEMP TABLE {bulk.FRESH} ON COMMIT DROP AS"
        " SELECT row, subject_type, subject_id, fact, told AS value, starts_at,"
        " lead(starts_at) OVER (PARTITION BY subject_type, subject_id, fact ORDER BY starts_at)"
        f" AS ends_at FROM {S} WHERE subject_id IS NOT NULL"
    )


def _facts(cursor: Any) -> dict[str, dict[str, Any]]:
    cursor.execute(f"SELECT DISTINCT subject_type FROM {S} WHERE subject_id IS NOT NULL")
    return {kind: _kept(records.record_types()[kind]) for (kind,) in cursor.fetchall()}


def _type(field: Any) -> str:
    kinds = {
        models.BooleanField: "boolean", models.DateTimeField: "timestamptz",
        fields.RefSet: "bigint[]", ArrayField: "text[]",
    }  # fmt: skip
    return next((told for kind, told in kinds.items() if isinstance(field, kind)), "text")


def _write(load: Any) -> tuple[int, int]:
    cursor = load.cursor
    same = "t.subject_type = f.subject_type AND t.subject_id = f.subject_id AND t.fact = f.fact"
    cursor.execute(
        "UPDATE core_tracked t SET removed_at = now(), revision = t.revision + 1,"
        " changed_at = now() WHERE t.removed_at IS NULL"
        f" AND EXISTS (SELECT FROM {bulk.FRESH} f WHERE {same})"
        f" AND NOT EXISTS (SELECT FROM {bulk.FRESH} f WHERE {same} AND t.starts_at = f.starts_at)"
    )
    gone = cursor.rowcount
    cursor.execute(
        "UPDATE core_tracked t SET value = f.value, ends_at = f.ends_at, removed_at = NULL,"
        f" revision = t.revision + 1, changed_at = now() FROM {bulk.FRESH} f"
        f" WHERE {same} AND t.starts_at = f.starts_at AND (t.removed_at IS NOT NULL"
        " OR (t.value, t.ends_at) IS DISTINCT FROM (f.value, f.ends_at))"
    )
    changed = cursor.rowcount
    imported = "now()" if load.order.is_history else "NULL"
    cursor.execute(
        "INSERT INTO core_tracked (subject_type, subject_id, fact, value, starts_at, ends_at,"
        " recorded_by, imported_at) SELECT f.subject_type, f.subject_id, f.fact, f.value,"
        f" f.starts_at, f.ends_at, %s, {imported} FROM {bulk.FRESH} f WHERE NOT EXISTS"
        f" (SELECT FROM core_tracked t WHERE {same} AND t.starts_at = f.starts_at)",
        [load.deed.actor_id],
    )
    created = cursor.rowcount
    return created, min(changed + (1 if gone and not changed else 0), load.outcome.total - created)
