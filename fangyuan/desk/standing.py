"""How one record stands in the ledger: the duties about it and about the children that count as its
own, in one statement however many there are."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from fangyuan.access import scopes
from fangyuan.core import ready
from fangyuan.desk import declare, looking_back, owed
from fangyuan.engine import history, known
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Person

CHILDREN = 300  # newest children of a kind whose duties are looked at
OWED = 12
SETTLED = 40
_FIELDS = [f for f in Obligation._meta.concrete_fields if f.column != "wakes_at"]
_NAMES = [f.attname for f in _FIELDS]
_CAUSE, _RULE = _NAMES.index("cause"), _NAMES.index("rule_id")

# What was missed long ago comes last among what is owed; what is decided comes latest first.
_STANDING = """
WITH family AS MATERIALIZED ({family}
), about AS MATERIALIZED (
  SELECT o.*, coalesce(o.met_at, o.due_at) AS moment, o.due_at < %(stale)s AS is_stale
    FROM {ledger} o
    JOIN engine_rule r ON r.id = o.rule_id AND NOT r.is_shadow
   WHERE o.subject_id = ANY (ARRAY(SELECT number FROM family)) AND o.state <> 'VOID'
     AND EXISTS (SELECT FROM family f WHERE f.kind = o.subject_type AND f.number = o.subject_id)
     AND (%(people)s::bigint[] IS NULL OR o.{person} = ANY (%(people)s))
), shown AS (
  (SELECT 1 AS part, * FROM about WHERE state IN ('OPEN', 'BREACHED')
    ORDER BY is_stale, due_at, id LIMIT {owed})
  UNION ALL
  (SELECT 2, * FROM about WHERE state IN ('MET', 'LATE', 'BREACHED')
      AND (%(before)s::timestamptz IS NULL OR moment < %(before)s)
    ORDER BY moment DESC, id DESC LIMIT {settled})
)
SELECT s.part, s.moment, p.name, ({version} s.rule_id), {columns}
  FROM shown s LEFT JOIN org_person p ON p.id = s.person_id
"""


@dataclass
class Standing:
    """What is still to be met, the earliest first, and what was decided, the latest first."""

    owed: list[Any] = field(default_factory=list)
    settled: list[Any] = field(default_factory=list)


def of(  # noqa: PLR0913 - whose, of what, and when in three senses
    record: Any,
    desk: declare.Desk,
    actor: Any,
    now: datetime,
    before: datetime | None = None,
    as_of: looking_back.AsOf | None = None,
) -> Standing:
    """The duties that the actor may see; what was decided, only before an instant if one is given.

    Every decided duty knows the `moment` at which it was. Looking back, the duties are those that
    the actor may see now, as they stood then.
    """
    given = {
        "number": record.pk,
        "stale": now - owed.MISSED_FOR,
        "people": scopes.people(actor, Obligation),
        "before": before,
        "at": as_of and as_of.at,
    }
    rows = ready.ask(_text(desk.model, tuple(desk.through), as_of is not None), given)
    people: dict[int, Person] = {}
    found = Standing()
    rules = known.of_versions({values[_RULE]: version for _, _, _, version, *values in rows})
    for part, moment, name, _, *values in rows:
        values[_CAUSE] = json.loads(values[_CAUSE])
        duty = Obligation.from_db(connection.alias, _NAMES, values)
        duty.moment, duty.rule = moment, rules[duty.rule_id]
        if duty.person_id is not None:
            one = people.get(duty.person_id) or Person(pk=duty.person_id, name=name or "")
            duty.person = people[duty.person_id] = one
        (found.owed if part == 1 else found.settled).append(duty)
    found.owed.sort(key=lambda duty: (duty.due_at < given["stale"], duty.due_at, duty.pk))
    found.settled.sort(key=lambda duty: (duty.moment, duty.pk), reverse=True)
    return found


@functools.cache
def _text(model: Any, through: tuple[str, ...], is_past: bool) -> str:
    parts = [f"\n  SELECT '{model.record_name()}' AS kind, %(number)s::bigint AS number"]
    for name in through:
        child, back, of_type = owed.child_of(model, name)
        typed = "".join(f" AND {column} = '{kind}'" for column, kind in of_type.items())
        parts.append(
            f"\n  (SELECT '{child.record_name()}', id FROM {child._meta.db_table}"  # noqa: S608
            f" WHERE {back} = %(number)s{typed} ORDER BY id DESC LIMIT {CHILDREN})"
        )
    then = f"({history.ledger('%(at)s::timestamptz')})" if is_past else "engine_obligation"
    return _STANDING.format(
        family="\n  UNION ALL".join(parts),
        owed=OWED,
        settled=SETTLED,
        version=known.VERSION,
        ledger=then,
        person="person_now_id" if is_past else "person_id",
        columns=", ".join(f"s.{f.column}" for f in _FIELDS),
    )
