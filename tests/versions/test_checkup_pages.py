"""The checkup on screen: who sees it, what it says of a draft, putting on record, taking along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fangyuan.access.models import AccessLog
from fangyuan.core.models import Event
from fangyuan.engine import checkup
from fangyuan.engine.models import Clause
from fangyuan.supervision import checkups
from fangyuan.supervision.models import Acknowledgement
from tests.versions.conftest import drafted
from tests.versions.test_pages import seated

MOST_QUERIES = 15
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def vague(policy: Any) -> str:
    """The clause speaks of promptness."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('fangyuan.actor', '0', true);"
            "UPDATE engine_clause SET text = '拜访结束后应及时写完记录。'"
        )
    return next(flaw.key for flaw in checkup.look("visits") if flaw.code == "VAGUE")


def test_the_page_marks_the_words_and_offers_what_to_do(company: Any, vague: str) -> None:
    client = seated(company.qian)
    assert "/checkup/visits/panel" in client.get("/policies/visits").content.decode()
    for address in ("/checkup", "/checkup/visits", "/checkup?kind=VAGUE", "/checkup/visits/panel"):
        client.get(address)
        with CaptureQueriesContext(connection) as caught:
            page = client.get(address, headers=FRAGMENT).content.decode()
        assert len(caught) <= MOST_QUERIES, address
        assert "制度体检" in page
    assert "<mark>及时</mark>" in client.get("/checkup").content.decode()
    assert 'name="clause" value="KA-9.1"' in client.get("/checkup").content.decode()


def test_only_drafters_and_the_management_see_it(company: Any, vague: str) -> None:
    assert seated(company.li).get("/checkup").status_code == 403
    assert seated(company.li).get("/checkup/export").status_code == 403
    assert seated(company.boss).get("/checkup").status_code == 200
    assert "制度体检" not in seated(company.li).get("/policies/visits").content.decode()
    assert seated(company.qian).get("/checkup/nothing").status_code == 404


def test_a_flaw_on_record_is_out_of_the_list_until_its_day(company: Any, vague: str) -> None:
    client, today = seated(company.qian), timezone.localdate()
    sent = {"flaw": vague, "reason": "等下次修订", "ends_on": str(today + timedelta(days=30))}
    client.post("/checkup/acknowledge", {**sent, "reason": " "})
    client.post("/checkup/acknowledge", {**sent, "ends_on": str(today + timedelta(days=400))})
    assert not Acknowledgement._base_manager.exists()
    client.post("/checkup/acknowledge", sent)
    kept = Acknowledgement._base_manager.get()
    assert (kept.recorded_by, kept.reason, kept.clause) == (company.qian.pk, "等下次修订", "KA-9.1")
    assert Event._base_manager.filter(record="acknowledgement", actor=company.qian.pk).exists()
    assert "<mark>及时</mark>" not in client.get("/checkup").content.decode()
    assert "等下次修订" in client.get("/checkup?kept=1").content.decode()
    assert vague not in checkups.by_flaw(today + timedelta(days=31))
    client.post(f"/acknowledgement/{kept.pk}/remove")
    assert "<mark>及时</mark>" in client.get("/checkup").content.decode()


def test_whoever_only_looks_puts_nothing_on_record(company: Any, vague: str) -> None:
    ends_on = str(timezone.localdate() + timedelta(days=30))
    sent = {"flaw": vague, "reason": "不改", "ends_on": ends_on}
    seated(company.boss).post("/checkup/acknowledge", sent)
    assert not Acknowledgement._base_manager.exists()


def test_it_is_taken_along_as_a_file_and_logged(company: Any, vague: str) -> None:
    told = seated(company.qian).get("/checkup/visits/export?format=csv").content.decode()
    assert "应【及时】写完" in told or "【及时】" in told
    assert AccessLog._base_manager.filter(person=company.qian, kind="EXPORT").exists()
    assert seated(company.qian).get("/checkup/export?format=doc").status_code == 404


def test_a_draft_says_that_its_text_states_the_old_number(company: Any, policy: Any) -> None:
    draft = drafted(company, "12h")
    client = seated(company.qian)
    address = f"/drafts/{draft.pk}/checkup"
    assert address in client.get(f"/drafts/{draft.pk}").content.decode()
    for more in ({}, {"headers": FRAGMENT}):
        client.get(address, **more)
        with CaptureQueriesContext(connection) as caught:
            page = client.get(address, **more).content.decode()
        assert len(caught) <= MOST_QUERIES
        assert "发布前体检" in page
        assert "<mark>72 小时内</mark>" in page
    assert seated(company.li).get(address).status_code == 403
    assert Clause._base_manager.get().text == "拜访结束后 72 小时内写完记录。"
