"""When a duty is due: its span, carried over to newer versions, moved by leave."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.oracle import answers
from tests.oracle.calendar_oracle import DAY, day_of, midnight
from tests.oracle.facts import View
from tests.oracle.world import Record, Rule

MOMENT = timedelta(microseconds=1)
Course = tuple[datetime, datetime | None]  # when a duty began, and when it was met
Due = tuple[datetime, bool]  # the due time, and whether it is a guess


def of_deadline(
    view: View, rule: Rule, record: Record, course: Course
) -> tuple[datetime | None, bool]:
    """`within` a span, or `by` an instant of the subject itself, which may well lie ahead."""
    if "by" in rule.params:
        return record.facts.get(rule.params["by"]), False
    return of_span(view, rule, record, course)


def of_span(view: View, rule: Rule, record: Record, course: Course) -> tuple[datetime, bool]:
    """A span from when the duty began, carried over to newer versions, moved by leave where the
    rule says so."""
    due_at, is_provisional = view.calendar.due(course[0], rule.params["within"])
    for later in view.world.versions(rule.clause, rule.line):
        if rule.starts_at < later.starts_at <= view.now and _is_open(course, due_at, later):
            due_at, is_provisional = _carried(view, later, course[0], (due_at, is_provisional))
    if rule.params.get("on_leave") == "extend":
        return _extended(view, rule, record, (course[0], due_at, is_provisional))
    return due_at, is_provisional


def _is_open(course: Course, due_at: datetime, later: Rule) -> bool:
    """Whether a duty was in flight when a version took effect: not met before it, due after it."""
    met_at = course[1]
    return due_at > later.starts_at and (met_at is None or met_at >= later.starts_at)


def _carried(view: View, later: Rule, begun: datetime, due: Due) -> Due:
    """What the way chosen at publishing makes of the due time of a duty in flight."""
    within = later.params["within"]
    if later.in_flight == "NEW":
        return view.calendar.due(later.starts_at, within)
    if later.in_flight == "MILD":
        at, is_provisional = view.calendar.due(begun, within)
        # Which of the two is the later rests on both calendars.
        return max(due[0], at), due[1] or is_provisional
    return due


def _extended(
    view: View, rule: Rule, record: Record, span: tuple[datetime, datetime, bool]
) -> tuple[datetime, bool]:
    """The due time moved by the working days, from the day after the trigger to the due day, that
    the holder is on leave for any part of; leave beyond the first due time moves it no further.
    """
    begun, due_at, is_provisional = span
    holder = answers.responsible(view, rule, record, due_at)
    last = day_of(due_at - MOMENT)  # 00:00 is 24:00 of the day before
    away = 0
    day = day_of(begun) + DAY
    while day <= last:
        away += view.calendar.is_working(day) and _is_away(view, holder, day)
        day += DAY
    moved = view.calendar.nth_working_day(last, away)
    is_guess = away > 0 and view.calendar.is_guess(day_of(begun), moved)
    return due_at + (moved - last), is_provisional or is_guess


def _is_away(view: View, login: str | None, day: date) -> bool:
    return any(
        leave.stage == "APPROVED"
        and leave.starts_at < midnight(day + DAY)
        and leave.ends_at > midnight(day)
        for leave in view.leaves.get(login or "", [])
    )
