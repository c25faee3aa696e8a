"""A waiver lets nobody off before somebody else agreed, nor after its span has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from fangyuan import door
from fangyuan.core import spans
from fangyuan.desk import waivers
from fangyuan.desk.exchange import load
from fangyuan.engine import sweep
from fangyuan.engine.models import Obligation, Request, Waiver
from tests.door.test_door import demand

WEEKLY = {"event": "activity.ended_at", "via": "customer", "per": "week", "at_least": 1}


@pytest.fixture
def weekly(company):
    """A weekly visit of the customer is owed from now on."""
    rule = demand("T-1", "CADENCE", "customer")
    with door.acting(by=None, action="test") as deed:
        deed.change(rule, params=WEEKLY)
    return company


def ask(company, by=None, **more):
    """小李 asks to be let off the week after this one."""
    week = spans.first_whole("week", timezone.now())
    values = {
        "clause": "T-1",
        "subject": company.customer,
        "reason": "客户全员休假",
        "starts_at": week.start,
        "ends_at": week.end,
        **more,
    }
    with door.acting(by=by or company.li, action="create") as deed:
        return waivers.ask(deed, values)


def states(week):
    """The states of the duties of a week and of the one after it, as of the latter's end."""
    sweep.sweep(week.next().end + timedelta(minutes=1))
    found = Obligation._base_manager.filter(due_at__in=[week.end, week.next().end])
    return list(found.order_by("due_at").values_list("state", flat=True))


def test_a_duty_is_waived_once_the_superior_agreed_and_returns_after_the_span(weekly):
    week = spans.first_whole("week", timezone.now())
    asked = ask(weekly)
    assert (asked.stage, asked.person) == ("REQUESTED", weekly.li)
    assert states(week) == ["BREACHED", "BREACHED"]  # asking alone lets nobody off
    request = Request._base_manager.get(subject_type="waiver", subject_id=asked.pk)
    door.decide(request, "AGREE", by=weekly.wang)
    asked.refresh_from_db()
    assert (asked.stage, asked.granted_by) == ("ACTIVE", weekly.wang)
    assert states(week) == ["WAIVED", "BREACHED"]
    assert waivers.Counted().context(type("S", (), {"record": asked}))["of_clause"] == 1
    door.remove(asked, by=None)
    assert states(week) == ["BREACHED", "BREACHED"]


def test_nobody_agrees_to_a_waiver_of_their_own(weekly):
    request = Request._base_manager.get(subject_id=ask(weekly).pk, subject_type="waiver")
    with pytest.raises(door.Denied, match="自己"):
        door.decide(request, "AGREE", by=weekly.li)
    # Nor where somebody else asked for it on their behalf, whatever the chain says.
    asked = ask(weekly, by=weekly.wang, person_id=weekly.li.pk)
    for person in (weekly.wang, weekly.li):
        with pytest.raises(door.Denied, match="自己"), door.acting(by=person) as deed:
            waivers.waive(deed, asked)


def test_who_has_no_superior_gets_no_waiver(weekly):
    with pytest.raises(door.Denied, match="上级"):
        ask(weekly, by=weekly.boss, person_id=weekly.boss.pk)
    assert not Waiver._base_manager.exists()


def test_a_refused_or_withdrawn_request_is_closed(weekly):
    first, second = ask(weekly), ask(weekly, clause="T-1", reason="另一份")
    for asked, close in ((first, "refuse"), (second, "withdraw")):
        request = Request._base_manager.get(subject_id=asked.pk, subject_type="waiver")
        if close == "refuse":
            door.decide(request, "REFUSE", by=weekly.wang, comment="不合适")
        else:
            door.withdraw(request, by=weekly.li)
        asked.refresh_from_db()
        assert asked.stage == "REFUSED"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"clause": "X-9"}, "条号"),
        ({"reason": " "}, "理由"),
        ({"ends_at": timezone.now() + timedelta(days=500)}, "最长一年"),
    ],
)
def test_a_waiver_names_a_clause_a_reason_and_a_span(weekly, wrong, said):
    with pytest.raises(door.Refused, match=said):
        ask(weekly, **wrong)


def test_one_asks_for_oneself_or_for_those_one_leads(weekly):
    with pytest.raises(door.Denied, match="下属"):
        ask(weekly, person_id=weekly.zhao.pk)
    assert ask(weekly, by=weekly.wang, person_id=weekly.li.pk).person == weekly.li


def test_only_an_administrator_brings_waivers_in(weekly, tmp_path):
    path = tmp_path / "waivers.csv"
    row = "T-1,customer:hq,li,2026-05-01 00:00,2026-06-01 00:00,旧系统已批"
    path.write_text(f"clause,subject,person,starts_at,ends_at,reason\n{row}\n", encoding="utf-8")
    for person in (weekly.li, weekly.wang):
        refused = load.run(load.Order(Waiver, path, person))
        said = "".join(one.reason for one in refused.mistakes)
        assert not refused.is_kept and "不能由文件直接生效" in said
    weekly.boss.is_admin = True
    weekly.boss.__dict__.pop("_sight", None)
    assert load.run(load.Order(Waiver, path, weekly.boss)).created == 1
    assert Waiver._base_manager.get().stage == "ACTIVE"


def granted(company):
    """A waiver of two weeks that is in force from the next one on."""
    week = spans.first_whole("week", timezone.now())
    asked = ask(company, ends_at=week.next().end)
    door.decide(Request._base_manager.get(subject_id=asked.pk), "AGREE", by=company.wang)
    asked.refresh_from_db()
    return asked, week


def test_ended_early_it_covers_nothing_that_falls_due_after(weekly):
    waiver, week = granted(weekly)
    assert states(week) == ["WAIVED", "WAIVED"]
    with pytest.raises(door.Refused, match="理由"):
        door.act("waiver.end_waiver", waiver, by=weekly.wang)
    with pytest.raises(door.Denied, match="上级能提前结束"):
        door.act("waiver.end_waiver", waiver, by=weekly.zhao, payload={"reason": "不该免"})
    at = week.end + timedelta(hours=1)
    with door.acting(by=weekly.wang, action="end_waiver", at=at):
        door.act("waiver.end_waiver", waiver, by=weekly.wang, payload={"reason": "客户提前复工"})
    waiver.refresh_from_db()
    assert (waiver.stage, waiver.ends_at, waiver.end_reason) == ("ACTIVE", at, "客户提前复工")
    assert states(week) == ["WAIVED", "BREACHED"]


def test_one_that_has_not_begun_ends_without_covering_anything(weekly):
    waiver, week = granted(weekly)
    door.act("waiver.end_waiver", waiver, by=weekly.li, payload={"reason": "不休假了"})
    assert states(week) == ["BREACHED", "BREACHED"]


def test_the_page_offers_it_with_a_reason(weekly):
    waiver, _ = granted(weekly)
    browser = Client()
    browser.force_login(weekly.wang)
    assert "提前结束" in browser.get(f"/waiver/{waiver.pk}").content.decode()
    answer = browser.post(f"/waiver/{waiver.pk}/do/end_waiver", {"reason": ""})
    assert "理由" in answer.content.decode()
    browser.post(f"/waiver/{waiver.pk}/do/end_waiver", {"reason": "客户提前复工"})
    waiver.refresh_from_db()
    assert waiver.end_reason == "客户提前复工"
