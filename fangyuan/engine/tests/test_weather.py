"""The forecast counts what is open and what coming periods will give, by the day to do it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from conftest import local
from fangyuan import door
from fangyuan.core import calendar
from fangyuan.core.models import CalendarDay
from fangyuan.engine import weather
from fangyuan.engine.models import Rule, Tally
from fangyuan.org.models import Leave
from tests.door.test_door import demand

NOW = local("2026-11-25 10:00")  # a Wednesday
WEEKLY = {"event": "activity.ended_at", "via": "customer", "per": "week", "at_least": 1}


def tally(rule: Any, person: Any, day: str, state: str, number: int) -> None:
    """So many duties of somebody due on a day in a state."""
    Tally._base_manager.create(
        rule_id=rule.pk, person_id=person and person.pk, due_on=day, state=state, number=number
    )


@pytest.fixture
def rules(company):
    """A weekly cadence, one for each working day, and a deadline; the calendar laid out."""
    made = [demand(number, "CADENCE", "customer") for number in ("T-1", "T-2")]
    made.append(demand("T-3", "DEADLINE", "activity"))
    params = (WEEKLY, {**WEEKLY, "per": "day"}, {"on": "ended_at", "until": "written_at"})
    with door.acting(by=None, action="test") as deed:
        for rule, said in zip(made, params, strict=True):
            more = {"within": "24h"} if "on" in said else {}
            deed.change(rule, params={**said, **more}, starts_at=local("2020-01-01 00:00"))
    calendar.lay_out(calendar.stored())
    return made


def seen(actor: Any, person: Any, **more: Any) -> dict[date, weather.Load]:
    """The days of one person that are not empty."""
    row = weather.forecast(actor, NOW, **more).rows.get(person and person.pk, {})
    return {on: load for on, load in row.items() if load.all}


def test_open_duties_count_on_the_working_day_by_which_they_must_be_done(company, rules):
    tally(rules[2], company.li, "2026-11-26", "OPEN", 3)
    tally(rules[2], company.li, "2026-11-29", "OPEN", 2)  # a Sunday
    tally(rules[2], company.li, "2026-11-26", "MET", 9)
    tally(rules[2], company.li, "2026-12-09", "OPEN", 9)  # beyond the fourteen days
    found = seen(company.li, company.li)
    assert {on: load.known for on, load in found.items()} == {
        date(2026, 11, 26): 3,
        date(2026, 11, 27): 2,
    }
    assert found[date(2026, 11, 27)].moved == 2


def test_coming_periods_are_as_many_as_the_running_one(company, rules):
    tally(rules[0], company.li, "2026-11-29", "OPEN", 4)
    tally(rules[0], company.li, "2026-11-29", "MET", 1)
    tally(rules[0], company.li, "2026-11-29", "VOID", 7)
    found = seen(company.li, company.li)
    # This week's open ones, and the five of next week, both due on a Sunday.
    assert (found[date(2026, 11, 27)].known, found[date(2026, 11, 27)].coming) == (4, 0)
    assert (found[date(2026, 12, 4)].known, found[date(2026, 12, 4)].coming) == (0, 5)
    assert len(found) == 2


def test_a_version_that_is_to_come_takes_over_with_its_next_whole_period(company, rules):
    tally(rules[0], company.li, "2026-11-29", "OPEN", 4)
    at = local("2026-12-02 00:00")  # a Wednesday: next week is the old version's still
    with door.acting(by=None, action="test") as deed:
        deed.change(rules[0], ends_at=at)
    fresh = Rule(
        clause=rules[0].clause, kind="CADENCE", record="customer", starts_at=at, follows=rules[0],
        params={**WEEKLY, "per": "day"},
    )  # fmt: skip
    with door.acting(by=None, action="test"):
        fresh.save()
    days = {str(on): load.coming for on, load in seen(company.li, company.li).items()}
    assert days == {
        "2026-11-27": 0, "2026-12-02": 4, "2026-12-03": 4, "2026-12-04": 8, "2026-12-07": 4,
        "2026-12-08": 4,
    }  # fmt: skip


def test_days_off_bear_no_daily_duty_and_make_up_days_do(company, rules):
    with door.acting(by=None, action="test") as deed:
        for on, works in ((date(2026, 11, 28), True), (date(2026, 12, 1), False)):
            deed.create(CalendarDay, {"on": on, "is_working": works, "name": "调休"})
    calendar.lay_out(calendar.stored())
    tally(rules[1], company.li, "2026-11-25", "MET", 2)
    days = {on.isoformat(): load.coming for on, load in seen(company.li, company.li).items()}
    assert days == dict.fromkeys(
        ["2026-11-26", "2026-11-27", "2026-11-28", "2026-11-30", "2026-12-02", "2026-12-03",
         "2026-12-04", "2026-12-07", "2026-12-08"], 2,
    )  # fmt: skip
    ahead = {day.on: day for day in weather.forecast(company.li, NOW).days}
    assert ahead[date(2026, 11, 28)].is_made_up
    assert not ahead[date(2026, 12, 1)].is_working


def test_the_usual_load_is_the_middle_of_the_same_weekday(company, rules):
    for weeks, number in ((1, 4), (2, 6), (3, 5), (4, 100)):
        day = date(2026, 11, 29) - timedelta(weeks=weeks)  # Sundays, done by the Friday before
        tally(rules[0], company.li, str(day), "MET", number)
    row = weather.forecast(company.li, NOW).rows[company.li.pk]
    # Thirteen Fridays, nine of them without: the seventh of thirteen is none.
    assert row[date(2026, 11, 27)].usual == 0
    for weeks in range(5, 14):
        day = date(2026, 11, 29) - timedelta(weeks=weeks)
        tally(rules[0], company.li, str(day), "BREACHED", 6)
    row = weather.forecast(company.li, NOW).rows[company.li.pk]
    assert row[date(2026, 11, 27)].usual == 6


@pytest.mark.parametrize(
    ("number", "usual", "sky"),
    [
        (0, 5, "clear"),
        (4, 5, "fair"),
        (5, 5, "cloudy"),
        (9, 5, "rain"),
        (11, 5, "storm"),
        (2, 0, "cloudy"),
        (3, 0, "storm"),
    ],
)
def test_the_sky_compares_with_the_usual(number, usual, sky):
    assert weather.Load(known=number, usual=usual).sky == sky


def test_nobody_sees_the_weather_of_others(company, rules):
    tally(rules[2], company.li, "2026-11-26", "OPEN", 3)
    tally(rules[2], company.zhao, "2026-11-26", "OPEN", 5)
    tally(rules[2], None, "2026-11-26", "OPEN", 1)
    assert not seen(company.zhao, company.li)
    assert not seen(company.zhao, company.li, only=company.li.pk)
    assert seen(company.wang, company.li) and not seen(company.wang, company.zhao)
    assert seen(company.boss, company.zhao) and seen(company.boss, None)
    assert not seen(company.wang, None)


def test_the_rows_behind_a_day_are_told(company, rules):
    tally(rules[0], company.li, "2026-11-29", "OPEN", 4)
    found = weather.forecast(company.li, NOW)
    ((one, number),) = weather.lines(found, company.li.pk, date(2026, 12, 4))
    assert (one.rule, number, one.due_on) == (rules[0], 4, date(2026, 12, 6))
    assert weather.due_days(found, date(2026, 12, 4)) == [
        date(2026, 12, 4), date(2026, 12, 5), date(2026, 12, 6)
    ]  # fmt: skip


def test_a_forecast_takes_few_queries_however_many_people(
    company, rules, django_assert_max_num_queries
):
    for person in (company.li, company.zhao, company.wang):
        tally(rules[0], person, "2026-11-29", "OPEN", 4)
    weather.forecast(company.boss, NOW)
    with django_assert_max_num_queries(6, connection=connection):
        weather.forecast(company.boss, NOW)


def test_who_is_on_leave_passes_coming_periods_to_whoever_stands_in(company, rules):
    tally(rules[0], company.li, "2026-11-29", "OPEN", 4)
    with door.acting(by=None, action="test") as deed:
        deed.create(
            Leave,
            {
                "person": company.li, "stand_in": company.zhao, "reason": "年假",
                "requested_at": NOW, "stage": "APPROVED",
                "starts_at": local("2026-12-01 09:00"), "ends_at": local("2026-12-08 18:00"),
            },
        )  # fmt: skip
    friday, next_friday = date(2026, 11, 27), date(2026, 12, 4)
    own = seen(company.li, company.li)
    assert set(own) == {friday}  # this week's are open already, and the sweep's
    passed = seen(company.zhao, company.zhao)
    assert {on: load.coming for on, load in passed.items()} == {next_friday: 4}
    found = weather.forecast(company.boss, NOW)
    assert [n for _, n in weather.lines(found, company.zhao.pk, next_friday)] == [4]
    assert weather.lines(found, company.li.pk, next_friday) == []


def test_a_rule_that_ignores_leave_leaves_it_with_the_holder(company, rules):
    test_who_is_on_leave_passes_coming_periods_to_whoever_stands_in(company, rules)
    with door.acting(by=None, action="test") as deed:
        deed.change(rules[0], params={**WEEKLY, "on_leave": "none"})
    assert date(2026, 12, 4) in seen(company.li, company.li)
    assert seen(company.zhao, company.zhao) == {}
