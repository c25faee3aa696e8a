"""Due times, late recording and periods: expectations computed by hand from ENGINE.md."""

from __future__ import annotations

from datetime import date

import pytest

from tests.oracle import world
from tests.oracle.calendar_oracle import Calendar, instant, period_with
from tests.oracle.given import (
    change,
    company,
    deadline,
    duties,
    ka,
    only,
    published,
    state,
    visit,
    visits,
)

# --- deadlines: within, met at the instant, late, breached


def test_hours_run_by_the_clock() -> None:
    duty = only(company(ka(), visit("2026-11-20 18:30")), "2026-11-20 19:00", "KA-3.3.2b")
    assert duty.due_at == instant("2026-11-21 18:30")  # a Saturday, all the same
    assert (duty.state, duty.person, duty.began_on) == ("open", "li", date(2026, 11, 20))
    assert duty.occurrence == "ended_at"


@pytest.mark.parametrize(
    ("written", "as_of", "expected"),
    [
        ("2026-11-17 09:00:00", "2026-11-18 00:00", "met"),  # on the instant it is still met
        ("2026-11-17 09:00:01", "2026-11-18 00:00", "late"),
        ("2026-11-16 08:00:00", "2026-11-16 09:00", "met"),  # a done mark before the trigger
        ("2026-11-17 08:00:00", "2026-11-17 07:59:59", "open"),  # not yet come
        ("2026-11-17 08:00:00", "2026-11-17 08:00:00", "met"),
        ("2026-11-19 08:00:00", "2026-11-17 09:00:00", "open"),  # now == due: not yet breached
        ("2026-11-19 08:00:00", "2026-11-17 09:00:01", "breached"),
    ],
)
def test_written_up_within_24_hours(written: str, as_of: str, expected: str) -> None:
    told = company(ka(), visit("2026-11-16 09:00", written_at=written))
    assert state(told, as_of, "KA-3.3.2b") == expected


def test_a_trigger_that_has_not_come_is_no_duty() -> None:
    planned = company(ka(), visit("2026-11-16 09:00", recorded="2026-11-10 09:00"))
    assert duties(planned, "2026-11-16 08:59:59", "KA-3.3.2b") == {}
    assert state(planned, "2026-11-16 09:00", "KA-3.3.2b") == "open"


@pytest.mark.parametrize(
    ("occurred", "within", "due"),
    [
        ("2026-11-20 18:00", "1wd", "2026-11-24 00:00"),  # Friday; due at 24:00 of Monday
        ("2026-11-20 00:00", "1wd", "2026-11-24 00:00"),  # wherever in the day it falls
        ("2026-11-20 23:59:59", "1wd", "2026-11-24 00:00"),
        ("2026-11-22 10:00", "1wd", "2026-11-24 00:00"),  # Sunday: the day after counts
        ("2026-09-30 10:00", "3wd", "2026-10-11 00:00"),  # 8, 9 and the make-up Saturday 10
        ("2026-10-03 10:00", "1wd", "2026-10-09 00:00"),  # within the holidays
        ("2026-09-18 10:00", "1wd", "2026-09-21 00:00"),  # make-up Sunday 20 is worked
        ("2026-11-16 23:00", "0d", "2026-11-17 00:00"),  # 24:00 of the day itself
        ("2026-11-22 23:00", "0wd", "2026-11-23 00:00"),
        ("2026-11-16 09:00", "3d", "2026-11-20 00:00"),  # end of the third day after
        ("2026-11-16 09:00", "4h", "2026-11-16 13:00"),
        ("2026-11-16 09:00", "30min", "2026-11-16 09:30"),
    ],
)
def test_due_times(occurred: str, within: str, due: str) -> None:
    told = company(ka(), change(occurred), rules=[deadline(within)])
    assert only(told, occurred, "KA-9.9").due_at == instant(due)


def test_an_act_at_24_00_meets_the_deadline() -> None:
    told = company(ka(), change("2026-11-16 09:00", updated_at="2026-11-17 00:00"))
    told.rules = [deadline("0d")]
    assert state(told, "2026-11-18 00:00", "KA-9.9") == "met"


def test_company_days_override_the_weekday() -> None:
    shut = published()
    shut.company = {date(2026, 11, 23): False}
    told = company(ka(), change("2026-11-20 18:00"), calendar=shut)
    assert only(told, "2026-11-21 00:00", "TAG-4.1.1c").due_at == instant("2026-11-25 00:00")


def test_company_days_override_public_ones() -> None:
    worked = published()
    worked.company = {date(2026, 10, 10): False, date(2026, 10, 7): True}
    told = company(ka(), change("2026-09-30 10:00"), calendar=worked, rules=[deadline("3wd")])
    assert only(told, "2026-10-01 00:00", "KA-9.9").due_at == instant("2026-10-10 00:00")


def test_an_unpublished_year_is_counted_monday_to_friday_and_never_breached() -> None:
    told = company(ka(), change("2026-12-30 10:00"), rules=[deadline("3wd")])
    duty = only(told, "2027-03-01 00:00", "KA-9.9")  # 31 December, 1 January, 4 January
    assert duty.due_at == instant("2027-01-05 00:00")
    assert (duty.state, duty.is_provisional) == ("open", True)


def test_publishing_the_year_settles_it() -> None:
    told = company(ka(), change("2026-12-30 10:00"), rules=[deadline("3wd")])
    told.calendar = published(2026, 2027)
    told.calendar.public[date(2027, 1, 1)] = False
    duty = only(told, "2027-03-01 00:00", "KA-9.9")
    assert duty.due_at == instant("2027-01-06 00:00")
    assert (duty.state, duty.is_provisional) == ("breached", False)


def test_a_due_time_at_new_year_needs_no_day_of_the_new_year() -> None:
    told = company(ka(), change("2026-12-30 10:00"), rules=[deadline("1wd")])
    duty = only(told, "2027-01-02 00:00", "KA-9.9")
    assert (duty.due_at, duty.state) == (instant("2027-01-01 00:00"), "breached")


def test_calendar_days_and_hours_need_no_published_year() -> None:
    told = company(ka(), change("2026-12-30 10:00"), rules=[deadline("9d")])
    assert state(told, "2027-03-01 00:00", "KA-9.9") == "breached"


def test_by_takes_the_promise_of_the_subject_itself() -> None:
    promised = change("2026-11-16 09:00", promised_at=instant("2026-11-30 12:00"))
    by = deadline("24h", by="promised_at")
    told = company(ka(), promised, rules=[by])
    assert only(told, "2026-11-17 00:00", "KA-9.9").due_at == instant("2026-11-30 12:00")
    assert state(told, "2026-11-30 12:00:01", "KA-9.9") == "breached"


# --- two times: what happened, and when the system learnt of it


def test_an_unrecorded_fact_is_not_seen() -> None:
    told = company(ka(), visit("2026-11-16 09:00", recorded="2026-11-18 09:00"))
    assert duties(told, "2026-11-18 08:59:59", "KA-3.3.2b") == {}
    duty = only(told, "2026-11-18 09:00", "KA-3.3.2b")
    assert (duty.state, duty.told_late) == ("breached", True)


def test_a_duty_to_enter_exists_from_when_it_happened() -> None:
    told = company(ka(), change("2026-11-16 09:00", recorded="2026-11-18 09:00", kind="NEED"))
    clause = "RES-3.2.2b"
    assert state(told, "2026-11-16 09:00", clause) == "open"
    assert state(told, "2026-11-17 09:00", clause) == "open"
    assert state(told, "2026-11-17 09:00:01", clause) == "breached"
    duty = only(told, "2026-11-18 09:00", clause)
    assert (duty.state, duty.met_at) == ("late", instant("2026-11-18 09:00"))


def test_told_late_meets_rules_about_the_fact() -> None:
    late = visit("2026-11-20 15:00", recorded="2026-11-25 09:00")
    told = company(ka(), late)
    week = "week:2026-11-16"
    assert duties(told, "2026-11-23 00:00", "KA-3.3.3a")[week].state == "breached"
    duty = duties(told, "2026-11-25 09:00", "KA-3.3.3a")[week]
    assert (duty.state, duty.met_at) == ("met", instant("2026-11-20 15:00"))


def test_the_clock_of_a_change_starts_when_it_became_known_if_proven() -> None:
    proven = change("2026-11-16 09:00", known_at="2026-11-17 10:00", known_proof="邮件")
    unproven = change("2026-11-16 09:00", known_at="2026-11-17 10:00")
    clause = "KA-3.2.2b"
    assert only(company(ka(), proven), "2026-11-17 11:00", clause).due_at == instant(
        "2026-11-18 10:00"
    )
    assert only(company(ka(), unproven), "2026-11-17 11:00", clause).due_at == instant(
        "2026-11-17 09:00"
    )


def test_one_update_meets_two_policies_judged_apart() -> None:
    told = company(ka(), change("2026-11-20 18:00", updated_at="2026-11-23 20:00"))
    assert state(told, "2026-11-24 00:00", "KA-3.2.2b") == "late"  # due Saturday 18:00
    assert state(told, "2026-11-24 00:00", "TAG-4.1.1c") == "met"  # due Monday 24:00


@pytest.mark.parametrize(
    ("kind", "clauses"),
    [("NAME", {"KA-3.2.1b", "KA-3.2.2b", "TAG-4.1.1c"}), ("NEED", {"KA-3.2.1b", "RES-3.2.2b"})],
)
def test_six_kinds_of_change_are_major(kind: str, clauses: set[str]) -> None:
    told = company(ka(), change("2026-11-20 18:00", kind=kind))
    bound = {"KA-3.2.1b", "KA-3.2.2b", "TAG-4.1.1c", "RES-3.2.2b"}
    found = {c for c in bound if any(d.record == "change" for d in duties_of(told, c))}
    assert found == clauses


def duties_of(told: world.World, clause: str) -> list[object]:
    return list(duties(told, "2026-11-21 00:00", clause).values())


# --- cadences


@pytest.mark.parametrize(
    ("kind", "day", "first", "after"),
    [
        ("day", "2026-11-22", "2026-11-22", "2026-11-23"),
        ("week", "2026-11-22", "2026-11-16", "2026-11-23"),
        ("biweek", "2024-01-01", "2024-01-01", "2024-01-15"),
        ("biweek", "2023-12-31", "2023-12-18", "2024-01-01"),
        ("biweek", "2026-11-15", "2026-11-02", "2026-11-16"),
        ("month", "2028-02-29", "2028-02-01", "2028-03-01"),
        ("quarter", "2026-12-31", "2026-10-01", "2027-01-01"),
        ("half-year", "2026-11-16", "2026-07-01", "2027-01-01"),
        ("year", "2026-11-16", "2026-01-01", "2027-01-01"),
    ],
)
def test_periods(kind: str, day: str, first: str, after: str) -> None:
    period = period_with(kind, date.fromisoformat(day))
    assert (period.first, period.after) == (date.fromisoformat(first), date.fromisoformat(after))
    assert period.key == f"{kind}:{first}"


@pytest.mark.parametrize(
    ("ended", "week", "next_week"),
    [
        ("2026-11-15 23:59:59", "breached", "open"),
        ("2026-11-16 00:00:00", "breached", "met"),  # the boundary belongs to the next
    ],
)
def test_a_visit_at_the_boundary_belongs_to_the_next_period(
    ended: str, week: str, next_week: str
) -> None:
    found = duties(company(ka(), visit(ended)), "2026-11-17 00:00", "KA-3.3.3a")
    assert found["week:2026-11-16"].state == next_week
    assert found["week:2026-11-09"].state == ("met" if "15" in ended[8:10] else week)


def test_a_visit_belongs_to_the_period_in_which_it_ended() -> None:
    over_midnight = visit("2026-11-16 00:10", started_at=instant("2026-11-15 22:00"))
    found = duties(company(ka(), over_midnight), "2026-11-17 00:00", "KA-3.3.3a")
    assert found["week:2026-11-09"].state == "breached"
    assert found["week:2026-11-16"].state == "met"


def test_a_cadence_is_breached_when_now_reaches_its_due_time() -> None:
    told = company(ka())
    assert duties(told, "2026-11-22 23:59:59", "KA-3.3.3a")["week:2026-11-16"].state == "open"
    duty = duties(told, "2026-11-23 00:00", "KA-3.3.3a")["week:2026-11-16"]
    assert (duty.state, duty.due_at) == ("breached", instant("2026-11-23 00:00"))
    assert duty.began_on == date(2026, 11, 16)


def test_a_period_opens_at_its_first_instant() -> None:
    told = company(ka())
    assert "week:2026-11-16" not in duties(told, "2026-11-15 23:59:59", "KA-3.3.3a")
    assert "week:2026-11-16" in duties(told, "2026-11-16 00:00", "KA-3.3.3a")


def test_the_deciding_event_is_the_last_one_needed() -> None:
    twice = company(
        ka(),
        visit("2026-11-16 09:00", key="V1"),
        visit("2026-11-20 09:00", key="V3"),
        visit("2026-11-18 09:00", key="V2"),
        rules=[visits("week", at_least=2)],
    )
    duty = duties(twice, "2026-11-21 00:00", "KA-9.9")["week:2026-11-16"]
    assert (duty.state, duty.met_at) == ("met", instant("2026-11-18 09:00"))


def test_anyones_visit_counts_and_only_visits() -> None:
    by_other = visit("2026-11-17 09:00", person="zhao")
    call = visit("2026-11-18 09:00", key="V2", kind="CALL")
    week = "week:2026-11-16"
    assert duties(company(ka(), by_other), "2026-11-19 00:00", "KA-3.3.3a")[week].state == "met"
    assert duties(company(ka(), call), "2026-11-19 00:00", "KA-3.3.3a")[week].state == "open"


def test_days_off_know_no_daily_duty() -> None:
    told = company(ka(is_urgent=True), rules=[visits("day", where={"is_urgent": True})])
    found = duties(told, "2026-10-12 12:00", "KA-9.9")
    autumn = sorted(key for key in found if key > "day:2026-09-30")
    assert autumn == ["day:2026-10-08", "day:2026-10-09", "day:2026-10-10", "day:2026-10-12"]


def test_calendar_days_rest_on_no_day_off() -> None:
    told = company(ka(), rules=[visits("day", days="calendar")])
    found = duties(told, "2026-10-04 12:00", "KA-9.9")
    assert found["day:2026-10-03"].state == "breached"


def test_a_daily_duty_of_an_unpublished_year_is_provisional() -> None:
    told = company(ka(), rules=[visits("day")])
    duty = duties(told, "2027-02-01 00:00", "KA-9.9")["day:2027-01-05"]
    assert (duty.state, duty.is_provisional) == ("open", True)


def report(period: str, handed_in: str) -> world.Record:
    at = instant(handed_in)
    return world.plan("P", at, at, person="li", period=period)


def monthly(due: str) -> world.Rule:
    return world.Rule(
        "KA-9.9",
        {
            "kind": "cadence",
            "record": "person",
            "event": "plan.submitted_at",
            "via": "person",
            "per": "month",
            "at_least": 1,
            "counts_by": "period",
            "due": due,
            "where": {"roles": {"has": ["ka_rep"]}},
            "who": "self",
        },
    )


@pytest.mark.parametrize(
    ("due", "period", "expected"),
    [
        ("3wd", "2026-09-01", "2026-10-11 00:00"),  # after 30 September: 8, 9, 10 October
        ("5wd", "2026-10-01", "2026-11-07 00:00"),  # 31 October is a Saturday: 2 to 6 November
        ("2d", "2026-10-01", "2026-11-03 00:00"),
        ("start+31d", "2026-10-01", "2026-11-01 00:00"),
        ("start+5wd", "2026-11-01", "2026-11-07 00:00"),
        ("last_working_day before", "2026-11-01", "2026-10-31 00:00"),  # Friday 30 October, 24:00
        ("last_working_day before", "2026-10-01", "2026-10-01 00:00"),  # Wednesday 30 September
    ],
)
def test_moved_due_times(due: str, period: str, expected: str) -> None:
    found = duties(company(rules=[monthly(due)]), "2026-11-20 00:00", "KA-9.9")
    assert found[f"month:{period}"].due_at == instant(expected)


@pytest.mark.parametrize(
    ("handed_in", "as_of", "expected"),
    [
        ("2026-11-05 10:00", "2026-11-10 00:00", "met"),
        ("2026-10-20 10:00", "2026-11-10 00:00", "met"),  # handed in before the period ended
        ("2026-11-06 23:59:59", "2026-11-10 00:00", "met"),
        ("2026-11-07 00:00:00", "2026-11-10 00:00", "breached"),  # a cadence knows no late
        ("2026-11-20 10:00", "2026-11-06 23:59:59", "open"),
        ("2026-11-20 10:00", "2026-11-07 00:00", "breached"),
    ],
)
def test_a_report_counts_for_the_period_it_is_about(
    handed_in: str, as_of: str, expected: str
) -> None:
    told = company(report("month:2026-10-01", handed_in), rules=[monthly("5wd")])
    told.people = told.people[1:2]
    assert duties(told, as_of, "KA-9.9")["month:2026-10-01"].state == expected


def test_a_visit_plan_is_owed_before_its_month() -> None:
    told = company(calendar=published())
    told.people = told.people[1:2]
    before = duties(told, "2026-10-15 00:00", "KA-3.3.1a")
    assert before["month:2026-11-01"].state == "open"
    assert "month:2026-12-01" not in before
    after = duties(told, "2026-10-31 00:00", "KA-3.3.1a")
    assert after["month:2026-11-01"].state == "breached"


def test_a_calendar_of_nobody_counts_weekdays() -> None:
    assert Calendar().is_working(date(2026, 11, 20))
    assert not Calendar().is_working(date(2026, 11, 21))
