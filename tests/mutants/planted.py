"""Bugs of the kinds that really happen: off by one at a boundary, a filter left out."""

from __future__ import annotations

from dataclasses import dataclass

AGREES, IN_STEPS = "random histories", "random histories in steps"
GATES = "fangyuan/desk/tests/test_gates.py"
VERSIONS = "tests/versions/test_publishing.py"
REMINDERS = "fangyuan/engine/tests/test_reminders.py"


@dataclass(frozen=True)
class Bug:
    """One change of one line, and the test, or the histories, that must notice it."""

    name: str
    file: str
    right: str
    wrong: str
    test: str = AGREES


BUGS = (
    Bug("met at the due instant counts as late", "sql/state.sql",
        "WHEN f.met_at <= f.due_at THEN 'MET'", "WHEN f.met_at < f.due_at THEN 'MET'"),
    Bug("a late duty is called breached", "sql/state.sql",
        "WHEN f.met_at IS NOT NULL THEN 'LATE'", "WHEN f.met_at IS NULL THEN 'LATE'"),
    Bug("a guessed due time is breached", "sql/state.sql",
        "WHEN $is_past AND NOT f.is_guess", "WHEN $is_past"),
    Bug("leaving scope after it was met voids", "sql/state.sql",
        "f.met_at IS NULL OR f.met_at >= f.left_at", "f.met_at IS NULL OR f.met_at <= f.left_at"),
    Bug("leaving scope at the due time voids", "sql/answer.sql",
        "o.gone_at < o.due_at AND", "o.gone_at <= o.due_at AND"),
    Bug("leave that begins at the instant counts", "sql/answer.sql",
        "l.starts_at < o.answers_at", "l.starts_at <= o.answers_at"),
    Bug("leave that ends at the instant does not count", "sql/answer.sql",
        "l.ends_at >= o.answers_at", "l.ends_at > o.answers_at"),
    Bug("an act at the instant a cadence falls due is in time", "sql/cadence.sql",
        "CASE WHEN $decided < b.due_at", "CASE WHEN $decided <= b.due_at"),
    Bug("a trigger before the record is in scope binds", "sql/deadline.sql",
        "AND $in_force AND b.scope @> b.began_at", "AND $in_force"),
    Bug("what happens after now meets a duty", "sql/deadline.sql",
        "CASE WHEN c.done_at <= $now THEN c.done_at END AS met_at", "c.done_at AS met_at"),
    Bug("days of a span end a day early", "compile.py",
        "{span.amount + 1})::timestamp", "{span.amount})::timestamp"),
    Bug("what meets an event may lie at it", "compile.py",
        "AND e.at > b.began_at)", "AND e.at >= b.began_at)"),
    Bug("a handover makes the new holder answer for the instant", "answers.py",
        "{before}.starts_at < j.answers_at AND {holds}",
        "{before}.starts_at <= j.answers_at AND {holds}"),
    Bug("a version binds what began before it", "terms.py",
        'sql = f"{at} >= {timelines.literal(self.starts_at)}::timestamptz"',
        'sql = f"{at} >= {timelines.literal(self.starts_at)}::timestamptz - interval \'9 days\'"'),
    Bug("an alert is raised anew within its quiet time", "sql/alert.sql",
        "l.first_at >= lag(l.clears_at) OVER w", "l.first_at >= lag(l.quiet_at) OVER w"),
    Bug("a fall is seen against one period more", "measures.py",
        "ROWS BETWEEN {before} PRECEDING AND 1 PRECEDING",
        "ROWS BETWEEN {before} PRECEDING AND CURRENT ROW"),
    Bug("idle begins a day late", "measures.py",
        "interval '{days * 24} hours'", "interval '{days * 24 + 24} hours'"),
    Bug("a change of a holding wakes nobody", "reach.py",
        'held := changes.numbers("holding")', 'held := changes.numbers("nothing")', IN_STEPS),
    Bug("an overdue debt closes nothing", "gates.py",
        "for debt in owed if debt.due_at <= at", "for debt in owed if debt.due_at > at", GATES),
    Bug("a step to the superior goes to the person", "reminders.py",
        "if level == 0:", "if level >= 0:", REMINDERS),
    Bug("what is due at the instant of effect is in flight", "compile.py",
        'is_open = f"{due} > {at} AND', 'is_open = f"{due} >= {at} AND', VERSIONS),
    Bug("what is met at the instant of effect is not in flight", "compile.py",
        "coalesce({met} >= {at}, true)", "coalesce({met} > {at}, true)"),
    Bug("the milder of two due times is the earlier", "compile.py",
        'f"greatest({due}, {other})"', 'f"least({due}, {other})"'),
    Bug("what is kept counts anew", "rulebook.py",
        'rule.in_flight != "OLD" and', 'rule.in_flight != "MILD" and'),
    Bug("a duty is carried over once only", "rulebook.py",
        "        number = rule.pk", "        number = None"),
    Bug("a version that took effect carries nothing over by itself", "rulebook.py",
        "since < one.at <= self.as_of for", "one.at < since for", VERSIONS),
    Bug("a debt opens its gate once it is overdue", "debts.py",
        "at < debt.due_at", "at > debt.due_at"),
    Bug("a paid debt closes gates", "debts.py",
        " WHERE d.paid_at IS NULL AND d.removed_at", " WHERE d.removed_at"),
    Bug("an alert's quiet time runs from its beginning", "compile.py",
        'due_of(kind.clear_after, "l.quiet_at")', 'due_of(kind.clear_after, "l.first_at")'),
    Bug("a waiver that ends at the due time does not cover", "ledger.py",
        "f.due_at <= w.ends_at", "f.due_at < w.ends_at"),
    Bug("leave after the first due day moves it", "sql/extended.sql",
        'w."on" <= l."on"', 'w."on" <= l."on" + 3'),
)  # fmt: skip
