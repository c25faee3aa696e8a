"""Alerts: episodes derived from facts, kept as records so that duties and people can follow them.

An episode is known by rule, subject and the fixed instant at which it was raised. What a person
wrote on it stays; everything else is what the facts say, so a second settling writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.db import connection

from fangyuan.core import as_of, events, facts, timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import models, rulebook
from fangyuan.engine.kinds import Alert
from fangyuan.engine.ledger import Written
from fangyuan.engine.scope import Pick

TOLD: Final = timedelta(days=30)  # of older episodes nobody is told the numbers any more
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
INSERT INTO {ahead} (record, record_id, at)
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
        terms = book.terms(rule)
        cursor.execute(_WAKES.format(ahead=book.ahead, record=rule.record, now=terms.now))
        events.announce(cursor, actor=0, action="sweep", reason="规则扫描", channel="JOB")
        return _write(cursor, rule, subjects, _hits(kind, terms))


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


def _hits(kind: Alert, terms: compiler.Terms) -> str:
    """What the watched numbers were when an episode that is new, and began of late, began."""
    watched = sorted(kind.watched)
    if not watched:
        return "SELECT 0::bigint AS subject_id, now() AS raised_at, '{}'::jsonb AS said WHERE false"
    table = kind.model._meta.db_table
    since = f"{timelines.literal(terms.as_of - TOLD)}::timestamptz"
    source = f"""SELECT s.*, e.raised_at AS {as_of.AT}
      FROM born e JOIN "{table}" s ON s.id = e.subject_id WHERE e.raised_at > {since}"""  # noqa: S608
    rows = facts.annotate(kind.model._base_manager.order_by(), watched)
    at = {as_of.AT: as_of.column(kind.model, as_of.AT)}
    paths = [facts.find(kind.model, name).path for name in watched]
    said = as_of.text_of(rows.annotate(**at).values_list("pk", as_of.AT, *paths), source)
    pairs = ", ".join(f"'{name}', x.v{place}" for place, name in enumerate(watched))
    names = ", ".join(f"v{place}" for place in range(len(watched)))
    built = f"jsonb_strip_nulls(jsonb_build_object({pairs}))"
    return f"""  SELECT x.subject_id, x.raised_at, {built} AS said
    FROM ({said}) x (subject_id, raised_at, {names})"""  # noqa: S608


def _write(
    cursor: Any, rule: models.Rule, subjects: set[int] | None, hits: str
) -> tuple[Written, set[int]]:
    picked = "true"
    if subjects is not None:
        picked = f"a.subject_id = ANY ({timelines.literal(sorted(subjects))}::bigint[])"
    counts, changed = [], set()
    for statement in (
        compiler.template("raise")
        .substitute(rule=rule.pk, record=rule.record, picked=picked, hits=hits)
        .split(";\n")
    ):
        cursor.execute(statement)
        found = {row[0] for row in cursor}
        counts.append(len(found))
        changed |= found
    gone, kept, born = counts
    return Written(added=born, changed=gone + kept), changed
