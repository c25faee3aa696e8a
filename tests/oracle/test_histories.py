"""The generator of worlds: deterministic, nasty enough, and its worlds can be told as rows."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as run

from tests.oracle import choices, drawn, histories, oracle, rows, world
from tests.oracle.calendar_oracle import Calendar, day_of, midnight
from tests.oracle.world import World

PUBLIC = Calendar({date(2026, 10, day): False for day in range(1, 8)}, {2025, 2026})
SEEDS = range(60)


def made(seed: int) -> tuple[choices.Setting, World]:
    pick = choices.Dice(seed)
    setting = histories.random_setting(pick, PUBLIC)
    return setting, histories.random_world(pick, setting)


def size(told: World) -> int:
    spans = sum(len(spans) for record in told.records for spans in record.tracked.values())
    parts = (told.records, told.holdings, told.leaves, told.waivers, told.memberships)
    return spans + sum(len(part) for part in parts)


def test_the_same_seed_gives_the_same_world() -> None:
    assert made(7) == made(7)
    assert made(7) != made(8)


def test_worlds_hold_at_least_fifty_events() -> None:
    assert min(size(made(seed)[1]) for seed in SEEDS) >= 50


def test_worlds_reach_every_state_of_every_kind_of_rule() -> None:
    found: Counter[tuple[str, str]] = Counter()
    for seed in SEEDS:
        setting, told = made(seed)
        kinds = {(rule.clause, rule.line): rule.params["kind"] for rule in setting.rules}
        others = (histories.random_world(choices.Dice(-seed - n), setting) for n in range(5))
        for one in (told, *others):
            for duty in oracle.settle(one, setting.as_of[1]):
                found[kinds[duty.clause, duty.line], duty.state] += 1
    states = {"open", "met", "late", "breached", "void", "waived"}
    assert {state for kind, state in found if kind == "deadline"} == states
    assert {state for kind, state in found if kind == "cadence"} == states - {"late"}
    assert {state for kind, state in found if kind == "required"} >= states - {"waived"}


def test_worlds_hit_boundaries() -> None:
    at_midnight = beside = 0
    for seed in SEEDS:
        for record in made(seed)[1].records:
            off = record.recorded_at - midnight(day_of(record.recorded_at))
            at_midnight += off == timedelta(0)
            beside += off in (choices.SECOND, timedelta(days=1) - choices.SECOND)
    assert at_midnight > 100
    assert beside > 100


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_spans_that_must_not_overlap_do_not(seed: int) -> None:
    told = made(seed)[1]
    spans = [
        (one.subject, one.starts_at, one.ends_at) for one in told.holdings if one.role == "OWNER"
    ]
    spans += [
        (one.person, one.starts_at, one.ends_at) for one in told.leaves if one.stage == "APPROVED"
    ]
    for whose, start, end in spans:
        assert end is None or start < end
        for other, begins, _ in spans:
            assert other != whose or begins <= start or (end is not None and begins >= end)


def test_keys_can_be_prefixed() -> None:
    setting, told = made(3)
    as_of = setting.as_of[-1]
    plain = {(d.clause, d.line, "w" + d.key, d.occurrence) for d in oracle.settle(told, as_of)}
    other = oracle.settle(world.renamed(told, "w"), as_of)
    assert {(d.clause, d.line, d.key, d.occurrence) for d in other} == plain


def test_a_world_is_told_as_rows() -> None:
    told = made(5)[1]
    listed = rows.to_rows(told)
    assert {row["key"] for row in listed["customer"]} == {
        record.key for record in told.records if record.type == "customer"
    }
    assert all(":" in row["subject"] for row in listed["holding"])
    known = {row["login"] for row in listed["person"]}
    assert {row["person"] for row in listed["activity"]} <= known


@run(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn.settings(PUBLIC))
def test_hypothesis_makes_worlds_too(pair: tuple[choices.Setting, World]) -> None:
    setting, told = pair
    for as_of in setting.as_of:
        duties = oracle.settle(told, as_of)
        assert len({(d.clause, d.line, d.key, d.occurrence) for d in duties}) == len(duties)
