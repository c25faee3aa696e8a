"""Whether what a notice names is right again: asked of the ledger, never of a person.

A notice that a reviewer passed is closed as soon as the measure says so, at once or in a later
round of the worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from fangyuan import door
from fangyuan.core import calendar, facts, spans
from fangyuan.engine import jobs
from fangyuan.engine.models import Obligation
from fangyuan.supervision.models import Rectification

SLACK = 2  # working days after the last period that is measured, for the review


@dataclass(frozen=True)
class Line:
    """One duty that a notice names: how many periods were met, how many are needed."""

    obligation_id: int
    met: int
    needed: int
    is_right: bool

    @property
    def done(self) -> int:
        """Met periods that count towards what is needed."""
        return self.needed if self.is_right else min(self.met, self.needed)


_LINES = """
  SELECT n.id, m.* FROM supervision_rectification n
         CROSS JOIN LATERAL supervision_measure(n.obligations, n.periods, n.issued_at) m
   WHERE n.id = ANY (%s) ORDER BY n.id, m.obligation_id"""


def lines(numbers: Iterable[int]) -> dict[int, list[Line]]:
    """The measure of every duty that these notices name, by notice; one query."""
    found: dict[int, list[Line]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [list(numbers)])
        for number, *line in cursor.fetchall():
            found[number].append(Line(*line))
    return found


def is_right(notice: Rectification) -> bool:
    """Whether all that the notice names is right again."""
    return all(line.is_right for line in lines([notice.pk])[notice.pk])


def earliest(obligations: Iterable[Obligation], periods: int, at: datetime) -> datetime | None:
    """When the last period that is to be measured ends, and the review had its days; None where
    nothing is measured by periods."""
    ends = [_end(str(per), periods, at) for one in obligations if (per := _per(one))]
    if not ends:
        return None
    day = calendar.stored().add(spans.day_of(max(ends) - timedelta(microseconds=1)), SLACK)
    return spans.midnight(day + timedelta(days=1))


def _per(one: Obligation) -> str | None:
    return one.rule.params.get("per") if one.rule.kind == "CADENCE" else None


def _end(per: str, periods: int, at: datetime) -> datetime:
    period = spans.first_whole(per, at)
    for _ in range(1, periods):
        period = period.next()
    return period.end


def close_right() -> int:
    """Close every notice that was passed and is right again; says how many."""
    waiting = Rectification.objects.everything("复测销号").present().filter(stage="SUBMITTED")
    passed = facts.annotate(waiting.filter(verdict="PASS"), ["remeasured"])
    closed = 0
    for notice in passed.filter(fact_remeasured=True).order_by("pk"):
        try:
            door.act("close_rectification", notice, by=None, channel="JOB")
        except (door.Denied, door.Refused):
            continue  # somebody else closed it meanwhile, or a company's own gate is not met
        closed += 1
    return closed


jobs.register("整改复测", close_right)
