"""Bringing many worlds into the product's tables at once, by COPY, as imported history.

Nothing of the product's own ways in (door, importer) is used: what is compared is the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from django.db import connection
from django.db.models import JSONField

from fangyuan.activities.models import Activity, Plan, PlanItem
from fangyuan.core import events
from fangyuan.core.models import Term, Tracked
from fangyuan.customers.models import Customer
from fangyuan.desk.models import Change
from fangyuan.engine.models import Debt, Request, Waiver
from fangyuan.forms.models import Form, Response
from fangyuan.org.models import Holding, Leave, Membership, Person, Team
from tests.oracle.calendar_oracle import midnight, said
from tests.oracle.world import Record, World

TERMS = {
    "source": ("CALL",),
    "position": (
        "ka_rep",
        "sales_rep",
        "ka_manager",
        "sales_manager",
        "sales_director",
        "sales_dept_manager",
    ),
}
FORM_KINDS = ("REVIEW", "HEALTH")
Values = dict[str, Any]
Tables = dict[Any, dict[int, Values]]


class Load:
    """One loading: it numbers records and remembers which number a key got."""

    def __init__(self, since: datetime, first: int = 1_000_000) -> None:
        self.since = since
        self._numbers = count(first)
        self.ids: dict[str, int] = {}

    def number(self, pointer: str) -> int:
        """The number of a record, given once."""
        if pointer not in self.ids:
            self.ids[pointer] = next(self._numbers)
        return self.ids[pointer]

    def person(self, login: str | None) -> int | None:
        """The number of a person."""
        return None if login is None else self.number(f"person:{login}")

    def any(self, name: str, pointer: str | None) -> Values:
        """The two columns of a pointer to any record."""
        if pointer is None:
            return {f"{name}_type": None, f"{name}_id": None}
        return {f"{name}_type": pointer.split(":")[0], f"{name}_id": self.number(pointer)}


# What guards against spans that overlap, and what finds people and companies by a part of a name.
IDLE = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname)
  FROM pg_constraint WHERE contype = 'x' AND conrelid = ANY (%(tables)s::regclass[])
UNION ALL
SELECT format('DROP INDEX %%s', indexrelid::regclass)
  FROM pg_index WHERE NOT indisunique AND indrelid = ANY (%(tables)s::regclass[])
   AND pg_get_indexdef(indexrelid) ~ 'pattern_ops|USING gin'
"""


def hush() -> None:
    """Have the log hear of nothing more in this transaction, which must be rolled back, and drop
    what takes time to write and serves no rule."""
    tables = [model._meta.db_table for model, _ in WRITERS]
    with connection.cursor() as cursor:
        cursor.execute(IDLE, {"tables": tables})
        for statement in (
            *(row[0] for row in cursor.fetchall()),
            *(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in tables),
        ):
            cursor.execute(statement)


def load(worlds: Iterable[World], since: datetime, known: dict[str, int] | None = None) -> Load:
    """Write worlds whose keys do not collide; returns the numbers their records got.

    `known` are numbers given before, of rules.
    """
    made = Load(since)
    made.ids.update(known or {})
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="import", reason="随机历史", channel="IMPORT")
        _terms(cursor)
        copy(cursor, made, Form, _forms(made))
        for model, rows in _tables(made, worlds):
            table = f'"{model._meta.db_table}"'
            copy(cursor, made, model, rows.values())
            # Nothing counts the rows of an open transaction; a planner that knows none is slow.
            cursor.execute(f"ANALYZE {table}")
    return made


def amend(made: Load, before: list[World], after: list[World]) -> None:
    """Turn loaded worlds into others."""
    change(made, dict(_tables(made, before)), dict(_tables(made, after)))


def change(made: Load, before: Tables, after: Tables) -> None:
    """Add the rows that are new and change those that differ; the log is told of each."""
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="import", reason="更正", channel="IMPORT")
        for model, rows in after.items():
            known = before[model]
            differing = [row for key, row in rows.items() if known.get(key, row) != row]
            if differing:  # first, for a span may make room for a new one
                _update(cursor, made, model, differing)
            copy(cursor, made, model, [row for key, row in rows.items() if key not in known])


def _update(cursor: Any, made: Load, model: Any, rows: list[Values]) -> None:
    table = f'"{model._meta.db_table}"'
    assigned = ", ".join(f'"{name}" = s."{name}"' for name in rows[0] if name != "id")
    cursor.execute(f"CREATE TEMP TABLE fresh ON COMMIT DROP AS SELECT * FROM {table} WHERE false")
    copy(cursor, made, model, rows, into="fresh")
    cursor.execute(f"UPDATE {table} t SET {assigned} FROM fresh s WHERE s.id = t.id")
    cursor.execute("DROP TABLE fresh")


def _tables(made: Load, worlds: Iterable[World]) -> Iterator[tuple[Any, dict[int, Values]]]:
    listed = list(worlds)
    for model, write in WRITERS:
        yield model, {row["id"]: row for world in listed for row in write(made, world)}


def copy(
    cursor: Any, made: Load, model: Any, rows: Iterable[Values], into: str | None = None
) -> None:
    """Send rows, which all say the same columns, to a table; others take their usual values."""
    listed = list(rows)
    if not listed:
        return
    given = list(listed[0])
    usual = {
        column: value for column, value in _usual(made.since, model).items() if column not in given
    }
    if unknown := set(given) - set(_usual(made.since, model)):
        raise KeyError(f"{model.__name__} has no {unknown}")
    names = ", ".join(f'"{column}"' for column in (*given, *usual))
    usually = [CELLS.get(type(value), str)(value) for value in usual.values()]
    rest = "\t".join(["", *usually]) + "\n"
    lines = [
        "\t".join([CELLS.get(type(value), str)(value) for value in row.values()]) + rest
        for row in listed
    ]
    table = into or f'"{model._meta.db_table}"'
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as target:
        target.write("".join(lines))


@cache
def _usual(since: datetime, model: Any) -> dict[str, Any]:
    usual = {
        "recorded_at": since,
        "recorded_by": 0,
        "changed_at": since,
        "imported_at": since,
        "revision": 1,
        "password": "!",
    }
    return {
        field.column: usual[field.column] if field.column in usual else _default(field)
        for field in model._meta.concrete_fields
        if not field.generated
    }


def _default(field: Any) -> Any:
    if field.null and not field.has_default():
        return None
    value = field.get_default()
    return json.dumps(value) if isinstance(field, JSONField) else value


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\")


# How COPY reads what is not simply its text.
CELLS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "\\N",
    str: _quoted,
    datetime: said,
    dict: lambda value: _quoted(json.dumps(value, ensure_ascii=False)),
    list: lambda value: "{" + ",".join(value) + "}",
}


def _terms(cursor: Any) -> None:
    for domain, codes in TERMS.items():
        for code in codes:
            cursor.execute(
                f"INSERT INTO {Term._meta.db_table} (key, domain, code, label, rank, maps,"
                " definition, is_open, active)"
                " VALUES (%s, %s, %s, %s, 0, '{}', '', true, true) ON CONFLICT DO NOTHING",
                [f"{domain}:{code}", domain, code, code],
            )


def _forms(made: Load) -> Iterator[Values]:
    for kind in FORM_KINDS:
        yield {
            "id": made.number(f"form:{kind}"),
            "code": f"oracle-{kind}",
            "version": 1,
            "name": kind,
            "kind": kind,
        }


def _people(made: Load, world: World) -> Iterator[Values]:
    for one in world.people:
        yield {
            "id": made.person(one.login),
            "key": one.login,
            "login": one.login,
            "work_no": one.login,
            "name": one.login,
            "manager_id": made.person(one.manager),
            "joined_on": one.joined_on,
            "left_on": one.left_on,
            "recorded_at": midnight(one.joined_on),
        }


def _teams(made: Load, world: World) -> Iterator[Values]:
    for one in world.teams:
        yield {
            "id": made.number(f"team:{one.code}"),
            "key": one.code,
            "code": one.code,
            "name": one.code,
            "kind": one.kind,
            "leader_id": made.person(one.leader),
        }


def _memberships(made: Load, world: World) -> Iterator[Values]:
    for one in world.memberships:
        yield {
            "id": made.number(f"membership:{one.person}/{one.starts_on}"),
            "person_id": made.person(one.person),
            "team_id": made.number(f"team:{one.team}"),
            "position_id": f"position:{one.position}",
            "is_main": one.is_main,
            "starts_on": one.starts_on,
            "ends_on": one.ends_on,
        }


def _customers(made: Load, world: World) -> Iterator[Values]:
    for record in _of(world, "customer"):
        yield {
            **_base(made, record),
            "name": record.key,
            "name_key": record.key,
            "source_id": "source:CALL",
            "learned_at": record.facts["learned_at"],
            "grade": record.facts.get("grade"),
            "is_ka": record.facts.get("is_ka") or False,
            "ka_tier": record.facts.get("ka_tier") if record.facts.get("is_ka") else None,
            "lost_at": record.facts.get("lost_at"),
        }


def _tracked(made: Load, world: World) -> Iterator[Values]:
    """Past values; 「urgent」 is kept as the instant until which the customer is urgent."""
    for record in _of(world, "customer"):
        for fact, spans in record.tracked.items():
            for span in spans:
                value, name = _text(span.value), fact
                if fact == "is_urgent":
                    until = span.ends_at or span.starts_at + timedelta(days=3650)
                    value, name = said(until), "urgent_until"
                yield {
                    "id": made.number(f"tracked:{record.key}/{fact}/{said(span.starts_at)}"),
                    **made.any("subject", record.pointer),
                    "fact": name,
                    "value": value,
                    "starts_at": span.starts_at,
                    "ends_at": span.ends_at,
                }


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _holdings(made: Load, world: World) -> Iterator[Values]:
    for one in world.holdings:
        yield {
            "id": made.number(f"holding:{one.subject}/{one.role}/{said(one.starts_at)}"),
            **made.any("subject", one.subject),
            "person_id": made.person(one.person),
            "role": one.role,
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
        }


def _leaves(made: Load, world: World) -> Iterator[Values]:
    for one in world.leaves:
        yield {
            "id": made.number(f"leave:{one.person}/{said(one.starts_at)}"),
            "person_id": made.person(one.person),
            "requested_at": one.starts_at,
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "reason": "事假",
            "stand_in_id": made.person(one.stand_in),
            "stage": one.stage,
        }


def _activities(made: Load, world: World) -> Iterator[Values]:
    for record in _of(world, "activity"):
        facts = record.facts
        yield {
            **_base(made, record),
            "customer_id": made.number(f"customer:{facts['customer']}"),
            "person_id": made.person(facts["person"]),
            "kind": facts["kind"],
            "is_deep": facts["is_deep"],
            "is_incoming": facts["is_incoming"],
            "ended_at": facts["ended_at"],
            "written_at": facts.get("written_at"),
            "stage": "DONE" if facts["ended_at"] else "PLANNED",
        }


def _changes(made: Load, world: World) -> Iterator[Values]:
    for record in _of(world, "change"):
        facts = record.facts
        yield {
            **_base(made, record),
            **made.any("subject", facts["subject"]),
            "kind": facts["kind"],
            "occurred_at": facts["occurred_at"],
            "known_at": facts.get("known_at"),
            "known_proof": facts.get("known_proof") or "",
            "updated_at": facts.get("updated_at"),
            "reported_by_id": made.person(facts["reported_by"]),
        }


def _responses(made: Load, world: World) -> Iterator[Values]:
    for record in _of(world, "response"):
        facts = record.facts
        yield {
            **_base(made, record),
            "form_id": made.number(f"form:{facts['kind']}"),
            **made.any("subject", facts["subject"]),
            "person_id": made.person(facts["person"]),
            "submitted_at": facts["submitted_at"],
            "covers": list(facts["covers"]),
        }


def _plans(made: Load, world: World) -> Iterator[Values]:
    for record in _of(world, "plan"):
        facts = record.facts
        yield {
            **_base(made, record),
            "title": record.key,
            "kind": facts["kind"],
            "person_id": made.person(facts["person"]),
            "period": plan_period(facts["period"]),
            "submitted_at": facts["submitted_at"],
        }


def plan_period(occurrence: str) -> str:
    """A plan's period as the product writes it: `2026-08` for `month:2026-08-01`."""
    return occurrence.removeprefix("month:")[:7]


def _plan_items(made: Load, world: World) -> Iterator[Values]:
    """One item each; it lacks its purpose where the plan is not complete."""
    whom = next(_of(world, "customer"))
    for record in _of(world, "plan"):
        yield {
            "id": made.number(f"plan_item:{record.key}"),
            "plan_id": made.number(record.pointer),
            **made.any("subject", whom.pointer),
            "at": made.since,
            "purpose": "回访" if record.facts["items_complete"] else "",
            "content": "新品",
        }


def _requests(made: Load, world: World) -> Iterator[Values]:
    for record in _of(world, "request"):
        facts = record.facts
        decided_at = facts.get("decided_at")
        yield {
            **_base(made, record),
            "action": facts["action"],
            **made.any("subject", f"plan:{record.key}"),
            "digest": "",
            "asked_by_id": made.person(facts["asked_by"]),
            "asked_at": facts["asked_at"],
            "decided_at": decided_at,
            "state": "AGREED" if decided_at else "WAITING",
        }


def _debts(made: Load, world: World) -> Iterator[Values]:
    for record in _of(world, "debt"):
        facts = record.facts
        yield {
            **_base(made, record),
            "rule_id": made.number(f"rule:{facts['clause']}/0/1"),
            **made.any("subject", facts["subject"]),
            "person_id": made.person(facts["person"]),
            "granted_by_id": made.person(world.people[0].login),
            "granted_at": facts["granted_at"],
            "due_at": facts["due_at"],
            "paid_at": facts["paid_at"],
            "reason": "先过后补",
        }


def _waivers(made: Load, world: World) -> Iterator[Values]:
    for one in world.waivers:
        named = (one.clause, one.subject, one.person, world.people[0].login, said(one.starts_at))
        yield {
            "id": made.number(f"waiver:{named}"),
            "clause": one.clause,
            **made.any("subject", one.subject),
            "person_id": made.person(one.person),
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "reason": "特批",
            "stage": "ACTIVE",
        }


def _of(world: World, type: str) -> Iterator[Record]:
    return (record for record in world.records if record.type == type)


def _base(made: Load, record: Record) -> Values:
    return {
        "id": made.number(record.pointer),
        "key": record.key,
        "recorded_at": record.recorded_at,
        "removed_at": record.removed_at,
        "imported_at": record.imported_at or made.since,
    }


WRITERS: list[tuple[Any, Any]] = [
    (Person, _people),
    (Team, _teams),
    (Membership, _memberships),
    (Customer, _customers),
    (Tracked, _tracked),
    (Holding, _holdings),
    (Leave, _leaves),
    (Activity, _activities),
    (Change, _changes),
    (Response, _responses),
    (Plan, _plans),
    (PlanItem, _plan_items),
    (Request, _requests),
    (Debt, _debts),
    (Waiver, _waivers),
]
