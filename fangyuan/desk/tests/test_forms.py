"""Entering and changing: rules beside the fields, nothing lost, both values in a conflict."""

from __future__ import annotations

import re

import pytest

from conftest import local, term
from fangyuan import door
from fangyuan.access.models import AccessLog
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk import views
from fangyuan.org.models import Holding

NEW = {
    "name": "远岑物流装备有限公司",
    "source": "source:CALL",
    "learned_at": "2026-11-02T09:30",
    "address": "湖州市示范路 1 号",
}


def inputs(page: str) -> dict[str, str]:
    """What a browser would post from the form as it is."""
    found = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*?value="([^"]*)"', page))
    for name, body in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)"\s+selected', body)
        found[name] = chosen[1] if chosen else ""
    for name, body in re.findall(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.S):
        found[name] = body
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def test_a_customer_comes_with_its_contact_and_its_owner(visit, company):
    child = {"child__name": "贺东", "child__phone": "139 0000 1111"}
    response = visit("li").post("/customer/new", {**NEW, **child})
    made = Customer._base_manager.get(name=NEW["name"])
    assert response.url == f"/customer/{made.pk}"
    assert made.learned_at == local("2026-11-02 09:30")
    assert made.recorded_by == company.li.pk
    contact = Contact._base_manager.get(customer=made)
    assert (contact.name, contact.phone, contact.is_main) == ("贺东", "13900001111", True)
    held = Holding._base_manager.get(subject_type="customer", subject_id=made.pk)
    assert (held.person_id, held.role) == (company.li.pk, "OWNER")


def test_a_contact_that_cannot_be_reached_is_refused_with_everything_kept(visit, company):
    response = visit("li").post("/customer/new", {**NEW, "child__name": "贺东"})
    page = response.content.decode()
    assert "电话和邮箱至少填一个" in page
    assert 'value="远岑物流装备有限公司"' in page
    assert 'value="贺东"' in page
    assert not Customer._base_manager.filter(name=NEW["name"]).exists()


def test_what_a_rule_demands_is_marked_and_refused_with_its_clause(visit, company, rule):
    rule("REQUIRED", "customer", enforce="write", fields=["address"])
    form = visit("li").get("/customer/new").content.decode()
    field = form[form.index('id="f-address"') :][:600]
    assert "必填" in field
    assert "RES-3.1.2a" in field
    page = visit("li").post("/customer/new", {**NEW, "address": ""}).content.decode()
    assert "还差 1 项" in page
    assert ">还缺“注册地址”，请补上</a>" in page
    assert 'href="#f-address"' in page
    assert 'href="/clause/RES-3.1.2a"' in page


def test_mistypings_and_rules_are_said_at_once(visit, company, rule):
    rule("REQUIRED", "customer", enforce="write", fields=["address"])
    wrong = {**NEW, "address": "", "uscc": "91", "learned_at": ""}
    page = visit("li").post("/customer/new", wrong).content.decode()
    assert "有 3 项要改" in page
    assert all(f'href="#f-{name}"' in page for name in ("address", "uscc", "learned_at"))
    assert ">还缺“注册地址”，请补上</a>" in page
    assert not Customer._base_manager.filter(name=NEW["name"]).exists()
    url = f"/customer/{company.customer.pk}/edit"
    mine = inputs(visit("li").get(url).content.decode())
    page = visit("li").post(url, {**mine, "address": "", "learned_at": "昨天"}).content.decode()
    assert "有 2 项要改" in page and ">还缺“注册地址”，请补上</a>" in page
    company.customer.refresh_from_db()
    assert company.customer.address


def test_a_name_that_is_taken_is_refused_in_words(visit, company):
    page = visit("li").post("/customer/new", {**NEW, "name": "华清电子有限公司"}).content.decode()
    assert "已有同名客户" in page


def test_doubles_are_shown_while_one_types_with_who_answers(visit, company):
    page = visit("zhao").get("/customer/duplicates?name=华清电子").content.decode()
    assert "华清电子有限公司" in page
    assert "负责人 小李" in page
    assert f'href="/customer/{company.customer.pk}"' not in page  # not his to open
    assert "华清" not in visit("zhao").get("/customer/duplicates?name=远岑").content.decode()


def test_only_what_was_changed_is_written(visit, company):
    browser, url = visit("li"), f"/customer/{company.customer.pk}/edit"
    form = inputs(browser.get(url).content.decode())
    with door.acting(by=None, action="test") as deed:
        deed.change(company.customer, product_need="检测线")
    browser.post(url, {**form, "address": "昆山市前进路 9 号", "revision": ""})
    company.customer.refresh_from_db()
    assert company.customer.address == "昆山市前进路 9 号"
    assert company.customer.product_need == "检测线"


def test_two_people_on_one_record_lose_nothing(visit, company):
    url = f"/customer/{company.customer.pk}/edit"
    mine = inputs(visit("li").get(url).content.decode())
    door.change(
        company.customer, {"address": "王总写的地址", "product_need": "机器人"}, by=company.wang
    )
    answer = visit("li").post(url, {**mine, "address": "小李写的地址"})
    page = answer.content.decode()
    assert "王总 刚改过这条记录" in page
    assert "有效的选项" not in page  # a choice that nobody touched is no mistake
    assert "你的：小李写的地址" in page
    assert "王总的：王总写的地址" in page
    again = inputs(page)
    assert again["address"] == "小李写的地址"
    assert again["product_need"] == "机器人"
    visit("li").post(url, again)
    company.customer.refresh_from_db()
    assert company.customer.address == "小李写的地址"
    assert company.customer.product_need == "机器人"


def test_a_masked_number_is_not_in_the_form_and_stays_when_left_empty(visit, company):
    url = f"/contact/{company.contact.pk}/edit"
    page = visit("li").get(url).content.decode()
    assert "13800138000" not in page
    assert "138****8000，不改就留空" in page
    visit("li").post(url, {**inputs(page), "title": "总工"})
    company.contact.refresh_from_db()
    assert (company.contact.phone, company.contact.title) == ("13800138000", "总工")


def test_looking_at_a_masked_number_leaves_a_trace(visit, company):
    url = f"/contact/{company.contact.pk}/reveal/phone"
    answer = visit("li").post(url, headers={"HX-Request": "true"})
    assert answer.content.decode().strip() == "13800138000"
    trace = AccessLog._base_manager.get(kind="REVEAL")
    assert trace.person_id == company.li.pk
    assert trace.subject == ("contact", company.contact.pk)
    assert visit("zhao").post(url).status_code == 404
    assert visit("li").post(url.replace("phone", "name")).status_code == 404


def test_looking_at_many_numbers_is_slowed_down(visit, company, monkeypatch):
    monkeypatch.setattr(views, "REVEALS_PER_HOUR", 2)
    browser, url = visit("li"), f"/contact/{company.contact.pk}/reveal/phone"
    answers = [browser.post(url).status_code for _ in range(3)]
    assert answers == [200, 200, 403]


def test_an_outsider_cannot_write(visit, company):
    pk = company.customer.pk
    for path in (f"/customer/{pk}/edit", f"/customer/{pk}/do/regrade"):
        assert visit("zhao").get(path).status_code == 404
    assert visit("zhao").post(f"/customer/{pk}/remove").status_code == 404
    company.customer.refresh_from_db()
    assert company.customer.removed_at is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [("#999999", "没找到客户"), ("没有这家", "没找到客户"), ("", "还没填客户")],
)
def test_a_reference_that_names_nothing_is_refused(visit, company, typed, said):
    page = visit("li").post("/contact/new", {"customer": typed, "name": "丁楠"}).content.decode()
    assert said in page


def test_references_and_pointers_are_typed(visit, company):
    browser, pk = visit("li"), company.customer.pk
    contact = {"name": "丁楠", "phone": "13700001111"}
    browser.post("/contact/new", {"customer": "华清电子有限公司", **contact})
    assert Contact._base_manager.get(name="丁楠").customer_id == pk
    change = {
        "subject": f"华清 #customer:{pk}",
        "kind": "NEED",
        "occurred_at": "2026-11-20T08:00",
        "reported_by": f"小李 #{company.li.pk}",
        "after": "要加一条线",
    }
    answer = browser.post("/change/new", change)
    assert answer.status_code == 302
    assert "要加一条线" in browser.get(answer.url).content.decode()
    assert "小李" in browser.get("/person/choices?reported_by=xiaol").content.decode()
    found = browser.get("/choices?subject=huaqing").content.decode()
    assert f"华清电子有限公司 #customer:{pk}" in found


def test_the_address_fills_a_new_form(visit, company):
    page = visit("li").get(f"/contact/new?customer={company.customer.pk}").content.decode()
    assert f'value="华清电子有限公司 #{company.customer.pk}"' in page
    page = visit("li").get(f"/change/new?subject=customer:{company.customer.pk}").content.decode()
    assert f'value="华清电子有限公司 #customer:{company.customer.pk}"' in page


def test_terms_of_long_vocabularies_are_typed_by_name(visit, company):
    url = f"/customer/{company.customer.pk}/edit"
    form = inputs(visit("li").get(url).content.decode())
    page = visit("li").post(url, {**form, "industry": "没有这个行业"}).content.decode()
    assert "字典里没有“没有这个行业”" in page
    visit("li").post(url, {**form, "industry": "汽车制造业"})
    company.customer.refresh_from_db()
    assert company.customer.industry_id == term("industry", "C36").key


def test_what_the_table_needs_is_asked_for_in_plain_words(company):
    with pytest.raises(door.Refused) as refusal:
        door.create(Customer, {"name": "甲公司", "learned_at": None}, by=company.li)
    said = " ".join(one.sentence for one in refusal.value.unmet)
    assert "还缺“信息获取”，请补上" in said and "null" not in said
