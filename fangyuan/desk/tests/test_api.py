"""Programs get what the same person gets on a page, in one shape, and never a 5xx."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from fangyuan import door
from fangyuan.access import tokens
from fangyuan.access.models import ApiToken
from fangyuan.core.models import Event
from fangyuan.customers.models import Contact, Customer
from fangyuan.org.models import Holding

NEW = {
    "name": "新宁电子", "source": "REFERRAL", "learned_at": "2026-03-01T09:00:00+08:00",
    "address": "新宁路 1 号", "contacts": {"name": "吴工", "phone": "13900139000"},
}  # fmt: skip


@pytest.fixture
def call(company):
    """Call the API with a token of somebody: `call("li", "get", "/api/customer/", …)`."""

    def asked(who, method, path, body=None, **more):
        with door.acting(by=None, action="test"):
            token = tokens.issue(getattr(company, who), name="测试", expires_at=None)
        more |= {"headers": {"Authorization": f"Bearer {token}"}}
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(Client(), method)(path, **more)

    return asked


def test_a_record_is_made_read_changed_and_removed(call, company):
    made = call("li", "post", "/api/customer/", NEW)
    assert made.status_code == 201, made.json()
    said = made.json()
    assert (said["name"], said["source"], said["revision"]) == ("新宁电子", "REFERRAL", 1)
    record = Customer._base_manager.get(pk=said["id"])
    assert Contact._base_manager.get(customer=record).is_main
    assert Holding._base_manager.get(subject_id=record.pk).person == company.li
    assert Event._base_manager.filter(record="customer", record_id=record.pk).get().channel == "API"
    path = f"/api/customer/{record.pk}"
    assert call("li", "get", path).json()["address"] == "新宁路 1 号"
    changed = call("li", "patch", path, {"revision": 1, "address": "新宁路 2 号"})
    assert changed.json()["revision"] == 2
    stale = call("li", "patch", path, {"revision": 1, "address": "新宁路 3 号"})
    assert stale.status_code == 409 and stale.json()["current"]["address"] == "新宁路 2 号"
    assert call("li", "delete", path).status_code == 200
    record.refresh_from_db()
    assert record.removed_at is not None


def test_a_stranger_gets_nothing_and_an_outsider_sees_nothing(call, company):
    assert Client().get("/api/customer/").status_code == 401
    bad = Client().get("/api/customer/", headers={"Authorization": "Bearer fy_nonsense"})
    assert bad.status_code == 401 and "登录" in bad.json()["message"]
    assert call("zhao", "get", f"/api/customer/{company.customer.pk}").status_code == 404
    assert call("zhao", "get", "/api/customer/").json()["rows"] == []
    path = f"/api/customer/{company.customer.pk}"
    assert call("zhao", "patch", path, {"revision": 1, "address": "x"}).status_code == 404
    assert Client().get("/api/openapi.json").status_code == 401


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("grade=D", 200), ("owner__password__startswith=p", 400), ("order_by=x", 400),
        ("sort=address", 400), ("page_size=1000000000", 422), ("page_size=x", 422),
        ("after=%00", 400), ("q=%25%25%25", 200), ("grade=%00", 400), ("after=W10", 400),
    ],
)  # fmt: skip
def test_a_list_knows_its_conditions_and_refuses_others(call, query, status):
    assert call("li", "get", f"/api/customer/?{query}").status_code == status


@pytest.mark.parametrize(
    "more",
    [
        {"is_admin": True}, {"recorded_at": "2020-01-01"}, {"revision": 9}, {"grade": "A"},
        {"source": "没有"}, {"learned_at": "昨天"}, {"name": "a\0b"}, {"name": ""},
        {"referrer": "#99999999"}, {"contacts": {"boss": 1}}, {"headcount": -1},
    ],
)  # fmt: skip
def test_unknown_and_wrong_values_are_refused_and_nothing_is_written(call, more):
    response = call("li", "post", "/api/customer/", {**NEW, **more})
    assert response.status_code == 422, response.json()
    errors = response.json()["errors"]
    assert errors and all(error["message"] for error in errors)
    assert Customer._base_manager.count() == 1


def test_masked_values_stay_masked_and_sessions_need_the_csrf_token(call, company):
    row = call("li", "get", "/api/contact/").json()["rows"][0]
    assert row["phone"] == "138****8000" and row["customer"] == "hq"
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(company.li)
    assert browser.get("/api/customer/").status_code == 200
    refused = browser.post("/api/customer/", json.dumps(NEW), content_type="application/json")
    assert refused.status_code == 403 and Customer._base_manager.count() == 1


def test_pages_follow_each_other(call, company):
    for number in range(3):
        body = {**NEW, "name": f"客户{number}"}
        assert call("li", "post", "/api/customer/", body).status_code == 201
    first = call("li", "get", "/api/customer/?page_size=3&sort=name").json()
    second = call("li", "get", f"/api/customer/?page_size=3&sort=name&after={first['next']}").json()
    names = [row["name"] for row in [*first["rows"], *second["rows"]]]
    assert len(set(names)) == 4 and names == sorted(names) and second["next"] == ""


def test_a_token_ends_with_its_time_and_with_its_person(company):
    now = timezone.now()
    with door.acting(by=None, action="test") as deed:
        deed.free.add("account_state")
        token = tokens.issue(company.li, name="测试", expires_at=None)
        assert tokens.holder(token, now=now) == company.li
        assert token not in str(list(ApiToken._base_manager.values()))
        assert tokens.holder(tokens.issue(company.li, name="旧", expires_at=now), now=now) is None
        deed.change(company.li, {"account_state": "DISABLED"})
        assert tokens.holder(token, now=now) is None
        deed.change(company.li, {"account_state": "ACTIVE"})
        assert tokens.revoke(company.li, at=now) == 2
        assert tokens.holder(token, now=now) is None


def test_a_verb_runs_as_on_the_page(call, company):
    path = f"/api/customer/{company.customer.pk}"
    answer = call("wang", "post", f"{path}/set_ka_tier", {"nonsense": 1})
    assert answer.status_code == 422
