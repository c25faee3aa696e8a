"""Spans and periods: what is read, what is refused, and that periods tile time."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fangyuan.core import spans

KINDS = list(spans.PeriodKind)
DAYS = st.dates(date(1950, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("24h", "24 小时"),
        ("30min", "30 分钟"),
        ("3wd", "3 个工作日"),
        ("30d", "30 日"),
        ("0d", "当日"),
        (" 4H ", "4 小时"),
    ],
)
def test_a_span_is_read_and_said_in_chinese(text: str, said: str) -> None:
    span = spans.parse(text)
    assert span.label == said
    assert spans.parse(str(span)) == span


@pytest.mark.parametrize(
    "text", ["", "24", "h", "-1d", "1.5h", "3 wd", "３d", "3w", "1m", "999999d"]
)
def test_what_is_not_a_span_is_refused_in_chinese(text: str) -> None:
    with pytest.raises(spans.SpanError, match="时长"):
        spans.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5wd", "期末后 5 个工作日"),
        ("start+31d", "期初后 31 日"),
        ("last_working_day before", "期初前最后一个工作日"),
        ("0d", "期末当日"),
    ],
)
def test_a_due_rule_is_read_and_said(text: str, said: str) -> None:
    rule = spans.parse_due(text)
    assert rule.label == said
    assert str(rule) == text


@pytest.mark.parametrize("text", ["24h", "start+24h", "before", "end+5wd", ""])
def test_what_is_not_a_due_rule_is_refused(text: str) -> None:
    with pytest.raises(spans.SpanError):
        spans.parse_due(text)


@pytest.mark.parametrize(
    "key",
    [
        "day:2026-11-16",
        "week:2026-11-16",
        "biweek:2026-11-16",
        "month:2026-11-01",
        "quarter:2026-10-01",
        "half-year:2026-07-01",
        "year:2026-01-01",
    ],
)
def test_the_key_of_a_period_is_its_kind_and_first_day(key: str) -> None:
    kind = spans.PeriodKind(key.partition(":")[0])
    assert spans.period_of(kind, date(2026, 11, 16)).key == key
    assert spans.parse_key(key).key == key


@pytest.mark.parametrize("key", ["week:2026-11-17", "fortnight:2026-11-16", "week", "month:x"])
def test_a_key_that_is_no_period_is_refused(key: str) -> None:
    with pytest.raises(spans.SpanError):
        spans.parse_key(key)


def test_biweeks_are_anchored_on_the_first_monday_of_2024() -> None:
    assert spans.period_of("biweek", date(2024, 1, 14)).first == date(2024, 1, 1)
    assert spans.period_of("biweek", date(2024, 1, 15)).first == date(2024, 1, 15)
    assert spans.period_of("biweek", date(2023, 12, 31)).first == date(2023, 12, 18)


@given(st.sampled_from(KINDS), DAYS)
def test_periods_tile_the_days(kind: spans.PeriodKind, day: date) -> None:
    period = spans.period_of(kind, day)
    assert period.first <= day <= period.last
    assert period.next().first == period.after
    assert period.previous().after == period.first
    assert period.next().previous() == period
    assert all(
        spans.period_of(kind, period.first + timedelta(days=n)) == period
        for n in range((period.after - period.first).days)
    )


@given(st.sampled_from(KINDS), DAYS)
def test_a_boundary_instant_belongs_to_the_period_that_begins(
    kind: spans.PeriodKind, day: date
) -> None:
    period = spans.period_of(kind, day)
    assert spans.period_at(kind, period.start) == period
    assert spans.period_at(kind, period.end) == period.next()
    assert period.contains(period.start)
    assert not period.contains(period.end)


def test_the_periods_of_a_span_are_all_that_share_time_with_it() -> None:
    zone = spans.SHANGHAI
    since = datetime(2026, 11, 18, 12, tzinfo=zone)
    until = datetime(2026, 12, 7, tzinfo=zone)
    found = [period.key for period in spans.periods("week", since, until)]
    assert found == ["week:2026-11-16", "week:2026-11-23", "week:2026-11-30"]


def test_the_first_whole_period_begins_at_or_after_the_instant() -> None:
    monday = spans.midnight(date(2026, 11, 16))
    assert spans.first_whole("week", monday).key == "week:2026-11-16"
    later = monday + timedelta(microseconds=1)
    assert spans.first_whole("week", later).key == "week:2026-11-23"


def test_the_bounds_of_a_period_are_instants_of_the_companys_zone() -> None:
    period = spans.period_of("month", date(2026, 3, 5), ZoneInfo("Europe/Berlin"))
    assert period.start.isoformat() == "2026-03-01T00:00:00+01:00"
    assert period.end.isoformat() == "2026-04-01T00:00:00+02:00"
