"""The ledger as plain rows for the command line: keys and logins instead of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from fangyuan.core import calendar, records, spans, timelines
from fangyuan.engine import ledger, models, rulebook
from fangyuan.org.models import Person

BATCH = 2000
# What stands for `key` where a type has a name of its own for imports.
KEYS = {"person": "login", "team": "code"}
_STORED = """
SELECT rule_id, subject_type, subject_id, occurrence, began_on, began_at, person_id, due_at, met_at,
       state, cause::text
  FROM engine_obligation WHERE {where} ORDER BY rule_id, due_at, subject_id, occurrence
"""


class Unknown(ValueError):
    """A clause or login that does not exist."""


def rows(
    *, clause: str | None = None, person: str | None = None, as_of: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """Obligations as they stand in the ledger, or recomputed as of an instant without writing."""
    rules = {rule.pk: rule for rule in rulebook.named([clause] if clause else None)}
    if (
        clause
        and not rules
        and not models.Clause.objects.everything("列出义务").filter(number=clause)
    ):
        raise Unknown(f"没有条款“{clause}”")
    who = _person(person) if person else None
    found = _stored(rules, who) if as_of is None else _replayed(rules, as_of)
    for batch in _batched(one for one in found if who is None or one["person_id"] == who):
        yield from spelled(rules, batch)


def _person(login: str) -> int:
    found = Person.objects.everything("列出义务").filter(login=login).first()
    if found is None:
        raise Unknown(f"没有登录名“{login}”")
    return int(found.pk)


def _stored(rules: dict[int, models.Rule], who: int | None) -> Iterator[dict[str, Any]]:
    where = f"rule_id = ANY ({timelines.literal(sorted(rules))}::bigint[])"
    if who is not None:
        where += f" AND person_id = {who}"
    with connection.cursor() as cursor:
        cursor.execute(_STORED.format(where=where))
        names = [column.name for column in cursor.description]
        while batch := cursor.fetchmany(BATCH):
            for row in batch:
                yield dict(zip(names, row, strict=True))


def _replayed(rules: dict[int, models.Rule], as_of: datetime) -> Iterator[dict[str, Any]]:
    book = rulebook.open_book(as_of, calendar.stored())
    calendar.lay_out(book.calendar)
    for rule in rules.values():
        yield from ledger.replay(rule, book)


def _batched(found: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for one in found:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def spelled(rules: dict[int, models.Rule], batch: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of the ledger with clauses, keys and logins for numbers."""
    logins = keys_of("person", {one["person_id"] for one in batch if one["person_id"]})
    keys: dict[str, dict[int, str]] = {}
    for record in {one["subject_type"] for one in batch}:
        numbers = {one["subject_id"] for one in batch if one["subject_type"] == record}
        keys[record] = keys_of(record, numbers)
    for one in batch:
        rule = rules[one["rule_id"]]
        yield {
            "clause": rule.clause.number,
            "version": rule.version,
            "record": one["subject_type"],
            "key": keys[one["subject_type"]].get(one["subject_id"]),
            "occurrence": one["occurrence"],
            "person": logins.get(one["person_id"]),
            "began_on": one["began_on"].isoformat(),
            "due_at": _iso(one["due_at"]),
            "met_at": _iso(one["met_at"]),
            "state": one["state"].lower(),
        }


def keys_of(record: str, numbers: set[int]) -> dict[int, str]:
    """What files call these records of a type."""
    model = records.row_types()[record]
    column = KEYS.get(record, "key")
    found = model._base_manager.filter(pk__in=numbers).values_list("pk", column)
    return {number: key or f"#{number}" for number, key in found}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(spans.SHANGHAI).isoformat()
