"""Every limit of a pool says which it is and its numbers, on every way to a customer."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.test import Client

from fangyuan import door
from fangyuan.customers import holding
from fangyuan.customers.models import Customer
from fangyuan.org.models import Holding
from tests.pools.conftest import lay, limit

pytestmark = pytest.mark.django_db


def refused(deed):
    with pytest.raises(door.Refused) as told:
        deed()
    return str(told.value)


def test_who_takes_a_customer_of_a_pool_answers_for_it(pooled):
    [free] = lay(pooled, "甲厂")
    door.act("claim", free, by=pooled.zhao)
    held = holding.held(free)
    assert (held.person, held.from_pool) == (pooled.zhao, True)
    free.refresh_from_db()
    assert free.pooled_at is None and free.pool == pooled.pool
    with pytest.raises(door.Denied, match="小赵"):
        door.act("claim", free, by=pooled.qian)


def test_a_member_sees_what_lies_in_the_pool_without_its_contacts(pooled):
    [free] = lay(pooled, "甲厂")
    seen = Customer.objects.seen_by(pooled.zhao)
    assert free in seen and free not in Customer.objects.seen_by(pooled.li)
    client = Client()
    client.force_login(pooled.zhao)
    assert client.get(f"/customer/{free.pk}").status_code == 200
    assert client.get(f"/customer/{free.pk}/edit").status_code == 403
    client.force_login(pooled.li)
    assert client.get(f"/customer/{free.pk}").status_code == 404


def test_only_the_team_of_the_pool_takes_from_it(pooled):
    [free] = lay(pooled, "甲厂")
    assert "只供华东销售部的人" in refused(lambda: door.act("claim", free, by=pooled.li))


def test_new_ones_are_protected_for_some_hours(pooled):
    limit(pooled.pool, fresh_hours=48)
    [fresh, old] = [*lay(pooled, "甲厂", ago=timedelta(hours=47)), *lay(pooled, "乙厂")]
    assert "新入池 48 小时内不能领取" in refused(lambda: door.act("claim", fresh, by=pooled.zhao))
    door.act("claim", old, by=pooled.zhao)


def test_whoever_let_go_waits_before_taking_again(pooled):
    limit(pooled.pool, cool_off_days=30)
    [free] = lay(pooled, "甲厂")
    door.act("claim", free, by=pooled.zhao)
    door.act("release_to_pool", free, by=pooled.zhao, payload={"why": "return_reason:NO_TIME"})
    free.refresh_from_db()
    assert (free.pool, free.pool_reason) == (pooled.pool, "退回：顾不过来")
    assert "30 天内不能再领" in refused(lambda: door.act("claim", free, by=pooled.zhao))
    door.act("claim", free, by=pooled.qian)


def test_a_day_has_its_number_and_a_person_room_for_so_many(pooled):
    limit(pooled.pool, daily_claims=2, quota=3)
    free = lay(pooled, "甲厂", "乙厂", "丙厂", "丁厂", "戊厂")
    for one in free[:2]:
        door.act("claim", one, by=pooled.zhao)
    assert "今天已从“华东公海”领 2 个，每天最多 2 个" in refused(
        lambda: door.act("claim", free[2], by=pooled.zhao)
    )
    door.act("assign_customer", free[2], by=pooled.boss, payload={"person": pooled.zhao})
    said = refused(
        lambda: door.act(
            "assign_customer", free[3], by=pooled.boss, payload={"person": pooled.zhao}
        )
    )
    assert "在手 3 个，上限 3 个（成交客户不计）" in said
    # A customer that was won takes no room.
    with door.acting(by=None, action="test") as deed:
        deed.change(free[0], won_at=pooled.now)
    door.act("assign_customer", free[3], by=pooled.boss, payload={"person": pooled.zhao})


def test_the_database_holds_the_quota_where_no_verb_is_used(pooled):
    limit(pooled.pool, quota=1)
    free = lay(pooled, "甲厂", "乙厂")
    door.act("claim", free[0], by=pooled.zhao)
    values = {"subject": free[1], "person": pooled.zhao, "role": "OWNER", "starts_at": pooled.now}
    with pytest.raises(door.Refused, match="库容已满：从“华东公海”得来的在手 1 个，上限 1 个"):
        door.create(Holding, values, by=pooled.boss)
    with pytest.raises(IntegrityError), door.acting(by=None, action="test"):
        Holding(**values).save()


def test_a_holding_written_by_any_way_takes_the_customer_out_of_the_pool(pooled):
    [free] = lay(pooled, "甲厂")
    values = {"subject": free, "person": pooled.zhao, "role": "OWNER", "starts_at": pooled.now}
    door.create(Holding, values, by=pooled.boss)
    free.refresh_from_db()
    assert free.pooled_at is None


def test_a_return_wants_its_reason_and_finds_the_pool_that_fits(pooled):
    [free] = lay(pooled, "甲厂")
    door.act("claim", free, by=pooled.zhao)
    assert "请选退回原因" in refused(lambda: door.act("release_to_pool", free, by=pooled.zhao))
    own = pooled.customer
    payload = {"why": "return_reason:OTHER"}
    with pytest.raises(door.Denied, match="没有接收KA团队的“华清电子有限公司”的客户公海"):
        door.act("release_to_pool", own, by=pooled.li, payload=payload)
