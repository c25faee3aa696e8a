"""The engine agrees with the oracle on random histories: duties, people, due times, states.

FY_HISTORIES sets how many histories are compared; by default a few that hold the rarest cases.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings

from fangyuan.engine import sweep
from fangyuan.engine.ledger import Written
from tests.oracle import agreement, histories
from tests.oracle.calendar_oracle import Calendar, read_public
from tests.oracle.choices import Setting
from tests.oracle.world import World

ROOT = Path(__file__).parents[2]
HISTORIES = int(os.environ.get("FY_HISTORIES", "0"))
EXAMPLES = int(os.environ.get("FY_EXAMPLES", "3"))
SIZE = int(os.environ.get("FY_BATCH", "60"))
FIRST = int(os.environ.get("FY_SEED", "1"))
# 11 holds an unpublished year's end, prorated periods and versions of a required duty; 17 periods
# that bind immediately, and versions too.
SEEDS = tuple(range(FIRST, FIRST + HISTORIES // SIZE)) or (11, 17)


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    """The public holidays as the product ships them."""
    return read_public(ROOT / "fangyuan/core/data/holidays.csv")


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_a_full_sweep_agrees_with_the_oracle(seed: int, calendar: Calendar) -> None:
    told = agreement.batch(seed, SIZE, calendar)
    told.lay()
    for as_of in told.setting.as_of:
        outcome = sweep.sweep(as_of, full=True)
        assert outcome.failed == {}
        wrong = agreement.differences(told.expected(as_of), told.found())
        assert not wrong, f"{len(wrong)} differences as of {as_of}\n" + "\n".join(wrong[:20])


@pytest.mark.django_db
def test_hypothesis_finds_no_history_on_which_they_differ(calendar: Calendar) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(histories.settings(calendar))
    def agree(drawn: tuple[Setting, World]) -> None:
        told = agreement.Batch(drawn[0], [drawn[1]])
        with transaction.atomic():
            told.lay()
            as_of = told.setting.as_of[-1]
            assert sweep.sweep(as_of, full=True).failed == {}
            wrong = agreement.differences(told.expected(as_of), told.found())
            transaction.set_rollback(True)
        assert wrong == []

    agree()


@pytest.fixture
def ledger(transactional_db: None) -> Iterator[None]:
    """An empty ledger before and after: Django's flush does not know its table."""
    _empty()
    yield
    _empty()


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE engine_obligation")


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("seed", SEEDS[::2])
def test_increments_agree_with_the_oracle_whatever_their_batching(
    seed: int, calendar: Calendar
) -> None:
    told = agreement.batch(seed, SIZE // 2, calendar)
    final, setting = told.worlds, told.setting
    first, second, third = setting.as_of
    told.worlds, told.setting = told.earlier, histories.earlier_setting(setting)
    with transaction.atomic():
        told.lay()
        written = _number()
    _wait_for(written)
    assert sweep.sweep(first).failed == {}
    half = len(final) // 2
    for as_of, worlds, ruled in (
        (first, [*final[:half], *told.worlds[half:]], told.setting),
        (second, final, setting),
        (third, final, setting),
    ):
        with transaction.atomic():
            told.become(worlds)
            told.resettle(ruled)
            written = _number()
        _wait_for(written)
        assert sweep.sweep(as_of).failed == {}
        wrong = agreement.differences(told.expected(as_of), told.found())
        assert not wrong, f"{len(wrong)} differences as of {as_of}\n" + "\n".join(wrong[:20])
        assert sweep.sweep(as_of).written == Written()
    assert sweep.sweep(third, full=True).written == Written()


def _number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _wait_for(number: int) -> None:
    """Until no older transaction of the whole cluster runs: only then a sweep reads this one."""
    until = time.monotonic() + 120
    while sweep.horizon() <= number and time.monotonic() < until:
        time.sleep(0.05)
