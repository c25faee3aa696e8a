"""Two at once, with real transactions: one customer of a name, one owner, one decision."""

import threading

import pytest
from django.db import connection
from django.test import Client

from conftest import local, term
from fangyuan import door
from fangyuan.activities.models import Task
from fangyuan.customers.models import Customer
from fangyuan.engine.models import Decision
from fangyuan.org.models import Holding
from tests.door.test_door import REGRADE, demand

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 8


def all_at_once(jobs):
    """Run the jobs together, each on a connection of its own; give what each came to."""
    start, outcomes = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(place, job):
        try:
            start.wait(10)
            outcomes[place] = job()
        except Exception as refused:  # noqa: BLE001 - the outcome is what is tested
            outcomes[place] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=item) for item in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_of_many_entering_the_same_customer_one_succeeds(company):
    values = {
        "name": "凌川半导体有限公司",
        "source": term("source", "CALL"),
        "learned_at": local("2026-05-01 09:00"),
    }
    outcomes = all_at_once([lambda: door.create(Customer, values, by=company.li)] * CROWD)
    assert sum(isinstance(o, Customer) for o in outcomes) == 1
    assert sum(isinstance(o, door.Refused) for o in outcomes) == CROWD - 1
    assert Customer._base_manager.filter(name="凌川半导体有限公司").count() == 1


def test_of_many_taking_a_customer_one_becomes_the_owner(company):
    with door.acting(by=None, action="test") as deed:
        free = deed.create(
            Customer,
            {
                "name": "无主电子有限公司",
                "source": term("source", "CALL"),
                "learned_at": local("2026-05-01 09:00"),
            },
        )
        for person in (company.li, company.zhao, company.wang):
            deed.create(
                Holding,
                {"subject": free, "person": person, "role": "READER", "starts_at": company.since},
            )
    people = [company.li, company.zhao]
    jobs = [lambda p=people[n % 2]: door.act("claim", free, by=p) for n in range(CROWD)]
    outcomes = all_at_once(jobs)
    owners = Holding._base_manager.filter(subject_id=free.pk, role="OWNER", ends_at=None)
    assert owners.count() == 1
    assert sum(not isinstance(o, Exception) for o in outcomes) == 1


def test_colliding_decisions_leave_one_state_one_word_and_one_effect(company):
    demand("RES-3.3.2b", "APPROVAL", "customer", on="regrade", approvers=["ka_manager"])
    request = door.act("regrade", company.customer, by=company.li, payload=REGRADE).request
    jobs = [
        lambda: door.decide(request, "AGREE", by=company.wang),
        lambda: door.decide(request, "REFUSE", by=company.wang),
        lambda: door.withdraw(request, by=company.li),
    ] * 3
    outcomes = all_at_once(jobs)
    request.refresh_from_db()
    company.customer.refresh_from_db()
    assert sum(not isinstance(o, Exception) for o in outcomes) == 1
    assert all(isinstance(o, door.Denied) for o in outcomes if isinstance(o, Exception))
    assert request.state in ("AGREED", "REFUSED", "WITHDRAWN")
    assert Decision._base_manager.filter(request=request).count() == 1
    assert company.customer.grade == ("A" if request.state == "AGREED" else "D")


def test_of_two_forms_opened_at_once_the_later_is_told(company):
    revision = company.customer.revision
    outcomes = all_at_once(
        [
            lambda n=n: door.change(
                company.customer, {"address": f"新址 {n} 号"}, by=company.li, revision=revision
            )
            for n in range(CROWD)
        ]
    )
    assert sum(isinstance(o, Customer) for o in outcomes) == 1
    assert sum(isinstance(o, door.Stale) for o in outcomes) == CROWD - 1


def test_of_many_copies_of_one_submission_one_is_taken(company):
    said = {"title": "送样件", "person": f"{company.li} #{company.li.pk}", "kind": "FOLLOW"}
    said |= {"asker": said["person"], "due_at": "2030-05-06T10:30", "asked_at": "2026-05-01T09:00"}

    def post():
        client = Client()
        client.force_login(company.li)
        return client.post("/task/new", said, headers={"X-Fy-Once": "t1"}).status_code

    outcomes = all_at_once([post] * CROWD)
    assert sorted(outcomes) == [204] * (CROWD - 1) + [302]
    assert Task._base_manager.count() == 1
    with_mistake = {**said, "title": ""}
    client = Client()
    client.force_login(company.li)
    for tried, told in ((with_mistake, 200), (said, 302), (said, 204)):
        assert client.post("/task/new", tried, headers={"X-Fy-Once": "t2"}).status_code == told
