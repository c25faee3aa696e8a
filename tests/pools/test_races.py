"""Many at once, with real transactions: one wins, and no limit gives way (T09 to T11).

`FY_ROUNDS` and `FY_CROWD` make as many rounds and claimers; the suite makes a few.
"""

import os

import pytest

from conftest import hire
from fangyuan import door
from fangyuan.core.models import Event
from fangyuan.customers import limits
from fangyuan.org.models import Holding
from tests.door.test_races import all_at_once
from tests.pools.conftest import lay, limit

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = int(os.environ.get("FY_ROUNDS", "4"))
CROWD = int(os.environ.get("FY_CROWD", "12"))


def crowd(pooled):
    """As many reps of the pool's team."""
    with door.acting(by=None, action="test") as deed:
        return [
            hire(deed, f"rep{n}", f"代表{n}", "sales_rep", pooled.east, pooled.boss)
            for n in range(CROWD)
        ]


def owners(record):
    return Holding._base_manager.filter(
        subject_type="customer", subject_id=record.pk, role="OWNER", removed_at=None
    )


def test_of_many_claiming_one_customer_one_wins_and_the_others_are_told(pooled):
    limit(pooled.pool, quota=ROUNDS, daily_claims=ROUNDS)
    people = crowd(pooled)
    for number in range(ROUNDS):
        [free] = lay(pooled, f"第{number}家")
        jobs = [lambda p=person, r=free: door.act("claim", r, by=p) for person in people]
        outcomes = all_at_once(jobs)
        lost = [one for one in outcomes if isinstance(one, Exception)]
        assert len(lost) == CROWD - 1, outcomes
        assert all(isinstance(one, door.Denied) and "领走了" in str(one) for one in lost), lost
        [held] = owners(free)
        assert held.ends_at is None and held.from_pool
        rows = Event.objects.everything("t").filter(record="holding", record_id=held.pk, op="C")
        assert rows.count() == 1
        free.refresh_from_db()
        assert free.pooled_at is None


def test_one_person_in_many_windows_never_holds_more_than_the_quota(pooled):
    for number in range(ROUNDS):
        quota = 3
        limit(pooled.pool, quota=quota * (number + 1))
        free = lay(pooled, *(f"第{number}轮{n}" for n in range(CROWD)))
        jobs = [lambda r=record: door.act("claim", r, by=pooled.zhao) for record in free]
        outcomes = all_at_once(jobs)
        won = [one for one in outcomes if not isinstance(one, Exception)]
        lost = [one for one in outcomes if isinstance(one, Exception)]
        assert len(won) == quota, outcomes
        assert all(isinstance(one, door.Refused) and "库容已满" in str(one) for one in lost), lost
        used = limits.standing(pooled.zhao, pooled.pool, pooled.now.now(pooled.now.tzinfo))
        assert used.held == quota * (number + 1)


def test_a_day_of_claims_is_not_stretched_by_asking_at_once(pooled):
    limit(pooled.pool, daily_claims=2)
    free = lay(pooled, *(f"甲{n}" for n in range(CROWD)))
    outcomes = all_at_once([lambda r=r: door.act("claim", r, by=pooled.zhao) for r in free])
    assert sum(not isinstance(one, Exception) for one in outcomes) == 2
    assert sum("每天最多 2 个" in str(one) for one in outcomes) == CROWD - 2


def test_claiming_assigning_and_writing_holdings_at_once_keep_the_quota(pooled):
    """The three ways to a customer, mixed: the database counts whatever way was taken."""
    limit(pooled.pool, quota=4)
    free = lay(pooled, *(f"乙{n}" for n in range(CROWD)))

    def assign(record):
        return door.act("assign_customer", record, by=pooled.boss, payload={"person": pooled.zhao})

    def write(record):
        values = {"subject": record, "person": pooled.zhao, "role": "OWNER"}
        return door.create(Holding, {**values, "starts_at": pooled.now}, by=pooled.boss)

    ways = [lambda r: door.act("claim", r, by=pooled.zhao), assign, write]
    jobs = [lambda n=n, r=r: ways[n % 3](r) for n, r in enumerate(free)]
    outcomes = all_at_once(jobs)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 4
    held = Holding._base_manager.filter(person=pooled.zhao, ends_at=None, subject_type="customer")
    assert held.count() == 4
    assert all("库容已满" in str(one) for one in outcomes if isinstance(one, Exception)), outcomes
