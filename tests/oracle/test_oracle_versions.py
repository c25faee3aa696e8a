"""Duties in flight when a version takes effect, and gates on credit: computed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.oracle import gates, world
from tests.oracle.calendar_oracle import Calendar, instant
from tests.oracle.choices import Setting
from tests.oracle.given import change, company, deadline, ka, only, published, rule, state
from tests.oracle.oracle import Duty
from tests.oracle.world import Leave, Rule, World

# A Monday; the change occurs at nine on it.
BEGUN = "2026-11-16 09:00"
EFFECT = "2026-11-17 12:00"


def versions(*spans: tuple[str, str, str], **more: str) -> list[Rule]:
    """A rule and its versions: (span, way, instant of effect)."""
    found: list[Rule] = []
    for number, (within, way, at) in enumerate(spans, start=1):
        one = deadline(within, **more)
        one.version, one.in_flight = str(number), way
        if found:
            one.starts_at = instant(at)
            found[-1] = replace(found[-1], ends_at=instant(at))
        found.append(one)
    return found


def told(*spans: tuple[str, str, str], updated: str | None = None, **more: str) -> World:
    """A company in which one change occurred while the first version was in force."""
    facts = {"updated_at": updated} if updated else {}
    return company(ka(), change(BEGUN, **facts), rules=versions(*spans, **more))


def due(made: World, as_of: str = "2026-11-18 00:00") -> Duty:
    """The one duty."""
    return only(made, as_of, "KA-9.9")


@pytest.mark.parametrize(
    ("old", "new", "way", "expected"),
    [
        ("48h", "1h", "OLD", "2026-11-18 09:00"),
        ("48h", "1h", "NEW", "2026-11-17 13:00"),  # an hour from the effect
        ("48h", "1h", "MILD", "2026-11-18 09:00"),  # the old one is the later
        ("48h", "3d", "MILD", "2026-11-20 00:00"),  # three days from when it began
        ("48h", "3d", "NEW", "2026-11-21 00:00"),  # three days from the effect
        ("48h", "3wd", "NEW", "2026-11-21 00:00"),
    ],
)
def test_a_duty_in_flight_is_due_as_was_chosen(old: str, new: str, way: str, expected: str) -> None:
    duty = due(told((old, "OLD", ""), (new, way, EFFECT)))
    assert (duty.due_at, duty.version) == (instant(expected), "1")


def test_before_the_effect_nothing_is_moved() -> None:
    made = told(("48h", "OLD", ""), ("3d", "NEW", EFFECT))
    assert due(made, "2026-11-17 11:59:59").due_at == instant("2026-11-18 09:00")
    assert due(made, EFFECT).due_at == instant("2026-11-21 00:00")


@pytest.mark.parametrize(
    ("updated", "within", "is_carried"),
    [
        ("2026-11-17 11:59:59", "48h", False),  # met before it
        ("2026-11-17 12:00:00", "48h", True),  # met at the very instant: not before it
        (None, "27h", False),  # due at the very instant: not after it
        (None, "1620min", False),
        (None, "1621min", True),
        (None, "24h", False),  # overdue already
    ],
)
def test_in_flight_is_what_is_not_met_before_and_due_after_the_effect(
    updated: str | None, within: str, is_carried: bool
) -> None:
    made = told((within, "OLD", ""), ("3d", "NEW", EFFECT), updated=updated)
    assert (due(made).due_at == instant("2026-11-21 00:00")) == is_carried


def test_a_duty_is_carried_by_every_version_that_finds_it_open() -> None:
    spans = ("7d", "OLD", ""), ("3d", "NEW", EFFECT), ("24h", "NEW", "2026-11-19 08:00")
    assert due(told(*spans)).due_at == instant("2026-11-21 00:00")
    assert due(told(*spans), "2026-11-19 08:00").due_at == instant("2026-11-20 08:00")


def test_a_version_after_the_carried_due_time_finds_it_overdue() -> None:
    spans = ("7d", "OLD", ""), ("1h", "NEW", EFFECT), ("7d", "NEW", "2026-11-18 08:00")
    made = told(*spans)
    assert due(made, "2026-11-18 09:00").due_at == instant("2026-11-17 13:00")
    assert state(made, "2026-11-18 09:00", "KA-9.9") == "breached"


def test_what_rests_on_an_unpublished_year_is_provisional_for_the_milder() -> None:
    made = company(ka(), change("2026-12-30 10:00"))
    made.rules = versions(("48h", "OLD", ""), ("3wd", "MILD", "2026-12-31 00:00"))
    duty = due(made, "2027-03-01 00:00")
    assert duty.due_at == instant("2027-01-05 00:00")  # 31 December, 1 and 4 January
    assert (duty.is_provisional, duty.state) == (True, "open")


def test_leave_moves_what_a_version_took_over() -> None:
    made = told(("48h", "OLD", ""), ("2wd", "NEW", EFFECT), on_leave="extend")
    away = instant("2026-11-18 00:00"), instant("2026-11-19 00:00")
    made.leaves = [Leave("li", *away, stand_in="zhao")]
    # 18 and 19 November from the effect, and a day for the one on leave.
    assert due(made).due_at == instant("2026-11-21 00:00")


# --- gates


def passed(due_at: str, paid: str | None = None) -> tuple[World, Setting]:
    """A customer of grade B that passed the gate of KA-1.1, which asks for A, on credit."""
    demand = {"kind": "gate", "record": "customer", "on": "step", "holds": {"grade": "A"}}
    owed = {
        "kind": "deadline", "record": "debt", "on": "granted_at", "until": "paid_at",
        "by": "due_at", "where": {"clause": "KA-1.1"}, "who": "person",
    }  # fmt: skip
    rules = [
        rule("KA-1.1", **demand, where={}),
        rule("KA-1.2", **(demand | {"holds": {"is_ka": True}}), where={}),
        Rule("KA-1.1", owed, line=91),
    ]
    debt = world.debt(
        "D", instant(BEGUN), instant(BEGUN), clause="KA-1.1", subject="customer:C", person="li",
        due_at=instant(due_at), paid_at=instant(paid) if paid else None,
    )  # fmt: skip
    made = company(ka(), debt, rules=rules, calendar=published())
    return made, Setting(date(2026, 11, 1), 30, rules, Calendar(), [])


@pytest.mark.parametrize(
    ("due_at", "paid", "refused", "duty"),
    [
        ("2026-11-20 09:00", None, set(), "open"),
        ("2026-11-18 09:00:01", None, set(), "open"),
        ("2026-11-18 09:00", None, {"KA-1.1"}, "open"),  # at that instant it no longer opens
        ("2026-11-17 09:00", None, {"KA-1.1"}, "breached"),
        ("2026-11-17 09:00", "2026-11-18 08:00", {"KA-1.1"}, "late"),  # paid; the gate asks anew
        ("2026-11-20 09:00", "2026-11-18 08:00", {"KA-1.1"}, "met"),
    ],
)
def test_a_gate_on_credit(due_at: str, paid: str | None, refused: set[str], duty: str) -> None:
    made, setting = passed(due_at, paid)
    now = "2026-11-18 09:00"
    assert gates.refusals(made, setting, made.records[0], instant(now)) == refused
    assert state(made, now, "KA-1.1") == duty


def test_an_overdue_debt_closes_a_gate_that_is_met() -> None:
    made, setting = passed("2026-11-17 09:00")
    made.records[0].facts["grade"] = "A"
    assert gates.refusals(made, setting, made.records[0], instant(EFFECT)) == {"KA-1.1"}
