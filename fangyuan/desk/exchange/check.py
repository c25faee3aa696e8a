"""What must hold for a file, for its rows as they would stand, and after they are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import CheckConstraint, UniqueConstraint

from fangyuan.access import scopes, table
from fangyuan.core import bulk
from fangyuan.desk.exchange import columns as shape
from fangyuan.desk.exchange import identity, kids, mistakes, resolve, steps
from fangyuan.desk.exchange.columns import Column
from fangyuan.desk.exchange.mistakes import Bad, Mistake
from fangyuan.door import VERBS
from fangyuan.engine import gates

S, FRESH = bulk.STAGE, bulk.FRESH
_CHUNK = 20_000
_NAMED = 200
_MANY = 1_000  # from here on the planner's picture of a table is wrong enough to be slow
Found = Iterator[Mistake]


def file_as_a_whole(order: Any, given: list[Column]) -> None:
    """Refuse a file that this person may not import, or not in this way."""
    actor, kind = order.by, order.model.record_name()
    admin = actor is None or table.sight(actor).is_admin
    label = order.model._meta.verbose_name
    if not admin and not (table.may(actor, kind, "c") or table.may(actor, kind, "u")):
        raise mistakes.whole(f"你的岗位不能导入{label}", "请能改它的同事来导入")
    if order.is_history and not admin:
        raise mistakes.whole("只有系统管理员能导入历史", "去掉历史导入，或请管理员来做")
    for column in given:
        if column.kind == "recorded" and not order.is_history:
            raise mistakes.whole(
                "录入时间由系统写", "删掉这一列；导入历史时由管理员加 --legacy", column=column.label
            )
        if not admin and (bad := _forbidden(order.model, column, actor)):
            raise mistakes.whole(bad.reason, bad.remedy, column=column.label)
    if not admin and (bad := _follows(order.model, {column.name for column in given}, actor)):
        raise mistakes.whole(bad.reason, bad.remedy)


def _forbidden(model: Any, column: Column, actor: Any) -> Bad | None:
    kind = model.record_name()
    if any(column.name in grant.hide for grant in table.grants(actor, kind, "r")):
        return Bad("这一列不在你的权限内", "删掉这一列")
    verb = model.governed.get(column.name)
    if verb and not table.may_act(actor, f"{kind}.{verb}"):
        said = VERBS[f"{kind}.{verb}"].label if f"{kind}.{verb}" in VERBS else verb
        return Bad(f"这一列只能通过“{said}”来改", "删掉这一列")
    return None


def _follows(model: Any, given: set[str], actor: Any) -> Bad | None:
    """What would follow from the columns given, although only a listed verb may bring it about."""
    for name, (by, _) in model.implied.items():
        verb = f"{model.record_name()}.{model.governed.get(name)}"
        if by in given and verb in table.table().acts and not table.may_act(actor, verb):
            return Bad(
                f"{model._meta.verbose_name}不能由文件直接生效", "在页面上申请，或请管理员导入"
            )
    return None


def known_rows(cursor: Any, load: Any) -> Found:
    """Rows that may not change the record they found."""
    table_name = bulk.quoted(load.model._meta.db_table)
    cursor.execute(
        f"SELECT s.row FROM {S} s JOIN {table_name} t ON t.id = s.id"
        " WHERE s.known AND t.removed_at IS NOT NULL ORDER BY s.row"
    )
    yield from _say(cursor.fetchall(), Bad("这条记录在回收站里", "先恢复它，或换一个外部编号"))
    if load.order.mode == "ADD":
        cursor.execute(f"SELECT row FROM {S} WHERE known ORDER BY row")
        yield from _say(cursor.fetchall(), Bad("这条记录已经有了", "改用“覆盖”或“跳过”"))
    if not load.sees_all:
        reached = load.model._base_manager.filter(scopes.rows(load.order.by, load.model, "u"))
        sql, params = reached.order_by().values("pk").query.sql_with_params()
        cursor.execute(
            f"SELECT row FROM {S} WHERE known AND id NOT IN ({sql}) ORDER BY row", list(params)
        )
        yield from _say(cursor.fetchall(), Bad("你不能改这条记录", "请它的负责人来改"))
    if "recorded_at" in load.given:
        cursor.execute(
            f"SELECT s.row FROM {S} s JOIN {table_name} t ON t.id = s.id WHERE s.known"
            " AND t.imported_at IS NULL AND s.recorded_at <> t.recorded_at ORDER BY s.row"
        )
        bad = Bad("这条记录是在系统里录入的，录入时间不能改", "删掉这一格")
        yield from _say(cursor.fetchall(), bad, "录入时间")


def _say(rows: Iterable[tuple[int, ...]], bad: Bad, column: str = "") -> Found:
    for row, *_ in rows:
        yield Mistake(row, column, "", bad.reason, bad.remedy)


def own_references(cursor: Any, column: Column, actor: Any, model: Any) -> Found:
    """References among records of one type: to rows of the file first, then to known records."""
    said, stored = bulk.quoted(resolve.reference_column(column)), bulk.quoted(column.stored)
    cursor.execute(f"UPDATE {S} SET {stored} = NULL WHERE {said} IS NOT NULL")
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [S]
    )
    there = {name for (name,) in cursor.fetchall()}
    names = ["key", *(model._meta.get_field(n).column for n in identity.names(model))]
    for name in (identity.own(model), *names):
        if name in there:
            own = bulk.quoted(name)
            cursor.execute(
                f"UPDATE {S} s SET {stored} = o.id FROM (SELECT {own} AS said, min(id) AS id"
                f" FROM {S} WHERE {own} IS NOT NULL GROUP BY 1 HAVING count(*) = 1) o"
                f" WHERE o.said = s.{said} AND s.{stored} IS NULL"
            )
    yield from resolve.references(cursor, column, actor)


def fresh_rows(cursor: Any, load: Any) -> Found:
    """Rows that cannot stand as they would be."""
    cursor.execute(f"SELECT row FROM {S} WHERE NOT known ORDER BY row")
    new = cursor.fetchall()
    if new and (lacking := shape.missing(load.columns, load.model)):
        raise mistakes.whole(f"新记录缺少必填的列：{'、'.join(lacking)}", "补上这些列再导入")
    if new and not load.sees_all and not table.may(load.order.by, load.model.record_name(), "c"):
        yield from _say(new, Bad("你的岗位不能新建这种记录", "删掉这一行"))
    if "recorded_at" in load.given:
        cursor.execute(f"SELECT row FROM {S} WHERE recorded_at > now() ORDER BY row")
        yield from _say(cursor.fetchall(), Bad("录入时间在将来", "核对日期"), "录入时间")
    for slot in load.slots:
        if slot.column.kind == "reference" and slot.column.target is load.model:
            yield from resolve.circles(cursor, load.model, slot.column)
    yield from _violations(cursor, load)


def _violations(cursor: Any, load: Any) -> Found:
    found = list(bulk.violations(cursor, load.model))
    if not found:
        return
    rows = sorted({one.row for one in found})[: mistakes.MOST]
    cursor.execute(f"SELECT row, to_jsonb(s)::text FROM {S} s WHERE row = ANY(%s)", [rows])
    given = {row: json.loads(cells) for row, cells in cursor.fetchall()}
    others = _named(load, [one.other_id for one in found if one.other_id][:_NAMED])
    for one in found:
        column = _blamed(load, one)
        value = given.get(one.row, {}).get(column.stored, "") if column else ""
        bad = _said(load, one, others)
        yield Mistake(one.row, column.label if column else "", value, bad.reason, bad.remedy)


def _named(load: Any, numbers: list[int]) -> dict[int, str]:
    """What the records are called with which rows collide, as far as the person may see them."""
    seen = resolve.candidates(load.model, load.order.by).filter(pk__in=numbers)
    return {record.pk: str(record) for record in seen}


def _blamed(load: Any, one: bulk.Violation) -> Column | None:
    there = {slot.column.name: slot.column for slot in load.slots}
    halves = {f"{n}_{half}": n for n in there for half in ("type", "id")}
    for name in one.fields:
        name = "name" if name == "name_key" else halves.get(name, name)
        if name in there:
            return there[name]
    return None


def _said(load: Any, one: bulk.Violation, others: dict[int, str]) -> Bad:
    message = str(one.constraint.violation_error_message)
    own = message if message != str(one.constraint.default_violation_error_message) else ""
    if one.other_row is not None:
        what = "重复" if isinstance(one.constraint, UniqueConstraint) else "的时间重叠"
        return Bad(f"和第 {one.other_row} 行{what}", "留下一行，删掉另一行，或改掉冲突的值")
    if isinstance(one.constraint, CheckConstraint):
        return Bad(own or f"{_labels(load, one)}不合要求", "改正后再导入")
    name = f"“{others[one.other_id]}”" if one.other_id in others else ""
    if isinstance(one.constraint, UniqueConstraint):
        return Bad(own or f"{_labels(load, one)}和已有的记录相同", name and f"已有：{name}")
    return Bad(own or "和已有的记录时间重叠", name and f"已有：{name}")


def _labels(load: Any, one: bulk.Violation) -> str:
    known = {column.name: column.label for column in shape.of_model(load.model)}
    return "、".join(f"“{known[name]}”" for name in one.fields if name in known) or "这一行"


def owed(load: Any) -> set[Any]:
    """What known records lack before they are written: the import is not to blame for it."""
    if load.deed.is_history:
        return set()
    load.cursor.execute(f"SELECT id FROM {S} WHERE known")
    numbers = [number for (number,) in load.cursor.fetchall()]
    return {one.debt for one in _unmet(load, load.model, numbers)}


def _unmet(load: Any, model: Any, numbers: list[int]) -> Iterator[gates.Unmet]:
    if not gates.demands(model, at=load.deed.at):
        return
    for start in range(0, len(numbers), _CHUNK):
        yield from gates.unmet(model, numbers[start : start + _CHUNK], at=load.deed.at)


def written_rows(
    load: Any, created: list[int], written: list[tuple[Any, int, list[int]]], owed: set[Any]
) -> Found:
    """Rows that reach beyond the person's rows, or break a rule of the rulebook."""
    if not load.sees_all:
        _hold(load, created)
        yield from _outside(load, created)
    if load.deed.is_history:
        return
    for model, _, numbers in written:
        if len(numbers) >= _MANY:
            bulk.measure(load.cursor, model)
    for model, sign, numbers in written:
        unmet = [one for one in _unmet(load, model, numbers) if one.debt not in owed]
        if sign > 0:
            unmet += steps.unmet(load, numbers)
        if unmet:
            yield from _unmet_rows(load, model, sign, unmet)


def _unmet_rows(load: Any, model: Any, sign: int, unmet: list[gates.Unmet]) -> Found:
    wanted = [sign * (one.subject_id or 0) for one in unmet]
    load.cursor.execute(f"SELECT id, row FROM {kids.ROWS} WHERE id = ANY(%s)", [wanted])
    rows = dict(load.cursor.fetchall())
    labels = {column.name: column.label for column in shape.of_model(model)}
    for one in unmet:
        row = rows.get(sign * (one.subject_id or 0))
        if row is not None:
            yield Mistake(row, labels.get(one.field, ""), "", one.sentence, "")


def _hold(load: Any, created: list[int]) -> None:
    """Whoever brings in records that people answer for answers for them."""
    if not created or not load.model.reach.get("held"):
        return
    load.cursor.execute(
        "INSERT INTO org_holding (subject_type, subject_id, person_id, role, can_write, starts_at,"
        " reason, from_pool, recorded_at, recorded_by, changed_at, revision)"
        " SELECT %s, id, %s, 'OWNER', true, now(), '导入', false, now(), %s, now(), 1"
        " FROM unnest(%s::bigint[]) AS made (id)",
        [load.model.record_name(), load.order.by.pk, load.order.by.pk, created],
    )


def _outside(load: Any, created: list[int]) -> Found:
    reached = load.model._base_manager.filter(scopes.rows(load.order.by, load.model, "c"))
    sql, params = reached.order_by().values("pk").query.sql_with_params()
    load.cursor.execute(
        f"SELECT row FROM {FRESH} WHERE NOT known AND id = ANY(%s) AND id NOT IN ({sql})",
        [created, *params],
    )
    yield from _say(load.cursor.fetchall(), Bad("这条记录不归你管", "请它的负责人来导入"))
