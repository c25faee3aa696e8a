"""Many rows of one record type at once: COPY into a stage, look at them as they would stand, write.

`fy_stage` holds what was given, `fy_fresh` the whole rows as they would become; both live in one
transaction. Constraints are looked at in `fy_fresh`, so that every row that breaks one is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import connection, models
from django.db.models.sql import Query

from fangyuan.core import records

STAGE, FRESH = "fy_stage", "fy_fresh"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True)
class Violation:
    """A row that breaks a constraint, with the row of the file or the record it collides with."""

    row: int
    constraint: Any
    fields: tuple[str, ...]
    other_row: int | None = None
    other_id: int | None = None


def quoted(name: str | None) -> str:
    """An identifier as SQL writes it."""
    return str(connection.ops.quote_name(name or ""))


def open_stage(cursor: Any, columns: Mapping[str, str]) -> None:
    """Make an empty stage with these columns (name → type) beside row, id and known."""
    made = "".join(f", {quoted(name)} {kind}" for name, kind in columns.items())
    cursor.execute(
        f"DROP TABLE IF EXISTS pg_temp.{STAGE}, pg_temp.{FRESH};"
        f"CREATE TEMP TABLE {STAGE} (row int, id bigint, known boolean NOT NULL DEFAULT false"
        f"{made}) ON COMMIT DROP"
    )


def copy(cursor: Any, names: Iterable[str], rows: Iterable[list[str | None]]) -> None:
    """Fill the stage; a cell is the text that the database reads for its column."""
    listed = ", ".join(quoted(name) for name in names)
    with cursor.copy(f"COPY {STAGE} ({listed}) FROM STDIN") as target:
        lines: list[str] = []
        for row in rows:
            lines.append("\t".join(["\\N" if cell is None else _escaped(cell) for cell in row]))
            if len(lines) == 500:
                target.write("\n".join(lines) + "\n")
                lines.clear()
        if lines:
            target.write("\n".join(lines) + "\n")
    cursor.execute(f"CREATE INDEX ON {STAGE} (row); ANALYZE {STAGE} (row)")


def _escaped(cell: str) -> str:
    plain = cell.isprintable() and "\\" not in cell
    return cell if plain else cell.translate(_ESCAPES)


def number(cursor: Any, model: type[records.Record]) -> None:
    """Give every row that is not known the number its record will have."""
    table = quoted(model._meta.db_table)
    cursor.execute(
        f"UPDATE {STAGE} SET id = nextval(pg_get_serial_sequence(%s, 'id')) WHERE NOT known",
        [table],
    )


def hold(cursor: Any, model: type[records.Record]) -> None:
    """Lock the known records, so that nobody changes them meanwhile."""
    table = quoted(model._meta.db_table)
    cursor.execute(
        f"SELECT count(*) FROM (SELECT FROM {table} WHERE id IN"
        f" (SELECT id FROM {STAGE} WHERE known) ORDER BY id FOR UPDATE) held"
    )


def freshen(
    cursor: Any, model: type[records.Record], given: Iterable[str], *, actor: int, history: bool
) -> None:
    """Lay out the rows as they would stand: what was given over what is or what is usual."""
    parts: list[str] = []
    values: list[Any] = []
    given = set(given)
    for field in model._meta.concrete_fields:
        if not field.primary_key:
            sql, params = _cell(model, field, given, actor, history)
            parts.append(f"{sql} AS {quoted(field.column)}")
            values += params
    cursor.execute(
        f"DROP TABLE IF EXISTS pg_temp.{FRESH};"
        f"CREATE TEMP TABLE {FRESH} ON COMMIT DROP AS"
        f" SELECT s.row, s.known, s.id, {', '.join(parts)}"
        f" FROM {STAGE} s LEFT JOIN {quoted(model._meta.db_table)} t ON t.id = s.id",
        values,
    )
    # Search columns are long, slow to measure and joined by nobody.
    plain = [f.column for f in model._meta.concrete_fields if f.name not in model.unlogged]
    listed = ", ".join(quoted(name) for name in ["row", "known", *plain])
    cursor.execute(f"CREATE INDEX ON {FRESH} (id); ANALYZE {FRESH} ({listed})")


def _cell(
    model: Any, field: Any, given: set[str], actor: int, history: bool
) -> tuple[str, list[Any]]:
    column = quoted(field.column)
    if field.name == "recorded_at":
        said = "s.recorded_at, " if field.column in given else ""
        return f"coalesce({said}t.recorded_at, now())", []
    if field.column in given:
        return f"s.{column}", []
    base = {
        "imported_at": "now()" if history else "NULL::timestamptz",
        "recorded_by": f"{actor}::bigint",
        "changed_at": "now()",
        "revision": "1",
        "removed_at": "NULL::timestamptz",
        "key": "NULL::text",
        "password": "'!'",
    }
    if field.name in base:
        return f"CASE WHEN s.known THEN t.{column} ELSE {base[field.name]} END", []
    kind = field.db_type(connection)
    usual, params = f"%s::{kind}", [_usual(field)]
    implied = model.implied.get(field.name)
    if implied and model._meta.get_field(implied[0]).column in given:
        source = quoted(model._meta.get_field(implied[0]).column)
        sql = (
            f"CASE WHEN s.{source} IS NOT NULL AND (NOT s.known OR t.{column} = {usual})"
            f" THEN %s WHEN s.known THEN t.{column} ELSE {usual} END"
        )
        return sql, [*params, implied[1], *params]
    return f"CASE WHEN s.known THEN t.{column} ELSE {usual} END", params


def _usual(field: Any) -> Any:
    value = None if field.null and not field.has_default() else field.get_default()
    return field.get_db_prep_save(value, connection)


def drop_rows(cursor: Any, rows: Iterable[int]) -> None:
    """Leave rows out."""
    listed = list(rows)
    cursor.execute(f"DELETE FROM {STAGE} WHERE row = ANY(%s)", [listed])


def write(
    cursor: Any, model: type[records.Record], given: Iterable[str]
) -> tuple[list[int], list[int]]:
    """Write what is new and what differs; returns the numbers created and changed."""
    table = quoted(model._meta.db_table)
    names = [quoted(field.column) for field in model._meta.concrete_fields]
    listed = ", ".join(names)
    cursor.execute(
        f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {FRESH} WHERE NOT known"
        " ORDER BY row RETURNING id"
    )
    created = [row[0] for row in cursor.fetchall()]
    compared = [quoted(name) for name in sorted({*given, *_settled(model, set(given))})]
    if not compared:
        return created, []
    mine = ", ".join(f"f.{name}" for name in compared)
    theirs = ", ".join(f"t.{name}" for name in compared)
    assigned = ", ".join(f"{name} = f.{name}" for name in compared)
    cursor.execute(
        f"UPDATE {table} t SET {assigned}, revision = t.revision + 1, changed_at = now()"
        f" FROM {FRESH} f WHERE f.id = t.id AND f.known"
        f" AND ROW({mine}) IS DISTINCT FROM ROW({theirs}) RETURNING t.id"
    )
    return created, [row[0] for row in cursor.fetchall()]


def _settled(model: type[records.Record], given: set[str]) -> set[str]:
    """Columns that follow from what was given."""
    column = {field.name: str(field.column) for field in model._meta.concrete_fields}
    return {column[name] for name, (by, _) in model.implied.items() if column[by] in given}


def measure(cursor: Any, model: type[records.Record]) -> None:
    """Tell the planner how large the table has become; only columns by which rows are found."""
    found = {f.column for f in model._meta.concrete_fields if f.unique or f.is_relation}
    for constraint in model._meta.constraints:
        names = getattr(constraint, "fields", ())
        found |= {f.column for f in model._meta.concrete_fields if f.name in names}
    listed = ", ".join(quoted(name) for name in sorted(filter(None, found)))
    cursor.execute(f"ANALYZE {quoted(model._meta.db_table)} ({listed})")


def sql_of(expression: Any, model: Any) -> str:
    """A condition or expression over the columns of a table, with its values written in."""
    query = Query(model=model, alias_cols=False)
    compiler = query.get_compiler(connection=connection)
    if isinstance(expression, models.Q):
        node: Any = query.build_where(expression)
        sql, params = node.as_sql(compiler, connection)
    else:
        sql, params = compiler.compile(expression.resolve_expression(query))
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        return str(sql % tuple(editor.quote_value(param) for param in params))


def violations(cursor: Any, model: type[records.Record]) -> Iterator[Violation]:
    """Every row as it would stand that breaks a constraint of its type."""
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key:
            made = models.UniqueConstraint(fields=[field.name], name=f"{field.column}_unique")
            yield from _doubles(cursor, model, made)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            yield from _broken(cursor, model, constraint)
        elif isinstance(constraint, models.UniqueConstraint):
            yield from _doubles(cursor, model, constraint)
        elif isinstance(constraint, ExclusionConstraint):
            yield from _overlaps(cursor, model, constraint)


def _broken(cursor: Any, model: Any, constraint: Any) -> Iterator[Violation]:
    fields = tuple(sorted(_names(constraint.condition)))
    cursor.execute(
        f"SELECT row FROM {FRESH} WHERE NOT ({sql_of(constraint.condition, model)}) ORDER BY row"
    )
    for (row,) in cursor.fetchall():
        yield Violation(row, constraint, fields)


def _names(condition: Any) -> set[str]:
    names: set[str] = set()
    for child in condition.children:
        names |= _names(child) if isinstance(child, models.Q) else {child[0].split("__")[0]}
    return names


def _doubles(cursor: Any, model: Any, constraint: Any) -> Iterator[Violation]:
    parts = [models.F(name) for name in constraint.fields] or list(constraint.expressions)
    fields = constraint.fields or tuple(
        name for part in parts for name in _fields_in(part.resolve_expression(_plain(model)))
    )
    keys = [sql_of(part, model) for part in parts]
    where = sql_of(constraint.condition, model) if constraint.condition else "true"
    sides = _sides(model, keys, where)
    yield from _within(cursor, sides[0], len(keys), constraint, tuple(fields))
    same = " AND ".join(f"a.k{place} = b.k{place}" for place in range(len(keys)))
    yield from _without(cursor, sides, same, constraint, tuple(fields))


def _within(
    cursor: Any, mine: str, size: int, constraint: Any, fields: tuple[str, ...]
) -> Iterator[Violation]:
    """Rows of one file that are equal where they must not be."""
    keys = ", ".join(f"k{place}" for place in range(size))
    there = " AND ".join(f"k{place} IS NOT NULL" for place in range(size))
    cursor.execute(
        f"SELECT row, first FROM (SELECT row, min(row) OVER (PARTITION BY {keys}) AS first"
        f" FROM {mine} m WHERE {there}) d WHERE first < row ORDER BY row"
    )
    for row, first in cursor.fetchall():
        yield Violation(row, constraint, fields, other_row=first)


def _overlaps(cursor: Any, model: Any, constraint: Any) -> Iterator[Violation]:
    parts = [
        models.F(part) if isinstance(part, str) else part for part, _ in constraint.expressions
    ]
    keys = [sql_of(part, model) for part in parts]
    where = sql_of(constraint.condition, model) if constraint.condition else "true"
    sides = _sides(model, keys, where)
    met = " AND ".join(
        f"a.k{place} {operator} b.k{place}"
        for place, (_, operator) in enumerate(constraint.expressions)
    )
    fields = tuple(
        name for part in parts for name in _fields_in(part.resolve_expression(_plain(model)))
    )
    mine, _ = sides
    cursor.execute(
        f"WITH a AS MATERIALIZED {mine}"
        f" SELECT a.row, min(b.row) FROM a JOIN a b ON {met} AND b.row < a.row"
        " GROUP BY a.row ORDER BY a.row"
    )
    for row, other in cursor.fetchall():
        yield Violation(row, constraint, fields, other_row=other)
    yield from _without(cursor, sides, met, constraint, fields)


def _plain(model: Any) -> Query:
    return Query(model=model, alias_cols=False)


def _fields_in(expression: Any) -> list[str]:
    found = [expression.target.name] if hasattr(expression, "target") else []
    for inner in expression.get_source_expressions():
        found += _fields_in(inner) if inner is not None else []
    return found


def _sides(model: Any, keys: list[str], where: str) -> tuple[str, str]:
    """The rows of the file, and the records that the file does not touch."""
    listed = ", ".join(f"{key} AS k{place}" for place, key in enumerate(keys))
    table = quoted(model._meta.db_table)
    mine = f"(SELECT row, id, {listed} FROM {FRESH} WHERE {where})"
    theirs = f"(SELECT id, {listed} FROM {table} WHERE {where})"
    return mine, theirs


def _without(
    cursor: Any, sides: tuple[str, str], met: str, constraint: Any, fields: tuple[str, ...]
) -> Iterator[Violation]:
    """Rows that collide with records that the file does not touch."""
    mine, theirs = sides
    cursor.execute(
        f"SELECT a.row, min(b.id) FROM {mine} a JOIN {theirs} b ON {met}"
        f" WHERE NOT EXISTS (SELECT FROM {FRESH} f WHERE f.id = b.id)"
        " GROUP BY a.row ORDER BY a.row"
    )
    for row, number_of in cursor.fetchall():
        yield Violation(row, constraint, fields, other_id=number_of)
