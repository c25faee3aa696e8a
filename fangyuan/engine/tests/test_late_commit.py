"""A transaction that commits after a sweep has passed its timestamps is still seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from fangyuan.core import events
from fangyuan.engine import models, sweep
from tests.oracle import agreement
from tests.oracle.calendar_oracle import read_public

HOLIDAYS = Path(__file__).parents[2] / "core/data/holidays.csv"
PATIENCE = 100  # seconds: other work on the same server may hold the horizon for a while


@pytest.fixture
def told(transactional_db: None) -> Iterator[agreement.Batch]:
    """Two random worlds, committed and swept."""
    _empty()
    batch = agreement.batch(9, 2, read_public(HOLIDAYS))
    with transaction.atomic():
        batch.lay()
    sweep.sweep(batch.setting.as_of[-1], full=True)
    yield batch
    _empty()


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE engine_obligation")


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    """Another person's connection to the same database."""
    params = connection.get_connection_params()
    with psycopg.connect(
        **{k: v for k, v in params.items() if k in ("dbname", "user", "host")}
    ) as c:
        yield c


def test_a_late_commit_is_seen(told: agreement.Batch, other: psycopg.Connection) -> None:
    as_of = told.setting.as_of[-1]
    cursor = other.cursor()
    events.announce(cursor, actor=0, action="change", reason="慢", channel="PAGE")
    cursor.execute("UPDATE customers_customer SET removed_at = learned_at + interval '1 minute'")
    sweep.sweep(as_of)
    before = _live()
    other.commit()
    _wait_for_horizon()
    sweep.sweep(as_of)
    assert _live() < before
    assert sweep.sweep(as_of, full=True).written.changed == 0


def _wait_for_horizon() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(xid) FROM core_event")
        last = cursor.fetchone()[0]
    given_up = time.monotonic() + PATIENCE
    while sweep.horizon() <= last:
        assert time.monotonic() < given_up, "another transaction on this server never ends"
        time.sleep(0.2)


def _live() -> int:
    return models.Obligation._base_manager.exclude(state="VOID").count()
