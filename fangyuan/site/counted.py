"""What the ledger's tallies say of every rule: as they stand, or as they stood at a day's end.

A past day is added up from the tallies' moves. Those of duties due within the weeks shown are
bounded by their due days; of older duties only what stood open or red counts, and that is what
stands now less what was moved since, of which there is little.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fangyuan.access import scopes
from fangyuan.core import ready
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

    With `known_on` the numbers are those of that day's end; without it, those of now.
    """

    today: date
    first_week: date
    start: date
    known_on: date | None = None


def counts(actor: Any, days: Days) -> Iterator[Count]:
    """The numbers that the actor may see, by rule and week."""
    people = scopes.people(actor, Tally)
    given = {
        "today": days.today,
        "since": min(days.first_week, days.start),
        "start": days.start,
        "known_on": days.known_on,
        "people": people,
    }
    for rule, place, *sums in ready.ask(_counted(days.known_on is None, people is None), given):
        numbers = [int(number or 0) for number in sums]
        weekly, rest = numbers[: len(_WEEKLY)], numbers[len(_WEEKLY) :]
        week = _MONDAY + timedelta(weeks=place)
        yield Count(rule, week, weekly, dict(zip(COUNTS, rest, strict=True)))


@functools.cache
def _counted(is_now: bool, is_all: bool) -> str:
    """Rows are summed by day and state first: most of them differ by person alone."""
    mine = "" if is_all else " AND person_id = ANY (%(people)s)"
    conditions = (*_WEEKLY.values(), *_SUMS.values())
    sums = ",\n       ".join(f"sum(number) FILTER (WHERE {one})" for one in conditions)
    return f"""WITH counted AS (
  SELECT rule_id, due_on, state, sum(number) AS number FROM (
{(_NOW if is_now else _THEN).format(mine=mine)}
  ) t GROUP BY 1, 2, 3
)
SELECT rule_id, (due_on - date '{_MONDAY}') / 7, {sums}
  FROM counted GROUP BY 1, 2"""  # noqa: S608 - constants of this module


def people(actor: Any, known_on: date | None) -> int:
    """How many people have open duties, or had at the end of a day: what is open falls due then or
    later."""
    numbers = scopes.people(actor, Tally)
    given = {"known_on": known_on, "people": numbers}
    return int(ready.ask(_owing(known_on is None, numbers is None), given)[0][0])


@functools.cache
def _owing(is_now: bool, is_all: bool) -> str:
    rows = "engine_tally WHERE number > 0"
    if not is_now:
        rows = "engine_tallymove WHERE known_on <= %(known_on)s AND due_on >= %(known_on)s"
    mine = "" if is_all else " AND person_id = ANY (%(people)s)"
    return f"""SELECT count(*) FROM (
  SELECT person_id FROM {rows} AND state = 'OPEN' AND person_id IS NOT NULL{mine}
   GROUP BY 1 HAVING sum(number) > 0) t"""  # noqa: S608 - constants of this module
