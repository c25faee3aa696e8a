"""Who answers, leave and stand-ins, waivers: expectations computed by hand from ENGINE.md."""

from __future__ import annotations

from datetime import date

import pytest

from tests.oracle import world
from tests.oracle.calendar_oracle import instant
from tests.oracle.given import (
    BORN,
    change,
    company,
    deadline,
    duties,
    ka,
    only,
    rule,
    state,
    visit,
    visits,
)
from tests.oracle.world import Holding, Leave, Waiver

WEEK = "week:2026-11-16"


def handed(*starts: tuple[str, str]) -> list[Holding]:
    """Holdings of the customer that follow on each other, the last one without an end."""
    ends = [instant(start) for _, start in starts[1:]]
    return [
        Holding("customer:C", person, instant(start), end)
        for (person, start), end in zip(starts, [*ends, None], strict=True)
    ]


def away(person: str, start: str, end: str, stand_in: str | None = None, **more: str) -> Leave:
    return Leave(person, instant(start), instant(end), stand_in, **more)


def test_a_deadline_met_in_time_is_of_the_holder_then() -> None:
    told = company(ka(), change("2026-11-16 09:00", updated_at="2026-11-16 20:00"))
    told.holdings = handed(("li", "2026-01-05"), ("zhao", "2026-11-17 00:00"))
    assert only(told, "2026-11-18 00:00", "KA-3.2.2b").person == "li"


@pytest.mark.parametrize("updated", ["2026-11-18 12:00", "2026-12-18 12:00"])
def test_a_deadline_missed_is_of_the_holder_at_its_due_time(updated: str) -> None:
    told = company(ka(), change("2026-11-16 09:00", updated_at=updated))
    told.holdings = handed(
        ("li", "2026-01-05"), ("zhao", "2026-11-17 00:00"), ("li", "2026-11-18 00:00")
    )
    assert only(told, "2026-11-18 12:00", "KA-3.2.2b").person == "zhao"  # late stays with them


@pytest.mark.parametrize(
    ("handover", "person"),
    [("2026-11-17 08:59:59", "zhao"), ("2026-11-17 09:00", "li"), ("2026-11-17 09:00:01", "li")],
)
def test_at_a_handover_the_earlier_holder_still_answers(handover: str, person: str) -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.holdings = handed(("li", "2026-01-05"), ("zhao", handover))
    assert only(told, "2026-11-18 12:00", "KA-3.2.2b").person == person


def test_where_nobody_was_whoever_begins_answers() -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.holdings = [Holding("customer:C", "zhao", instant("2026-11-17 09:00"))]
    assert only(told, "2026-11-18 12:00", "KA-3.2.2b").person == "zhao"


def test_an_open_duty_shows_who_will_answer_by_the_spans_now_known() -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.holdings = handed(("li", "2026-01-05"), ("zhao", "2026-11-17 08:00"))
    duty = only(told, "2026-11-16 10:00", "KA-3.2.2b")
    assert (duty.state, duty.person) == ("open", "zhao")


@pytest.mark.parametrize(
    ("handover", "person"),
    [
        ("2026-11-19 12:00:00", "zhao"),  # exactly half of the week
        ("2026-11-19 12:00:01", None),  # less than half: nobody answers
        ("2026-11-23 00:00:00", "li"),  # at the end of the period the earlier still answers
        ("2026-11-16 00:00:00", "zhao"),
    ],
)
def test_a_cadence_is_of_the_holder_at_its_end_with_half_of_it(
    handover: str, person: str | None
) -> None:
    told = company(ka())
    told.holdings = handed(("li", "2026-01-05"), ("zhao", handover))
    duty = duties(told, "2026-11-23 00:00", "KA-3.3.3a")[WEEK]
    assert (duty.state, duty.person) == ("breached", person)


def test_the_half_is_counted_over_all_their_spans() -> None:
    told = company(ka())
    told.holdings = handed(
        ("li", "2026-11-16"), ("zhao", "2026-11-18"), ("li", "2026-11-21")
    )  # Monday and Tuesday, Saturday and Sunday: four of seven days
    assert duties(told, "2026-11-24 00:00", "KA-3.3.3a")[WEEK].person == "li"
    told.holdings = handed(
        ("li", "2026-11-17"), ("zhao", "2026-11-18"), ("li", "2026-11-21")
    )  # three of seven
    assert duties(told, "2026-11-24 00:00", "KA-3.3.3a")[WEEK].person is None


def test_only_the_elapsed_part_of_an_open_period_counts() -> None:
    told = company(ka())
    told.holdings = handed(("li", "2026-01-05"), ("zhao", "2026-11-18 00:00"))
    assert duties(told, "2026-11-19 00:00", "KA-3.3.3a")[WEEK].person is None  # 1 of 3 days
    assert duties(told, "2026-11-20 00:00", "KA-3.3.3a")[WEEK].person == "zhao"  # 2 of 4


def test_a_visit_is_written_up_by_the_visitor() -> None:
    told = company(ka(), visit("2026-11-16 09:00", person="zhao"))
    assert only(told, "2026-11-16 10:00", "KA-3.3.2b").person == "zhao"
    told.leaves = [away("zhao", "2026-11-16 12:00", "2026-11-30", "li")]
    assert only(told, "2026-11-18 10:00", "KA-3.3.2b").person == "zhao"  # no stand-in


def test_without_an_owner_the_leader_of_the_last_owners_team_answers() -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.holdings = [Holding("customer:C", "li", BORN, instant("2026-11-01 00:00"))]
    assert only(told, "2026-11-16 10:00", "KA-3.2.2b").person == "wang"
    assert duties(told, "2026-11-24 00:00", "KA-3.3.3a")[WEEK].person == "wang"


def test_a_subject_never_owned_is_attributed_to_nobody() -> None:
    told = company(ka(), change("2026-11-16 09:00"), holdings=[])
    duty = only(told, "2026-11-18 10:00", "KA-3.2.2b")
    assert (duty.state, duty.person) == ("breached", None)


def test_superiors_and_leaders_are_those_of_now() -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.holdings = [Holding("customer:C", "li", BORN, instant("2026-11-01 00:00"))]
    told.teams[0].leader = "zhao"
    assert only(told, "2026-11-16 10:00", "KA-3.2.2b").person == "zhao"


def managed(**facts: object) -> world.Record:
    """A request to approve 小李's plan."""
    asked = {"action": "plan.approve_plan", "asked_by": "li", **facts}
    return world.request("R", instant("2026-11-16 09:00"), **asked)


def test_a_position_is_the_nearest_superior_who_holds_exactly_it() -> None:
    told = company(managed())
    assert only(told, "2026-11-16 10:00", "KA-3.3.1c").person == "wang"
    told.people.append(world.Person("chen"))
    told.memberships.append(world.Membership("chen", "ka_team", "ka_manager", date(2020, 1, 1)))
    told.people[0].manager = "chen"
    assert only(told, "2026-11-16 10:00", "KA-3.3.1c").person == "wang"
    told.memberships[0].position = "sales_manager"
    assert only(told, "2026-11-16 10:00", "KA-3.3.1c").person == "chen"


def test_a_position_nobody_holds_is_nobodys() -> None:
    told = company(managed())
    told.memberships[0].position = "sales_manager"
    duty = only(told, "2026-11-19 00:00:01", "KA-3.3.1c")  # 17 and 18 November
    assert (duty.state, duty.person) == ("breached", None)


def test_oneself_is_not_ones_superior() -> None:
    told = company(managed(asked_by="wang"))
    assert only(told, "2026-11-16 10:00", "KA-3.3.1c").person is None


# --- leave


@pytest.mark.parametrize(
    ("leaves", "person"),
    [
        ([away("li", "2026-11-17 00:00", "2026-11-18 00:00", "zhao")], "zhao"),
        ([away("li", "2026-11-17 09:00", "2026-11-18 00:00", "zhao")], "li"),  # begins at it
        ([away("li", "2026-11-16 00:00", "2026-11-17 09:00", "zhao")], "zhao"),  # ends at it
        ([away("li", "2026-11-16 00:00", "2026-11-17 08:59:59", "zhao")], "li"),
        ([away("li", "2026-11-17 00:00", "2026-11-18 00:00")], "li"),  # without a stand-in
        ([away("li", "2026-11-17", "2026-11-18", "zhao", stage="WAITING")], "li"),
        ([away("li", "2026-11-17", "2026-11-18", "zhao", stage="CANCELLED")], "li"),
        (
            [
                away("li", "2026-11-17", "2026-11-18", "zhao"),
                away("zhao", "2026-11-17", "2026-11-18", "wang"),
            ],
            "wang",  # theirs in turn
        ),
        (
            [
                away("li", "2026-11-17", "2026-11-18", "zhao"),
                away("zhao", "2026-11-17", "2026-11-18", "li"),
            ],
            "li",  # a circle
        ),
        (
            [
                away("li", "2026-11-17", "2026-11-18", "zhao"),
                away("zhao", "2026-11-17", "2026-11-18"),
            ],
            "li",  # the chain ends with someone absent
        ),
        (
            [
                away("li", "2026-11-17", "2026-11-18", "zhao"),
                away("zhao", "2026-11-17", "2026-11-18", "wang"),
                away("wang", "2026-11-17", "2026-11-18", "zhao"),
            ],
            "li",  # a circle further on
        ),
    ],
)
def test_stand_ins_at_the_due_time(leaves: list[Leave], person: str) -> None:
    told = company(ka(), change("2026-11-16 09:00"), leaves=leaves)
    assert only(told, "2026-11-20 00:00", "KA-3.2.2b").person == person


def test_the_stand_in_of_a_cadence_is_asked_at_its_end() -> None:
    told = company(ka(), leaves=[away("li", "2026-11-20", "2026-11-23 00:00", "zhao")])
    assert duties(told, "2026-11-24 00:00", "KA-3.3.3a")[WEEK].person == "zhao"
    told.leaves = [away("li", "2026-11-16", "2026-11-22 23:59:59", "zhao")]
    assert duties(told, "2026-11-24 00:00", "KA-3.3.3a")[WEEK].person == "li"


def test_a_rule_may_ignore_leave() -> None:
    told = company(ka(), change("2026-11-16 09:00"), rules=[deadline("24h", on_leave="none")])
    told.leaves = [away("li", "2026-11-17", "2026-11-18", "zhao")]
    assert only(told, "2026-11-20 00:00", "KA-9.9").person == "li"


def test_a_rule_may_move_its_due_time_by_the_working_days_of_leave() -> None:
    told = company(ka(), change("2026-11-16 09:00"), rules=[deadline("5wd", on_leave="extend")])
    told.leaves = [away("li", "2026-11-18 09:00", "2026-11-19 18:00", "zhao")]
    duty = only(told, "2026-11-20 00:00", "KA-9.9")  # Monday 23, moved to Wednesday 25
    assert (duty.due_at, duty.person) == (instant("2026-11-26 00:00"), "li")


def test_a_person_field_names_who_answers() -> None:
    told = company(ka(), change("2026-11-16 09:00", reported_by="zhao"))
    told.rules = [deadline("24h", who="reported_by")]
    assert only(told, "2026-11-20 00:00", "KA-9.9").person == "zhao"


def test_a_held_role_falls_back_to_the_owner() -> None:
    told = company(ka(), rules=[visits("week", who="csm")])
    assert duties(told, "2026-11-24 00:00", "KA-9.9")[WEEK].person == "li"
    told.holdings.append(Holding("customer:C", "zhao", BORN, role="CSM"))
    assert duties(told, "2026-11-24 00:00", "KA-9.9")[WEEK].person == "zhao"


def test_a_department_is_its_leader() -> None:
    told = company(ka(), change("2026-11-16 09:00"), rules=[deadline("24h", who="ka_team")])
    assert only(told, "2026-11-20 00:00", "KA-9.9").person == "wang"


# --- waivers


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-16 10:00", "2026-11-17 09:00", "waived"),  # ends at the due time
        ("2026-11-16 10:00", "2026-11-17 08:59:59", "breached"),
        ("2026-11-17 08:59:59", "2026-11-30 00:00", "waived"),
        ("2026-11-17 09:00", "2026-11-30 00:00", "breached"),  # begins at the due time
    ],
)
def test_a_waiver_covers_what_falls_due_in_it(start: str, end: str, expected: str) -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.waivers = [Waiver("KA-3.2.2b", instant(start), instant(end), subject="change:X")]
    assert state(told, "2026-12-01 00:00", "KA-3.2.2b") == expected
    assert state(told, "2026-12-01 00:00", "TAG-4.1.1c") == "breached"  # exactly its clause


def test_a_waiver_shows_at_once_and_not_before_it_begins() -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.waivers = [
        Waiver("KA-3.2.2b", instant("2026-11-16 12:00"), instant("2026-11-18 00:00"), "change:X")
    ]
    assert state(told, "2026-11-16 11:59:59", "KA-3.2.2b") == "open"
    assert state(told, "2026-11-16 12:00", "KA-3.2.2b") == "waived"


@pytest.mark.parametrize(
    ("subject", "person", "expected"),
    [
        ("change:X", None, "waived"),
        (None, "li", "waived"),
        ("change:X", "li", "waived"),
        ("change:X", "zhao", "breached"),
        (None, "zhao", "breached"),
        ("customer:C", None, "breached"),  # the subject of the duty is the change
    ],
)
def test_a_waiver_fits_the_subject_and_person_it_names(
    subject: str | None, person: str | None, expected: str
) -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    span = (instant("2026-11-16 00:00"), instant("2026-11-30 00:00"))
    told.waivers = [Waiver("KA-3.2.2b", *span, subject, person)]
    assert state(told, "2026-12-01 00:00", "KA-3.2.2b") == expected


def test_the_person_of_a_waiver_is_the_one_printed() -> None:
    told = company(ka(), change("2026-11-16 09:00"))
    told.leaves = [away("li", "2026-11-17", "2026-11-18", "zhao")]
    span = (instant("2026-11-16 00:00"), instant("2026-11-30 00:00"))
    told.waivers = [Waiver("KA-3.2.2b", *span, person="zhao")]
    assert state(told, "2026-12-01 00:00", "KA-3.2.2b") == "waived"


@pytest.mark.parametrize(
    ("updated", "expected"), [("2026-11-17 09:00", "met"), ("2026-11-17 09:00:01", "waived")]
)
def test_met_stands_above_waived_and_waived_above_late(updated: str, expected: str) -> None:
    told = company(ka(), change("2026-11-16 09:00", updated_at=updated))
    span = (instant("2026-11-16 00:00"), instant("2026-11-30 00:00"))
    told.waivers = [Waiver("KA-3.2.2b", *span, subject="change:X")]
    assert state(told, "2026-12-01 00:00", "KA-3.2.2b") == expected


def test_a_waiver_covers_all_rules_of_its_clause() -> None:
    told = company(ka(is_urgent=True))
    span = (instant("2026-11-01 00:00"), instant("2026-11-30 00:00"))
    told.waivers = [Waiver("KA-3.3.3d", *span, subject="customer:C")]
    told.records.append(visit("2026-11-16 09:00", is_incoming=True, kind="CALL"))
    found = duties(told, "2026-11-17 12:00", "KA-3.3.3d")
    assert found["day:2026-11-17"].state == "waived"
    assert found["2026-11-16T09:00:00+08:00"].state == "waived"


def test_a_rule_for_the_person_of_an_activity_is_not_a_field() -> None:
    handled = rule(
        kind="deadline",
        record="activity",
        on="ended_at",
        until="written_at",
        within="24h",
        who="self",
    )
    told = company(ka(), visit("2026-11-16 09:00", person="zhao"), rules=[handled])
    assert only(told, "2026-11-20 00:00", "KA-9.9").person == "zhao"
