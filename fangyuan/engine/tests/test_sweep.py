"""A sweep writes once, never goes back, survives a crash anywhere and misses no late commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from fangyuan.engine import explain, health, models, sweep
from fangyuan.engine.ledger import Written
from tests.oracle import agreement
from tests.oracle.calendar_oracle import read_public

HOLIDAYS = Path(__file__).parents[2] / "core/data/holidays.csv"


class Killed(Exception):
    """The process died here."""


@pytest.fixture
def told(db: None) -> agreement.Batch:
    """A few random worlds in the database, not swept yet."""
    batch = agreement.batch(3, 4, read_public(HOLIDAYS))
    batch.lay()
    return batch


def test_a_second_sweep_writes_nothing(told: agreement.Batch) -> None:
    as_of = told.setting.as_of[-1]
    assert sweep.sweep(as_of).written.added > 0
    assert sweep.sweep(as_of).written == Written()
    assert sweep.sweep(as_of, full=True).written == Written()


def test_a_full_sweep_remembers_the_instants_ahead_without_writing_them_anew(
    told: agreement.Batch,
) -> None:
    as_of = told.setting.as_of[0]
    sweep.sweep(as_of)
    wakes = models.Wake._base_manager.order_by("pk")
    before = list(wakes.values_list())
    assert before
    models.Wake._base_manager.create(record="customer", record_id=0, at=told.setting.as_of[-1])
    sweep.sweep(as_of, full=True)
    assert list(wakes.values_list()) == before


def test_a_sweep_never_goes_back_in_time_and_says_so(told: agreement.Batch) -> None:
    as_of = told.setting.as_of[-1]
    sweep.sweep(as_of)
    with pytest.raises(sweep.BackInTime, match="扫描不能往回走"):
        sweep.sweep(as_of - timedelta(seconds=1))


def test_a_rule_that_cannot_be_read_is_reported_and_does_not_stop_the_others(
    told: agreement.Batch,
) -> None:
    models.Rule._base_manager.filter(pk=min(told.rules)).update()
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL fangyuan.actor = '0';"
            "UPDATE engine_rule SET params = params || '{\"unknown\": 1}' WHERE id = %s",
            [min(told.rules)],
        )
    outcome = sweep.sweep(told.setting.as_of[-1])
    assert len(outcome.failed) == 1
    assert outcome.written.added > 0
    found = health.look(outcome.as_of)
    assert not found["ok"]
    assert found["failing"] == list(outcome.failed)


@pytest.mark.parametrize("full", [True, False])
def test_killed_anywhere_the_next_sweep_ends_in_the_same_rows(
    told: agreement.Batch, full: bool
) -> None:
    early, late = told.setting.as_of[0], told.setting.as_of[-1]
    sweep.sweep(early, full=True)
    statement = 5
    while _dies_at(statement, lambda: sweep.sweep(late, full=full)):
        statement = statement * 5 // 4 + 3
    sweep.sweep(late)
    assert agreement.differences(told.expected(late), told.found()) == []
    assert sweep.sweep(late, full=True).written == Written()


def _dies_at(number: int, act: Callable[[], Any]) -> bool:
    """Run something that dies at its n-th statement; false where it ends before."""
    count = 0

    def kill(execute: Any, *given: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            raise Killed
        return execute(*given)

    try:
        with connection.execute_wrapper(kill):
            act()
    except Killed:
        return True
    return False


def test_every_explanation_alone_gives_the_verdict(told: agreement.Batch) -> None:
    as_of = told.setting.as_of[-1]
    sweep.sweep(as_of)
    found = models.Obligation._base_manager.exclude(cause__has_key="gone")
    assert found.exists()
    for obligation in found.order_by("?")[:120]:
        said = explain.explain(obligation, now=as_of)
        assert explain.verdict(said) == obligation.state, said
        assert said.why
        assert said.how
