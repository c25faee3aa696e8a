"""Leads arrive by themselves: signed, fresh, once, not too many, and as complete as clauses ask."""

import json
import time

import pytest
from django.db import connection
from django.test import Client

from conftest import term
from fangyuan import door
from fangyuan.customers import arrivals
from fangyuan.customers.models import Arrival, Inlet, Lead
from tests.door.test_door import demand
from tests.door.test_races import all_at_once

URL = "/hooks/leads/site"
BODY = {"company": "澜石新材料有限公司", "contact_name": "周工", "phone": "139 0000 0001"}


@pytest.fixture
def inlet(market):
    with door.acting(by=market.feng, action="test") as deed:
        values = {"name": "官网表单", "code": "site", "source": term("source", "CALL")}
        return deed.create(Inlet, values)


def post(inlet, given=BODY, number="a1", *, secret=None, stamp=None, body=None, url=URL):
    body = json.dumps(given).encode() if body is None else body
    stamp = str(int(time.time())) if stamp is None else stamp
    headers = {
        "X-Fy-Timestamp": stamp,
        "X-Fy-Delivery": number,
        "X-Fy-Signature": arrivals.sign(secret or inlet.secret, stamp, body),
    }
    client = Client(enforce_csrf_checks=True)
    return client.post(url, body, content_type="application/json", headers=headers)


@pytest.mark.django_db
def test_a_signed_lead_is_taken_with_its_source(inlet):
    answer = post(inlet)
    assert answer.status_code == 201
    lead = Lead._base_manager.get(pk=answer.json()["lead"])
    assert (lead.company, lead.phone) == ("澜石新材料有限公司", "13900000001")
    assert lead.source == inlet.source and lead.score == 5


@pytest.mark.django_db
def test_the_same_delivery_makes_one_lead_and_another_body_is_refused(inlet):
    first = post(inlet)
    again = post(inlet)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = post(inlet, {**BODY, "company": "另一家"})
    assert other.status_code == 409 and "换一个编号" in other.json()["message"]
    assert Lead._base_manager.count() == Arrival._base_manager.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ({"secret": "猜的"}, 401, "签名不对"),
        ({"stamp": "17"}, 401, "五分钟"),
        ({"stamp": "昨天"}, 401, "时间戳"),
        ({"number": ""}, 400, "投递编号"),
        ({"body": b"{"}, 400, "不是 JSON"),
        ({"body": b"[]"}, 400, "JSON 对象"),
        ({"given": {**BODY, "stage": "PROSPECT"}}, 422, "有几项不对"),
        ({"given": {**BODY, "phone": "一三九"}}, 422, "有几项不对"),
        ({"given": {"company": "x" * 70000}}, 413, "64 KB"),
        ({"url": "/hooks/leads/none"}, 404, "没有这个线索入口"),
    ],
)
def test_what_is_not_right_is_refused_in_words_and_leaves_nothing(inlet, how, status, said):
    answer = post(inlet, **how)
    assert answer.status_code == status and said in answer.json()["message"]
    assert not Lead._base_manager.exists() and not Arrival._base_manager.exists()


@pytest.mark.django_db
def test_too_many_a_minute_are_told_to_wait(inlet):
    with door.acting(by=None, action="test") as deed:
        deed.change(inlet, per_minute=2)
    assert [post(inlet, number=f"n{n}").status_code for n in range(3)] == [201, 201, 429]
    assert post(inlet, number="n9")["Retry-After"] == "60"
    assert post(inlet, number="n1").status_code == 200  # what was taken is answered all the same


@pytest.mark.django_db
def test_a_new_key_ends_the_old_one_and_a_closed_inlet_takes_nothing(inlet, market):
    old = inlet.secret
    door.act("renew_secret", inlet, by=market.feng)
    fresh = Inlet._base_manager.get()
    assert post(fresh, secret=old).status_code == 401
    assert post(fresh).status_code == 201
    door.change(fresh, {"is_active": False}, by=market.feng)
    assert post(fresh, number="a2").status_code == 404


@pytest.mark.django_db
def test_clauses_ask_the_same_of_what_arrives(inlet):
    demand("PS-2.1.2.2", "REQUIRED", "lead", fields=["need"], enforce="write")
    answer = post(inlet)
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert (fault["field"], fault["clause"]) == ("need", "PS-2.1.2.2")
    assert not Arrival._base_manager.exists()
    assert post(inlet, {**BODY, "need": "检测设备"}).status_code == 201


@pytest.mark.django_db
def test_only_who_sets_it_up_sees_the_key(inlet, market):
    client = Client()
    client.force_login(market.feng)
    assert inlet.secret in client.get(f"/inlet/{inlet.pk}").content.decode()
    client.force_login(market.li)
    assert client.get(f"/inlet/{inlet.pk}").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_many_copies_at_once_one_becomes_a_lead(inlet):
    def send():
        answer = post(inlet)
        connection.close()
        return answer.status_code

    statuses = all_at_once([send] * 8)
    assert sorted(statuses)[-1] == 201 and statuses.count(201) == 1, statuses
    assert set(statuses) <= {200, 201}, statuses
    assert Lead._base_manager.count() == 1
