"""Lists: what one sees, finds, filters, sorts and pages through; what is refused."""

from __future__ import annotations

import re

import pytest

from conftest import own, term
from fangyuan import door
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk import declare
from fangyuan.desk.models import SavedView

NAMES = [
    "华晟汽车零部件有限公司",
    "凌川半导体(无锡)有限公司",
    "沐禾乳业",
    "瑞曜电池科技",
    "ABB 电机",
]


@pytest.fixture
def customers(company):
    """Five customers of 小李 besides the first, some without an expected spend."""
    made = []
    with door.acting(by=None, action="test") as deed:
        for number, name in enumerate(NAMES):
            values = {
                "name": name,
                "source": term("source", "CALL"),
                "learned_at": company.since,
                "expected_spend": number * 1000 if number % 2 else None,
            }
            customer = deed.create(Customer, values)
            own(deed, customer, company.li, company.since)
            made.append(customer)
    return made


def names(response) -> list[str]:
    return re.findall(
        r'<a class="name" href="/customer/\d+">([^<]+)</a>', response.content.decode()
    )


def test_the_owner_sees_the_customer_and_an_outsider_does_not(visit, company):
    assert names(visit("li").get("/customer/")) == ["华清电子有限公司"]
    assert names(visit("zhao").get("/customer/")) == []
    assert visit("zhao").get(f"/customer/{company.customer.pk}").status_code == 404


def test_a_stranger_is_sent_to_sign_in(client, company):
    response = client.get("/customer/?grade=A")
    assert response.status_code == 302
    assert response.url == "/login?next=/customer/%3Fgrade%3DA"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("colour=red", "客户列表不认识条件“colour”"),
        ("grade=Z", "“分级”没有“Z”这个值"),
        ("sort=colour", "客户列表不能按“colour”排序"),
        ("learned_at=soon", "“信息获取”没有“soon”这个值"),
        ("expected_spend=many..", "没有“many..”这个值"),
        ("after=nonsense", "翻页的位置认不出"),
        ("cols=colour", "客户列表没有列“colour”"),
        ("add=colour", "客户列表不认识条件“colour”"),
        ("region=银河", "“地域”没有“银河”这个值"),
        ("learned_at=9999-12-31", "没有“9999-12-31”这个值"),
        ("expected_spend=NaN..", "没有“NaN..”这个值"),
        ("q=%00", "认不出的字符"),
        ("pick=99999999999999999999", "勾选的行认不出"),
        ("sort=learned_at&after=WyJsZWFybmVkX2F0IixbMV0sMV0", "翻页的位置认不出"),
        ("owner=没有这个人", "“负责人”没有“没有这个人”这个值"),
    ],
)
def test_what_means_nothing_is_refused_in_words(visit, query, said):
    response = visit("li").get(f"/customer/?{query}")
    assert response.status_code == 400
    assert said in response.content.decode()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("华晟", {"华晟汽车零部件有限公司"}),
        ("半导体", {"凌川半导体(无锡)有限公司"}),
        ("hsqc", {"华晟汽车零部件有限公司"}),
        ("huasheng", {"华晟汽车零部件有限公司"}),
        ("huasheng qc", {"华晟汽车零部件有限公司"}),
        ("lingchuan", {"凌川半导体(无锡)有限公司"}),
        ("abb", {"ABB 电机"}),
        ("13800138000", {"华清电子有限公司"}),
        ("138 0013 8000", {"华清电子有限公司"}),
        ("没有这家", set()),
    ],
)
def test_words_find_by_fragment_pinyin_initials_and_phone(visit, customers, words, found):
    assert set(names(visit("li").get("/customer/", {"q": words}))) == found


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("owner=me", 6),
        ("owner=none", 0),
        ("expected_spend=1000..2000", 1),
        ("expected_spend=none", 4),
        ("expected_spend.from=2000&expected_spend.to=", 1),
        ("source=CALL", 5),
        ("source=客户推荐", 1),
        ("grade=D,none", 6),
        ("grade=A", 0),
        ("learned_at=2026-01-01..2026-01-31", 6),
        ("learned_at=..2025-12-31", 0),
        ("due=open", 0),
        ("is_ka=0", 6),
    ],
)
def test_conditions_narrow_the_list(visit, customers, query, count):
    assert len(names(visit("li").get(f"/customer/?{query}"))) == count


@pytest.mark.parametrize(
    "sort", ["", "-id", "id", "name", "-name", "expected_spend", "due", "-due"]
)
def test_pages_follow_each_other_without_gap_or_double(visit, customers, monkeypatch, sort):
    monkeypatch.setattr(declare, "PAGE_SIZE", 2)
    url, seen = f"/customer/?sort={sort}", []
    for _ in range(5):
        response = visit("li").get(url)
        seen += names(response)
        more = re.search(r'class="more" href="([^"]+)"', response.content.decode())
        if not more:
            break
        url = more[1].replace("&amp;", "&")
    assert sorted(seen) == sorted(["华清电子有限公司", *NAMES])
    assert len(seen) == 6


def test_a_further_page_comes_as_rows_only(visit, customers, monkeypatch):
    monkeypatch.setattr(declare, "PAGE_SIZE", 2)
    page = visit("li").get("/customer/?sort=name").content.decode()
    url = re.search(r'class="more" href="([^"]+)"', page)[1].replace("&amp;", "&")
    rows = visit("li").get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in rows
    assert rows.lstrip().startswith("<tr")


def test_a_hidden_field_is_locked_and_no_condition(visit, company):
    desk = declare.desk_of("contact")
    assert "phone" in desk.search
    with door.acting(by=None, action="test") as deed:
        deed.change(company.contact, concern="价格")
    browser = visit("boss")  # sales directors see numbers only masked
    page = browser.get("/contact/").content.decode()
    assert "13800138000" not in page
    assert "138****8000" in page


def test_a_number_is_found_only_whole_where_it_is_masked(visit, company):
    assert "陈工" in visit("li").get("/contact/?q=13800138000").content.decode()
    assert "陈工" not in visit("li").get("/contact/?q=1380013").content.decode()


def test_a_removed_row_is_in_the_recycle_bin_only(visit, company):
    door.remove(company.contact, by=company.li)
    assert "陈工" not in visit("li").get("/contact/").content.decode()
    assert "陈工" in visit("li").get("/contact/?bin=1").content.decode()


def test_a_view_is_kept_with_its_conditions(visit, company, customers):
    browser = visit("li")
    browser.post("/customer/views?source=CALL&sort=name", {"name": "电话来的"})
    view = SavedView._base_manager.get(name="电话来的")
    assert view.filter == {"source": "CALL", "sort": "name"}
    page = browser.get("/customer/").content.decode()
    assert f"?source=CALL&amp;sort=name&amp;view={view.pk}" in page
    assert "电话来的" not in visit("boss").get("/customer/").content.decode()


def test_columns_are_chosen(visit, customers):
    page = visit("li").get("/customer/?cols=grade&cols=owner").content.decode()
    heads = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)', page)
    assert [head.strip() for head in heads] == ["客户", "分级", "负责人"]


def test_contacts_of_another_customer_keep_their_customers_name_hidden(visit, company):
    with door.acting(by=None, action="test") as deed:
        secret = deed.create(
            Customer,
            {
                "name": "机密集团",
                "source": term("source", "CALL"),
                "learned_at": company.since,
                "level": "SECRET",
            },
        )
        own(deed, secret, company.wang, company.since)
        deed.create(Contact, {"customer": secret, "name": "李总", "phone": "13900139000"})
    assert "机密集团" not in visit("boss").get("/task/").content.decode()
    assert "机密集团" not in visit("zhao").get("/customer/").content.decode()
    assert "机密集团" in visit("wang").get("/customer/").content.decode()


def test_a_list_opens_with_its_first_view_and_all_stays_a_click_away(visit):
    page = visit("li").get("/obligation/").content.decode()
    assert "去掉条件：状态 未到期、违规" in page
    assert 'href="/obligation/?view=all"' in page
    assert "去掉条件" not in visit("li").get("/obligation/?view=all").content.decode()
