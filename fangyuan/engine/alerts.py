"""Alerts: episodes derived from facts, kept as records so that duties and people can follow them.

An episode is known by rule, subject and the fixed instant at which it was raised. What a person
wrote on it stays; everything else is what the facts say, so a second settling writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from django.db import connection

from fangyuan.core import events, timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import models, rulebook
from fangyuan.engine.kinds import Alert
from fangyuan.engine.ledger import Written
from fangyuan.engine.scope import Pick

_TABLES: Final = """
CREATE TEMP TABLE IF NOT EXISTS engine_lit (subject_id bigint, known_at timestamptz,
  imported_at timestamptz, own_id bigint, held_type text, held_id bigint, first_at timestamptz,
  quiet_at timestamptz, clears_at timestamptz) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS engine_episode (place integer, subject_id bigint,
  raised_at timestamptz, cleared_at timestamptz, known_at timestamptz, person_id bigint)
  ON COMMIT DELETE ROWS;
TRUNCATE engine_lit, engine_episode;
"""
_WAKES: Final = """
INSERT INTO engine_wake (record, record_id, at)
SELECT '{record}', l.subject_id, min(w.at)
  FROM engine_lit l CROSS JOIN LATERAL unnest(ARRAY[l.first_at, l.clears_at]) AS w (at)
 WHERE w.at > {now} GROUP BY 2
ON CONFLICT DO NOTHING
"""


def settle(
    rule: models.Rule, book: rulebook.Book, subjects: set[int] | None = None
) -> tuple[Written, set[int]]:
    """Make a rule's episodes those of the facts, for some subjects or all; says which changed."""
    kind = rulebook.kind_of(rule)
    if not isinstance(kind, Alert):
        return Written(), set()
    prepare()
    judge(rule, book, subjects)
    with connection.cursor() as cursor:
        now = book.terms(rule).now
        cursor.execute(_WAKES.format(record=rule.record, now=now))
        events.announce(cursor, actor=0, action="sweep", reason="规则扫描", channel="JOB")
        return _write(cursor, rule, subjects)


def prepare() -> None:
    """Make the session's working tables, empty."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)


def judge(rule: models.Rule, book: rulebook.Book, subjects: set[int] | None = None) -> None:
    """Fill the working table with the episodes that the facts give, of some subjects or all."""
    kind = rulebook.kind_of(rule)
    if not isinstance(kind, Alert):
        return
    pick = None if subjects is None else Pick(subjects=tuple(sorted(subjects)))
    terms = book.terms(rule, pick)
    with connection.cursor() as cursor:
        for place, who in enumerate(kind.people):
            _judge(cursor, kind.model_copy(update={"who": who}), terms, place)


def drop(number: int) -> Written:
    """Remove the episodes of a rule that is no longer in the rulebook."""
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="sweep", reason="规则扫描", channel="JOB")
        cursor.execute(
            "UPDATE engine_alert SET removed_at = raised_at, changed_at = now()"
            " WHERE rule_id = %s AND removed_at IS NULL",
            [number],
        )
        return Written(changed=cursor.rowcount)


def replay(rule: models.Rule, book: rulebook.Book) -> Iterator[dict[str, Any]]:
    """The episodes of an alert as of an instant, published or draft, without writing anything."""
    kind = rulebook.kind_of(rule)
    if not isinstance(kind, Alert):
        return
    first = kind.model_copy(update={"who": kind.people[0]})
    with connection.cursor() as cursor:
        cursor.execute(compiler.facts_of(first, book.terms(rule)))
        names = [column.name for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


def _judge(cursor: Any, kind: Alert, terms: compiler.Terms, place: int) -> None:
    cursor.execute("DELETE FROM engine_lit")  # possible also where nothing may be written
    cursor.execute(f"INSERT INTO engine_lit {compiler.lit_of(kind, terms)}")
    cursor.execute("ANALYZE engine_lit")
    kept = replace(terms, lit="SELECT * FROM engine_lit")
    cursor.execute(
        f"""INSERT INTO engine_episode
            SELECT {place}, f.subject_id, f.began_at, f.met_at, f.known_at, f.person_id
              FROM ({compiler.facts_of(kind, kept)}) f"""  # noqa: S608 - quoted literals
    )


def _write(cursor: Any, rule: models.Rule, subjects: set[int] | None) -> tuple[Written, set[int]]:
    picked = "true"
    if subjects is not None:
        picked = f"a.subject_id = ANY ({timelines.literal(sorted(subjects))}::bigint[])"
    counts, changed = [], set()
    for statement in (
        compiler.template("raise")
        .substitute(rule=rule.pk, record=rule.record, picked=picked)
        .split(";\n")
    ):
        cursor.execute(statement)
        found = {row[0] for row in cursor}
        counts.append(len(found))
        changed |= found
    gone, kept, born = counts
    return Written(added=born, changed=gone + kept), changed
