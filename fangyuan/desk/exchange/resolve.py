"""Which record each row is, and which records it refers to: by sets, in the stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from fangyuan.core import bulk, records
from fangyuan.desk.exchange import identity
from fangyuan.desk.exchange.columns import Column
from fangyuan.desk.exchange.mistakes import Bad, Mistake

S = bulk.STAGE
_NUMBER = r"^#[0-9]{1,18}$"
Found = Iterator[Mistake]
Tell = Callable[[str], None]
_NAMED = 10


def reference_column(column: Column) -> str:
    """The stage's column that keeps what the file says."""
    return f"ref_{column.name}"


def candidates(model: Any, actor: Any) -> Any:
    """The records that this person may refer to."""
    found = model._base_manager.all() if _sees_all(actor) else model.objects.seen_by(actor)
    found = found.filter(removed_at=None)
    names = {field.name for field in model._meta.concrete_fields}
    if {"code", "version"} <= names:
        newer = model._base_manager.filter(
            code=OuterRef("code"), version__gt=OuterRef("version"), removed_at=None
        )
        found = found.filter(~Exists(newer))
    return found.order_by()


def _sees_all(actor: Any) -> bool:
    return actor is None or actor.is_admin


def references(
    cursor: Any, column: Column, actor: Any, *, may_wait: bool = False, tell: Tell | None = None
) -> Found:
    """Point a reference at its records; yields what was not found, unless it may come later.

    A name that differs from a single record's only in spaces, width or case means that record;
    `tell` hears how it was taken.
    """
    for one in _point(cursor, column, column.target, column.stored, "true", [], actor, tell):
        if not may_wait or one.reason != _missing(column.target):
            yield one


def pointers(cursor: Any, column: Column, actor: Any) -> Found:
    """Point a `TYPE:KEY` at its records, type by type; yields what was not found."""
    kind = bulk.quoted(f"{column.name}_type")
    cursor.execute(f"SELECT DISTINCT {kind} FROM {S} WHERE {kind} IS NOT NULL")
    for (name,) in cursor.fetchall():
        model = records.record_types()[name]
        where, values = f"s.{kind} = %s", [name]
        for one in _point(cursor, column, model, column.stored, where, values, actor):
            yield replace(one, value=f"{name}:{one.value}")


def _point(
    cursor: Any,
    column: Column,
    model: Any,
    stored: str,
    where: str,
    values: list[Any],
    actor: Any,
    tell: Tell | None = None,
) -> Found:
    said, stored = bulk.quoted(reference_column(column)), bulk.quoted(stored)
    several: dict[str, int] = {}
    open_rows = f"s.{said} IS NOT NULL AND s.{stored} IS NULL AND {where}"
    wanted = f"SELECT DISTINCT s.{said} AS said FROM {S} s WHERE {open_rows}"
    loosely = [_loosely(wanted, values, model, actor)] if tell and identity.names(model) else []
    for best, params in (*ways(wanted, values, model, actor), *loosely):
        cursor.execute(f"SELECT EXISTS (SELECT FROM {S} s WHERE {open_rows})", values)
        if not cursor.fetchone()[0]:
            break
        cursor.execute("DROP TABLE IF EXISTS pg_temp.fy_best")
        cursor.execute(f"CREATE TEMP TABLE fy_best ON COMMIT DROP AS {best}", params)
        cursor.execute(
            f"UPDATE {S} s SET {stored} = b.id FROM fy_best b"
            f" WHERE b.said = s.{said} AND b.n = 1 AND {open_rows}",
            values,
        )
        cursor.execute("SELECT said, n FROM fy_best WHERE n > 1")
        several.update(cursor.fetchall())
        if tell and (best, params) in loosely:
            _told_alike(cursor, model, column, tell)
    cursor.execute(
        f"SELECT row, {said} FROM {S} s"
        f" WHERE s.{said} IS NOT NULL AND s.{stored} IS NULL AND {where} ORDER BY row",
        values,
    )
    for row, text in cursor.fetchall():
        bad = _not_found(model, text, several)
        yield Mistake(row, column.label, text, bad.reason, bad.remedy)


def _not_found(model: Any, text: str, several: dict[str, int]) -> Bad:
    label = model._meta.verbose_name
    if text in several:
        return Bad(f"有 {several[text]} 条{label}叫这个名字", "改填编号")
    own = identity.own(model)
    said = "外部编号" if own == "key" else model._meta.get_field(own).verbose_name
    return Bad(_missing(model), f"核对{said}；如果还没有，先导入{label}")


def _missing(model: Any) -> str:
    return f"找不到这条{model._meta.verbose_name}"


def _keys(model: Any) -> list[tuple[str, str]]:
    """Sure ways to name a record: pairs of the record's column and the text's form."""
    own = model._meta.get_field(identity.own(model)).column
    keys = [(bulk.quoted(own), "w.said"), ('"id"', "w.number")]
    return keys if own == "key" else [*keys, ('"key"', "w.said")]


def _names(model: Any) -> list[tuple[str, str]]:
    """Ways that work where they are unambiguous."""
    own = identity.own(model)
    found = []
    for name in identity.names(model):
        field = model._meta.get_field(name)
        if name != own:
            found.append((bulk.quoted(field.column), _coded(field)))
    return found


def _coded(field: Any) -> str:
    """The text as a code, where a choice may be written by its label."""
    if not field.choices:
        return "w.said"
    pairs = "".join(f" WHEN '{label}' THEN '{code}'" for code, label in field.flatchoices)
    return f"CASE w.said{pairs} ELSE w.said END"


def ways(wanted: str, values: list[Any], model: Any, actor: Any) -> Iterator[tuple[str, list[Any]]]:
    """Queries for the records that wanted texts (`said`) mean, the surest first: said, id, n."""
    for keys in (_keys(model), _names(model)):
        if keys:
            yield _best(wanted, values, model, keys, actor)


def _loosely(wanted: str, values: list[Any], model: Any, actor: Any) -> tuple[str, list[Any]]:
    """The query for records whose name is the same but for spaces, width of letters and case."""
    table, name = bulk.quoted(model._meta.db_table), bulk.quoted(identity.names(model)[-1])
    seen, params = _narrowed(model, actor)
    sql = (
        f"WITH w AS MATERIALIZED ({wanted})"
        " SELECT DISTINCT ON (w.said) w.said, c.id, count(*) OVER (PARTITION BY w.said) AS n"
        f" FROM w JOIN {table} c ON {_folded(f'c.{name}')} = {_folded('w.said')}"
        f" WHERE {seen} ORDER BY w.said, c.id"
    )
    return sql, [*values, *params]


def _folded(text: str) -> str:
    return f"lower(regexp_replace(normalize({text}, NFKC), '[[:space:]]', '', 'g'))"


def _told_alike(cursor: Any, model: Any, column: Column, tell: Tell) -> None:
    """Say which names were taken for which."""
    table, name = bulk.quoted(model._meta.db_table), bulk.quoted(identity.names(model)[-1])
    cursor.execute(
        f"SELECT b.said, c.{name} FROM fy_best b JOIN {table} c ON c.id = b.id"
        " WHERE b.n = 1 ORDER BY b.said"
    )
    pairs = [f"“{said}”当作“{known}”" for said, known in cursor.fetchall()]
    more = f"等 {len(pairs)} 个" if len(pairs) > _NAMED else ""
    if pairs:
        tell(f"{column.label}：{'、'.join(pairs[:_NAMED])}{more}，只差空格、全半角或大小写")


def _best(
    wanted: str, values: list[Any], model: Any, keys: list[tuple[str, str]], actor: Any
) -> tuple[str, list[Any]]:
    table = bulk.quoted(model._meta.db_table)
    seen, params = _narrowed(model, actor)
    ways = " UNION ALL ".join(
        f"SELECT w.said, c.id, {rank} AS rank FROM w JOIN {table} c ON c.{column} = {text}"
        f" WHERE {seen}"
        for rank, (column, text) in enumerate(keys)
    )
    sql = (
        f"WITH wanted AS ({wanted}), w AS MATERIALIZED (SELECT said,"
        f" CASE WHEN said ~ '{_NUMBER}' THEN substr(said, 2)::bigint END AS number FROM wanted),"
        f" found AS ({ways})"
        " SELECT DISTINCT ON (said) said, id, count(*) OVER (PARTITION BY said, rank) AS n"
        " FROM found ORDER BY said, rank"
    )
    return sql, [*values, *(params * len(keys))]


def _narrowed(model: Any, actor: Any) -> tuple[str, list[Any]]:
    sql, params = candidates(model, actor).values("pk").query.sql_with_params()
    plain = model._meta.get_field("removed_at").column
    if _sees_all(actor) and "version" not in {f.name for f in model._meta.concrete_fields}:
        return f"c.{bulk.quoted(plain)} IS NULL", []
    return f"c.id IN ({sql})", list(params)


def known_by_key(cursor: Any, model: Any) -> None:
    """Recognise rows by their external key or `#number`."""
    table = bulk.quoted(model._meta.db_table)
    cursor.execute(f"UPDATE {S} s SET id = t.id, known = true FROM {table} t WHERE t.key = s.key")
    cursor.execute(
        f"UPDATE {S} s SET id = t.id, known = true, key = t.key"
        f" FROM (SELECT row, substr(key, 2)::bigint AS number FROM {S}"
        f"        WHERE NOT known AND CASE WHEN key ~ '{_NUMBER}' THEN true END) w"
        f" JOIN {table} t ON t.id = w.number WHERE s.row = w.row"
    )


def known_by_identity(cursor: Any, model: Any, given: set[str]) -> None:
    """Recognise rows by what makes a record of this type the same."""
    for rule in identity.of(model):
        if {name for field in rule.fields for name in _stored(model, field)} & given:
            _recognise(cursor, model, rule, given)


def _recognise(cursor: Any, model: Any, rule: identity.Identity, given: set[str]) -> None:
    columns = [name for field in rule.fields for name in _stored(model, field)]
    table = bulk.quoted(model._meta.db_table)
    loose = len(columns) > 1
    same = " AND ".join(_same(model, name, given, loose=loose) for name in columns)
    order = "t.id"
    if rule.besides:
        besides = model._meta.get_field(rule.besides).column
        exact = f"t.{bulk.quoted(besides)} IS NOT DISTINCT FROM {_given(model, besides, given)}"
        same += f" AND ({exact} OR {_is_alone(model, rule, given)})"
        order = f"({exact}) DESC, t.id"
    cursor.execute(
        f"UPDATE {S} s SET id = m.id, known = true FROM (SELECT DISTINCT ON (s.row) s.row, t.id"
        f" FROM {S} s JOIN {table} t ON {same}"
        f" WHERE NOT s.known AND t.removed_at IS NULL ORDER BY s.row, {order}) m"
        " WHERE m.row = s.row"
    )


def _stored(model: Any, name: str) -> list[str]:
    if name in getattr(model, "any_fields", {}):
        return [f"{name}_type", f"{name}_id"]
    return [str(model._meta.get_field(name).column)]


def _given(model: Any, column: str, given: set[str]) -> str:
    """What a row says, or what is usual where the file has no such column."""
    if column in given:
        return f"s.{bulk.quoted(column)}"
    field = next(f for f in model._meta.concrete_fields if f.column == column)
    usual = field.get_default() if field.has_default() else None
    kind = field.db_type(connection)
    return f"NULL::{kind}" if usual is None else f"'{usual}'::{kind}"


def _same(model: Any, column: str, given: set[str], *, loose: bool) -> str:
    field = next(f for f in model._meta.concrete_fields if f.column == column)
    operator = "IS NOT DISTINCT FROM" if field.null and loose else "="
    return f"t.{bulk.quoted(column)} {operator} {_given(model, column, given)}"


def _is_alone(model: Any, rule: identity.Identity, given: set[str]) -> str:
    name, value = rule.alone or ("", "")
    column = model._meta.get_field(name).column
    mine = _given(model, column, given)
    return f"({mine}::text = '{value}' AND t.{bulk.quoted(column)}::text = '{value}')"


def same_twice(cursor: Any, model: Any, given: set[str]) -> Found:
    """Rows of one file that are the same record."""
    cursor.execute(
        f"SELECT row, first FROM (SELECT row, min(row) OVER (PARTITION BY id) AS first"
        f" FROM {S} WHERE known) d WHERE first < row ORDER BY row"
    )
    found = cursor.fetchall()
    for rule in identity.of(model):
        names = [*rule.fields, *([rule.besides] if rule.besides else [])]
        columns = [name for field in names for name in _stored(model, field)]
        parts = ", ".join(_given(model, name, given) for name in columns)
        cursor.execute(
            f"SELECT row, first FROM (SELECT row, min(row) OVER (PARTITION BY {parts}) AS first"
            f" FROM {S} s WHERE NOT known AND num_nonnulls({parts}) > 0) d"
            " WHERE first < row ORDER BY row"
        )
        found += cursor.fetchall()
    for row, first in found:
        yield Mistake(row, "", "", f"和第 {first} 行是同一条记录", "留下一行，删掉另一行")


def circles(cursor: Any, model: Any, column: Column) -> Found:
    """Rows that would stand above themselves, however far up."""
    table, name = bulk.quoted(model._meta.db_table), bulk.quoted(column.stored)
    cursor.execute(
        f"WITH RECURSIVE up AS (SELECT row, id, {name} AS above FROM {bulk.FRESH}"
        f" WHERE {name} IS NOT NULL UNION"
        f" SELECT u.row, u.id, CASE WHEN f.id IS NULL THEN t.{name} ELSE f.{name} END FROM up u"
        f" LEFT JOIN {bulk.FRESH} f ON f.id = u.above LEFT JOIN {table} t ON t.id = u.above"
        " WHERE u.above IS NOT NULL AND u.above <> u.id)"
        " SELECT row FROM up WHERE above = id ORDER BY row"
    )
    for (row,) in cursor.fetchall():
        yield Mistake(row, column.label, "", f"“{column.label}”绕成了圈", "改掉其中一行")
