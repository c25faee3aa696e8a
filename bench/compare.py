"""The engine beside the best SQL that we could write by hand for the same rules.

Both fill an empty copy of the ledger, with all its partitions and indexes, over the same records at
the same instant, and must agree in every column of every row. By hand only the ledger is written;
the engine keeps the counts as well. Everything happens in one transaction that leaves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, transaction

HAND = Path(__file__).with_name("hand")
# Two deadlines (few of many visits; every customer), a cadence, a required one.
CLAUSES = ("KA-3.3.2b", "RES-3.2.1a", "TAG-4.1.1a", "RES-3.4.1")
COLUMNS = (
    "rule_id, subject_type, subject_id, occurrence, began_on, began_at, person_id, due_at, met_at,"
    " state, cause, wakes_at"
)
_PARTITIONS = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'public.engine_obligation'::regclass"""
_BESIDE = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
   AND relname IN ('engine_move', 'engine_tally', 'engine_tallymove')"""
_DIFFERENT = f"""
SELECT count(*) FROM (SELECT {COLUMNS} FROM {{}}.engine_obligation) a
  FULL JOIN (SELECT {COLUMNS} FROM {{}}.engine_obligation) b
       ON a.subject_id = b.subject_id AND a.occurrence = b.occurrence AND a.rule_id = b.rule_id
 WHERE a IS DISTINCT FROM b"""  # noqa: S608 - fixed names
_ASTRAY = f"""
SELECT count(*) FROM (SELECT {COLUMNS} FROM public.engine_obligation WHERE rule_id = %s) a
  FULL JOIN (SELECT {COLUMNS} FROM hand.engine_obligation WHERE rule_id = %s) b
       ON a.subject_id = b.subject_id AND a.occurrence = b.occurrence
 WHERE a IS DISTINCT FROM b"""  # noqa: S608 - fixed names


def compare(rounds: int) -> Iterator[tuple[str, int, float, float, int]]:
    """Per clause: rows, seconds by hand, seconds of the engine, rows that differ.

    The best of the rounds counts for both. The ledger must have been swept to its last instant.
    """
    from fangyuan.core import calendar
    from fangyuan.engine import ledger, models, rulebook

    state = models.Progress.objects.everything("bench").get(rule=None)
    book = rulebook.open_book(state.as_of, calendar.stored())
    for clause in CLAUSES:
        rule = rulebook.named([clause])[0]
        text = (HAND / f"{clause}.sql").read_text(encoding="utf-8")
        adopted = book.adopted(rule.clause.policy.code).since
        given = {"now": state.as_of, "since": adopted, "rule": rule.pk}
        taken: dict[str, list[float]] = {"hand": [], "engine": []}
        for _ in range(rounds):
            with transaction.atomic(), connection.cursor() as cursor:
                ledger.prepare()
                with _scratch(cursor, "hand"):
                    # What suits the engine's planner need not suit the hand's.
                    cursor.execute("SET LOCAL enable_nestloop = on")
                    taken["hand"].append(_timed(cursor.execute, text, given))
                    cursor.execute("SET LOCAL enable_nestloop = off")
                with _scratch(cursor, "engine"):
                    taken["engine"].append(_timed(ledger.settle_rule, rule, book))
                rows, wrong = _checked(cursor, rule.pk)
                transaction.set_rollback(True)
        yield clause, rows, min(taken["hand"]), min(taken["engine"]), wrong


@contextmanager
def _scratch(cursor: Any, name: str) -> Iterator[None]:
    """An empty ledger of its own under a name; within the block statements find it first."""
    cursor.execute(f"CREATE SCHEMA {name}")
    cursor.execute(
        f"CREATE TABLE {name}.engine_obligation"
        " (LIKE public.engine_obligation INCLUDING ALL) PARTITION BY RANGE (began_on)"
    )
    cursor.execute(_PARTITIONS)
    for partition, bounds in cursor.fetchall():
        cursor.execute(
            f"CREATE TABLE {name}.{partition} PARTITION OF {name}.engine_obligation {bounds}"
        )
    cursor.execute(_BESIDE)
    for (table,) in cursor.fetchall():
        cursor.execute(f"CREATE TABLE {name}.{table} (LIKE public.{table} INCLUDING ALL)")
    cursor.execute(f"SET LOCAL search_path = {name}, public")
    yield
    cursor.execute("SET LOCAL search_path = public")


def _timed(act: Callable[..., object], *given: Any) -> float:
    begun = time.perf_counter()
    act(*given)
    return time.perf_counter() - begun


def _checked(cursor: Any, rule: int) -> tuple[int, int]:
    """How many rows there are, and how many differ: between the two, or from the real ledger."""
    cursor.execute(_DIFFERENT.format("hand", "engine"))
    different = cursor.fetchone()[0]
    cursor.execute(_ASTRAY, [rule, rule])
    astray = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM hand.engine_obligation")
    return cursor.fetchone()[0], different + astray
