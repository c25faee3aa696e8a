"""What a superior's people owe: one row for each person, those with most overdue first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, Sum
from django.utils import timezone

from fangyuan.access import scopes
from fangyuan.core import ready
from fangyuan.engine.models import Tally

BACK, AHEAD = timedelta(days=28), timedelta(days=7)
DONE = ("MET", "LATE")


@dataclass(frozen=True)
class Member:
    """One person below the superior, and how many duties stand how."""

    pk: int
    name: str
    team: str
    late: int
    today: int
    done: int
    week: int
    met: int
    due: int

    @property
    def rate(self) -> float | None:
        """The rate of compliance this month; none where nothing fell due."""
        return self.met / self.due if self.due else None


# Everybody below a person along the line of superiors; a circle ends it.
_BELOW = """
WITH RECURSIVE below AS (
  SELECT id FROM org_person WHERE manager_id = %(person)s
  UNION
  SELECT p.id FROM below JOIN org_person p ON p.manager_id = below.id
)
SELECT p.id, p.name, coalesce(t.name, '')
  FROM below
  JOIN org_person p ON p.id = below.id
  LEFT JOIN LATERAL (
       SELECT team_id FROM org_membership
        WHERE person_id = p.id AND removed_at IS NULL AND starts_on <= %(today)s
          AND (ends_on IS NULL OR ends_on >= %(today)s)
        ORDER BY is_main DESC, id LIMIT 1) m ON true
  LEFT JOIN org_team t ON t.id = m.team_id
 WHERE p.removed_at IS NULL AND p.account_state <> 'DISABLED' AND p.id <> %(person)s
"""


def _sum(**where: Any) -> Sum:
    return Sum("number", filter=Q(**where), default=0)


def _counts(seen: scopes.Reach) -> Any:
    month, today, until = ready.Slot("month"), ready.Slot("today"), ready.Slot("until")
    ended = {"due_on__gte": month, "due_on__lt": today}
    rows = Tally.objects.everything("在范围内").filter(
        scopes.later(seen, Tally),
        person_id__any_of=ready.Slot("people"),
        due_on__gte=ready.Slot("since"),
        due_on__lte=until,
    )
    sums = {
        "late": _sum(state="BREACHED", due_on__gte=ready.Slot("back")),
        "today": _sum(due_on=today),
        "done": _sum(due_on=today, state__in=DONE),
        "week": _sum(state="OPEN"),
        "met": _sum(state="MET", **ended),
        "due": _sum(state__in=[*DONE, "BREACHED"], **ended),
    }
    return rows.values("person_id").annotate(**sums).values_list("person_id", *sums)


_COUNTS = ready.Ready(_counts)


def members(person: Any, now: datetime) -> list[Member]:
    """The people below `person` with their counts; empty for who leads nobody. Two queries."""
    today = timezone.localdate(now)
    below = ready.ask(_BELOW, {"person": person.pk, "today": today})
    if not below:
        return []
    given = {"actor": person, "people": sorted(row[0] for row in below), **_span(today)}
    found = {row[0]: row[1:] for row in _COUNTS(scopes.reach(person, Tally), **given)}
    nothing = (0,) * 6
    rows = [Member(number, name, team, *found.get(number, nothing)) for number, name, team in below]
    return sorted(
        rows, key=lambda one: (-one.late, one.rate if one.rate is not None else 1, one.pk)
    )


def _span(today: date) -> Mapping[str, date]:
    month, back = today.replace(day=1), today - BACK
    since, until = min(month, back), today + AHEAD
    return {"today": today, "month": month, "back": back, "since": since, "until": until}
