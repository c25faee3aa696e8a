"""What falls due falls back: by clause, soon, to the right pool, with warning and a way out."""

import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from conftest import own
from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.customers import holding, recycling
from fangyuan.customers.models import Customer, Pool
from fangyuan.desk import duties
from fangyuan.engine import packs, sweep
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Message

pytestmark = pytest.mark.django_db
TEMPLATE = packs.FOLDER / "templates" / "pools.yaml"


@pytest.fixture
def regulated(pooled):
    """The regulation of pools is in force; 小赵 holds a customer of grade D since 20 days."""
    packs.install([TEMPLATE])
    with door.acting(by=None, action="test", history=True) as deed:
        values = {"name": "甲厂", "source": pooled.customer.source, "learned_at": pooled.since}
        pooled.held = deed.create(Customer, {**values, "grade": "D"})
        own(deed, pooled.held, pooled.zhao, pooled.now - timedelta(days=20))
        deed.change(pooled.customer, won_at=pooled.since)  # not in the way
    return pooled


def talk(regulated, ago, **more):
    with door.acting(by=None, action="test", history=True) as deed:
        at = regulated.now - ago
        values = {"kind": "CALL", "stage": "DONE", "started_at": at, "ended_at": at}
        values |= {"customer": regulated.held, "person": regulated.zhao, **more}
        return deed.create(Activity, values)


def duty(regulated):
    """What the ledger says of the holding in force."""
    sweep.settle_all()
    found = holding.held(regulated.held)
    return Obligation._base_manager.filter(
        rule__clause__number="POOL-3.1", subject_type="holding", subject_id=found.pk
    ).first()


def test_a_customer_nobody_talks_to_falls_back_by_its_clause(regulated):
    owed = duty(regulated)
    assert owed.state == "BREACHED" and owed.person == regulated.zhao
    assert recycling.recycle_due() == 1
    regulated.held.refresh_from_db()
    assert regulated.held.pool == regulated.pool and regulated.held.pooled_at is not None
    assert regulated.held.pool_reason == "久未联系回收（POOL-3.1）"
    assert holding.held(regulated.held) is None
    told = Message._base_manager.get(step_key__startswith="recycled:")
    assert told.person == regulated.zhao and "甲厂" in told.title
    # What happened stays on record, and nothing happens twice.
    sweep.settle_all()
    owed.refresh_from_db()
    assert owed.state == "BREACHED"
    assert recycling.recycle_due() == 0


def test_a_talk_starts_the_clock_anew(regulated):
    before = duty(regulated)
    talk(regulated, timedelta(days=10))
    after = duty(regulated)
    assert (after.pk, after.state) == (before.pk, "OPEN")
    assert after.due_at > regulated.now + timedelta(days=4)
    assert recycling.recycle_due() == 0


def test_a_call_that_came_in_does_not_count_as_contact(regulated):
    talk(regulated, timedelta(days=1), is_incoming=True)
    assert duty(regulated).state == "BREACHED"


def test_grades_have_their_own_spans_and_won_customers_none(regulated):
    door.act("regrade", regulated.held, by=None, payload={"grade": "A", "grade_basis": "规模"})
    sweep.settle_all()
    found = Obligation._base_manager.filter(rule__clause__number="POOL-3.1", state="OPEN")
    [owed] = found
    assert owed.due_at > regulated.now + timedelta(days=59)
    with door.acting(by=None, action="test") as deed:
        deed.change(Customer._base_manager.get(pk=regulated.held.pk), won_at=timezone.now())
    sweep.settle_all()
    assert not found.all().exists()  # a deal ends the clock
    assert recycling.recycle_due() == 0


def test_nothing_falls_due_before_there_is_a_pool(regulated):
    with door.acting(by=None, action="test") as deed:
        deed.change(regulated.pool, starts_at=regulated.now - timedelta(days=1))
    owed = duty(regulated)
    assert owed.state == "OPEN"
    assert owed.due_at >= regulated.now + timedelta(days=13)


def test_protection_and_an_agreed_extension_move_the_day(regulated):
    until = regulated.now + timedelta(days=3)
    door.act("lock_customer", regulated.held, by=None, payload={"locked_until": until})
    assert duty(regulated) is None
    assert recycling.recycle_due() == 0
    door.act("lock_customer", regulated.held, by=None, payload={"locked_until": None})
    assert duty(regulated).state == "BREACHED"
    waiting = door.act(
        "extend_hold", regulated.held, by=regulated.zhao, payload={"note": "下周约了面谈"}
    )
    assert isinstance(waiting, door.Waiting)
    door.decide(waiting.request, "AGREE", by=regulated.boss)
    owed = duty(regulated)
    assert owed.state == "OPEN"
    assert owed.due_at >= regulated.now + timedelta(days=14)
    with pytest.raises(door.Denied, match="已延期过一次"):
        door.act("extend_hold", regulated.held, by=None)


def test_what_no_pool_takes_stays_and_operations_are_told(regulated):
    with door.acting(by=None, action="test") as deed:
        deed.change(regulated.pool, team=regulated.ka)
        regulated.boss.is_admin = True
        regulated.boss.save()
    duty(regulated)
    assert recycling.recycle_due() == 0
    assert holding.held(regulated.held).person == regulated.zhao
    told = Message._base_manager.filter(step_key__startswith="nopool:")
    assert told.get().person == regulated.boss and "请销售运营" in told.get().text
    assert recycling.recycle_due() == 0
    assert told.count() == 1


def test_the_pool_is_found_by_team_industry_and_region_in_order(regulated):
    with door.acting(by=None, action="test") as deed:
        values = {"kind": "CUSTOMER", "starts_at": regulated.now - timedelta(days=400)}
        near = {"regions": ["320000"], "rank": 10, "team": regulated.east}
        deed.create(Pool, {"name": "江苏公海", **values, **near})
        deed.create(Pool, {"name": "全公司公海", **values, "rank": 200})
    duty(regulated)
    assert recycling.recycle_due() == 1
    regulated.held.refresh_from_db()
    assert regulated.held.pool.name == "华东公海"


def test_duties_about_a_holding_are_said_of_the_customer(regulated):
    owed = duty(regulated)
    [said] = duties.describe([owed], regulated.zhao)
    assert (said.title, said.subject) == ("联系，否则收回公海", "甲厂")
    assert said.url == said.subject_url == f"/customer/{regulated.held.pk}"


@pytest.mark.django_db(transaction=True)
def test_rounds_of_the_worker_follow_talks_pools_and_time(regulated):
    """Sweeps of what changed only: a talk, a pool that is closed and opened again, the due time."""
    first = _state(regulated, timezone.now())
    talk(regulated, timedelta(days=10))
    talked = _state(regulated, timezone.now())
    with door.acting(by=None, action="test") as deed:
        deed.change(regulated.pool, is_active=False)
    closed = _state(regulated, timezone.now())
    with door.acting(by=None, action="test") as deed:
        deed.change(Pool._base_manager.get(pk=regulated.pool.pk), is_active=True)
    opened = _state(regulated, timezone.now())
    overdue = _state(regulated, timezone.now() + timedelta(days=7))
    assert (first, talked, closed, opened, overdue) == (
        "BREACHED", "OPEN", "VOID", "OPEN", "BREACHED",
    )  # fmt: skip
    # The worker's very round sweeps and recycles.
    call_command("worker", "--once")
    assert holding.held(regulated.held) is None


def _state(regulated, at):
    _wait_for_others()
    sweep.sweep(at)
    found = Obligation._base_manager.filter(
        rule__clause__number="POOL-3.1", subject_id=holding.held(regulated.held).pk
    )
    return found.get().state


def _wait_for_others():
    """Transactions elsewhere on the cluster may hide what was just written for a while."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        mine = cursor.fetchone()[0]
    for _ in range(300):
        if sweep.horizon() > mine:
            return
        time.sleep(0.2)
