"""The page of a request: what follows from either word, what is created along, who may speak."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from fangyuan import door
from fangyuan.access import tokens
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk import waivers
from fangyuan.desk.forms import CHILD
from fangyuan.engine import sweep
from fangyuan.engine.models import Approval, Obligation, Request, Rule
from fangyuan.org.models import Holding
from tests.door.test_approvals import ask, chain, grade, leave, people
from tests.door.test_door import demand

__all__ = ["people"]


def seated(person):
    browser = Client()
    browser.force_login(person)
    return browser


def effects(person, request):
    """The fragment that tells what follows."""
    return seated(person).get(f"/approvals/{request.pk}/effects").content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_page_tells_what_changes_and_nothing_is_written(people):
    chain("line_manager")
    request = ask(people)
    told = effects(people.wang, request)
    agreed, refused = told.split("不同意")
    assert "分级" in agreed
    assert "什么都不变" in refused
    people.customer.refresh_from_db()
    request.refresh_from_db()
    assert (people.customer.grade, request.state) == ("D", "WAITING")


@pytest.mark.django_db(transaction=True)
def test_it_tells_which_duties_end_and_which_gates_open(people):
    owed = {"on": "learned_at", "until": "prospect_at", "within": "400d", "where": {"grade": "D"}}
    rule = demand("T-2", "DEADLINE", "customer")
    with door.acting(by=None, action="test"):
        Rule._base_manager.filter(pk=rule.pk).update(params=owed)
    demand("T-3", "GATE", "customer", on="become_prospect", holds={"grade": "A"})
    sweep.sweep(timezone.now())
    assert Obligation._base_manager.get(subject_id=people.customer.pk).state == "OPEN"
    chain("line_manager")
    told = effects(people.wang, ask(people))
    agreed = told.split("不同意")[0]
    assert "义务作废" in agreed
    assert people.customer.name in agreed
    assert "转为意向”的门槛打开" in agreed
    sweep.sweep(timezone.now())
    assert Obligation._base_manager.get(subject_id=people.customer.pk).state == "OPEN"


def test_it_says_beforehand_what_would_be_refused(people):
    chain("line_manager")
    request = ask(people)
    demand("T-4", "GATE", "customer", on="regrade", holds={"headcount": {"not_empty": True}})
    assert "照现在的样子会被拦下" in effects(people.wang, request)
    assert "员工数" in effects(people.wang, request)


def test_only_those_who_may_open_the_request_see_what_follows(people):
    chain("line_manager")
    request = ask(people)
    assert seated(people.zhao).get(f"/approvals/{request.pk}/effects").status_code == 404


@pytest.fixture
def created(people):
    """小李 enters a customer with its contact; a clause has his superior agree first."""
    demand("T-5", "APPROVAL", "customer", on="create", approvers=["line_manager"])
    own = {"name": "新客有限公司", "source": people.customer.source_id, "address": "无锡市"}
    child = {f"{CHILD}name": "周工", f"{CHILD}phone": "13900139000"}
    given = {**own, "learned_at": "2026-03-02T09:00", **child}
    return seated(people.li).post("/customer/new", given)


@pytest.mark.django_db(transaction=True)
def test_a_creation_that_waits_keeps_what_was_entered_along(people, created):
    assert "先审批" in created.content.decode()
    assert not Customer._base_manager.filter(name="新客有限公司").exists()
    assert not Contact._base_manager.filter(name="周工").exists()
    request = Request._base_manager.get()
    page = seated(people.wang).get(f"/approvals/{request.pk}").content.decode()
    assert "一并新建：联系人" in page
    assert "周工" in page
    assert "新建联系人 1 条" in effects(people.wang, request)
    door.decide(request, "AGREE", by=people.wang)
    made = Customer._base_manager.get(name="新客有限公司")
    assert Contact._base_manager.get(customer=made).name == "周工"
    assert (
        Holding._base_manager.get(subject_id=made.pk, subject_type="customer").person == people.li
    )


def test_a_signer_sees_the_difference_as_well(people):
    chain("line_manager")
    request = ask(people)
    door.decide(request, "SIGNER", by=people.wang, to=people.lu, place="before")
    page = seated(people.lu).get(f"/approvals/{request.pk}").content.decode()
    assert "分级" in page
    assert "申请改为" in page
    assert "<ins>" in page


def test_a_stand_in_decides_by_the_api_in_the_name_of_the_absent(people):
    chain("line_manager")
    request = ask(people)
    leave(people, people.wang, people.lu)
    answers = {}
    for person in (people.zhao, people.lu):
        with door.acting(by=None, action="test"):
            token = tokens.issue(person, name="测试", expires_at=None)
        answers[person.login] = Client().post(
            f"/api/request/{request.pk}/agree",
            data=json.dumps({"comment": "可以"}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert answers["zhao"].status_code == 404
    assert answers["lu"].status_code == 200, answers["lu"].content.decode()
    assert grade(people) == "A"
    seat = Approval._base_manager.get(request=request)
    assert seat.person == people.wang
    assert request.decisions.everything("测试").get().who == "陆会计 代 王总"


def test_where_a_clause_says_so_nobody_takes_back_what_somebody_spoke_about(people):
    chain("line_manager", "sales_director", withdraw="before_first")
    request = ask(people)
    door.withdraw(request, by=people.li)
    again = ask(people)
    door.decide(again, "AGREE", by=people.wang)
    with pytest.raises(door.Denied, match="王总已表态"):
        door.withdraw(again, by=people.li)
    page = seated(people.li).get(f"/approvals/{again.pk}").content.decode()
    assert 'value="WITHDRAW"' not in page
    assert timezone.now() - again.asked_at < timedelta(hours=1)


@pytest.mark.django_db(transaction=True)
def test_a_waiver_tells_beforehand_which_duties_it_lets_off(people):
    rule = demand("T-6", "DEADLINE", "customer")
    owed = {"on": "learned_at", "until": "prospect_at", "within": "24h"}
    with door.acting(by=None, action="test"):
        Rule._base_manager.filter(pk=rule.pk).update(params=owed)
    sweep.sweep(timezone.now())
    with door.acting(by=people.li, action="create") as deed:
        at = people.customer.learned_at
        waivers.ask(deed, {
            "clause": "T-6", "subject": people.customer, "reason": "客户停产", "starts_at": at,
            "ends_at": at + timedelta(days=30),
        })  # fmt: skip
    request = Request._base_manager.get()
    agreed, refused = effects(people.wang, request).split("不同意")
    assert "义务豁免" in agreed
    assert "会被拦下" not in agreed + refused
    assert "未准" in refused
