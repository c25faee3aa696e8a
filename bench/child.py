"""Work measured in a process of its own: `python -m bench.child full ISO` and the like.

Each prints one line a measurement, of words and figures.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fangyuan.site.settings")


def full(as_of: str) -> None:
    """A full sweep to an instant; seconds and rows written."""
    print(*_swept(as_of, is_full=True))


def follow(as_of: str, number: str, rounds: str) -> None:
    """So often: records change, and a sweep a minute later follows, as in the worker, which stays.

    Seconds, rows written and records changed of each round.
    """
    at = datetime.fromisoformat(as_of)
    for _ in range(int(rounds)):
        at += timedelta(minutes=1)
        changed = _touch(at, int(number))
        print(*_swept(at.isoformat()), changed, flush=True)


def compare(rounds: str) -> None:
    """Clause, rows, seconds by hand and by the engine, and rows that differ, of each rule."""
    from bench import compare as both

    for one in both.compare(int(rounds)):
        print(*one, flush=True)


def rolled(login: str) -> None:
    """Median and most milliseconds of rolling the forecast up for a person, and whose it is."""
    import statistics

    from django.utils import timezone

    from fangyuan.opportunities import forecast
    from fangyuan.org.models import Person

    taken, reps = [], 0
    for _ in range(30):
        actor = Person._base_manager.get(login=login)
        begun = time.perf_counter()
        told = forecast.forecast(actor, "month", timezone.localdate())
        taken.append(1000 * (time.perf_counter() - begun))
        reps = sum(1 for kind, _ in told.nodes if kind == "person")
    print(statistics.median(taken), max(taken), reps)


def _swept(as_of: str, *, is_full: bool = False) -> tuple[float, int]:
    from fangyuan.engine import sweep as engine

    begun = time.perf_counter()
    outcome = engine.sweep(datetime.fromisoformat(as_of), full=is_full)
    taken = time.perf_counter() - begun
    if outcome.failed:
        raise SystemExit(f"rules failed: {outcome.failed}")
    return round(taken, 3), outcome.written.added + outcome.written.changed


# What a company does to its records: visits, reviews, changes, and grades set anew. Only what is
# imported may say when it was recorded, and the bench's clock is not the database's.
_TOUCHES = {
    0.4: """
INSERT INTO activities_activity (kind, purpose, customer_id, person_id, is_incoming, planned_at,
       appointed_by, started_at, ended_at, situation, feedback, result, need_changes,
       customer_issues, new_needs, next_step, written_at, is_deep, off_site_reason, stage,
       recorded_at, recorded_by, imported_at)
SELECT 'VISIT', 'FOLLOW', c.id, h.person_id, false, NULL, '', %(at)s - interval '2 hours',
       %(at)s - interval '1 hour', '谈了交期', '认可方案', '下周给报价', '', '', '', '', %(at)s,
       c.id %% 2 = 0, '', 'DONE', %(at)s, 0, %(at)s FROM chosen c
  JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id""",
    0.3: """
UPDATE customers_customer c SET grade = CASE c.grade WHEN 'C' THEN 'B' ELSE 'C' END
  FROM chosen WHERE c.id = chosen.id""",
    0.2: """
INSERT INTO forms_response (form_id, subject_type, subject_id, person_id, submitted_at, period,
       answers, verdict, covers, basis, advice, recorded_at, recorded_by, imported_at)
SELECT f.id, 'customer', c.id, h.person_id, %(at)s, '', '{}', 'SAME', f.covers, '', '', %(at)s, 0, %(at)s
  FROM chosen c JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id
  JOIN forms_form f ON f.code = 'REVIEW'""",
    0.1: """
INSERT INTO desk_change (subject_type, subject_id, kind, occurred_at, known_proof, before, after,
       updated_at, reported_by_id, recorded_at, recorded_by, imported_at)
SELECT 'customer', c.id, 'CONTACT', %(at)s - interval '3 hours', '', '', '', %(at)s, h.person_id,
       %(at)s, 0, %(at)s
  FROM chosen c JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id""",
}
_CHOSEN = """CREATE TEMP TABLE chosen ON COMMIT DROP AS
SELECT id FROM customers_customer ORDER BY md5(id::text || clock_timestamp()::date || %s) LIMIT %s"""


def _touch(at: datetime, number: int) -> int:
    """Change so many records just before an instant, as people would."""
    from django.db import connection, transaction

    from fangyuan.core import events

    written = 0
    for share, statement in _TOUCHES.items():
        with transaction.atomic(), connection.cursor() as cursor:
            events.announce(cursor, actor=0, action="bench", reason="", channel="JOB")
            cursor.execute("SELECT set_config('fangyuan.since', %s, true)", [at.isoformat()])
            cursor.execute(_CHOSEN, [at.isoformat(), round(share * number)])
            cursor.execute(statement, {"at": at})
            written += cursor.rowcount
    return written


if __name__ == "__main__":
    django.setup()
    parts: dict[str, Callable[..., None]] = {
        "full": full,
        "follow": follow,
        "compare": compare,
        "rolled": rolled,
    }
    parts[sys.argv[1]](*sys.argv[2:])
