"""The weather on screen: by person, by day, within what one may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fangyuan import door
from fangyuan.core import calendar
from fangyuan.engine import sweep
from fangyuan.engine.models import Obligation
from tests.door.test_door import demand

MOST_QUERIES = 15
WEEKLY = {"event": "activity.ended_at", "via": "customer", "per": "week", "at_least": 1}


@pytest.fixture
def weekly(company: Any) -> Any:
    """小李 owes a visit every week; swept."""
    rule = demand("T-1", "CADENCE", "customer")
    with door.acting(by=None, action="test") as deed:
        deed.change(rule, params=WEEKLY, starts_at=company.since)
    sweep.sweep(timezone.now())
    return company


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def done_by(company: Any) -> Any:
    """The day by which this week's visit must be made."""
    duty = Obligation._base_manager.filter(state="OPEN", person=company.li).get()
    due_on = timezone.localdate(duty.due_at) - timedelta(days=1)
    by = calendar.stored().add(due_on + timedelta(days=1), -1)
    return max(by, timezone.localdate())


def test_each_page_is_short_of_queries_and_says_what_is_due(weekly: Any) -> None:
    on = done_by(weekly)
    addresses = ("/weather", "/weather?who=me", "/weather/strip", f"/weather/{weekly.li.pk}/{on}")
    for person in (weekly.li, weekly.wang, weekly.boss):
        client = client_of(person)
        for address in (*addresses, "/weather/strip?of=all"):
            client.get(address)
            with CaptureQueriesContext(connection) as caught:
                assert client.get(address).status_code == 200, address
            assert len(caught) <= MOST_QUERIES, address
    page = client_of(weekly.wang).get("/weather").content.decode()
    assert f"/weather/{weekly.li.pk}/{on}" in page
    assert "wx-i" in page


def test_a_day_leads_to_its_rows_and_to_what_the_next_week_will_give(weekly: Any) -> None:
    client, on = client_of(weekly.li), done_by(weekly)
    page = client.get(f"/weather/{weekly.li.pk}/{on}").content.decode()
    assert "华清电子有限公司" in page and "T-1" in page
    next_week = calendar.stored().add(on + timedelta(days=8), -1)
    page = client.get(f"/weather/{weekly.li.pk}/{next_week}").content.decode()
    assert "估计 1 件" in page


def test_the_weather_of_others_is_not_there(weekly: Any) -> None:
    outsider = client_of(weekly.zhao)
    assert outsider.get(f"/weather/{weekly.li.pk}/{done_by(weekly)}").status_code == 404
    assert "小李" not in outsider.get("/weather").content.decode()
    assert outsider.get(f"/weather/{weekly.li.pk}/tomorrow").status_code == 404


def test_workbench_and_cockpit_fetch_their_strip(weekly: Any) -> None:
    assert "/weather/strip" in client_of(weekly.li).get("/").content.decode()
    assert "/weather/strip?of=all" in client_of(weekly.boss).get("/cockpit").content.decode()
