"""A real Chromium, signed in as 小李; without one the journeys say so and are left out."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, sync_playwright

BROWSER = os.environ.get("FY_BROWSER", "0")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every journey, and leave them out loudly where there is no browser."""
    absent = pytest.mark.skip(reason="没有 Chromium，浏览器测试没有运行")
    for item in items:
        if "tests/journeys" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            if BROWSER == "0":
                item.add_marker(absent)


@pytest.fixture(scope="session")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    with sync_playwright() as plays:
        browser = plays.chromium.launch(executable_path=BROWSER, args=QUIET)
        # Playwright keeps an event loop in this thread; the database is used from it on purpose.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def shut(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close every page at the end, so that the server lets its connections go."""
    yield
    for context in request.getfixturevalue("chromium").contexts:
        context.close()


@pytest.fixture
def cookie(client, company, live_server) -> dict[str, str]:
    client.force_login(company.li)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": live_server.url}
