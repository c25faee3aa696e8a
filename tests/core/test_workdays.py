"""Working-day arithmetic against the notices, worked examples and a brute-force count."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fangyuan.core import reference, spans, workdays

SHANGHAI = spans.SHANGHAI
BERLIN = ZoneInfo("Europe/Berlin")
PUBLIC = reference.public_calendar()
PUBLISHED_DAYS = [date(2010, 1, 1) + timedelta(days=n) for n in range(17 * 365 + 4)]


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_every_day_of_2010_to_2026_agrees_with_two_independent_calendars() -> None:
    other = holidays.country_holidays("CN", years=range(2009, 2028))
    assert PUBLISHED_DAYS[-1] == date(2026, 12, 31)
    for day in PUBLISHED_DAYS:
        assert PUBLIC.is_working(day) == chinese_calendar.is_workday(day), day
        assert PUBLIC.is_working(day) == other.is_working_day(day), day


def test_the_worked_examples_agree(samples: Path) -> None:
    text = (samples / "holidays_cn" / "expected_examples.json").read_text(encoding="utf-8")
    examples = json.loads(text)["examples"]
    assert len(examples) >= 300
    for example in examples:
        start = date.fromisoformat(example["start"])
        assert PUBLIC.add(start, example["n"]).isoformat() == example["A"], example


@pytest.mark.parametrize(
    ("start", "span", "due"),
    [
        ("2026-11-20T18:00", "24h", "2026-11-21T18:00"),
        ("2026-11-20T18:00", "90min", "2026-11-20T19:30"),
        ("2026-11-20T18:00", "0d", "2026-11-21T00:00"),
        ("2026-11-20T18:00", "3d", "2026-11-24T00:00"),
        ("2026-11-20T18:00", "1wd", "2026-11-24T00:00"),
        ("2026-11-20T00:00", "1wd", "2026-11-24T00:00"),
        ("2026-11-21T12:00", "1wd", "2026-11-24T00:00"),
        ("2026-02-13T09:00", "3wd", "2026-02-26T00:00"),
        ("2026-09-30T23:59:59.999999", "1wd", "2026-10-09T00:00"),
        ("2026-10-08T10:00", "2wd", "2026-10-11T00:00"),
        ("2026-11-20T18:00", "0wd", "2026-11-21T00:00"),
    ],
)
def test_a_span_is_due_at_the_clock_or_at_the_end_of_its_last_day(
    start: str, span: str, due: str
) -> None:
    assert PUBLIC.due(at(start), span) == (at(due), False)


def test_the_day_of_the_trigger_is_the_companys_day() -> None:
    late = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)  # already the 20th in Shanghai
    assert PUBLIC.due(late, "0d").at == at("2026-11-21T00:00")
    assert PUBLIC.due(late, "0d", ZoneInfo("UTC")).at == datetime(2026, 11, 20, tzinfo=UTC)


def test_hours_are_hours_when_the_clocks_change() -> None:
    start = at("2026-03-28T12:00", BERLIN)
    due = PUBLIC.due(start, "24h", BERLIN).at
    assert due.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=24)
    assert due.isoformat() == "2026-03-29T13:00:00+02:00"


def test_an_unpublished_year_counts_monday_to_friday_and_is_provisional() -> None:
    assert PUBLIC.due(at("2026-12-30T10:00"), "1wd") == (at("2027-01-01T00:00"), False)
    assert PUBLIC.due(at("2026-12-31T10:00"), "1wd") == (at("2027-01-02T00:00"), True)
    assert PUBLIC.due(at("2026-12-31T10:00"), "30d") == (at("2027-01-31T00:00"), False)
    assert PUBLIC.is_working(date(2027, 1, 1))
    assert not PUBLIC.is_published(date(2027, 1, 1))


def test_a_companys_own_days_win_over_public_ones() -> None:
    calendar = reference.public_calendar({date(2026, 10, 1): True, date(2026, 11, 23): False})
    assert calendar.is_working(date(2026, 10, 1))
    assert calendar.add(date(2026, 11, 20), 1) == date(2026, 11, 24)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(spans.SpanError):
        PUBLIC.due(datetime(2026, 11, 20), "24h")


@pytest.mark.parametrize(
    ("key", "rule", "due", "provisional"),
    [
        ("month:2026-10-01", "0d", "2026-11-01T00:00", False),
        ("month:2026-10-01", "5wd", "2026-11-07T00:00", False),
        ("month:2026-10-01", "start+31d", "2026-11-01T00:00", False),
        ("month:2026-10-01", "last_working_day before", "2026-10-01T00:00", False),
        ("month:2026-03-01", "last_working_day before", "2026-03-01T00:00", False),
        ("year:2026-01-01", "20wd", "2027-01-29T00:00", True),
    ],
)
def test_a_cadence_is_due_where_its_rule_moves_it(
    key: str, rule: str, due: str, provisional: bool
) -> None:
    found = PUBLIC.cadence_due(spans.parse_key(key), spans.parse_due(rule))
    assert found == (at(due), provisional)


def test_a_cadence_without_a_rule_is_due_at_the_end_of_its_period() -> None:
    period = spans.parse_key("week:2026-11-16")
    assert PUBLIC.cadence_due(period) == (at("2026-11-23T00:00"), False)


def test_daily_periods_leave_out_days_off_only_if_asked() -> None:
    since, until = at("2026-10-01T00:00"), at("2026-10-12T00:00")
    worked = PUBLIC.periods("day", since, until, worked_only=True)
    assert [p.key for p in worked] == ["day:2026-10-08", "day:2026-10-09", "day:2026-10-10"]
    assert len(list(PUBLIC.periods("day", since, until))) == 11


DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
NEAR = st.dates(date(2020, 1, 1), date(2022, 12, 31))


@st.composite
def calendars(draw: st.DrawFn) -> tuple[workdays.WorkCalendar, dict[date, bool]]:
    """Draw a calendar and, apart from it, the verdicts it was given that count."""
    public = draw(st.dictionaries(NEAR, st.booleans(), max_size=60))
    company = draw(st.dictionaries(NEAR, st.booleans(), max_size=20))
    published = draw(st.sets(st.sampled_from([2020, 2021, 2022])))
    given_days = {d: w for d, w in public.items() if d.year in published} | company
    return workdays.WorkCalendar(public, published=published, company=company), given_days


def worked(day: date, given_days: dict[date, bool]) -> bool:
    return given_days.get(day, day.weekday() < 5)


@given(calendars(), NEAR, st.integers(-40, 40))
def test_adding_working_days_agrees_with_stepping_day_by_day(
    drawn: tuple[workdays.WorkCalendar, dict[date, bool]], start: date, n: int
) -> None:
    calendar, given_days = drawn
    day, left, step = start, abs(n), timedelta(days=1 if n > 0 else -1)
    while left:
        day += step
        left -= worked(day, given_days)
    assert calendar.add(start, n) == day


@given(calendars(), NEAR, NEAR)
def test_counting_between_agrees_with_stepping_day_by_day(
    drawn: tuple[workdays.WorkCalendar, dict[date, bool]], a: date, b: date
) -> None:
    calendar, given_days = drawn
    low, high = sorted((a, b))
    days = [low + timedelta(days=n + 1) for n in range((high - low).days)]
    count = sum(worked(day, given_days) for day in days)
    assert calendar.between(low, high) == count
    assert calendar.between(high, low) == -count
    assert all(calendar.is_working(day) == worked(day, given_days) for day in days)


@given(calendars(), DAYS, st.integers(0, 300))
def test_the_day_found_is_worked_and_exactly_that_many_away(
    drawn: tuple[workdays.WorkCalendar, dict[date, bool]], start: date, n: int
) -> None:
    calendar, _ = drawn
    day = calendar.add(start, n)
    assert calendar.between(start, day) == n
    assert n == 0 or calendar.is_working(day)


@given(calendars(), NEAR, st.integers(0, 60))
def test_provisional_means_that_a_counted_day_lies_in_an_unpublished_year(
    drawn: tuple[workdays.WorkCalendar, dict[date, bool]], start: date, n: int
) -> None:
    calendar, _ = drawn
    due = calendar.due_day(start, spans.Span(n, spans.Unit.WORKDAY))
    last = due.at.date() - timedelta(days=1)
    passed = [start + timedelta(days=k + 1) for k in range((last - start).days)]
    assert due.is_provisional == any(day.year not in calendar.published for day in passed)


@given(calendars(), NEAR)
def test_the_table_of_days_says_what_the_methods_say(
    drawn: tuple[workdays.WorkCalendar, dict[date, bool]], first: date
) -> None:
    calendar, _ = drawn
    rows = list(calendar.rows(first, first + timedelta(days=80)))
    for row in rows:
        assert row.is_working == calendar.is_working(row.on)
        assert row.nth - rows[0].nth == calendar.between(first, row.on)
        assert row.is_provisional == (row.on.year not in calendar.published)
