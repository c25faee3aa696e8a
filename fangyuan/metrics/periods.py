"""Periods as people write them: `2026`, `2026-H1`, `2026-Q3`, `2026-07`."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from fangyuan.core.spans import Period, PeriodKind, period_of

WRITTEN: Final = r"^[12][0-9]{3}(-H[12]|-Q[1-4]|-(0[1-9]|1[0-2]))?$"
_PARTS: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?:H(?P<half>\d)|Q(?P<quarter>\d)|(?P<month>\d\d)))?"
)


def read(text: str) -> Period | None:
    """The period that is meant, or None where it is not written so."""
    if not re.fullmatch(WRITTEN, text or ""):
        return None
    found = _PARTS.fullmatch(text)
    if found is None:  # the two patterns agree
        return None
    year = int(found["year"])
    if found["half"]:
        return period_of(PeriodKind.HALF_YEAR, date(year, 6 * int(found["half"]), 1))
    if found["quarter"]:
        return period_of(PeriodKind.QUARTER, date(year, 3 * int(found["quarter"]), 1))
    if found["month"]:
        return period_of(PeriodKind.MONTH, date(year, int(found["month"]), 1))
    return period_of(PeriodKind.YEAR, date(year, 1, 1))


def write(period: Period) -> str:
    """How a month, quarter, half-year or year is written."""
    year, month = period.first.year, period.first.month
    return {
        PeriodKind.MONTH: f"{year}-{month:02}",
        PeriodKind.QUARTER: f"{year}-Q{(month + 2) // 3}",
        PeriodKind.HALF_YEAR: f"{year}-H{(month + 5) // 6}",
        PeriodKind.YEAR: str(year),
    }[period.kind]


def say(period: Period) -> str:
    """The period in Chinese: 2026 年第三季度, 2026 年 7 月."""
    year, month = period.first.year, period.first.month
    return {
        PeriodKind.WEEK: f"{period.first:%Y-%m-%d} 起的一周",
        PeriodKind.MONTH: f"{year} 年 {month} 月",
        PeriodKind.QUARTER: f"{year} 年第{'一二三四'[(month - 1) // 3]}季度",
        PeriodKind.HALF_YEAR: f"{year} 年{'上下'[month > 6]}半年",
        PeriodKind.YEAR: f"{year} 年",
    }.get(period.kind, f"{period.first:%Y-%m-%d}")


def named(start: date, end: date) -> str:
    """The days from `start` up to `end` in Chinese: a period by its name, others by their ends."""
    for kind in (PeriodKind.MONTH, PeriodKind.QUARTER, PeriodKind.HALF_YEAR, PeriodKind.YEAR):
        period = period_of(kind, start)
        if (period.first, period.after) == (start, end):
            return say(period)
    return f"{start} 至 {end - timedelta(days=1)}"
