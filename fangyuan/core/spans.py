"""Spans of time (`24h`, `3wd`) and calendar periods (`week:2026-11-16`), as the rules write them.

Pure values: nothing here knows which days are worked; that is `workdays`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
BIWEEK_ANCHOR: Final = date(2024, 1, 1)
LONGEST: Final = 36_600  # a century of days: beyond it a span is a slip of the keyboard


class SpanError(ValueError):
    """A span, due rule or period key that cannot be read."""


class Unit(StrEnum):
    """What a span counts in."""

    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
    WORKDAY = "wd"


class PeriodKind(StrEnum):
    """The closed list of periods a cadence may run in."""

    DAY = "day"
    WEEK = "week"
    BIWEEK = "biweek"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"

    @property
    def label(self) -> str:
        """Name the period as a sentence says it after 每."""
        return _PERIOD_LABELS[self]


_PERIOD_LABELS: Final = {
    PeriodKind.DAY: "日",
    PeriodKind.WEEK: "周",
    PeriodKind.BIWEEK: "两周",
    PeriodKind.MONTH: "月",
    PeriodKind.QUARTER: "季度",
    PeriodKind.HALF_YEAR: "半年",
    PeriodKind.YEAR: "年",
}
_UNIT_LABELS: Final = {
    Unit.MINUTE: "分钟",
    Unit.HOUR: "小时",
    Unit.DAY: "日",
    Unit.WORKDAY: "个工作日",
}
_MONTHS: Final = {
    PeriodKind.MONTH: 1,
    PeriodKind.QUARTER: 3,
    PeriodKind.HALF_YEAR: 6,
    PeriodKind.YEAR: 12,
}
_DAYS: Final = {PeriodKind.DAY: 1, PeriodKind.WEEK: 7, PeriodKind.BIWEEK: 14}
_SPAN: Final = re.compile(r"([0-9]{1,6})(min|h|d|wd)")


@dataclass(frozen=True, order=False)
class Span:
    """A length of time in one unit."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        ceiling = LONGEST * {Unit.MINUTE: 1440, Unit.HOUR: 24}.get(self.unit, 1)
        if not 0 <= self.amount <= ceiling:
            raise SpanError(f"时长 {self} 超出可用范围：0 至 {LONGEST} 日")

    def __str__(self) -> str:
        return f"{self.amount}{self.unit.value}"

    @property
    def label(self) -> str:
        """Say the span in Chinese, as a rule's sentence does."""
        if self.amount == 0 and not self.is_exact:
            return "当日"
        return f"{self.amount} {_UNIT_LABELS[self.unit]}"

    @property
    def is_exact(self) -> bool:
        """Tell whether the span runs by the clock rather than to the end of a day."""
        return self.unit in (Unit.MINUTE, Unit.HOUR)

    @property
    def exact(self) -> timedelta:
        """Give the length by the clock; only hours and minutes have one."""
        if self.unit is Unit.HOUR:
            return timedelta(hours=self.amount)
        if self.unit is Unit.MINUTE:
            return timedelta(minutes=self.amount)
        raise SpanError(f"时长 {self} 按日计，没有固定的小时数")


def parse(text: str) -> Span:
    """Read `24h`, `30min`, `3d` or `3wd`; raises SpanError for anything else."""
    found = _SPAN.fullmatch(text.strip().lower())
    if not found:
        raise SpanError(f"时长「{text}」看不懂，应写成 24h、30min、3d 或 3wd")
    return Span(int(found[1]), Unit(found[2]))


class Anchor(StrEnum):
    """From where a moved due time of a cadence is counted."""

    END = "end"
    START = "start"
    BEFORE = "before"


@dataclass(frozen=True)
class DueRule:
    """Where the due time of a cadence lies: after its period ends, after it starts, or before."""

    anchor: Anchor
    span: Span | None = None

    def __str__(self) -> str:
        if self.anchor is Anchor.BEFORE:
            return "last_working_day before"
        return f"{'start+' if self.anchor is Anchor.START else ''}{self.span or '0d'}"

    @property
    def label(self) -> str:
        """Say the due rule in Chinese."""
        if self.anchor is Anchor.BEFORE:
            return "期初前最后一个工作日"
        where = "期初" if self.anchor is Anchor.START else "期末"
        if self.span is None or self.span.amount == 0:
            return f"{where}当日"
        return f"{where}后 {self.span.label}"


PERIOD_END: Final = DueRule(Anchor.END)


def parse_due(text: str) -> DueRule:
    """Read `5wd`, `start+31d` or `last_working_day before`; raises SpanError for anything else."""
    words = text.strip().lower()
    if words == "last_working_day before":
        return DueRule(Anchor.BEFORE)
    anchor = Anchor.START if words.startswith("start+") else Anchor.END
    span = parse(words.removeprefix("start+"))
    if span.is_exact:
        raise SpanError(
            f"到期写法「{text}」须按日计：5wd、3d、start+31d 或 last_working_day before"
        )
    return DueRule(anchor, span)


@dataclass(frozen=True)
class Period:
    """One calendar period, from its first day up to but without its end."""

    kind: PeriodKind
    first: date
    after: date
    zone: ZoneInfo = SHANGHAI

    @property
    def start(self) -> datetime:
        """Give the first instant, in the company's zone."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """Give the instant at which the next period begins."""
        return midnight(self.after, self.zone)

    @property
    def last(self) -> date:
        """Give the last day that belongs to the period."""
        return self.after - timedelta(days=1)

    @property
    def key(self) -> str:
        """Give the occurrence of an obligation, `week:2026-11-16`."""
        return f"{self.kind.value}:{self.first.isoformat()}"

    def contains(self, at: datetime) -> bool:
        """Tell whether an instant lies in [start, end)."""
        return self.start <= at < self.end

    def next(self) -> Period:
        """Give the period that follows."""
        return period_of(self.kind, self.after, self.zone)

    def previous(self) -> Period:
        """Give the period before."""
        return period_of(self.kind, self.first - timedelta(days=1), self.zone)


def midnight(day: date, zone: ZoneInfo = SHANGHAI) -> datetime:
    """Give 00:00 of a day; 24:00 of a day is the midnight of the next."""
    return datetime.combine(day, time.min, tzinfo=zone)


def ending(at: datetime, zone: ZoneInfo = SHANGHAI) -> tuple[date, str]:
    """The day and clock time at which something ends: 00:00 is 24:00 of the day before."""
    local = at.astimezone(zone)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return local.date() - timedelta(days=1), "24:00"
    return local.date(), f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def day_of(at: datetime, zone: ZoneInfo = SHANGHAI) -> date:
    """Give the company's day in which an instant lies; raises SpanError for one without a zone."""
    if at.tzinfo is None:
        raise SpanError("时刻没有时区")
    return at.astimezone(zone).date()


def period_of(kind: PeriodKind | str, day: date, zone: ZoneInfo = SHANGHAI) -> Period:
    """Give the period that contains a day."""
    kind = PeriodKind(kind)
    if kind in _DAYS:
        length = _DAYS[kind]
        # 2024-01-01 is a Monday, so weeks and biweeks can count from the same anchor.
        first = day - timedelta(days=(day - BIWEEK_ANCHOR).days % length)
        return Period(kind, first, first + timedelta(days=length), zone)
    length = _MONTHS[kind]
    month = (day.month - 1) // length * length + 1
    years, following = divmod(month - 1 + length, 12)
    return Period(kind, date(day.year, month, 1), date(day.year + years, following + 1, 1), zone)


def period_at(kind: PeriodKind | str, at: datetime, zone: ZoneInfo = SHANGHAI) -> Period:
    """Give the period to which an event at this instant belongs; a boundary belongs to the next."""
    return period_of(kind, day_of(at, zone), zone)


def periods(
    kind: PeriodKind | str, since: datetime, until: datetime, zone: ZoneInfo = SHANGHAI
) -> Iterator[Period]:
    """Yield every period that shares time with [since, until), earliest first."""
    period = period_at(kind, since, zone)
    until = until.astimezone(UTC)
    while period.start < until:
        yield period
        period = period.next()


def first_whole(kind: PeriodKind | str, at: datetime, zone: ZoneInfo = SHANGHAI) -> Period:
    """Give the first period that lies wholly at or after an instant."""
    period = period_at(kind, at, zone)
    return period if period.start == at else period.next()


def parse_key(key: str, zone: ZoneInfo = SHANGHAI) -> Period:
    """Read `quarter:2026-10-01` back; raises SpanError when it is not a period's first day."""
    kind, _, first = key.partition(":")
    try:
        period = period_of(kind, date.fromisoformat(first), zone)
    except ValueError as wrong:
        raise SpanError(f"期间「{key}」看不懂，应写成 week:2026-11-16") from wrong
    if period.key != key:
        raise SpanError(f"期间「{key}」的日期不是期初，应为 {period.key}")
    return period


def read_instant(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """Read an ISO 8601 instant; without an offset it is local time. Raises SpanError."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as wrong:
        raise SpanError(f"时刻「{text}」看不懂，应写成 2026-11-16T09:00:00+08:00") from wrong
    return at if at.tzinfo else at.replace(tzinfo=zone)
