"""A visit written without a connection: the page opens, the draft stays, the record arrives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from fangyuan import door
from fangyuan.activities.models import Activity

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN = {
    "situation": "二号线节拍 42 秒可接受",
    "feedback": "质保想要 18 个月",
    "result": "周五前给书面答复",
}


@pytest.fixture
def visit(company) -> Activity:
    now = timezone.now()
    with door.acting(by=company.li, action="test") as deed:
        return deed.create(
            Activity,
            {
                "customer": company.customer,
                "person": company.li,
                "kind": "VISIT",
                "purpose": "FOLLOW",
                "started_at": now - timedelta(hours=3),
                "ended_at": now - timedelta(hours=2),
            },
        )


def test_a_record_written_without_a_line_arrives_once_the_line_is_back(
    chromium, cookie, visit
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies([cookie])
    page = context.new_page()
    day, here = f"{cookie['url']}/visits", f"{cookie['url']}/visits/{visit.pk}"
    page.goto(day)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    for address in (day, here):
        page.goto(address)
    page.locator("[name=situation]").fill(WRITTEN["situation"])
    expect(page.locator("[data-draft-state]")).to_have_text("已自动保存")

    context.set_offline(True)
    page.reload()
    expect(page.locator("[name=situation]")).to_have_value(WRITTEN["situation"])
    for name in ("feedback", "result"):
        page.locator(f"[name={name}]").fill(WRITTEN[name])
    page.locator(".ph-f .pri").click()
    expect(page.locator("#offline")).to_contain_text("离线，已存 1 条")
    visit.refresh_from_db()
    assert not visit.situation

    context.set_offline(False)
    expect(page.locator("#toasts")).to_contain_text("已提交离线时存的 1 条")
    visit.refresh_from_db()
    assert {name: getattr(visit, name) for name in WRITTEN} == WRITTEN
    page.goto(here)
    expect(page.locator("main")).to_contain_text(WRITTEN["result"])
