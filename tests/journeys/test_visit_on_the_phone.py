"""One visit with one hand: find the day, check in on the spot, leave, write it up, be done."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from fangyuan import door
from fangyuan.activities.models import Activity

pytestmark = pytest.mark.django_db(transaction=True)

SITE = {"latitude": "31.31", "longitude": "120.68"}
NEAR = {"latitude": 31.3102, "longitude": 120.6801, "accuracy": 15}
FAR = {"latitude": 31.34, "longitude": 120.68, "accuracy": 15}


@pytest.fixture
def visit(company) -> Activity:
    with door.acting(by=None, action="test") as deed:
        deed.change(company.customer, SITE)
        values = {"customer": company.customer, "person": company.li, "kind": "VISIT"}
        # Of today also just after midnight.
        return deed.create(Activity, values, planned_at=timezone.now())


def test_from_the_days_list_to_a_record_handed_in(chromium, cookie, company, visit) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    context = chromium.new_context(**phone, permissions=["geolocation"], geolocation=FAR)
    context.add_cookies([cookie])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{cookie['url']}/visits")
    page.get_by_role("link", name="华清电子有限公司").first.tap()
    expect(page.get_by_role("heading", name="拜访")).to_be_visible()

    page.get_by_role("button", name="取位置").tap()
    expect(page.locator("[data-place-text]")).to_contain_text("超出 300 米")
    expect(page.get_by_label("不在客户处的原因")).to_be_visible()
    context.set_geolocation(NEAR)
    page.wait_for_timeout(100)
    page.evaluate("navigator.geolocation.getCurrentPosition(() => {}, () => {}, {maximumAge: 0})")
    page.get_by_role("button", name="取位置").tap()
    expect(page.locator("[data-place-text]")).to_contain_text("可以签到", timeout=20_000)
    expect(page.get_by_label("不在客户处的原因")).to_be_hidden()
    page.locator(".ph-f").get_by_role("button", name="签到").tap()

    expect(page.get_by_role("heading", name="拜访中")).to_be_visible()
    expect(page.locator("main")).to_contain_text("未预约拜访")
    page.get_by_role("button", name="离场").tap()
    expect(page.get_by_role("heading", name="拜访记录")).to_be_visible()

    page.locator("[name=situation]").fill("看了二号线")
    page.locator("[name=feedback]").fill("节拍可以接受")
    page.get_by_role("button", name="提交记录").tap()
    expect(page.locator("#e-result")).to_contain_text("还没写沟通结果")
    expect(page.locator("[name=situation]")).to_have_value("看了二号线")
    page.locator("[name=result]").fill("周五前给样件")
    page.get_by_role("button", name="提交记录").tap()

    page.wait_for_url("**/visits")
    expect(page.locator("#toasts")).to_contain_text("记录已交")
    expect(page.locator(".visit-day .stop").first).to_contain_text("已记录")
    visit.refresh_from_db()
    assert (visit.stage, visit.result) == ("DONE", "周五前给样件")
    assert visit.off_site_reason == ""
    assert complaints == []


def test_everything_is_within_reach_of_a_thumb(chromium, cookie, company, visit) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies([cookie])
    page = context.new_page()
    customer = company.customer.pk
    pages = (
        *("/visits", f"/visits/{visit.pk}", "/visits/new", f"/visits/new?customer={customer}"),
        *("/plans/visit", f"/customer/{customer}/review", f"/customer/{customer}/change"),
    )
    small = (
        "[...document.querySelectorAll('main :is(.btn.lg, .btn.pri, .inp, .chip, .stop))')]"
        ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)"
        ".map(e => e.className + ' ' + e.textContent.trim().slice(0, 12))"
    ).replace("stop))", "stop)")
    for address in pages:
        page.goto(cookie["url"] + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        assert page.evaluate(small) == [], address
