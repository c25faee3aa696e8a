"""Alerts as ENGINE.md says them: every fixed instant is looked at, one after the other.

A condition out of scope, or under a version not in force, counts as false. What happens at a
fixed instant counts from the next one on, except that it ends being idle at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle import answers, facts, oracle
from tests.oracle.calendar_oracle import DAY, ZONE, day_of, midnight, period_with
from tests.oracle.facts import View
from tests.oracle.world import Record, Rule, World

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Episode:
    """One warning about one record."""

    clause: str
    line: int
    version: str
    record: str
    key: str
    raised_at: datetime
    cleared_at: datetime | None
    person: str | None
    also_told: frozenset[str]


@dataclass(frozen=True)
class Counted:
    """Events of a record in the running period; `of` says by which field they belong to it."""

    of: str
    per: str
    kinds: tuple[str, ...] = ("VISIT", "CALL")


@dataclass(frozen=True)
class Row:
    """Events in a row, unbroken."""

    of: str
    kinds: tuple[str, ...]
    broken_by: tuple[str, ...]


IDLE = "idle"
MEASURED: dict[tuple[str, str], Any] = {
    ("customer", "idle_days"): IDLE,
    ("customer", "talks"): Counted("customer", "week"),
    ("person", "talks_per_hour"): Counted("person", "hour"),
    ("person", "visits_per_day"): Counted("person", "day", ("VISIT",)),
    ("person", "calls_in_a_row"): Row("person", ("CALL",), ("VISIT",)),
}


def episodes(world: World, as_of: datetime) -> set[Episode]:
    """Every episode raised by an instant."""
    return raised(View(world, as_of))


def raised(view: View) -> set[Episode]:
    """The same in a world seen already."""
    return {
        episode
        for rule in view.world.rules
        if rule.params["kind"] == "alert"
        for record in view.of_type(rule.params["record"])
        if view.is_known(record)
        for episode in _episodes(view, rule, record)
    }


def _episodes(view: View, rule: Rule, record: Record) -> Iterator[Episode]:
    raised: datetime | None = None
    quiet: datetime | None = None
    bound = oracle.scope(view, rule, record)
    for at in () if bound.is_empty() else _instants(view, rule, record):
        if _is_true(view, (rule, bound), record, at):
            if raised is not None and quiet is not None and at >= _clears(view, rule, quiet):
                yield _episode(view, rule, record, (raised, _clears(view, rule, quiet)))
                raised = None
            raised, quiet = raised or at, None
        elif quiet is None:
            quiet = at
    if raised is not None:
        end = None if quiet is None else _clears(view, rule, quiet)
        yield _episode(view, rule, record, (raised, end if end and end <= view.now else None))


def _clears(view: View, rule: Rule, quiet: datetime) -> datetime:
    return view.calendar.due(quiet, rule.params["clear_after"])[0]


def _episode(
    view: View, rule: Rule, record: Record, span: tuple[datetime, datetime | None]
) -> Episode:
    told = [
        answers.responsible(view, _asking(rule, who.strip()), record, span[0])
        for who in rule.who.split(",")
    ]
    return Episode(
        rule.clause,
        rule.line,
        rule.version,
        record.type,
        record.key,
        span[0],
        span[1],
        told[0],
        frozenset(one for one in told[1:] if one),
    )


def _asking(rule: Rule, who: str) -> Rule:
    return Rule(rule.clause, {**rule.params, "who": who}, rule.line, rule.version)


def _instants(view: View, rule: Rule, record: Record) -> list[datetime]:
    """Every full hour where an hour, a day or a row is counted; midnight otherwise.

    A full hour at which all is as it was an hour before is left out.
    """
    named = [MEASURED.get((record.type, name)) for name in _names(rule.params["when"])]
    hourly = any(
        isinstance(one, Row) or (isinstance(one, Counted) and one.per in ("hour", "day"))
        for one in named
    )
    begins_at = oracle._begins_at(view, record)
    first = midnight(day_of(max(rule.starts_at, begins_at or rule.starts_at)))
    if hourly:
        return sorted(at for at in _moved(view, rule, record, first) if first <= at <= view.now)
    return [first + days * DAY for days in range((view.now - first) // DAY + 1)]


def _moved(view: View, rule: Rule, record: Record, first: datetime) -> set[datetime]:
    """The full hours up to two after whatever concerns a person, and up to one after that day."""
    happened = {
        first,
        rule.starts_at,
        rule.ends_at or first,
        *oracle._edges(view, rule, record),
        *_events(view, record, record.type, None),
    }
    hours = {at.replace(minute=0, second=0, microsecond=0) for at in happened}
    days = {midnight(day_of(at) + DAY) for at in happened}
    return {at + step * HOUR for at in hours | days for step in (0, 1, 2)}


def _names(when: dict[str, Any]) -> Iterator[str]:
    for name, wanted in when.items():
        if name == "any":
            for group in wanted:
                yield from _names(group)
        else:
            yield name


def _is_true(view: View, asked: tuple[Rule, oracle.Scope], record: Record, at: datetime) -> bool:
    rule, bound = asked
    return rule.in_force(at) and bound.holds(at) and _holds(view, record, rule.params["when"], at)


def _holds(view: View, record: Record, when: dict[str, Any], at: datetime) -> bool:
    for name, wanted in when.items():
        if name == "any":
            if not any(_holds(view, record, group, at) for group in wanted):
                return False
        elif (measured := MEASURED.get((record.type, name))) is not None:
            if not _fits(view, record, (measured, wanted), at):
                return False
        elif not facts.holds(view, record, {name: wanted}, at):
            return False
    return True


def _fits(view: View, record: Record, pair: tuple[Any, dict[str, Any]], at: datetime) -> bool:
    measured, wanted = pair
    if "drop_at_least" in wanted:
        return _has_fallen(view, record, measured, wanted, at)
    value = _value(view, record, measured, at)
    return all(facts.says(value, word, operand) for word, operand in wanted.items())


def _value(view: View, record: Record, measured: Any, at: datetime) -> int:
    if measured == IDLE:
        began: datetime = record.facts["learned_at"]
        ended = _events(view, record, "customer", None)
        place = bisect_right(ended, at)
        return (at - max(began, ended[place - 1] if place else began)) // DAY
    if isinstance(measured, Row):
        breaks = [e for e in _events(view, record, measured.of, measured.broken_by) if e < at]
        going = [e for e in _events(view, record, measured.of, measured.kinds) if e < at]
        return len([e for e in going if not breaks or e > max(breaks)])
    start = _start(measured.per, at - timedelta(microseconds=1))
    counted = _events(view, record, measured.of, measured.kinds)
    return bisect_left(counted, at) - bisect_left(counted, start)


def _has_fallen(
    view: View, record: Record, measured: Counted, wanted: dict[str, Any], at: datetime
) -> bool:
    """The last whole period against the mean of those before it, back to the first event."""
    happened = _events(view, record, measured.of, measured.kinds)
    if not happened:
        return False
    first = period_with(wanted["over"], day_of(happened[0])).start
    counts = []
    end = period_with(wanted["over"], day_of(at)).start
    before = int(wanted["against"].removeprefix("mean_"))
    for _ in range(before + 1):
        start = period_with(wanted["over"], day_of(end) - DAY).start
        if start < first:
            return False
        counts.append(bisect_left(happened, end) - bisect_left(happened, start))
        end = start
    last, past = counts[0], counts[1:]
    mean = Fraction(sum(past), before)
    return mean > 0 and last <= mean * Fraction(100 - wanted["drop_at_least"], 100)


def _start(per: str, at: datetime) -> datetime:
    if per == "hour":
        return at.astimezone(ZONE).replace(minute=0, second=0, microsecond=0)
    return period_with(per, day_of(at)).start


def _events(view: View, record: Record, of: str, kinds: tuple[str, ...] | None) -> list[datetime]:
    """When the activities of a customer or a person ended, as known by now, in order."""

    def ask() -> list[datetime]:
        return sorted(
            one.facts["ended_at"]
            for one in view.of_type("activity")
            if view.is_known(one)
            and not view.is_removed(one)
            and one.facts.get(of) == record.key
            and view.fact(one, "ended_at", view.now) is not None
            and (kinds is None or one.facts["kind"] in kinds)
        )

    return view.once(("ended", record.pointer, of, kinds), ask)
