"""The pages of pools and draws: limits with numbers, one tap, and nobody acts beyond their post."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conftest import own
from fangyuan import door
from fangyuan.customers import holding
from fangyuan.customers.models import Allotment, Customer
from fangyuan.engine import packs, sweep
from fangyuan.engine.models import Request
from tests.pools.conftest import lay, limit
from tests.pools.test_draws import ripe as ripe
from tests.pools.test_recycling import TEMPLATE
from tests.pools.test_recycling import regulated as regulated

pytestmark = pytest.mark.django_db
MOST_QUERIES = 15


def browser(person):
    client = Client()
    client.force_login(person)
    return client


def text(answer):
    return answer.content.decode()


def test_the_page_tells_limits_and_takes_what_was_picked(pooled):
    limit(pooled.pool, quota=2, daily_claims=5, fresh_hours=24)
    [fresh] = lay(pooled, "新到", ago=timedelta(hours=1))
    free = lay(pooled, "甲厂", "乙厂", "丙厂")
    client = browser(pooled.zhao)
    page = text(client.get(f"/pools/{pooled.pool.pk}"))
    assert "今天还能领" in page and "库容余" in page
    assert "新入池 24 小时内不能领取" in page and page.count(">领取</button>") == 4
    picked = [one.pk for one in (*free, fresh)]
    page = text(client.post(f"/pools/{pooled.pool.pk}/claim", {"pick": picked}, follow=True))
    assert "已领取 甲厂 等 2 个" in page
    assert "丙厂：库容已满：从“华东公海”得来的在手 2 个，上限 2 个" in page
    assert [holding.held(one) is not None for one in free] == [True, True, False]


def test_the_page_costs_the_same_for_many_rows(pooled):
    limit(pooled.pool, quota=200, daily_claims=50, cool_off_days=30, fresh_hours=24)
    client = browser(pooled.zhao)
    counts = []
    for number in (2, 30):
        lay(pooled, *(f"第{number}批{n}" for n in range(number)))
        client.get(f"/pools/{pooled.pool.pk}")
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.get(f"/pools/{pooled.pool.pk}").status_code == 200
        counts.append(len(found))
    assert counts[1] <= counts[0] <= MOST_QUERIES + 6, counts  # session and shell besides


def test_others_see_the_rules_and_no_customers(pooled):
    [free] = lay(pooled, "甲厂")
    client = browser(pooled.li)
    page = text(client.get(f"/pools/{pooled.pool.pk}"))
    assert "只供华东销售部的人领取" in page and "甲厂" not in page
    page = text(client.post(f"/pools/{pooled.pool.pk}/claim", {"pick": free.pk}, follow=True))
    assert "领走了" in page and holding.held(free) is None
    assert client.get("/pools/999").status_code == 404


def test_what_one_holds_is_shown_with_days_rule_and_way_out(regulated):
    with door.acting(by=None, action="test", history=True) as deed:
        values = {"source": regulated.customer.source, "learned_at": regulated.since}
        made = deed.create(Customer, {**values, "name": "丁厂", "grade": "C"})
        own(deed, made, regulated.zhao, regulated.now - timedelta(days=27))
    sweep.settle_all()
    client = browser(regulated.zhao)
    page = text(client.get("/pools/held"))
    assert "即将收回" in page and "POOL-3.1" in page and "丁厂" in page
    record = text(client.get(f"/customer/{made.pk}"))
    assert "主动联系一次就重新计时" in record and "申请延期" in record
    said = {"note": "申请延期一次"}
    page = text(client.post(f"/customer/{made.pk}/do/extend_hold", said, follow=True))
    assert "已提交审批，等 许总" in page
    assert Request._base_manager.get().action == "customer.extend_hold"
    team = text(browser(regulated.boss).get("/pools/held?who=team"))
    assert "丁厂" in team and "小赵" in team


def test_a_customer_in_a_pool_is_claimed_on_its_own_page(pooled):
    [free] = lay(pooled, "甲厂")
    client = browser(pooled.zhao)
    assert "领取" in text(client.get(f"/customer/{free.pk}"))
    assert client.post(f"/customer/{free.pk}/do/claim").status_code == 302
    assert holding.held(free).person == pooled.zhao


def test_a_draw_is_prepared_drawn_and_run_again_on_its_pages(ripe):
    boss, rep = browser(ripe.boss), browser(ripe.zhao)
    url = f"/pools/{ripe.pool.pk}/allot"
    assert rep.get(url).status_code == 403
    page = text(boss.get(url))
    assert Allotment._base_manager.get().seed_digest in page and page.count("参加") >= 3
    refused = boss.post(url, {f"weight-{ripe.zhao.pk}": "很多"}, follow=True)
    assert "0 到 100 的整数" in text(refused)
    answer = boss.post(url, {f"weight-{ripe.zhao.pk}": "0"}, follow=True)
    done = Allotment._base_manager.exclude(at=None).get()
    assert answer.redirect_chain[-1][0] == f"/draws/{done.pk}"
    assert "本次不参加" in text(answer) and done.seed in text(answer)
    assert "10 条逐条相同" in text(rep.get(f"/draws/{done.pk}?again=1"))
    told = rep.get(f"/draws/{done.pk}?format=json").json()
    assert told["seed"] == done.seed and len(told["result"]) == 10
    report = text(rep.get("/draws/report"))
    assert "小钱" in report and "数量基尼系数" in report
    assert rep.get("/draws/report?month=什么").status_code == 200
    assert rep.get("/draws/999").status_code == 404


def test_the_template_is_a_regulation_like_any_other():
    [checked] = packs.check.check_all([TEMPLATE])
    assert checked.problems == []
