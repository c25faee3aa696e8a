"""Scope, versions, streams, required duties, removals: computed by hand from ENGINE.md."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.oracle import clauses, facts, world
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
from tests.oracle.world import Adoption, Holding, Membership, Rule, Span

WEEK = "week:2026-11-16"


def tiers(*starts: tuple[str | None, str]) -> list[Span]:
    """Tiers that follow on each other, the last one without an end."""
    ends: list[datetime | None] = [instant(start) for _, start in starts[1:]]
    return [
        Span(tier, instant(start), end)
        for (tier, start), end in zip(starts, [*ends, None], strict=True)
    ]


def tiered(*starts: tuple[str | None, str]) -> world.Record:
    return ka(tracked={"ka_tier": tiers(*starts)})


# --- cadence: entering and leaving


@pytest.mark.parametrize(
    ("entered", "first"),
    [
        ("2026-11-16 00:00", "week:2026-11-16"),  # in scope from the first instant: whole
        ("2026-11-16 00:00:01", "week:2026-11-23"),
        ("2026-11-15 23:59:59", "week:2026-11-16"),
    ],
)
def test_the_first_period_is_the_first_whole_one(entered: str, first: str) -> None:
    found = duties(company(tiered(("TIER1", entered))), "2026-12-20 00:00", "KA-3.3.3a")
    assert min(found) == first


def test_a_customer_is_in_scope_since_it_was_learned_of_not_since_it_was_entered() -> None:
    known = world.customer(
        "C", instant("2026-11-09 00:00"), instant("2026-11-18 10:00"), is_ka=True, ka_tier="TIER1"
    )
    told = company(known)
    assert duties(told, "2026-11-18 09:59:59", "KA-3.3.3a") == {}
    found = duties(told, "2026-11-18 10:00", "KA-3.3.3a")
    assert {key: (d.state, d.told_late) for key, d in found.items()} == {
        "week:2026-11-09": ("breached", True),
        "week:2026-11-16": ("open", False),
    }


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ("2026-11-22 23:59:59", "void"),
        ("2026-11-23 00:00:00", "breached"),  # at the due time: changes nothing
        ("2026-11-30 00:00:00", "breached"),
        ("2026-11-16 00:00:01", "void"),
    ],
)
def test_leaving_before_the_due_time_voids(left: str, expected: str) -> None:
    told = company(tiered(("TIER1", "2026-01-05"), ("TIER2", left)))
    assert duties(told, "2026-12-20 00:00", "KA-3.3.3a")[WEEK].state == expected


def test_who_is_out_at_the_first_instant_has_no_duty() -> None:
    told = company(tiered(("TIER1", "2026-01-05"), ("TIER2", "2026-11-16 00:00")))
    assert WEEK not in duties(told, "2026-12-20 00:00", "KA-3.3.3a")


def test_leaving_voids_only_once_it_has_come() -> None:
    told = company(tiered(("TIER1", "2026-01-05"), ("TIER2", "2026-11-18 10:00")))
    assert duties(told, "2026-11-18 09:59:59", "KA-3.3.3a")[WEEK].state == "open"
    assert duties(told, "2026-11-18 10:00:00", "KA-3.3.3a")[WEEK].state == "void"


def test_out_and_in_again_voids_that_period() -> None:
    told = company(
        tiered(("TIER1", "2026-01-05"), (None, "2026-11-18 10:00"), ("TIER1", "2026-11-18 11:00"))
    )
    found = duties(told, "2026-12-01 00:00", "KA-3.3.3a")
    assert found[WEEK].state == "void"
    assert found["week:2026-11-23"].state == "breached"


@pytest.mark.parametrize(
    ("ended", "expected"),
    [("2026-11-18 09:59:59", "met"), ("2026-11-18 10:00:00", "void"), ("2026-11-20", "void")],
)
def test_what_was_met_while_in_scope_stays_met(ended: str, expected: str) -> None:
    told = company(
        tiered(("TIER1", "2026-01-05"), (None, "2026-11-18 10:00"), ("TIER1", "2026-11-18 11:00")),
        visit(ended),
    )
    duty = duties(told, "2026-12-01 00:00", "KA-3.3.3a")[WEEK]
    assert duty.state == expected
    assert (duty.met_at is None) == (expected == "void")


def test_a_change_of_tier_changes_the_period() -> None:
    told = company(tiered(("TIER2", "2026-01-05"), ("TIER1", "2026-11-16")))
    assert "biweek:2026-11-02" in duties(told, "2026-11-20 00:00", "KA-3.3.3b")
    assert "biweek:2026-11-16" not in duties(told, "2026-11-20 00:00", "KA-3.3.3b")
    assert set(duties(told, "2026-11-20 00:00", "KA-3.3.3a")) == {WEEK}


def test_without_past_values_the_present_one_holds_since_it_was_learned_of() -> None:
    told = company(ka(learned_at=instant("2026-11-03 00:00")))
    assert min(duties(told, "2026-11-20 00:00", "KA-3.3.3a")) == "week:2026-11-09"


@pytest.mark.parametrize(
    ("first_period", "visits_made", "expected"),
    [
        ("immediately", 3, "met"),
        ("immediately", 2, "open"),
        ("prorated", 2, "met"),  # half of the week is left: two of four visits
        ("prorated", 1, "open"),
    ],
)
def test_the_other_first_periods(first_period: str, visits_made: int, expected: str) -> None:
    needed = 3 if first_period == "immediately" else 4
    entered = tiered(("TIER1", "2026-11-19 12:00"))
    rules = [visits("week", at_least=needed, first_period=first_period, where={"ka_tier": "TIER1"})]
    made = [visit(f"2026-11-20 1{n}:00", key=f"V{n}") for n in range(visits_made)]
    told = company(entered, *made, rules=rules)
    assert duties(told, "2026-11-21 00:00", "KA-9.9")[WEEK].state == expected


def test_a_person_is_bound_while_they_hold_the_position() -> None:
    told = company(rules=clauses.rules_of("KA-3.3.1a"))
    told.people = told.people[1:2]
    told.memberships = [
        Membership("li", "ka_team", "ka_rep", date(2026, 8, 15), date(2026, 10, 31))
    ]
    found = duties(told, "2026-12-20 00:00", "KA-3.3.1a")
    assert sorted(found) == ["month:2026-09-01", "month:2026-10-01", "month:2026-11-01"]
    # Friday 30 October was the last working day before November, and he left on Saturday.
    assert found["month:2026-11-01"].state == "breached"


# --- deadline: scope at the trigger


@pytest.mark.parametrize(
    ("since", "bound"),
    [("2026-11-16 09:00:00", True), ("2026-11-16 09:00:01", False), ("2026-11-01", True)],
)
def test_a_deadline_asks_for_scope_at_its_trigger(since: str, bound: bool) -> None:
    became = ka(tracked={"is_ka": [Span(True, instant(since))]})
    told = company(became, visit("2026-11-16 09:00"))
    assert bool(duties(told, "2026-11-20 00:00", "KA-3.3.2b")) is bound


@pytest.mark.parametrize(
    ("left", "written", "expected"),
    [
        ("2026-11-17 08:59:59", None, "void"),
        ("2026-11-17 09:00:00", None, "breached"),  # at the due time: changes nothing
        ("2026-11-16 12:00:00", "2026-11-16 11:00", "met"),
        ("2026-11-16 12:00:00", "2026-11-16 13:00", "void"),
        ("2026-11-17 10:00:00", "2026-11-18 13:00", "late"),
    ],
)
def test_leaving_scope_of_a_deadline(left: str, written: str | None, expected: str) -> None:
    was = ka(tracked={"is_ka": [Span(True, BORN, instant(left)), Span(False, instant(left))]})
    extra = {"written_at": written} if written else {}
    told = company(was, visit("2026-11-16 09:00", **extra))
    assert state(told, "2026-12-01 00:00", "KA-3.3.2b") == expected


def test_removing_a_record_is_leaving_scope() -> None:
    gone = visit("2026-11-16 09:00", removed_at=instant("2026-11-16 20:00"))
    told = company(ka(), gone)
    assert state(told, "2026-11-16 19:00", "KA-3.3.2b") == "open"
    assert state(told, "2026-11-16 20:00", "KA-3.3.2b") == "void"
    gone.removed_at = instant("2026-11-18 00:00")
    assert state(told, "2026-12-01 00:00", "KA-3.3.2b") == "breached"


def test_a_removed_visit_no_longer_counts() -> None:
    gone = visit("2026-11-17 09:00", removed_at=instant("2026-11-25 00:00"))
    told = company(ka(), gone)
    assert duties(told, "2026-11-24 00:00", "KA-3.3.3a")[WEEK].state == "met"
    assert duties(told, "2026-11-25 00:00", "KA-3.3.3a")[WEEK].state == "breached"


def test_a_removed_customer_has_left_scope() -> None:
    told = company(ka(removed_at=instant("2026-11-18 00:00")))
    found = duties(told, "2026-12-01 00:00", "KA-3.3.3a")
    assert found["week:2026-11-09"].state == "breached"
    assert found[WEEK].state == "void"
    assert "week:2026-11-23" not in found


# --- policies and versions


def test_ending_the_adoption_of_a_policy_is_leaving_scope() -> None:
    ended = [Adoption("KA", ends_at=instant("2026-11-18 00:00")), Adoption("RES")]
    told = company(ka(), change("2026-11-17 12:00"), adoptions=ended)
    found = duties(told, "2026-12-01 00:00", "KA-3.3.3a")
    assert found["week:2026-11-09"].state == "breached"
    assert found[WEEK].state == "void"
    assert "week:2026-11-23" not in found
    assert state(told, "2026-12-01 00:00", "KA-3.2.2b") == "void"
    assert duties(told, "2026-12-01 00:00", "TAG-4.1.1c") == {}  # never adopted


def test_a_policy_adopted_within_a_period_begins_with_the_next() -> None:
    told = company(ka(), adoptions=[Adoption("KA", instant("2026-11-10 00:00"))])
    assert min(duties(told, "2026-12-01 00:00", "KA-3.3.3a")) == WEEK


def two_versions(old: Rule, new: Rule, since: str) -> list[Rule]:
    old.ends_at = new.starts_at = instant(since)
    new.version = "2"
    return [old, new]


@pytest.mark.parametrize(
    ("occurred", "version", "due"),
    [
        ("2026-11-16 11:59:59", "1", "2026-11-17 11:59:59"),
        ("2026-11-16 12:00:00", "2", "2026-11-18 12:00:00"),  # in force on [from, to)
    ],
)
def test_a_deadline_is_judged_by_the_version_at_its_trigger(
    occurred: str, version: str, due: str
) -> None:
    rules = two_versions(deadline("24h"), deadline("48h"), "2026-11-16 12:00")
    duty = only(company(ka(), change(occurred), rules=rules), "2026-11-30 00:00", "KA-9.9")
    assert (duty.version, duty.due_at) == (version, instant(due))


def test_a_version_that_begins_within_a_period_applies_from_the_next_whole_one() -> None:
    rules = two_versions(visits("week"), visits("week", at_least=2), "2026-11-18 00:00")
    told = company(ka(), visit("2026-11-17 09:00"), visit("2026-11-24 09:00", key="V2"))
    told.rules = rules
    found = duties(told, "2026-12-01 00:00", "KA-9.9")
    assert (found[WEEK].version, found[WEEK].state) == ("1", "met")
    after = found["week:2026-11-23"]
    assert (after.version, after.state) == ("2", "breached")


def test_a_new_period_length_waits_for_its_first_whole_period() -> None:
    rules = two_versions(visits("month"), visits("week"), "2026-11-18 00:00")
    found = duties(company(ka(), rules=rules), "2026-12-02 00:00", "KA-9.9")
    autumn = sorted(key for key in found if "2026-11" in key or "2026-12" in key)
    assert autumn == ["month:2026-11-01", "week:2026-11-23", "week:2026-11-30"]


def test_shipped_policies_are_in_force_from_2010() -> None:
    known = world.customer("C", instant("2009-06-01 00:00"), grade="B", is_ka=True)
    told = company(known, rules=[visits("year")])
    assert min(duties(told, "2012-06-01 00:00", "KA-9.9")) == "year:2010-01-01"


# --- streams


def call(ended: str, key: str, is_incoming: bool) -> world.Record:
    return visit(ended, key=key, kind="CALL", is_incoming=is_incoming)


def test_each_event_of_a_stream_opens_a_duty_met_by_the_next_answer() -> None:
    told = company(
        ka(is_urgent=True),
        call("2026-11-16 09:00", "V1", is_incoming=True),
        call("2026-11-16 10:00", "V2", is_incoming=True),
        call("2026-11-16 13:30", "V3", is_incoming=False),
        rules=clauses.rules_of("KA-3.3.3d")[1:],
    )
    found = duties(told, "2026-11-17 00:00", "KA-3.3.3d")
    assert {key: duty.state for key, duty in found.items()} == {
        "2026-11-16T09:00:00+08:00": "late",  # due 13:00
        "2026-11-16T10:00:00+08:00": "met",  # due 14:00
    }
    assert found["2026-11-16T09:00:00+08:00"].record == "customer"


def test_the_answer_to_a_stream_lies_strictly_later() -> None:
    told = company(
        ka(is_urgent=True),
        call("2026-11-16 08:00", "V0", is_incoming=False),
        call("2026-11-16 09:00", "V1", is_incoming=True),
        call("2026-11-16 09:00", "V2", is_incoming=False),
        rules=clauses.rules_of("KA-3.3.3d")[1:],
    )
    assert state(told, "2026-11-16 13:00:01", "KA-3.3.3d") == "breached"


def test_a_field_may_be_answered_by_a_stream() -> None:
    reviewed = rule(
        kind="deadline", record="customer", on="learned_at", until="customer.visited", within="24h"
    )
    known = ka(learned_at=instant("2026-11-16 09:00"))
    told = company(known, visit("2026-11-16 09:00"), visit("2026-11-16 15:00", key="V2"))
    told.rules = [reviewed]
    duty = only(told, "2026-11-20 00:00", "KA-9.9")
    assert (duty.occurrence, duty.met_at) == ("learned_at", instant("2026-11-16 15:00"))


# --- required duties


def graded(*spans: Span) -> world.Record:
    return world.customer("C", BORN, is_ka=False, grade="A", tracked={"grade": list(spans)})


def group(*roles: tuple[str, str]) -> list[Holding]:
    owner = Holding("customer:C", "li", BORN)
    helpers = [Holding("customer:C", "zhao", instant(start), role=role) for role, start in roles]
    return [owner, *helpers]


def with_manager(told: world.World) -> world.World:
    told.memberships[0].position = "sales_manager"
    return told


@pytest.mark.parametrize(
    ("aftersales", "expected", "met_at"),
    [
        ("2026-11-10 00:00", "met", "2026-11-16 09:00"),  # holds when it begins: met at once
        ("2026-11-23 20:00", "met", "2026-11-23 20:00"),
        ("2026-11-24 00:00", "met", "2026-11-24 00:00"),  # due: 24:00 of Monday 23 November
        ("2026-11-24 00:00:01", "late", "2026-11-24 00:00:01"),
        ("2026-12-24 00:00", "breached", None),
    ],
)
def test_a_key_account_gets_its_service_group(
    aftersales: str, expected: str, met_at: str | None
) -> None:
    told = with_manager(company(graded(Span("A", instant("2026-11-16 09:00")))))
    told.holdings = group(("TECHNICAL", "2026-01-05"), ("AFTERSALES", aftersales))
    duty = only(told, "2026-12-01 00:00", "RES-3.4.1")
    assert (duty.state, duty.met_at) == (expected, met_at and instant(met_at))
    assert (duty.occurrence, duty.person) == ("2026-11-16T09:00:00+08:00", "wang")
    assert duty.due_at == instant("2026-11-24 00:00")


def test_a_required_duty_opens_anew_with_each_span_of_its_scope() -> None:
    told = company(
        graded(
            Span("A", instant("2026-11-02 09:00"), instant("2026-11-04 09:00")),
            Span("B", instant("2026-11-04 09:00"), instant("2026-11-16 09:00")),
            Span("A", instant("2026-11-16 09:00")),
        )
    )
    found = duties(told, "2026-11-20 00:00", "RES-3.4.1")
    assert {key: duty.state for key, duty in found.items()} == {
        "2026-11-02T09:00:00+08:00": "void",
        "2026-11-16T09:00:00+08:00": "open",
    }


def test_a_required_duty_once_met_stays_met() -> None:
    told = company(graded(Span("A", instant("2026-11-16 09:00"))))
    told.holdings = group(("TECHNICAL", "2026-11-17"), ("AFTERSALES", "2026-11-17"))
    told.holdings[2].ends_at = instant("2026-11-18 00:00")
    assert state(told, "2026-12-01 00:00", "RES-3.4.1") == "met"


def test_a_new_version_opens_it_for_existing_incomplete_records() -> None:
    (old,), (new,) = clauses.rules_of("RES-3.4.1"), clauses.rules_of("RES-3.4.1")
    told = company(graded(Span("A", instant("2026-03-02 09:00"))))
    told.rules = two_versions(old, new, "2026-11-16 00:00")
    found = duties(told, "2026-11-20 00:00", "RES-3.4.1")
    assert {key: (d.version, d.state) for key, d in found.items()} == {
        "2026-03-02T09:00:00+08:00": ("1", "breached"),
        "2026-11-16T00:00:00+08:00": ("2", "open"),
    }
    told.holdings = group(("TECHNICAL", "2026-11-15"), ("AFTERSALES", "2026-11-15"))
    complete = duties(told, "2026-11-20 00:00", "RES-3.4.1")
    assert {key: d.state for key, d in complete.items()} == {"2026-03-02T09:00:00+08:00": "late"}


# --- the ten words


@pytest.mark.parametrize(
    ("value", "word", "operand", "expected"),
    [
        ("A", "is", "A", True),
        (None, "is", "A", False),
        (None, "not", "LOST", True),
        ("LOST", "not", "LOST", False),
        (None, "not_is", "A", True),
        ("B", "in", ["A", "B"], True),
        ("B", "not_in", ["A", "B"], False),
        (3, "at_least", 3, True),
        (3, "at_most", 2, False),
        (3, "above", 3, False),
        (2, "below", 3, True),
        (None, "at_least", 0, False),
        ("", "empty", True, True),
        (0, "empty", True, False),
        ((), "not_empty", True, False),
        ({"a", "b"}, "has", ["a"], True),
        ({"a"}, "has", ["a", "b"], False),
        (None, "has", ["a"], False),
        ("13800138000", "valid", "phone", True),
        ("nobody@", "valid", "email", False),
    ],
)
def test_words(value: object, word: str, operand: object, expected: bool) -> None:
    assert facts.says(value, word, operand) is expected


def test_any_names_alternatives() -> None:
    view = facts.View(company(), instant("2026-11-16 00:00"))
    either = {"any": [{"kind": "NAME"}, {"kind": "NEED"}], "subject_kind": "customer"}
    assert facts.holds(view, change("2026-11-10", kind="NEED"), either, view.now)
    assert not facts.holds(view, change("2026-11-10", kind="PEOPLE"), either, view.now)
