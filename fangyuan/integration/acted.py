"""When a person acted on what they were told: read off the ledger, the approvals and the log."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from fangyuan.core import events

BACK: Final = timedelta(days=60)  # what was told longer ago and left is no longer watched
EVERY: Final = 300.0  # seconds between two looks

# A duty is acted upon when all that the message tells of are met; a request when the person
# answered in a seat of theirs; anything else when they first did something to its subject.
_ACTED = """
WITH waiting AS (
  SELECT id, person_id, subject_type, subject_id, obligations, sent_at FROM org_message
   WHERE acted_at IS NULL AND sent_at > %(since)s AND topic NOT IN ('DIGEST', 'SYSTEM')
), met AS (
  SELECT w.id, max(o.met_at) AS at
    FROM waiting w JOIN engine_obligation o ON o.id = ANY (w.obligations)
   GROUP BY w.id HAVING bool_and(o.met_at IS NOT NULL)
), answered AS (
  SELECT w.id, min(a.answered_at) AS at
    FROM waiting w JOIN engine_approval a
      ON w.subject_type = 'request' AND a.request_id = w.subject_id AND a.person_id = w.person_id
   WHERE a.answered_at >= w.sent_at GROUP BY w.id
), touched AS (
  SELECT w.id, min(e.at) AS at
    FROM waiting w JOIN core_event e
      ON e.record = w.subject_type AND e.record_id = w.subject_id AND e.actor = w.person_id
   WHERE w.obligations = '{}' AND w.subject_type <> 'request' AND e.at >= w.sent_at
   GROUP BY w.id
)
UPDATE org_message m
   SET acted_at = greatest(found.at, m.sent_at), changed_at = now(), revision = m.revision + 1
  FROM (SELECT * FROM met UNION ALL SELECT * FROM answered UNION ALL SELECT * FROM touched) found
 WHERE m.id = found.id AND m.acted_at IS NULL AND found.at <= %(now)s
"""

_looked = -EVERY


def look(now: datetime) -> int:
    """Note who acted on what they were told; gives on how many messages."""
    with transaction.atomic(), connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="acted", reason="送达证明", channel="JOB")
        cursor.execute(_ACTED, {"now": now, "since": now - BACK})
        return int(cursor.rowcount)


def look_sometimes(now: datetime) -> None:
    """Look, unless that was done a moment ago."""
    global _looked  # noqa: PLW0603 - how long ago this worker looked
    if time.monotonic() - _looked >= EVERY:
        look(now)
        _looked = time.monotonic()
