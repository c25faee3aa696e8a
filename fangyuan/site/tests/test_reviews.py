"""Reviews with their four points, and changes with their five instants."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fangyuan import door
from fangyuan.customers.models import Customer
from fangyuan.desk.models import Change
from fangyuan.forms import seed
from fangyuan.forms.models import Response

FOUR = {"growth": "SAME", "people": "SAME", "needs": "SAME", "credit": "SAME"}


@pytest.fixture
def url(rep, company):
    with door.acting(by=None, action="test") as deed:
        seed.plant(deed)
    return f"/customer/{company.customer.pk}/review"


def opened(page):
    """The fields of the form as the browser would send them back."""
    form = page.context["form"]
    names = [f.name for topic in form.topics() for f in topic["fields"]]
    said = {name: form[name].value() for name in names}
    said["industry"] = ""
    return {k: "" if v is None else v for k, v in said.items()} | {
        "revision": page.context["customer"].revision
    }


def test_an_unanswered_point_is_refused_with_its_clause(rep, url):
    said = opened(rep.get(url)) | {**FOUR, "credit": "", "seen_0": "on"}
    page = rep.post(url, said)
    assert page.status_code == 422
    assert "还没确认“信用状况”" in page.text
    assert page.context["form"].clauses == {"credit": "TAG-4.1.1b"}
    assert not Response._base_manager.exists()


def test_nothing_changed_counts_and_covers_what_was_looked_at(rep, url, company):
    rep.post(url, opened(rep.get(url)) | {**FOUR, "seen_0": "on", "seen_2": "on"})
    made = Response._base_manager.get()
    assert (made.verdict, made.person) == ("SAME", company.li)
    assert made.covers == ["基本信息", "规模", "size"]
    assert made.answers == FOUR


def test_one_press_confirms_everything(rep, url):
    rep.post(url, opened(rep.get(url)) | {"all": "SAME"})
    made = Response._base_manager.get()
    assert set(made.covers) == {*seed.GROUPS, *seed.FIELDS}
    assert made.verdict == "SAME"


def test_a_changed_point_says_how(rep, url):
    said = opened(rep.get(url)) | {**FOUR, "people": "CHANGED", "seen_0": "on"}
    assert "写一句变成了什么" in rep.post(url, said).text
    rep.post(url, said | {"people_note": "采购换人"})
    made = Response._base_manager.get()
    assert (made.verdict, made.answers["people_note"]) == ("CHANGED", "采购换人")


def test_a_field_put_right_goes_to_the_customer_and_is_covered(rep, url, company):
    rep.post(url, opened(rep.get(url)) | {**FOUR, "buying_habits": "按季招标"})
    assert Customer._base_manager.get(pk=company.customer.pk).buying_habits == "按季招标"
    made = Response._base_manager.get()
    assert (made.covers, made.verdict) == (["buying_habits"], "CHANGED")


def test_a_customer_changed_meanwhile_is_not_overwritten(rep, url, company):
    said = opened(rep.get(url)) | {**FOUR, "address": "旧表单的地址", "seen_0": "on"}
    door.change(company.customer, {"address": "经理改的地址"}, by=company.wang)
    page = rep.post(url, said)
    assert "刚被改过" in page.text
    assert Customer._base_manager.get(pk=company.customer.pk).address == "经理改的地址"
    assert not Response._base_manager.exists()


def test_an_outsider_reviews_nothing(client, url, company):
    client.force_login(company.zhao)
    assert client.get(url).status_code == 404


def test_review_and_change_count_their_queries(rep, url, django_assert_max_num_queries):
    rep.get(url)
    with django_assert_max_num_queries(15):
        rep.get(url)
    with django_assert_max_num_queries(15):
        rep.get(url.replace("review", "change"))


def test_a_change_is_reported_with_when_it_was_learnt_and_brought_in(rep, company):
    url = f"/customer/{company.customer.pk}/change"
    now = timezone.localtime()
    said = {
        "kind": "DECIDER",
        "occurred_at": f"{now - timedelta(days=2):%Y-%m-%dT%H:%M}",
        "known_at": f"{now - timedelta(hours=3):%Y-%m-%dT%H:%M}",
        "known_proof": "陈工来电",
        "after": "采购总监换人",
    }
    answer = rep.post(url, said)
    made = Change._base_manager.get()
    assert answer.url == f"{url}#c-{made.pk}"
    assert (made.kind, made.reported_by, made.updated_at) == ("DECIDER", company.li, None)
    page = rep.get(url).text
    assert "标为已更新" in page
    assert rep.get(f"/changes/{made.pk}").url == answer.url
    rep.post(f"/changes/{made.pk}/settle")
    rep.post(f"/changes/{made.pk}/settle", {"what": "told"})
    made.refresh_from_db()
    assert made.updated_at
    assert made.told_admin_at
    assert "标为已更新" not in rep.get(url).text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"after": ""}, "还没写变成了什么"),
        ({"known_at": "2020-01-01T09:00"}, "知悉不能早于发生"),
        ({"occurred_at": "2099-01-01T09:00"}, "时间还没到"),
        ({"occurred_at": ""}, "还没写发生"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_words(rep, company, more, said):
    basic = {"kind": "NEED", "occurred_at": "2026-01-06T09:00", "after": "要加测点"}
    page = rep.post(f"/customer/{company.customer.pk}/change", basic | more)
    assert page.status_code == 422
    assert said in page.text
    assert not Change._base_manager.exists()
