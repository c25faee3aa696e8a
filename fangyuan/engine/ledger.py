"""The ledger of duties: what a rule wants of it, what must change, the statement that writes.

`settle` makes the ledger of a target equal to what the rules want; a second call writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from fangyuan.core import spans, timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import kinds, models, rulebook
from fangyuan.engine.kinds import Cadence, base
from fangyuan.engine.scope import Pick

_COLUMNS: Final = """
    rule_id bigint, subject_type varchar(40), subject_id bigint, occurrence text, began_on date,
    began_at timestamptz, person_id bigint, due_at timestamptz, met_at timestamptz,
    state varchar(8), cause jsonb, wakes_at timestamptz"""
_TABLES: Final = f"""
CREATE TEMP TABLE IF NOT EXISTS engine_pick (rule_id bigint, subject_type text, subject_id bigint)
  ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS engine_want ({_COLUMNS}) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS engine_changed
  (id bigint, was_begun_on date, {_COLUMNS}, is_gone boolean) ON COMMIT DELETE ROWS;
DELETE FROM engine_pick; DELETE FROM engine_want; DELETE FROM engine_changed;
"""  # noqa: S608 - fixed text
# All duties of the picked subjects at once, for every partition is looked up anew by each rule.
_PICKED: Final = """
  SELECT f.* FROM (SELECT o.* FROM engine_obligation o
                    WHERE o.subject_id = ANY (ARRAY(SELECT DISTINCT subject_id FROM engine_pick
                                                     ORDER BY 1)) OFFSET 0) f
   WHERE EXISTS (SELECT FROM engine_pick p
                  WHERE p.rule_id = f.rule_id AND p.subject_id = f.subject_id)"""
# What the ledger holds of one rule.
OF_RULE: Final = "  SELECT o.* FROM engine_obligation o WHERE o.rule_id = {rule}"


FEW: Final = 20_000


@dataclass(frozen=True)
class Written:
    """How many rows a settling wrote."""

    added: int = 0
    changed: int = 0
    moved: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            self.added + other.added, self.changed + other.changed, self.moved + other.moved
        )


def prepare() -> None:
    """Make the session's working tables, empty, and tune the planner."""
    with connection.cursor() as cursor:
        # How many spans fit cannot be estimated, and a loop over a million rows thought to be one
        # never ends. What must be looked up row by row is written as LATERAL, which needs a loop.
        # Millions of duties are joined in memory; the default of 4 MB would sort on disk.
        cursor.execute(
            "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '256MB'; SET LOCAL jit = off;"
            + _TABLES
        )


def wanted(rule: models.Rule, kind: base.Owed, terms: compiler.Terms) -> str:
    """The statement that yields the ledger rows one rule wants."""
    past = f"{terms.now} >= f.due_at" if isinstance(kind, Cadence) else f"{terms.now} > f.due_at"
    return compiler.template("state").substitute(
        rule=rule.pk,
        record=rule.record,
        facts=compiler.facts_of(kind, terms),
        is_past=past,
        waiver=_waiver(rule, terms),
    )


def _waiver(rule: models.Rule, terms: compiler.Terms) -> str:
    number = rule.clause.number
    active = models.Waiver.objects.everything("豁免").present().filter(stage="ACTIVE")
    waived = active.order_by().values_list("clause", flat=True).distinct()
    if number not in terms.asked.once("waived", lambda: set(waived)):
        return "SELECT NULL::bigint AS waiver_id"
    fits = f"""SELECT w.id FROM engine_waiver w
            WHERE w.clause = {timelines.literal(number)}
              AND w.removed_at IS NULL AND w.stage = 'ACTIVE'
              AND w.starts_at <= {terms.now} AND w.starts_at < f.due_at AND f.due_at <= w.ends_at"""  # noqa: S608 - quoted literals
    # Those of the record and those of anybody's record: either is found by its index.
    return f"""SELECT min(w.id) AS waiver_id FROM (
           {fits} AND w.subject_type = '{rule.record}' AND w.subject_id = f.subject_id
              AND (w.person_id IS NULL OR w.person_id = f.person_id)
           UNION ALL
           {fits} AND w.subject_id IS NULL AND w.person_id = f.person_id) w"""  # noqa: S608


def settle(want: str, there: str, *, as_of: datetime, calendar_moved: bool = False) -> Written:
    """Make the rows that are there equal to the wanted ones; says how many were written."""
    with connection.cursor() as cursor:
        cursor.execute(compiler.template("diff").substitute(want=want, there=there))
        if not cursor.rowcount:
            return Written()
        # A few rows are found by their key; many are joined with the whole ledger.
        cursor.execute("SELECT count(id) FROM engine_changed")
        if known := cursor.fetchone()[0]:
            cursor.execute("ANALYZE engine_changed")
        cursor.execute(f"SET LOCAL enable_nestloop = {'on' if known < FEW else 'off'}")
        cursor.execute(
            compiler.template("settle").substitute(
                now=f"{timelines.literal(as_of)}::timestamptz",
                due_cause="'calendar'" if calendar_moved else "'corrected'",
            )
        )
        written = Written(*cursor.fetchone())
        cursor.execute("SET LOCAL enable_nestloop = off; TRUNCATE engine_changed")
        return written


def settle_rule(rule: models.Rule, book: rulebook.Book, *, calendar_moved: bool = False) -> Written:
    """Settle one rule over all its subjects."""
    want = wanted(rule, rulebook.kind_of(rule), book.terms(rule))
    there = OF_RULE.format(rule=rule.pk)
    return settle(want, there, as_of=book.as_of, calendar_moved=calendar_moved)


def settle_periods(rule: models.Rule, book: rulebook.Book, since: datetime) -> Written:
    """Open the periods of a cadence that began since an instant, for everything in scope."""
    kind = rulebook.kind_of(rule)
    if not isinstance(kind, Cadence):
        return Written()
    terms = book.terms(rule, Pick(since=since))
    begun = [period for period, _ in compiler.periods(kind, terms, rule.starts_at)]
    keys = [period.key for period in begun]
    if not keys:
        return Written()
    there = OF_RULE.format(rule=rule.pk)
    there += f" AND o.occurrence = ANY ({timelines.literal(keys)}::text[])"
    there += f" AND o.began_on >= {timelines.literal(begun[0].first)}::date"
    return settle(wanted(rule, kind, terms), there, as_of=book.as_of)


def begins_period(rule: models.Rule, since: datetime, until: datetime) -> bool:
    """Whether a period of a rule begins in (since, until]."""
    try:
        kind = rulebook.kind_of(rule)
    except kinds.BadRule:
        return rule.kind == "CADENCE"  # opening it reports what is wrong
    return isinstance(kind, Cadence) and spans.period_at(kind.per, until).start > since


def drop_rule(number: int, *, as_of: datetime) -> Written:
    """Void what a rule left behind that is no longer in the rulebook."""
    want = "SELECT * FROM engine_want WHERE false"
    return settle(want, OF_RULE.format(rule=int(number)), as_of=as_of)


def pick(rule: models.Rule, subjects: set[int], book: rulebook.Book) -> None:
    """Add one rule's wanted rows for some subjects to what `settle_picked` will settle."""
    terms = book.terms(rule, Pick(subjects=tuple(sorted(subjects))))
    with connection.cursor() as cursor:
        want = wanted(rule, rulebook.kind_of(rule), terms)
        cursor.execute(f"INSERT INTO engine_want {want}")
        cursor.execute(
            "INSERT INTO engine_pick SELECT %s, %s, unnest(%s::bigint[])",
            [rule.pk, rule.record, sorted(subjects)],
        )


def settle_picked(*, as_of: datetime) -> Written:
    """Settle everything picked, of all rules, in one go."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE engine_pick, engine_want")
    return settle("SELECT * FROM engine_want", _PICKED, as_of=as_of)


def replay(rule: models.Rule, book: rulebook.Book) -> Iterator[dict[str, Any]]:
    """The duties of a rule as of an instant, published or draft, without writing anything."""
    with connection.cursor() as cursor:
        cursor.execute(wanted(rule, rulebook.kind_of(rule), book.terms(rule)))
        names = [column.name for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


def mend_tallies(*, as_of: datetime) -> int:
    """Count the tallies from the ledger itself where they are wrong; says how many were."""
    tallies = compiler.template("tallies").template
    now = f"{timelines.literal(as_of)}::timestamptz"
    with connection.cursor() as cursor:
        cursor.execute(compiler.template("mend").substitute(tallies=tallies, now=now))
        return int(cursor.fetchone()[0])


def rebuilt_tally() -> set[tuple[Any, ...]]:
    """The tallies counted from the ledger itself, for checks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule_id, person_id, engine_due_on(due_at), state, count(*)"
            " FROM engine_obligation GROUP BY 1, 2, 3, 4"
        )
        return set(cursor.fetchall())
