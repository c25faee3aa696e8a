"""What the ledger's tallies say of every rule: as they stand, or as they stood at a day's end.

A past day is added up from the tallies' moves. Those of duties due within the weeks shown are
bounded by their due days; of older duties only what stood open or red counts, and that is what
stands now less what was moved since, of which there is little.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from fangyuan.access import scopes
from fangyuan.core import ready, spans
from fangyuan.engine.models import Tally

# Weeks are counted from a Monday: truncating dates would take longer than summing.
_MONDAY: Final = date(2001, 1, 1)
_PAST, _SPANNED, _TODAY = (
    "due_on <= %(today)s",
    "due_on BETWEEN %(start)s AND %(today)s",
    "due_on = %(today)s",
)
_SETTLED, _STANDING = "state IN ('MET', 'LATE', 'BREACHED')", "state IN ('OPEN', 'BREACHED')"
_WEEKLY: Final = {
    "met": f"{_PAST} AND state = 'MET'",
    "due": f"{_PAST} AND {_SETTLED}",
    "red": f"{_PAST} AND state = 'BREACHED'",
}
# Within the span; what stands open and red at all; what falls due today and how much of it is done;
# what is open though it falls due by today.
_SUMS: Final = {
    "met": f"{_SPANNED} AND state = 'MET'",
    "due": f"{_SPANNED} AND {_SETTLED}",
    "waived": f"{_SPANNED} AND state = 'WAIVED'",
    "open": "state = 'OPEN'",
    "red": "state = 'BREACHED'",
    "today": f"{_TODAY} AND state <> 'VOID'",
    "done": f"{_TODAY} AND state NOT IN ('VOID', 'OPEN', 'BREACHED')",
    "pending": f"{_PAST} AND state = 'OPEN'",
}
COUNTS: Final = tuple(_SUMS)
_NOW: Final = f"""
  SELECT rule_id, person_id, due_on, state, number FROM engine_tally
   WHERE (due_on >= %(since)s OR {_STANDING}){{mine}}"""  # noqa: S608 - constants of this module
# The index of what changed of old duties says how old: 77 days, the weeks that are shown.
_THEN: Final = f"""
  SELECT rule_id, person_id, due_on, state, number FROM engine_tallymove
   WHERE due_on >= %(since)s AND known_on <= %(known_on)s{{mine}}
   UNION ALL
  SELECT rule_id, person_id, due_on, state, number FROM engine_tally
   WHERE due_on < %(since)s AND {_STANDING}{{mine}}
   UNION ALL
  SELECT rule_id, person_id, due_on, state, -number FROM engine_tallymove
   WHERE due_on < %(since)s AND {_STANDING} AND known_on > %(known_on)s
     AND known_on > due_on + 77{{mine}}"""  # noqa: S608

# Of an instant within a day: what moved in the rest of that day is taken back, duty by duty.
_LATER: Final = """
   UNION ALL
  SELECT * FROM (
    SELECT o.rule_id, CASE WHEN m.id IS NULL THEN o.person_id ELSE m.person_was_id END AS person_id,
           engine_due_on(CASE WHEN m.id IS NULL THEN o.due_at ELSE m.due_was END) AS due_on,
           coalesce(m.was, o.state) AS state, v.number
      FROM (SELECT obligation_id AS id FROM engine_move WHERE at > %(at)s AND at <= %(ends_at)s
            UNION
            SELECT id FROM engine_obligation
             WHERE entered_at > %(at)s AND entered_at <= %(ends_at)s) c
     CROSS JOIN LATERAL (SELECT * FROM engine_obligation o WHERE o.id = c.id OFFSET 0) o
     CROSS JOIN (VALUES (%(at)s::timestamptz, 1), (%(ends_at)s::timestamptz, -1)) v (at, number)
      LEFT JOIN LATERAL (SELECT * FROM engine_move m
                          WHERE m.obligation_id = o.id AND m.at > v.at
                          ORDER BY m.at, m.id LIMIT 1) m ON true
     WHERE o.entered_at IS NULL OR o.entered_at <= v.at) x
   WHERE {which}{mine}"""  # noqa: S608


@dataclass(frozen=True)
class Count:
    """The numbers of one rule's duties that fall due in one week."""

    rule: int
    week: date
    weekly: list[int]  # met, due and red
    sums: dict[str, int]  # what COUNTS names


@dataclass(frozen=True)
class Days:
    """The day that is looked at, and from when weeks and the span are counted.

    With `known_on` the numbers are those of that day's end, or with `at` of an instant within it;
    without it, those of now.
    """

    today: date
    first_week: date
    start: date
    known_on: date | None = None
    at: datetime | None = None

    @property
    def moment(self) -> dict[str, Any]:
        """The instant within the day and the day's end, as statements ask for them."""
        ends_at = spans.midnight(self.today + timedelta(days=1))
        return {"known_on": self.known_on, "at": self.at, "ends_at": ends_at}

    @property
    def sense(self) -> str:
        """Whether the numbers are those of now, of a day's end, or of an instant within a day."""
        return "now" if self.known_on is None else "day" if self.at is None else "instant"


def counts(actor: Any, days: Days) -> Iterator[Count]:
    """The numbers that the actor may see, by rule and week."""
    people = scopes.people(actor, Tally)
    given = {
        "today": days.today,
        "since": min(days.first_week, days.start),
        "start": days.start,
        "people": people,
        **days.moment,
    }
    for rule, place, *sums in ready.ask(_counted(days.sense, people is None), given):
        numbers = [int(number or 0) for number in sums]
        weekly, rest = numbers[: len(_WEEKLY)], numbers[len(_WEEKLY) :]
        week = _MONDAY + timedelta(weeks=place)
        yield Count(rule, week, weekly, dict(zip(COUNTS, rest, strict=True)))


@functools.cache
def _counted(sense: str, is_all: bool) -> str:
    """Rows are summed by day and state first: most of them differ by person alone."""
    mine = "" if is_all else " AND person_id = ANY (%(people)s)"
    conditions = (*_WEEKLY.values(), *_SUMS.values())
    sums = ",\n       ".join(f"sum(number) FILTER (WHERE {one})" for one in conditions)
    rows = (_NOW if sense == "now" else _THEN).format(mine=mine)
    if sense == "instant":
        rows += _LATER.format(which=f"(due_on >= %(since)s OR {_STANDING})", mine=mine)
    return f"""WITH counted AS (
  SELECT rule_id, due_on, state, sum(number) AS number FROM (
{rows}
  ) t GROUP BY 1, 2, 3
)
SELECT rule_id, (due_on - date '{_MONDAY}') / 7, {sums}
  FROM counted GROUP BY 1, 2"""  # noqa: S608 - constants of this module


def people(actor: Any, days: Days) -> int:
    """How many people have open duties, or had then: what is open falls due then or later."""
    numbers = scopes.people(actor, Tally)
    given = {"people": numbers, **days.moment}
    return int(ready.ask(_owing(days.sense, numbers is None), given)[0][0])


@functools.cache
def _owing(sense: str, is_all: bool) -> str:
    mine = "" if is_all else " AND person_id = ANY (%(people)s)"
    rows = "engine_tally WHERE number > 0"
    if sense != "now":
        rows = "engine_tallymove WHERE known_on <= %(known_on)s AND due_on >= %(known_on)s"
    rows = f"SELECT person_id, state, number FROM {rows}{mine}"  # noqa: S608 - as above
    if sense == "instant":
        later = _LATER.format(which="due_on >= %(known_on)s", mine=mine)
        rows += later.replace("SELECT *", "SELECT person_id, state, number", 1)
    return f"""SELECT count(*) FROM (
  SELECT person_id FROM ({rows}) r WHERE state = 'OPEN' AND person_id IS NOT NULL
   GROUP BY 1 HAVING sum(number) > 0) t"""  # noqa: S608 - constants of this module
