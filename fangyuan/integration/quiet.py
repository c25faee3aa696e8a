"""When a person may be disturbed: quiet hours, rest days, and the mornings of digests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from fangyuan.core import spans, workdays

DAY: Final = timedelta(days=1)
MORNING: Final = time(8, 30)  # when digests go out
USUAL: Final = (time(21), time(8))
FURTHEST: Final = 60  # days: no rest is longer


@dataclass(frozen=True)
class Quiet:
    """The hours in which nothing goes out, over midnight or within a day, and whole rest days."""

    since: time | None = USUAL[0]
    until: time | None = USUAL[1]
    rests: bool = False

    def free(self, at: datetime, days: workdays.WorkCalendar) -> datetime:
        """The first instant from `at` on that is not quiet."""
        local = at.astimezone(spans.SHANGHAI)
        for _ in range(FURTHEST):
            later = self._later(local, days)
            if later is None:
                return local
            local = later
        return local

    def _later(self, local: datetime, days: workdays.WorkCalendar) -> datetime | None:
        """When the quiet that holds at this moment ends, or None."""
        if self.rests and not days.is_working(local.date()):
            return _at(local.date() + DAY, time(0))
        if self.since is None or self.until is None or self.since == self.until:
            return None
        now = local.time()
        if self.since < self.until:
            return _at(local.date(), self.until) if self.since <= now < self.until else None
        if now >= self.since:
            return _at(local.date() + DAY, self.until)
        return _at(local.date(), self.until) if now < self.until else None


def of(own: Any, company: Any) -> Quiet:
    """What a person set, else the company, else what is usual."""
    chosen = own or company
    return Quiet(chosen.quiet_from, chosen.quiet_until, chosen.rests) if chosen else Quiet()


def gathering(mode: str, at: datetime) -> datetime:
    """The next morning on which a digest of this mode goes out: any day, or a Monday."""
    local = at.astimezone(spans.SHANGHAI)
    day: date = local.date()
    while (morning := _at(day, MORNING)) <= local or (mode == "WEEKLY" and day.weekday() != 0):
        day += DAY
    return morning


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=spans.SHANGHAI)
