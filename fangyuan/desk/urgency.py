"""A list in the order of its records' next duties, what owes nothing last.

The list walks along the duties, which an index keeps in order, and stops when the page is full:
each person sees other rows, and no index knows which. The few rows that conditions or words leave
are sorted instead: along the way they would be met too seldom.
"""

from __future__ import annotations

import bisect
import itertools
import math
from datetime import datetime
from typing import Any

from django.db.models import Q

from fangyuan.access import newest, scopes
from fangyuan.core import ready
from fangyuan.desk import owed, rows
from fangyuan.desk.filters import BadQuery
from fangyuan.engine import known as names
from fangyuan.engine.models import Obligation

SORTED, WALKED = "due", "walk"  # what a cursor says of the way to the next page
FEW = 100  # rows that are fetched whole to be sorted
STRIDES = (60, 240, 960, 3840, 15360)  # duties looked at for one page, until it is full
NEWER = (120, 1200, 12000)  # rows looked at for those that owe nothing
Place = tuple[owed.Step | None, int]  # the last row's duty, if it has one, and its number


def page(found: rows.Rows, size: int) -> tuple[list[Any], str]:
    """The rows after the cursor, and the next cursor; raises BadQuery."""
    way, place = _place(found.query.after)
    if way == WALKED or (owed.of_few(found.actor) and not found.is_narrow):
        return _walked(found, place, size)
    known = {row.pk: row for row in found.first(FEW + 1)}
    if len(known) > FEW:
        numbers = found.numbers()
        if len(numbers) > rows.MOST_COUNTED:
            return _walked(found, place, size)
        steps = owed.first_steps(found.desk.model, numbers, found.actor, found.now)
        return _sorted(found, numbers, steps, place, size)
    steps = _next(found, known)
    return _sorted(found, list(known), steps, place, size, known)


def _sorted(
    found: rows.Rows,
    numbers: list[int],
    steps: dict[int, owed.Step],
    place: Place | None,
    size: int,
    known: dict[int, Any] | None = None,
) -> tuple[list[Any], str]:
    """A page of these rows, whose next duties are known; the rows may be at hand."""
    keys = sorted(_key(steps.get(pk), pk, found.is_down) for pk in numbers)
    begin = bisect.bisect_right(keys, _key(*place, found.is_down)) if place else 0
    chosen = [-key[-1] for key in keys[begin : begin + size]]
    known = found.among(chosen) if known is None else known
    more = begin + size < len(keys)
    after = _cursor(SORTED, steps.get(chosen[-1]), chosen[-1]) if more else ""
    return [known[pk] for pk in chosen if pk in known], after


def _key(step: owed.Step | None, pk: int, is_down: bool) -> tuple[float, int, int]:
    sign = -1 if is_down else 1
    return (sign * step[0].timestamp(), sign * step[1], -pk) if step else (math.inf, 0, -pk)


def _walked(found: rows.Rows, place: Place | None, size: int) -> tuple[list[Any], str]:
    met: list[Any] = []
    step = place[0] if place else None
    passed = _passed(found, step)
    strides = itertools.chain(STRIDES, itertools.repeat(STRIDES[-1]))
    way = strides if place is None or step is not None else ()
    for number, most in enumerate(way):
        duties = owed.walk(
            found.desk.model, found.actor, found.now, found.is_down, after=step, most=most
        )
        for row, duty in _met(found, duties, passed):
            met.append(row)
            if len(met) == size:
                return met, _cursor(WALKED, _step(duty), row.pk)
        if len(duties) < most:
            break
        step = _step(duties[-1])
        if met and number + 1 >= len(
            STRIDES
        ):  # nearly nothing is met; the next page goes on from here
            return met, _cursor(WALKED, step, 0)
    rest, after = _free(found, place[1] if place and place[0] is None else None, size - len(met))
    return met + rest, after


def _step(duty: Any) -> owed.Step:
    return duty.due_at, duty.pk, duty.parent


def _passed(found: rows.Rows, step: owed.Step | None) -> set[int | None] | None:
    """The records met before this step, where that is known: whoever begins at the soonest duty
    meets each record first at its next one."""
    if found.is_down:
        return None
    return owed.passed(found.desk.model, found.actor, found.now, step) if step else set()


def _met(
    found: rows.Rows, duties: list[Any], passed: set[int | None] | None
) -> list[tuple[Any, Any]]:
    """The rows whose next duty is among these, with it; they know it as `next_duty`."""
    if passed is None:
        known = found.among(list({one.parent for one in duties if one.parent is not None}))
        next_ = owed.next_duties(list(known.values()), found.actor, found.now)
        first = {parent: one.pk for parent, one in next_.items()}
        mine = [one for one in duties if first.get(one.parent) == one.pk]
    else:
        first = {}
        for one in duties:
            if one.parent is not None and one.parent not in passed:
                first.setdefault(one.parent, one.pk)
        passed.update(first)
        known = found.among(list(first))
        mine = [one for one in duties if one.parent in known and first.get(one.parent) == one.pk]
    names.named(mine)
    for one in mine:
        known[one.parent].next_duty = one
    return [(known[one.parent], one) for one in mine]


def _next(found: rows.Rows, known: dict[int, Any]) -> dict[int, owed.Step]:
    """The next duty of each row as a step; the rows know it as `next_duty`."""
    duties = owed.next_duties(list(known.values()), found.actor, found.now)
    for number, row in known.items():
        row.next_duty = duties.get(number)
    return {number: (duty.due_at, duty.pk, number) for number, duty in duties.items()}


def _free(found: rows.Rows, after: int | None, size: int) -> tuple[list[Any], str]:
    """Rows that owe nothing, newest first."""
    rest: list[Any] = []
    busy = owed.passed(found.desk.model, found.actor, found.now)
    for most in itertools.chain(NEWER, itertools.repeat(NEWER[-1])):
        numbers = newest.numbers(found.actor, found.desk.model, after, most)
        if numbers is None or busy is None:
            rest += _owing_nothing(found, numbers, after, size + 1 - len(rest))
        else:
            rest += _others(
                found, [one for one in numbers if one not in busy], size + 1 - len(rest)
            )
        if numbers is None or len(numbers) < most or len(rest) > size:
            break
        after = numbers[-1]
    for row in rest:
        row.next_duty = None
    return rest[:size], _cursor(WALKED, None, rest[size - 1].pk) if len(rest) > size else ""


def _others(found: rows.Rows, numbers: list[int], most: int) -> list[Any]:
    """The first rows among these; nearly all of them may be seen, unless there are conditions."""
    rest: list[Any] = []
    while numbers and len(rest) < most:
        step = len(numbers) if found.is_narrow else most - len(rest)
        known = found.among(numbers[:step])
        rest += sorted(known.values(), key=lambda row: -row.pk)
        numbers = numbers[step:]
    return rest[:most]


def _owing_nothing(
    found: rows.Rows, numbers: list[int] | None, after: int | None, most: int
) -> list[Any]:
    """Such rows among these, or of all that come after."""
    seen = scopes.reach(found.actor, Obligation)
    where = Q(pk__lt=after) if after is not None else None
    where = where if numbers is None else Q(pk__any_of=numbers)
    shape = (found.sets, seen, most, numbers is not None)
    stale = found.now - owed.MISSED_FOR
    rest: list[Any] = found.ask(_FREE, *shape, where=where, stale=stale)
    return rest


_FREE = ready.Ready(
    lambda model, seen, where, sets, duties, most, few: (
        rows.shown(model, seen, where, sets, few=few)
        .filter(owed.nothing(model, duties))
        .order_by("-pk")[:most]
    )
)


def _cursor(way: str, step: owed.Step | None, pk: int) -> str:
    return rows.packed(way, [step[0].isoformat(), step[1]] if step else None, pk)


def _place(after: str) -> tuple[str, Place | None]:
    if not after:
        return "", None
    way, raw, pk = rows.unpacked(after)
    if way not in (SORTED, WALKED):
        raise BadQuery(rows.TURNED)
    if raw is None:
        return way, (None, pk)
    try:
        due, number = raw
        at = datetime.fromisoformat(due)
        return way, ((at, int(number), pk), pk) if at.tzinfo else _lost()
    except (ValueError, TypeError) as wrong:
        raise BadQuery(rows.LOST) from wrong


def _lost() -> Place:
    raise ValueError("an instant without a zone")
