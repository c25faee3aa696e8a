"""The screen of supervision: what it costs, what a notice is sent from, the paper it becomes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import hire
from fangyuan import door
from fangyuan.core import spans
from fangyuan.engine import sweep
from fangyuan.engine.models import Obligation
from fangyuan.supervision.models import Rectification
from tests.door.test_door import demand

MOST = 15
WEEKLY = {"event": "activity.ended_at", "via": "customer", "per": "week", "at_least": 1}


def signed_in(person):
    """A browser of this person."""
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def audited(company):
    """Weeks of missed visits of 小李, and an auditor."""
    rule = demand("T-1", "CADENCE", "customer")
    with door.acting(by=None, action="test") as deed:
        deed.change(rule, params=WEEKLY)
        company.auditor = hire(deed, "audit", "老周", "audit_dept", company.root, company.boss)
    sweep.sweep(timezone.now())
    company.missed = list(Obligation._base_manager.filter(state="BREACHED").order_by("-due_at"))
    return company


def send(audited, picks, **more):
    """Send notices about some missed weeks through the page."""
    said = {"pick": picks, "demand": "补办并说明原因", "days": 10, "periods": 2, "go": "issue"}
    return signed_in(audited.auditor).post("/supervision/new", {**said, **more})


def cost(client, url):
    """How many queries a page takes, asked a second time."""
    assert client.get(url).status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get(url)
    return len(asked)


def test_the_screen_takes_few_queries_however_many_notices(audited):
    send(audited, [audited.missed[0].pk])
    client = signed_in(audited.auditor)
    few = cost(client, "/supervision")
    for one in audited.missed[1:9]:
        send(audited, [one.pk, audited.missed[10].pk])
    assert cost(client, "/supervision") == few <= MOST


def test_picked_breaches_of_one_person_become_one_notice_due_after_its_periods(audited):
    picks = [one.pk for one in audited.missed[:3]]
    answer = send(audited, picks)
    notice = Rectification._base_manager.get()
    assert answer.url == f"/supervision/{notice.pk}"
    assert (notice.person, notice.periods, sorted(notice.obligations)) == (
        audited.li,
        2,
        sorted(picks),
    )
    second = spans.first_whole("week", notice.issued_at).next()
    assert notice.due_at > second.end + timedelta(days=1)  # measured, then looked at
    page = signed_in(audited.li).get(answer.url).content.decode()
    assert "提交整改结果" in page and "T-1" in page and ">复核</a>" not in page


def test_a_bulk_of_the_list_opens_the_form_with_its_picks(audited):
    client = signed_in(audited.auditor)
    listed = client.get("/obligation/").content.decode()
    assert 'formaction="/supervision/new"' in listed
    form = client.post("/supervision/new", {"pick": [audited.missed[0].pk]}).content.decode()
    assert re.findall(r'value="(\d+)" checked', form) == [str(audited.missed[0].pk)]
    assert not Rectification._base_manager.exists()
    assert "/supervision/new" not in signed_in(audited.li).get("/obligation/").content.decode()


def test_who_may_not_send_notices_is_refused_and_sees_only_their_own(audited):
    answer = signed_in(audited.li).get("/supervision/new")
    assert answer.status_code == 403 and "监督小组" in answer.content.decode()
    send(audited, [audited.missed[0].pk])
    notice = Rectification._base_manager.get()
    for url in (f"/supervision/{notice.pk}", f"/rectification/{notice.pk}/paper"):
        assert signed_in(audited.li).get(url).status_code == 200
        assert signed_in(audited.zhao).get(url).status_code == 404


def test_the_paper_has_number_clause_facts_demand_and_seal(audited):
    send(audited, [one.pk for one in audited.missed[:2]])
    notice = Rectification._base_manager.get()
    page = signed_in(audited.auditor).get(f"/rectification/{notice.pk}/paper").content.decode()
    for said in (
        notice.number,
        "T-1",
        "华清电子",
        "补办并说明原因",
        "签发人：老周",
        'class="seal lg"',
    ):
        assert said in page
