"""Lists in the order of the next duty: the same whether rows are sorted or met along the duties."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from conftest import own, term
from fangyuan import door
from fangyuan.access import newest
from fangyuan.activities.models import Activity
from fangyuan.customers.models import Customer
from fangyuan.desk import columns, declare, owed, urgency
from fangyuan.org.models import Holding

LINK = re.compile(r'<a class="name" href="/customer/(\d+)">')


@pytest.fixture
def owing(company, duty):
    """Customers of 小李 from the most urgent to those that owe nothing, newest first."""
    now = timezone.now()
    with door.acting(by=None, action="test") as deed:
        made = []
        for number in range(9):
            values = {"name": f"第{number}家公司", "source": term("source", "CALL")}
            made.append(deed.create(Customer, {**values, "learned_at": company.since}))
            own(deed, made[-1], company.li, company.since)
    first, second, third, fourth, *free = made
    duty(second, "OPEN", now + timedelta(hours=2))
    duty(second, "OPEN", now + timedelta(hours=9))
    duty(third, "OPEN", now + timedelta(hours=4))
    duty(third, "BREACHED", now - timedelta(days=2))
    duty(third, "MET", now - timedelta(days=5), met=now - timedelta(days=6))
    duty(fourth, "OPEN", now + timedelta(hours=2))  # as the second, entered later
    duty(free[0], "OPEN", now + timedelta(hours=1), person=company.zhao)  # not 小李's to see
    visited = {"customer": first, "person": company.li, "kind": "VISIT"}
    visited |= {"started_at": now - timedelta(hours=3), "ended_at": now - timedelta(hours=2)}
    duty(door.create(Activity, visited, by=company.li), "BREACHED", now - timedelta(days=1))
    urgent, idle = [third, first, second, fourth], free[::-1]
    return [one.pk for one in urgent], [*(one.pk for one in idle), company.customer.pk]


def paged(browser, url: str) -> list[int]:
    """The numbers of the rows on one page after another."""
    seen: list[int] = []
    for _ in range(20):
        text = browser.get(url).content.decode()
        seen += [int(number) for number in LINK.findall(text)]
        more = re.search(r'class="more" href="([^"]+)"', text)
        if not more:
            return seen
        url = more[1].replace("&amp;", "&")
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("strides", [(1, 2, 4, 8, 16), (60, 240), (1, 1)])
@pytest.mark.parametrize("narrow", ["", "&is_ka=0"])
def test_the_most_urgent_come_first_and_what_owes_nothing_last(
    visit, owing, monkeypatch, strides, narrow
):
    monkeypatch.setattr(declare, "PAGE_SIZE", 2)
    monkeypatch.setattr(urgency, "STRIDES", strides)
    urgent, idle = owing
    assert paged(visit("li"), f"/customer/?sort=due{narrow}") == urgent + idle
    assert paged(visit("li"), f"/customer/?sort=-due{narrow}") == urgent[::-1] + idle


@pytest.mark.parametrize("most", [1, 3, 2000])
def test_few_at_a_time_are_in_the_same_order(visit, owing, monkeypatch, most):
    monkeypatch.setattr(declare, "PAGE_SIZE", 2)
    monkeypatch.setattr(urgency, "NEWER", (1, 2, 3))
    monkeypatch.setattr(owed, "MANY", most)  # beyond it nobody knows beforehand what owes nothing
    urgent, idle = owing
    assert paged(visit("li"), "/customer/?sort=due") == urgent + idle
    assert paged(visit("li"), "/customer/?sort=-due") == urgent[::-1] + idle


def test_the_newest_are_each_found_once_in_order(company, owing):
    with door.acting(by=None, action="test") as deed:
        customer = Customer.objects.everything("测试").get(pk=owing[1][0])
        held = {"subject": customer, "person": company.li, "starts_at": company.since}
        deed.create(Holding, {**held, "role": "READER"})
    every = sorted([*owing[0], *owing[1]], reverse=True)
    assert newest.numbers(company.li, Customer, None, 100) == every
    assert newest.numbers(company.li, Customer, None, 3) == every[:3]
    assert newest.numbers(company.li, Customer, every[2], 3) == every[3:6]
    assert newest.numbers(company.zhao, Customer, None, 100) == []
    assert newest.numbers(company.li, Activity, None, 3) is None  # reached in other ways


def test_words_find_the_same_whoever_has_many(visit, owing, monkeypatch):
    found = paged(visit("li"), "/customer/?q=第3家")
    monkeypatch.setattr(newest, "is_many", lambda actor, model: True)
    assert paged(visit("li"), "/customer/?q=第3家") == found == [owing[0][3]]
    assert paged(visit("zhao"), "/customer/?q=第3家") == []


def test_a_search_as_one_types_answers_with_the_list_alone(visit, owing):
    asked = {"HX-Request": "true", "HX-Target": "list"}
    part = visit("li").get("/customer/?q=第3家", headers=asked).content.decode()
    assert part.startswith('<div id="list">') and LINK.findall(part) == [str(owing[0][3])]
    again = asked | {"HX-History-Restore-Request": "true"}
    assert "<html" in visit("li").get("/customer/?q=第3家", headers=again).content.decode()


def test_duties_of_others_order_nobodys_list(visit, owing, company):
    urgent, idle = owing
    assert paged(visit("li"), "/customer/") == urgent + idle
    assert paged(visit("zhao"), "/customer/") == []


def test_a_cursor_that_was_tampered_with_is_refused(visit, owing):
    for value in ('["walk", ["2026-11-25", 1], 1]', '["walk", [1], 1]', '["name", "x", 1]'):
        after = urgency.rows.base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
        assert visit("li").get(f"/customer/?after={after}").status_code == 400


def test_pages_drawn_at_once_do_not_share_what_they_loaded(company):
    desk, now = declare.desk_of("customer"), timezone.now()
    mine, theirs = columns.columns(desk), columns.columns(desk)
    facade = columns.Facade([company.customer], company.li, {})
    owner = next(place for place, one in enumerate(mine) if one.name == "owner")
    mine[owner].load([company.customer], facade, now)
    theirs[owner].load([], facade, now)
    assert mine[owner].cell(company.customer, facade).value == "小李"
