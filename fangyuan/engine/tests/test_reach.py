"""Whatever changes between two sweeps, the increment ends in the rows of a sweep from nothing."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import Error, connection, transaction

from fangyuan.core import events
from fangyuan.engine import ledger, sweep
from fangyuan.engine.ledger import Written
from tests.oracle import agreement
from tests.oracle.calendar_oracle import Calendar, read_public

HOLIDAYS = Path(__file__).parents[2] / "core/data/holidays.csv"
# What people do to records of the past and present; `{n}` is some row's number, `{m}` another's.
DEEDS = {
    "end a holding": (
        "org_holding",
        "UPDATE org_holding SET ends_at = starts_at + interval '20 days' WHERE id = {n}",
    ),
    "hand a holding to another": (
        "org_holding",
        "UPDATE org_holding SET person_id = (SELECT person_id FROM org_holding WHERE id = {m})"
        " WHERE id = {n}",
    ),
    "remove a holding": ("org_holding", "UPDATE org_holding SET removed_at = now() WHERE id = {n}"),
    "add a service role": (
        "org_holding",
        "INSERT INTO org_holding (subject_type, subject_id, person_id, role, can_write, starts_at,"
        " reason) SELECT subject_type, subject_id, person_id, 'TECHNICAL', true,"
        " starts_at + interval '3 days', '' FROM org_holding WHERE id = {n}",
    ),
    "approve a leave": (
        "org_leave",
        "UPDATE org_leave SET stage = CASE stage WHEN 'APPROVED' THEN 'CANCELLED' ELSE 'APPROVED'"
        " END WHERE id = {n}",
    ),
    "change a stand-in": (
        "org_leave",
        "UPDATE org_leave SET stand_in_id = (SELECT person_id FROM org_leave WHERE id = {m})"
        " WHERE id = {n} AND person_id <> (SELECT person_id FROM org_leave WHERE id = {m})",
    ),
    "correct a past value": (
        "core_tracked",
        "UPDATE core_tracked SET value = (SELECT value FROM core_tracked k WHERE k.id = {m}"
        " AND k.fact = core_tracked.fact) WHERE id = {n} AND fact <> 'policies'",
    ),
    "move the start of a past value": (
        "core_tracked",
        "UPDATE core_tracked SET starts_at = starts_at + interval '1 day' WHERE id = {n}"
        " AND fact <> 'policies'",
    ),
    "regrade": ("customers_customer", "UPDATE customers_customer SET grade = 'A' WHERE id = {n}"),
    "make a key account": (
        "customers_customer",
        "UPDATE customers_customer SET is_ka = true, ka_tier = 'TIER1' WHERE id = {n}",
    ),
    "learn of it earlier": (
        "customers_customer",
        "UPDATE customers_customer SET learned_at = learned_at - interval '40 days' WHERE id = {n}",
    ),
    "lose a customer": (
        "customers_customer",
        "UPDATE customers_customer SET lost_at = learned_at + interval '30 days' WHERE id = {n}",
    ),
    "remove or restore a customer": (
        "customers_customer",
        "UPDATE customers_customer SET removed_at = CASE WHEN removed_at IS NULL"
        " THEN learned_at + interval '25 days' END WHERE id = {n}",
    ),
    "move a visit to another customer": (
        "activities_activity",
        "UPDATE activities_activity SET customer_id = (SELECT customer_id FROM activities_activity"
        " WHERE id = {m}) WHERE id = {n}",
    ),
    "correct when a visit ended": (
        "activities_activity",
        "UPDATE activities_activity SET ended_at = ended_at - interval '9 days' WHERE id = {n}",
    ),
    "write up a visit": (
        "activities_activity",
        "UPDATE activities_activity SET written_at = ended_at + interval '2 hours' WHERE id = {n}",
    ),
    "remove a visit": (
        "activities_activity",
        "UPDATE activities_activity SET removed_at = ended_at + interval '1 day' WHERE id = {n}",
    ),
    "turn a visit into a call": (
        "activities_activity",
        "UPDATE activities_activity SET kind = 'CALL', is_incoming = NOT is_incoming"
        " WHERE id = {n}",
    ),
    "a change of another customer": (
        "desk_change",
        "UPDATE desk_change SET subject_id = (SELECT subject_id FROM desk_change WHERE id = {m})"
        " WHERE id = {n}",
    ),
    "update what changed": (
        "desk_change",
        "UPDATE desk_change SET updated_at = occurred_at + interval '5 hours' WHERE id = {n}",
    ),
    "review another customer": (
        "forms_response",
        "UPDATE forms_response SET subject_id = (SELECT subject_id FROM forms_response"
        " WHERE id = {m}) WHERE id = {n}",
    ),
    "hand in a review earlier": (
        "forms_response",
        "UPDATE forms_response SET submitted_at = submitted_at - interval '30 days'"
        " WHERE id = {n}",
    ),
    "make a form something else": (
        "forms_form",
        "UPDATE forms_form SET kind = CASE kind WHEN 'REVIEW' THEN 'WEEKLY' ELSE 'REVIEW' END"
        " WHERE id = {n}",
    ),
    "empty a plan's item": (
        "activities_planitem",
        "UPDATE activities_planitem SET purpose = CASE purpose WHEN '' THEN '回访' ELSE '' END"
        " WHERE id = {n}",
    ),
    "hand in a plan": (
        "activities_plan",
        "UPDATE activities_plan SET submitted_at = recorded_at - interval '60 days' WHERE id = {n}",
    ),
    "decide a request": (
        "engine_request",
        "UPDATE engine_request SET decided_at = asked_at + interval '1 day' WHERE id = {n}",
    ),
    "end a membership": (
        "org_membership",
        "UPDATE org_membership SET ends_on = starts_on + 30 WHERE id = {n}",
    ),
    "promote": (
        "org_membership",
        "UPDATE org_membership SET position_id = 'position:ka_manager' WHERE id = {n}",
    ),
    "change team": (
        "org_membership",
        "UPDATE org_membership SET team_id = (SELECT team_id FROM org_membership WHERE id = {m})"
        " WHERE id = {n}",
    ),
    "change the superior": (
        "org_person",
        "UPDATE org_person SET manager_id = {m} WHERE id = {n} AND {n} <> {m}",
    ),
    "leave the company": (
        "org_person",
        "UPDATE org_person SET left_on = joined_on + 60 WHERE id = {n}",
    ),
    "change a team's leader": (
        "org_team",
        "UPDATE org_team SET leader_id = (SELECT min(id) FROM org_person) WHERE id = {n}",
    ),
    "end or begin a waiver": (
        "engine_waiver",
        "UPDATE engine_waiver SET removed_at = CASE WHEN removed_at IS NULL THEN now() END"
        " WHERE id = {n}",
    ),
    "give a waiver to another": (
        "engine_waiver",
        "UPDATE engine_waiver SET subject_id = NULL, subject_type = NULL, person_id ="
        " (SELECT max(id) FROM org_person) WHERE id = {n}",
    ),
    "move a company day": (
        "core_calendarday",
        "UPDATE core_calendarday SET is_working = NOT is_working WHERE id = {n}",
    ),
    "publish or withdraw a year": (
        "core_calendarday",
        "UPDATE core_calendarday SET is_published = NOT is_published WHERE id = {n}",
    ),
    "adopt another set of policies": (
        "core_tracked",
        "UPDATE core_tracked SET value = '[\"KA\", \"TAG\"]' WHERE fact = 'policies'"
        " AND {n} = {n}",
    ),
    "end a rule": (
        "engine_rule",
        "UPDATE engine_rule SET removed_at = now() WHERE id = {n}",
    ),
}  # fmt: skip


@pytest.fixture
def told(db: None) -> agreement.Batch:
    """Some random worlds, swept to the middle of their time."""
    calendar: Calendar = read_public(HOLIDAYS)
    batch = agreement.batch(7, 12, calendar)
    batch.lay()
    sweep.sweep(batch.setting.as_of[1], full=True)
    return batch


def _do(dice: random.Random, name: str, times: int) -> None:
    table, sql = DEEDS[name]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} ORDER BY id")
        numbers = [row[0] for row in cursor]
    for _ in range(times):
        said = sql.format(n=dice.choice(numbers), m=dice.choice(numbers))
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                events.announce(cursor, actor=0, action="change", reason="试", channel="JOB")
                cursor.execute(said)
        except Error:
            continue  # what the database itself refuses cannot happen


def _forget_log() -> None:
    """Everything here is one transaction, which a sweep sees whole: leave it only what is new."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_event")


@pytest.mark.parametrize("seed", [0])
def test_every_kind_of_change_reaches_what_it_concerns(told: agreement.Batch, seed: int) -> None:
    dice = random.Random(seed)
    as_of = told.setting.as_of[1]
    names = dice.sample(sorted(DEEDS), len(DEEDS))
    for place in range(0, len(names), 4):
        some = names[place : place + 4]
        _forget_log()
        for name in some:
            _do(dice, name, 5)
        as_of += timedelta(hours=dice.choice((0, 1, 30)))
        assert sweep.sweep(as_of).failed == {}
        whole = sweep.sweep(as_of, full=True)
        assert whole.written == Written(), f"{some}: {whole.written} as of {as_of}"
    _tallies_stand()


def _tallies_stand() -> None:
    """The additive tallies equal a count of the ledger."""
    tallied = {row[:4]: row[4] for row in ledger.rebuilt_tally()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule_id, person_id, due_on, state, number FROM engine_tally WHERE number <> 0"
        )
        assert {row[:4]: row[4] for row in cursor} == tallied
