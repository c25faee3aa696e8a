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

from fangyuan.access import scopes
from fangyuan.core import ready
from fangyuan.desk import owed, rows
from fangyuan.desk.filters import BadQuery
from fangyuan.engine.models import Obligation

SORTED, WALKED = "due", "walk"  # what a cursor says of the way to the next page
FEW = 100  # rows that are fetched whole to be sorted
STRIDES = (60, 240, 960, 3840, 15360)  # duties looked at for one page, until it is full
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
    strides = itertools.chain(STRIDES, itertools.repeat(STRIDES[-1]))
    way = strides if place is None or step is not None else ()
    for number, most in enumerate(way):
        steps = owed.walk(
            found.desk.model, found.actor, found.now, found.is_down, after=step, most=most
        )
        for row, step in _met(found, steps):
            met.append(row)
            if len(met) == size:
                return met, _cursor(WALKED, step, row.pk)
        if len(steps) < most:
            break
        step = steps[-1]
        if met and number + 1 >= len(
            STRIDES
        ):  # nearly nothing is met; the next page goes on from here
            return met, _cursor(WALKED, step, 0)
    rest, after = _free(found, place[1] if place and place[0] is None else None, size - len(met))
    return met + rest, after


def _met(found: rows.Rows, steps: list[owed.Step]) -> list[tuple[Any, owed.Step]]:
    """The rows at whose next duty these steps are; they know it as `next_duty`."""
    known = found.among(list({parent for _, _, parent in steps if parent is not None}))
    first = _next(found, known)
    return [(known[step[2]], step) for step in steps if first.get(step[2]) == step]


def _next(found: rows.Rows, known: dict[int, Any]) -> dict[int, owed.Step]:
    """The next duty of each row as a step; the rows know it as `next_duty`."""
    duties = owed.next_duties(list(known.values()), found.actor, found.now)
    for number, row in known.items():
        row.next_duty = duties.get(number)
    return {number: (duty.due_at, duty.pk, number) for number, duty in duties.items()}


def _free(found: rows.Rows, after: int | None, size: int) -> tuple[list[Any], str]:
    """Rows that owe nothing, newest first."""
    where = Q(pk__lt=after) if after is not None else None
    seen = scopes.reach(found.actor, Obligation)
    stale = found.now - owed.MISSED_FOR
    rest = found.ask(_FREE, found.sets, seen, size + 1, where=where, stale=stale)
    for row in rest:
        row.next_duty = None
    return rest[:size], _cursor(WALKED, None, rest[size - 1].pk) if len(rest) > size else ""


_FREE = ready.Ready(
    lambda model, seen, where, sets, duties, most: (
        rows.shown(model, seen, where, sets)
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
