"""The scripts at work in a real browser: palette, keyboard, drafts, theme, phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.django_db(transaction=True)


def opened(browser: Browser, cookie: dict[str, str], **options: object) -> Page:
    """The page of components, and a failure for whatever the console complains about."""
    context = browser.new_context(**options)
    context.add_cookies([cookie])
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.goto(f"{cookie['url']}/components")
    expect(page.locator("time.cd.live").first).to_be_visible()
    return page


def test_the_palette_finds_a_customer_by_initials_and_opens_it(chromium, cookie, company) -> None:
    page = opened(chromium, cookie)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="搜索").fill("hqdz")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("华清电子")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customer/{company.customer.pk}")


def test_keys_move_pick_and_explain_but_never_while_writing(chromium, cookie) -> None:
    page = opened(chromium, cookie)
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".cur")).to_have_attribute("id", "ob-2")
    page.locator(".pick").nth(0).check()
    page.locator(".pick").nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-count]")).to_have_text("3")
    page.keyboard.press("Escape")
    expect(page.locator("[data-bulk]")).to_be_hidden()
    page.locator("#id_name").fill("")
    page.keyboard.type("j?gk")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("#id_name")).to_have_value("j?gk")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert page.complaints == []


def test_what_is_written_is_kept_and_the_theme_too(chromium, cookie) -> None:
    page = opened(chromium, cookie, color_scheme="light")
    page.locator("#id_phone").evaluate("field => field.removeAttribute('aria-invalid')")
    page.locator("form[data-draft] .err").evaluate("error => error.remove()")
    page.locator("#id_name").fill("写到一半的名字")
    page.wait_for_timeout(700)
    kept = page.evaluate(
        "() => new Promise(done => { const ask = indexedDB.open('fangyuan', 1); ask.onsuccess = ()"
        " => { const all = ask.result.transaction('drafts').objectStore('drafts').getAll();"
        " all.onsuccess = () => done(all.result); }; })"
    )
    assert [value for draft in kept for value in draft["values"] if value[0] == "name"] == [
        ["name", "写到一半的名字"]
    ]

    page.locator(".top [data-theme-toggle]").click()
    assert page.request.get(page.url).text().count('data-theme="dark"') == 1
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_nothing_reaches_past_the_edge_and_the_phones_menu_opens(chromium, cookie) -> None:
    page = opened(chromium, cookie)
    for width in (1440, 1100, 720, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".burger").click()
    expect(page.locator(".side")).to_have_class(re.compile("open"))
    page.keyboard.press("Escape")
    expect(page.locator(".side")).not_to_have_class(re.compile("open"))
    page.locator(".tabbar .plus").click()
    expect(page.locator("#quick")).to_be_visible()
