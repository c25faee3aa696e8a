"""Working-day arithmetic: which days are worked, and when a span that begins at an instant is due.

Pure: it is given the days and knows no table. Cost does not grow with the distance counted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fangyuan.core import spans

ONE_DAY: Final = timedelta(days=1)
_WORKED: Final = 5  # Monday to Friday


class Due(NamedTuple):
    """A due time, and whether it rests on a year whose holidays are not yet published."""

    at: datetime
    is_provisional: bool


class Day(NamedTuple):
    """One day of the calendar with its running count of working days, for a table to join."""

    on: date
    is_working: bool
    nth: int
    is_provisional: bool


def _weekdays(ordinal: int) -> int:
    """Count Mondays to Fridays from the first day of the era; ordinal 1 is a Monday."""
    weeks, rest = divmod(ordinal, 7)
    return weeks * _WORKED + min(rest, _WORKED)


def _nth_weekday(count: int) -> int:
    weeks, rest = divmod(count - 1, _WORKED)
    return weeks * 7 + rest + 1


class WorkCalendar:
    """The working days of a company: Monday to Friday, public holidays and its own days."""

    def __init__(
        self,
        public: Mapping[date, bool],
        *,
        published: Iterable[int],
        company: Mapping[date, bool] | None = None,
    ) -> None:
        """Take public days (counted in published years only) and the company's own, which win."""
        self.published: Final = frozenset(published)
        days = {on: worked for on, worked in public.items() if on.year in self.published}
        days.update(company or {})
        odd = sorted(on for on, worked in days.items() if worked != (on.weekday() < _WORKED))
        # Only days that differ from Monday-Friday are kept. `_shift[i]` is what the first i of
        # them add to the plain count, `_counts[i]` the true count up to and with the i-th.
        self._odd = [on.toordinal() for on in odd]
        self._odd_set = frozenset(odd)
        self._shift = [0]
        for on in odd:
            self._shift.append(self._shift[-1] + (1 if days[on] else -1))
        self._counts = [
            _weekdays(ordinal) + shift
            for ordinal, shift in zip(self._odd, self._shift[1:], strict=True)
        ]

    def is_working(self, day: date) -> bool:
        """Tell whether a day is worked."""
        return (day.weekday() < _WORKED) != (day in self._odd_set)

    def is_published(self, day: date) -> bool:
        """Tell whether the holidays of a day's year are published."""
        return day.year in self.published

    def _count(self, ordinal: int) -> int:
        return _weekdays(ordinal) + self._shift[bisect_right(self._odd, ordinal)]

    def _nth(self, count: int) -> int:
        place = bisect_left(self._counts, count)
        ordinal = _nth_weekday(count - self._shift[place])
        # Past the next odd day the plain count no longer holds: the day sought is that odd one.
        return min(ordinal, self._odd[place]) if place < len(self._odd) else ordinal

    def add(self, day: date, n: int) -> date:
        """Give the n-th working day after a day (before it, if n is negative); 0 is the day."""
        if n == 0:
            return day
        if n > 0:
            return date.fromordinal(self._nth(self._count(day.toordinal()) + n))
        return date.fromordinal(self._nth(self._count(day.toordinal() - 1) + n + 1))

    def between(self, a: date, b: date) -> int:
        """Count the working days after a up to and with b; negative when b lies before a."""
        return self._count(b.toordinal()) - self._count(a.toordinal())

    def last_working_day_before(self, day: date) -> date:
        """Give the nearest working day that lies before a day."""
        return self.add(day, -1)

    def due(self, at: datetime, span: spans.Span | str, zone: ZoneInfo = spans.SHANGHAI) -> Due:
        """Say when a span that begins at an instant is due, in the company's zone."""
        span = spans.parse(span) if isinstance(span, str) else span
        day = spans.day_of(at, zone)
        if span.is_exact:
            # Through UTC, because adding hours to a local time ignores a change of the clock.
            return Due((at.astimezone(UTC) + span.exact).astimezone(zone), False)
        return self.due_day(day, span, zone)

    def due_day(self, day: date, span: spans.Span, zone: ZoneInfo = spans.SHANGHAI) -> Due:
        """Say when a span in days that begins on a day is due: 24:00 of its last day."""
        if span.unit is spans.Unit.WORKDAY:
            last = self.add(day, span.amount)
            return Due(spans.midnight(last + ONE_DAY, zone), self._needs_unpublished(day, last))
        if span.is_exact:
            raise spans.SpanError(f"时长 {span} 须从一个时刻起算")
        return Due(spans.midnight(day + timedelta(days=span.amount + 1), zone), False)

    def cadence_due(self, period: spans.Period, rule: spans.DueRule = spans.PERIOD_END) -> Due:
        """Say when the duty of a period is due: at its end, or where the rule moves it."""
        if rule.anchor is spans.Anchor.BEFORE:
            last = self.last_working_day_before(period.first)
            return Due(
                spans.midnight(last + ONE_DAY, period.zone),
                self._needs_unpublished(last - ONE_DAY, period.first - ONE_DAY),
            )
        if rule.span is None:
            return Due(period.end, False)
        # A period starts and ends at 24:00 of a day, which does not count (C-56): start+31d of
        # a year is the end of January (KA-6.2a).
        start = period.first - ONE_DAY if rule.anchor is spans.Anchor.START else period.last
        return self.due_day(start, rule.span, period.zone)

    def periods(
        self,
        kind: spans.PeriodKind | str,
        since: datetime,
        until: datetime,
        zone: ZoneInfo = spans.SHANGHAI,
        *,
        worked_only: bool = False,
    ) -> Iterator[spans.Period]:
        """Yield the periods that share time with [since, until); days off are left out if asked."""
        for period in spans.periods(kind, since, until, zone):
            is_day = period.kind is spans.PeriodKind.DAY
            if not (worked_only and is_day) or self.is_working(period.first):
                yield period

    def rows(self, first: date, last: date) -> Iterator[Day]:
        """Yield every day from first to last; `nth` of two days differ by what lies between."""
        count = self._count(first.toordinal() - 1)
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            worked = self.is_working(day)
            count += worked
            yield Day(day, worked, count, not self.is_published(day))

    def _needs_unpublished(self, after: date, last: date) -> bool:
        if last <= after:
            return False
        first = after + ONE_DAY
        return any(year not in self.published for year in range(first.year, last.year + 1))
