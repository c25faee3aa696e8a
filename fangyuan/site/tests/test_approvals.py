"""The page of approvals: difference, clause and chain; several at once; few questions asked."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conftest import own as give
from fangyuan import door
from fangyuan.customers.models import Customer
from fangyuan.engine.models import Decision, Request
from tests.door.test_door import REGRADE, demand


@pytest.fixture
def visit(company):
    def signed_in(name):
        browser = Client()
        browser.force_login(getattr(company, name))
        return browser

    return signed_in


@pytest.fixture
def asked(company):
    demand("RES-3.3.2b", "APPROVAL", "customer", on="regrade", approvers=["ka_manager"])
    return door.act("regrade", company.customer, by=company.li, payload=REGRADE).request


def test_the_approver_sees_each_difference_the_clause_and_the_chain(visit, asked):
    page = visit("wang").get("/approvals").content.decode()
    for said in ("<del>潜在</del>", "<ins>重点</ins>", "年采购 800 万", "RES-3.3.2b", "到你了"):
        assert said in page
    assert "待我审 1" in page
    assert visit("zhao").get(f"/approvals/{asked.pk}").status_code == 404
    assert "催办" in visit("li").get(f"/approvals/{asked.pk}?tab=asked").content.decode()


def test_acts_from_the_page_leave_their_row_and_their_words(visit, company, asked):
    url = f"/approvals/{asked.pk}/decide"
    told = visit("wang").post(url, {"verdict": "BACK"}, follow=True).content.decode()
    assert "退回要写明意见" in told
    handed = {"verdict": "FORWARD", "to": f"小赵 #{company.zhao.pk}", "comment": "请代看"}
    visit("wang").post(url, handed)
    page = visit("zhao").get(f"/approvals/{asked.pk}").content.decode()
    assert "王总</b> 转交给小赵：请代看" in page
    visit("zhao").post(url, {"verdict": "COPY", "to": f"许总 #{company.boss.pk}"})
    assert "调整分级" in visit("boss").get("/approvals?tab=copied").content.decode()
    visit("zhao").post(url, {"verdict": "AGREE"})
    verdicts = Decision._base_manager.values_list("verdict", flat=True)
    assert list(verdicts) == ["FORWARD", "COPY", "AGREE"]
    assert "调整分级" in visit("zhao").get("/approvals?tab=done").content.decode()


def test_several_are_agreed_to_at_once_and_only_what_is_mine(visit, company, asked):
    with door.acting(by=None, action="test") as deed:
        other = deed.create(
            Customer, {"name": "明远商贸", "source": company.customer.source,
                       "learned_at": company.since}
        )  # fmt: skip
        give(deed, other, company.wang, company.since)
    own = door.act("regrade", other, by=company.wang, payload=REGRADE).request
    visit("wang").post("/approvals/agree", {"pick": [asked.pk, own.pk]})
    states = Request._base_manager.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["AGREED", "WAITING"]


def test_the_page_asks_no_more_than_fifteen_questions(visit, asked):
    browser = visit("wang")
    browser.get("/approvals")
    with CaptureQueriesContext(connection) as asked_for:
        browser.get("/approvals")
    assert len(asked_for) <= 15, [one["sql"][:90] for one in asked_for]
