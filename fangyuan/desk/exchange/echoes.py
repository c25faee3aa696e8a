"""Likenesses that refuse nothing but deserve a look: one telephone under several customers."""

from __future__ import annotations

from typing import Any

from fangyuan.core import bulk, fields

_LISTED = 10


def phones(cursor: Any, model: Any, given: set[str]) -> str:
    """Which rows just written share a telephone with a record of somebody else; empty if none."""
    table = bulk.quoted(model._meta.db_table)
    parents = [model._meta.get_field(name).column for name in model.judges]
    rows: set[int] = set()
    for field in model._meta.concrete_fields:
        if isinstance(field, fields.Phone) and field.column in given:
            phone = bulk.quoted(field.column)
            apart = " AND ".join(f"t.{bulk.quoted(p)} <> f.{bulk.quoted(p)}" for p in parents)
            cursor.execute(
                f"SELECT DISTINCT f.row FROM {bulk.FRESH} f JOIN {table} t ON t.{phone} = f.{phone}"
                f" WHERE f.{phone} <> '' AND t.{phone} <> '' AND t.id <> f.id"
                f" AND t.removed_at IS NULL AND {apart or 'true'}"
            )
            rows |= {row for (row,) in cursor.fetchall()}
    return _said(sorted(rows))


def _said(rows: list[int]) -> str:
    if not rows:
        return ""
    listed = "、".join(map(str, rows[:_LISTED])) + (" …" if len(rows) > _LISTED else "")
    return f"有 {len(rows)} 行的电话和别的记录相同，请看是不是同一家：第 {listed} 行"
