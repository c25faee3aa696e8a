"""Record pages: panels, histories, verbs, comments, the recycle bin, undoing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from conftest import local
from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.core.models import Event
from fangyuan.customers.models import Lead
from fangyuan.desk import columns, declare
from fangyuan.desk.models import Change, Comment
from fangyuan.engine.models import Move, Request
from fangyuan.org.models import Holding, Message

HTMX = {"HX-Request": "true"}


@pytest.fixture
def activity(company):
    """A visit that 小李 has made."""
    values = {
        "customer": company.customer,
        "person": company.li,
        "kind": "VISIT",
        "result": "节拍 42 秒可接受",
        "started_at": local("2026-11-18 10:14"),
        "ended_at": local("2026-11-18 11:24"),
    }
    return door.create(Activity, values, by=company.li)


def test_the_page_shows_duties_of_the_record_and_of_its_visits(visit, company, activity, duty):
    now = timezone.now()
    duty(company.customer, "OPEN", now + timedelta(hours=2))
    duty(activity, "BREACHED", now - timedelta(days=3))
    duty(activity, "MET", now - timedelta(days=9), met=now - timedelta(days=10))
    page = visit("li").get(f"/customer/{company.customer.pk}").content.decode()
    assert "2 件未结" in page
    assert 'class="clause bad" href="/clause/KA-3.3.2"' in page
    assert page.index("接下来") < page.index("到期未办") < page.index("按时办结")
    assert "逾 3 天" in visit("li").get("/customer/?due=overdue").content.decode()
    assert "华清电子" not in visit("zhao").get("/customer/?due=overdue").content.decode()


def test_the_timeline_puts_visits_changes_and_writes_on_one_axis(visit, company, activity):
    change = {"kind": "NEED", "occurred_at": local("2026-11-19 09:00"), "after": "要加线"}
    values = {**change, "subject": company.customer, "reported_by": company.li}
    door.create(Change, values, by=company.li)
    door.change(company.customer, {"address": "昆山"}, by=company.li, reason="搬家")
    page = visit("li").get(f"/customer/{company.customer.pk}/~timeline", headers=HTMX)
    text = page.content.decode()
    assert "<html" not in text
    assert text.index("注册地址：苏州市工业园区星湖街 1 号 → 昆山") < text.index("要加线")
    assert text.index("要加线") < text.index("节拍 42 秒可接受")
    assert "小李 · 搬家" in text
    url = f"/customer/{company.customer.pk}/~timeline?kind=contact"
    assert "搬家" not in visit("li").get(url, headers=HTMX).content.decode()
    assert visit("li").get(f"{url}s").status_code == 400


def test_a_long_timeline_comes_in_pages(visit, company):
    for number in range(45):  # a test is one transaction, whose writes all have one instant
        event = {"record": "customer", "record_id": company.customer.pk, "op": "U", "xid": 1}
        diff = {"address": [None, f"示范路 {number} 号"]}
        event |= {"at": company.since + timedelta(hours=number), "diff": diff}
        Event(**event, actor=company.li.pk, action="change", channel="PAGE").save()
    url, seen = f"/customer/{company.customer.pk}/~timeline?kind=event", set()
    for _ in range(4):
        text = visit("li").get(url, headers=HTMX).content.decode()
        seen |= {number for number in range(45) if f"→ 示范路 {number} 号" in text}
        if 'class="more"' not in text:
            break
        url = text.split('class="more" href="')[1].split('"')[0].replace("&amp;", "&")
    assert seen == set(range(45))


def test_a_field_tells_who_changed_it_when_and_why(visit, company):
    door.change(company.customer, {"intent": "HIGH"}, by=company.wang, reason="会上确认")
    url = f"/customer/{company.customer.pk}/history/intent"
    text = visit("li").get(url, headers=HTMX).content.decode()
    assert "王总 · 会上确认 · 页面" in text
    assert "高" in text
    assert visit("li").get(f"/contact/{company.contact.pk}/history/phone").status_code == 404
    assert visit("zhao").get(url).status_code == 404


def test_a_verb_asks_then_acts(visit, company):
    url = f"/customer/{company.customer.pk}/do/regrade"
    assert "定级依据" in visit("wang").get(url, headers=HTMX).content.decode()
    visit("wang").post(url, {"grade": "A", "grade_basis": "年采购 400 万"})
    company.customer.refresh_from_db()
    assert company.customer.grade == "A"
    refused = visit("li").post(url, {"grade": "B", "grade_basis": "x"}).content.decode()
    assert "你的岗位不能“调整分级”" in refused


def test_a_verb_that_wants_approval_says_whose_word_it_waits_for(visit, company, rule):
    rule("APPROVAL", "customer", on="regrade", approvers=["line_manager"])
    url = f"/customer/{company.customer.pk}/do/regrade"
    browser = visit("li")
    browser.post(url, {"grade": "A", "grade_basis": "年采购 400 万"})
    page = browser.get(f"/customer/{company.customer.pk}").content.decode()
    assert "已提交审批，等 王总" in page
    assert Request._base_manager.get().state == "WAITING"
    company.customer.refresh_from_db()
    assert company.customer.grade == "D"


def test_a_colleague_named_in_a_comment_gets_a_message(visit, company):
    url = f"/customer/{company.customer.pk}/comment"
    visit("li").post(url, {"text": "@王总 请看一下报价"})
    assert Comment._base_manager.get().author_id == company.li.pk
    message = Message._base_manager.get(person=company.wang)
    assert message.subject == ("customer", company.customer.pk)
    page = visit("wang").get(f"/customer/{company.customer.pk}").content.decode()
    assert "请看一下报价" in page


def undo_of(browser, url: str) -> str:
    """The undo address of the toast on a page."""
    page = browser.get(url).content.decode()
    return page.split('action="/undo/')[1].split('"')[0]


def test_removing_is_undone(visit, company):
    browser = visit("li")
    browser.post(f"/contact/{company.contact.pk}/remove")
    company.contact.refresh_from_db()
    assert company.contact.removed_at is not None
    token = undo_of(browser, "/contact/")
    assert visit("wang").post(f"/undo/{token}").status_code == 302  # not his to undo
    company.contact.refresh_from_db()
    assert company.contact.removed_at is not None
    browser.post(f"/undo/{token}")
    company.contact.refresh_from_db()
    assert company.contact.removed_at is None


def test_a_cell_is_changed_in_place_and_undone(visit, company):
    browser, url = visit("li"), f"/customer/{company.customer.pk}/cell/intent"
    assert "data-inline" in browser.get(url, headers=HTMX).content.decode()
    revision = company.customer.revision
    answer = browser.post(url, {"intent": "HIGH", "revision": revision}, headers=HTMX)
    assert "高" in answer.content.decode()
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert toast["text"] == "已改购买意向"
    stale = browser.post(url, {"intent": "LOW", "revision": revision}, headers=HTMX)
    assert "小李 刚改成 高" in stale.content.decode()
    browser.post(toast["undo_url"])
    company.customer.refresh_from_db()
    assert company.customer.intent is None
    assert browser.get(url.replace("intent", "name")).status_code == 404


def test_a_verb_that_changed_only_its_record_is_undone_with_what_it_governs(visit, company):
    browser, customer = visit("wang"), company.customer
    url = f"/customer/{customer.pk}"
    browser.post(f"{url}/do/become_prospect")
    token = undo_of(browser, url)
    customer.refresh_from_db()
    assert customer.prospect_at
    browser.post(f"/undo/{token}")
    customer.refresh_from_db()
    assert customer.prospect_at is None


def test_handing_on_is_undone_and_what_spreads_says_that_it_is_not(visit, company):
    browser, customer = visit("wang"), company.customer
    url = f"/customer/{customer.pk}"
    to = {"person": f"{company.wang} #{company.wang.pk}", "reason": "换岗"}
    browser.post(f"{url}/do/transfer_customer", to)
    assert columns.owners([customer]) == {customer.pk: company.wang.pk}
    browser.post(f"/undo/{undo_of(browser, url)}")
    assert columns.owners([customer]) == {customer.pk: company.li.pk}
    joined = {"person": f"{company.zhao} #{company.zhao.pk}", "role": "PRESALES"}
    browser.post(f"{url}/do/add_to_team", joined)
    page = browser.get(url).content.decode()
    assert "已加入服务组，同时动了别的记录，不能一键撤销" in page


def test_what_somebody_changed_since_is_not_undone(visit, company):
    browser, url = visit("li"), f"/customer/{company.customer.pk}/cell/intent"
    answer = browser.post(url, {"intent": "HIGH"}, headers=HTMX)
    door.change(company.customer, {"intent": "LOW"}, by=company.wang)
    browser.post(json.loads(answer["HX-Trigger"])["toast"]["undo_url"])
    company.customer.refresh_from_db()
    assert company.customer.intent == "LOW"


def test_one_field_is_set_on_many_rows_and_undone(visit, company):
    browser, pk = visit("li"), company.customer.pk
    url = "/customer/bulk/set/intent"
    assert "华清电子" in browser.get(f"{url}?pick={pk}", headers=HTMX).content.decode()
    browser.post(url, {"pick": pk, "go": 1, "intent": "HIGH"})
    company.customer.refresh_from_db()
    assert company.customer.intent == "HIGH"
    browser.post(f"/undo/{undo_of(browser, '/customer/')}")
    company.customer.refresh_from_db()
    assert company.customer.intent is None
    assert browser.post(url, {"go": 1, "intent": "HIGH"}).status_code == 400


def test_picked_rows_are_exported_alone(visit, company):
    answer = visit("li").post("/customer/bulk/export", {"pick": company.customer.pk})
    assert answer.url == f"/customer/export?pick={company.customer.pk}"
    listed = visit("li").get(f"/customer/?pick={company.customer.pk}").content.decode()
    assert "华清电子" in listed
    assert visit("li").get("/customer/?pick=all").status_code == 400


def test_many_customers_change_hands_and_come_back(visit, company):
    def owner():
        return Holding._base_manager.get(
            subject_type="customer", subject_id=company.customer.pk, ends_at=None
        ).person_id

    browser = visit("wang")
    given = {"pick": company.customer.pk, "go": 1, "person": f"王总 #{company.wang.pk}"}
    browser.post("/customer/bulk/do/transfer_customer", given)
    assert owner() == company.wang.pk
    browser.post(f"/undo/{undo_of(browser, '/customer/')}")
    assert owner() == company.li.pk


def test_the_board_moves_a_card_through_its_verb(visit, company):
    with door.acting(by=None, action="test") as deed:
        source = company.customer.source
        values = {"company": "澜石新材料", "source": source, "occurred_at": company.since}
        lead = deed.create(Lead, values)
        held = {"subject": lead, "person": company.li, "role": "OWNER", "starts_at": company.since}
        deed.create(Holding, held)
    browser = visit("li")
    page = browser.get("/lead/board").content.decode()
    assert (
        page.index('data-stage="NEW"') < page.index("澜石新材料") < page.index('data-stage="MQL"')
    )
    browser.post(f"/lead/{lead.pk}/move", {"to": "MQL"})
    lead.refresh_from_db()
    assert lead.stage == "MQL"
    lacking = browser.post(f"/lead/{lead.pk}/move", {"to": "SQL"}, headers=HTMX)
    assert lacking.status_code == 422
    assert "线索不能从“市场合格”直接到那一步" in lacking.content.decode()
    assert browser.get("/customer/board").status_code == 404


def test_a_move_that_needs_a_reason_asks_for_it(visit, company):
    with door.acting(by=None, action="test") as deed:
        values = {"company": "澜石", "source": company.customer.source}
        lead = deed.create(Lead, {**values, "occurred_at": company.since})
        held = {"subject": lead, "person": company.li, "role": "OWNER", "starts_at": company.since}
        deed.create(Holding, held)
    answer = visit("li").post(f"/lead/{lead.pk}/move", {"to": "INVALID"})
    assert answer.url == f"/lead/{lead.pk}/do/move_lead?stage=INVALID"
    page = visit("li").get(answer.url).content.decode()
    assert '<option value="INVALID" selected>' in page


def test_every_panel_has_an_address_of_its_own(visit, company):
    desk = declare.desk_of("customer")
    for panel in desk.page:
        page = visit("boss").get(f"/customer/{company.customer.pk}/~{panel.name}")
        assert page.status_code == 200, panel.name
    assert visit("boss").get(f"/customer/{company.customer.pk}/~nothing").status_code == 404


def test_an_obligation_tells_why_it_stands_where_it_stands(visit, company, activity, duty):
    now = timezone.now()
    one = duty(activity, "BREACHED", now - timedelta(days=3))
    why = {"obligation_id": one.pk, "began_on": one.began_on, "was": "OPEN", "became": "BREACHED"}
    Move(**why, because={"cause": "due passed"}).save()
    page = visit("li").get(f"/obligation/{one.pk}").content.decode()
    assert "自“结束”起" in page
    assert "未到期 → 违规" in page
    assert "到期未完成" in page
    assert "补上当时的时间就转为按时" in page
    assert visit("zhao").get(f"/obligation/{one.pk}").status_code == 404


def test_codes_of_the_log_read_as_words(visit, company):
    door.change(company.customer, {"address": "昆山"}, by=company.li, reason="搬家")
    company.boss.is_admin = True
    with door.acting(by=None, action="test"):
        company.boss.save()
    page = visit("boss").get("/event/?actor=小李").content.decode()
    assert "搬家" in page
    assert "客户" in page
    assert "修改" in page
