"""The engine agrees with the oracle on random histories: duties, people, due times, states, gates.

FY_HISTORIES sets how many are compared, FY_BATCH how many side by side, FY_SEED where their seeds
begin. A difference names its seed and history; `python -m tests.oracle.trials SEED SIZE HISTORY`
tries that one alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from tests.oracle import agreement, drawn, gates, histories, many, oracle, trials
from tests.oracle.calendar_oracle import Calendar, read_public
from tests.oracle.choices import Setting
from tests.oracle.facts import View
from tests.oracle.world import World
from tests.twins import twins

HISTORIES = int(os.environ.get("FY_HISTORIES", "20000"))
EXAMPLES = int(os.environ.get("FY_EXAMPLES", "3"))
FIRST = int(os.environ.get("FY_SEED", "1"))
SIZE = int(os.environ.get("FY_BATCH", "500"))
PROCESSES = 2


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    """The public holidays as the product ships them."""
    return read_public(trials.HOLIDAYS)


@pytest.mark.slow
def test_the_engine_agrees_with_the_oracle(
    django_db_setup: None, django_db_blocker: Any, record_property: Callable[[str, object], None]
) -> None:
    seeds = many.seeds(FIRST, HISTORIES, SIZE)
    begun = time.monotonic()
    with (
        django_db_blocker.unblock(),
        twins(*(f"oracle{number}" for number in range(PROCESSES))) as places,
    ):
        for tally in many.run(seeds, SIZE, places):
            if tally.wrong:
                break
    took = time.monotonic() - begun
    record_property("told", f"{tally}; seeds {seeds[0]} to {seeds[-1]}, {took:.0f} s")
    assert not tally.wrong, "\n".join(tally.wrong[:20])
    assert tally.histories >= HISTORIES


@pytest.mark.django_db
def test_hypothesis_finds_no_history_on_which_they_differ(calendar: Calendar) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(drawn.settings(calendar))
    def agree(pair: tuple[Setting, World]) -> None:
        told = agreement.Batch(pair[0], [pair[1]], pair[0])
        with transaction.atomic():
            told.lay()
            _, wrong = told.judged(told.setting.as_of[-1], full=True)
            transaction.set_rollback(True)
        assert wrong == []

    agree()


@pytest.mark.parametrize("seed", range(1, 9))
def test_scope_between_two_edges_is_that_at_the_first(seed: int, calendar: Calendar) -> None:
    told = agreement.batch(seed, 3, calendar)
    for made in told.worlds:
        view = View(histories.under(made, told.setting), told.setting.as_of[2])
        known = [at for at in told.setting.as_of if at <= view.now]
        for rule in told.setting.rules:
            for record in view.of_type(rule.params["record"]):
                for at in (*known, *(one.recorded_at for one in made.records)):
                    if at <= view.now:
                        quick = oracle.scope(view, rule, record).holds(at)
                        assert quick == oracle.is_bound(view, rule, record, at)


def test_a_debt_opens_its_gate_until_it_is_due_and_then_closes_all(calendar: Calendar) -> None:
    told = agreement.batch(1, 200, calendar)
    as_of = told.setting.as_of[1]
    refused = [
        (len(owed), len(gates.refusals(made, told.setting, record, as_of)))
        for made in told.worlds
        for record in made.records
        if record.type == "customer"
        for owed in [[d for d in made.records if d.facts.get("subject") == record.pointer]]
    ]
    assert {number for _, number in refused} == {0, 1, 2}
