"""Days, periods and due times, counted one day after another as `ENGINE.md` words them.

Written to be read beside the text, not to be fast; it shares no line with the product.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")
ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
QUARTER_MONTHS = (1, 4, 7, 10)
HALF_YEAR_MONTHS = (1, 7)
UNITS = ("min", "wd", "h", "d")


def instant(text: str) -> datetime:
    """Read `2026-11-16 09:00` (seconds may follow) as an instant in the company's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def day_of(at: datetime) -> date:
    """The company's day in which an instant lies."""
    return at.astimezone(ZONE).date()


@cache
def midnight(day: date) -> datetime:
    """00:00 of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def end_of(day: date) -> datetime:
    """24:00 of a day, which is 00:00 of the next."""
    return midnight(day + DAY)


# The same few thousand instants occur in all worlds of a batch, and to write one out takes long.
@lru_cache(50_000)
def said(at: datetime) -> str:
    """An instant as an occurrence says it: ISO 8601 in the company's zone."""
    return at.astimezone(ZONE).isoformat()


@cache
def read_span(text: str) -> tuple[int, str]:
    """Split `3wd` into 3 and `wd`."""
    unit = next(unit for unit in UNITS if text.endswith(unit))
    return int(text[: -len(unit)]), unit


@cache
def opens_period(kind: str, day: date) -> bool:
    """Whether a period of this kind begins on the day."""
    first_of_month = day.day == 1
    return {
        "day": True,
        "week": day.isoweekday() == 1,
        "biweek": (day - date(2024, 1, 1)).days % 14 == 0,
        "month": first_of_month,
        "quarter": first_of_month and day.month in QUARTER_MONTHS,
        "half-year": first_of_month and day.month in HALF_YEAR_MONTHS,
        "year": first_of_month and day.month == 1,
    }[kind]


@dataclass(frozen=True)
class Period:
    """The days from `first` up to, but without, `after`."""

    kind: str
    first: date
    after: date

    @cached_property
    def start(self) -> datetime:
        """The first instant of the period."""
        return midnight(self.first)

    @cached_property
    def end(self) -> datetime:
        """The instant that belongs to the next period."""
        return midnight(self.after)

    @cached_property
    def key(self) -> str:
        """The occurrence of a cadence's duty."""
        return f"{self.kind}:{self.first.isoformat()}"

    def holds(self, at: datetime) -> bool:
        """Whether an instant belongs to the period."""
        return self.start <= at < self.end


@cache
def period_with(kind: str, day: date) -> Period:
    """The period to which a day belongs, found by walking to its ends."""
    first = day
    while not opens_period(kind, first):
        first -= DAY
    after = day + DAY
    while not opens_period(kind, after):
        after += DAY
    return Period(kind, first, after)


@cache
def periods_between(kind: str, since: date, until: date) -> tuple[Period, ...]:
    """Every period that begins on a day of [since, until]."""
    found = []
    period = period_with(kind, since)
    while period.first <= until:
        if period.first >= since:
            found.append(period)
        period = period_with(kind, period.after)
    return tuple(found)


@dataclass
class Calendar:
    """Which days are worked: company days first, then published public days, then the weekday."""

    public: dict[date, bool] = field(default_factory=dict)
    published: set[int] = field(default_factory=set)
    company: dict[date, bool] = field(default_factory=dict)
    # Counts made once; whoever changes a day after the first count makes a calendar of its own.
    _counted: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: Any, ask: Callable[[], T]) -> T:
        """What a count gives, made once."""
        if key not in self._counted:
            self._counted[key] = ask()
        found: T = self._counted[key]
        return found

    def is_working(self, day: date) -> bool:
        """Whether the company works on the day."""
        if day in self.company:
            return self.company[day]
        if day.year in self.published and day in self.public:
            return self.public[day]
        return day.isoweekday() <= 5

    def is_guess(self, after: date, last: date) -> bool:
        """Whether counting the days after one day up to another needs an unpublished year."""
        day = after + DAY
        while day <= last:
            if day.year not in self.published:
                return True
            day += DAY
        return False

    def nth_working_day(self, after: date, count: int) -> date:
        """The count-th working day after a day; the day itself for 0."""
        day = after
        while count > 0:
            day += DAY
            if self.is_working(day):
                count -= 1
        return day

    def last_working_day_before(self, day: date) -> date:
        """The nearest working day that lies before a day."""
        day -= DAY
        while not self.is_working(day):
            day -= DAY
        return day

    def working_days(self, after: date, last: date) -> int:
        """How many working days lie after one day, up to and with another."""
        count = 0
        day = after + DAY
        while day <= last:
            count += self.is_working(day)
            day += DAY
        return count

    def span_end(self, day_zero: date, text: str) -> tuple[datetime, bool]:
        """When a span of days that begins on a day is due, and whether that is a guess."""
        return self.once((day_zero, text), lambda: self._span_end(day_zero, text))

    def _span_end(self, day_zero: date, text: str) -> tuple[datetime, bool]:
        count, unit = read_span(text)
        if unit == "d":
            return end_of(day_zero + count * DAY), False
        last = self.nth_working_day(day_zero, count)
        return end_of(last), self.is_guess(day_zero, last)

    def due(self, trigger: datetime, within: str) -> tuple[datetime, bool]:
        """When a duty that began at an instant is due, and whether that is a guess."""
        count, unit = read_span(within)
        if unit == "h":
            return trigger + timedelta(hours=count), False
        if unit == "min":
            return trigger + timedelta(minutes=count), False
        return self.span_end(day_of(trigger), within)

    def period_due(self, period: Period, words: str | None) -> tuple[datetime, bool]:
        """When the duty of a period is due, and whether that is a guess.

        A span counts from the instant at which the period ends or starts, and an instant 00:00 is
        24:00 of the day before: `3wd` after July begins to count on 1 August (conflict C-56), and
        `start+31d` of a year ends with January (KA-6.2a: 「1 月末」).
        """
        if words is None:
            return period.end, False
        return self.once((period.key, words), lambda: self._period_due(period, words))

    def _period_due(self, period: Period, words: str) -> tuple[datetime, bool]:
        if words == "last_working_day before":
            last = self.last_working_day_before(period.first)
            return end_of(last), self.is_guess(last - DAY, period.first - DAY)
        if words.startswith("start+"):
            return self.span_end(period.first - DAY, words.removeprefix("start+"))
        return self.span_end(period.after - DAY, words)


def read_public(path: Path) -> Calendar:
    """Read the public holidays as they lie in the product as data."""
    calendar = Calendar()
    with path.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            day = date.fromisoformat(row["on"])
            calendar.public[day] = row["is_working"] == "true"
            if row["is_published"] == "true":
                calendar.published.add(day.year)
    return calendar
