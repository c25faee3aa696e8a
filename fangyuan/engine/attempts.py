"""What people tried and were refused, kept as evidence: who, what, when, by which clause.

The same attempt on the same day is one row that counts; and one person fills so many rows a day at
most, so that nobody can flood the record. What is tried beyond that is counted in one row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import connection

from fangyuan.core import spans

MOST: Final = 100  # rows of one person and day
TOLD: Final = 5  # clauses of one attempt
Aim = tuple[str, int | None]  # the type of the record, and its number unless it was new
_KEPT: Final = """
WITH filled AS (
  SELECT count(*) >= %(most)s AS is_full
    FROM engine_refusal WHERE person_id = %(person)s AND "on" = %(on)s
), tried AS (
  SELECT DISTINCT CASE WHEN is_full THEN '' ELSE %(action)s END AS action,
         CASE WHEN NOT is_full THEN %(type)s END AS type,
         CASE WHEN NOT is_full THEN %(id)s::bigint END AS id,
         CASE WHEN is_full THEN '' ELSE x.clause END AS clause,
         CASE WHEN is_full THEN '当天次数太多，只计数' ELSE x.sentence END AS sentence
    FROM filled, unnest(%(clauses)s::text[], %(sentences)s::text[]) AS x (clause, sentence)
)
INSERT INTO engine_refusal AS r ("on", person_id, action, subject_type, subject_id, clause,
                                 sentence, channel, first_at, last_at, number)
SELECT %(on)s, %(person)s, action, type, id, clause, sentence, %(channel)s, %(at)s, %(at)s, 1
  FROM tried
ON CONFLICT ("on", person_id, action, subject_type, subject_id, clause)
DO UPDATE SET number = r.number + 1, last_at = excluded.last_at, sentence = excluded.sentence,
              channel = excluded.channel
"""


def keep(
    person: int,
    action: str,
    aim: Aim | None,
    told: Iterable[tuple[str, str]],
    *,
    channel: str,
    at: datetime,
) -> None:
    """Keep one refused attempt; `told` are clauses (or none) with what each of them says."""
    said: dict[str, list[str]] = {}
    for clause, sentence in told:
        said.setdefault(clause, []).append(sentence)
    chosen = dict(list(said.items())[:TOLD])
    kind, number = aim or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            _KEPT,
            {
                "most": MOST,
                "person": person,
                "on": spans.day_of(at),
                "action": action,
                "type": kind,
                "id": number,
                "clauses": list(chosen),
                "sentences": ["；".join(one) for one in chosen.values()],
                "channel": channel,
                "at": at,
            },
        )
