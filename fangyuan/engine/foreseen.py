"""What a transaction that is still open would make of the ledger: duties that end or begin with it.

Nothing is settled here. Whoever asks rolls the transaction back, or goes on and lets the sweep
write the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from fangyuan.core import calendar
from fangyuan.core.models import Event
from fangyuan.engine import gates, ledger, reach, rulebook
from fangyuan.engine.changes import Changes

MOST_SUBJECTS: Final = 500  # a change that reaches further is told by its records alone
MOST_DUTIES: Final = 20
_MOVED: Final = """
SELECT coalesce(w.rule_id, o.rule_id), coalesce(w.subject_type, o.subject_type),
       coalesce(w.subject_id, o.subject_id), o.state, w.state, coalesce(w.due_at, o.due_at),
       coalesce(w.person_id, o.person_id)
  FROM engine_want w
       FULL JOIN (SELECT b.* FROM engine_obligation b JOIN engine_pick p
                      ON p.rule_id = b.rule_id AND p.subject_id = b.subject_id) o
         USING (rule_id, subject_type, subject_id, occurrence)
 WHERE (o.state IN ('OPEN', 'BREACHED') AND coalesce(w.state, 'VOID') NOT IN ('OPEN', 'BREACHED'))
    OR (o.state IS NULL AND w.state = 'OPEN')
 ORDER BY o.state IS NULL, 6 LIMIT %s
"""


@dataclass(frozen=True)
class Duty:
    """One duty that ends (`was` open, `becomes` what) or begins (`was` nothing)."""

    rule: Any
    subject: tuple[str, int]
    was: str | None
    becomes: str | None
    due_at: datetime
    person_id: int | None


def events() -> list[Event]:
    """What this transaction has written so far, as the log tells it."""
    rows = Event.objects.everything("自己刚写的").filter(xid=_own())
    return list(rows.order_by("id"))


def duties(*, at: datetime) -> list[Duty]:
    """The duties that what this transaction wrote would end or begin, those that end first."""
    own = _own()
    changes = Changes.read(own, own)
    rules = {rule.pk: rule for rule in rulebook.duties()}
    book = rulebook.open_book(at, calendar.stored())
    ledger.prepare()
    for rule in rules.values():
        subjects = reach.subjects(rule, changes)
        if subjects and len(subjects) <= MOST_SUBJECTS:
            ledger.pick(rule, subjects, book)
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, [MOST_DUTIES])
        return [
            Duty(rules[rule], (kind, number), was, becomes, due_at, person)
            for rule, kind, number, was, becomes, due_at, person in cursor.fetchall()
        ]


def closed_gates(model: Any, number: int, *, at: datetime) -> dict[str, list[gates.Unmet]]:
    """By step that has gates: what a record still lacks for it, nothing where they are open."""
    steps = {one.rule_id: one.step for one in gates.demands(model, at=at) if one.step}
    taken = {(model.record_name(), number): set(steps.values())}
    found: dict[str, list[gates.Unmet]] = {step: [] for step in steps.values()}
    for one in gates.unmet(model, [number], steps=taken, at=at):
        if one.is_gate and one.rule_id is not None:
            found[steps[one.rule_id]].append(one)
    return found


def _own() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])
