"""Gates, checks on saving, approvals and alerts replayed: what a hand counts, as records stood."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conftest import local, own, term
from fangyuan import door
from fangyuan.customers.models import Customer
from fangyuan.engine import models, sweep
from fangyuan.engine.packs import installation
from fangyuan.engine.revision import drafts, replay, replays, revising
from tests.versions.conftest import visit

EMPTY = {"not_empty": True}


@pytest.fixture
def second(company: Any) -> Customer:
    """Another customer of 小李."""
    with door.acting(by=None, action="test") as deed:
        made: Customer = deed.create(
            Customer,
            {
                "name": "第二家有限公司", "source": term("source", "REFERRAL"),
                "learned_at": company.since,
            },
        )  # fmt: skip
        own(deed, made, company.li, company.since)
    return made


def step(person: Any, action: str, record: Any, **values: Any) -> None:
    """A step taken in the past of the test, as the log tells it."""
    with door.acting(by=person, action=action, trusted=True) as deed:
        deed.free |= set(values)
        deed.change(record, values)


def rule(policy: Any, kind: str, record: str, params: dict[str, Any]) -> models.Rule:
    """A rule in force of the one clause there is, at its next line."""
    clause = models.Clause._base_manager.get(policy=policy)
    made = models.Rule(
        clause=clause, line=1, kind=kind, record=record, params=params, policy=policy,
        starts_at=installation.start_of(local("2026-01-05 09:00").date()),
    )  # fmt: skip
    with door.acting(by=None, action="test"):
        made.save()
    return made


def told(policy: Any, kind: str, record: str, params: dict[str, Any], team: Any = None) -> Any:
    """The report of a draft with this rule at the clause's second line, over the year."""
    wanted = {"kind": kind, "record": record, "params": params}
    draft = models.Policy(code=policy.code, changes={"KA-9.1": {"rules": {"1": wanted}}})
    now = timezone.now()
    first, last = local("2026-01-05 09:00").date(), timezone.localdate(now)
    asked = replay.Asked(first, last, now, team)
    return replay.told(replay.replay(drafts.trials(draft), asked))


def only(report: Any) -> Any:
    """The one family of a report beside its duties."""
    [family] = report["families"]
    assert report["after"]["duties"] == 0
    return family


def test_a_gate_stops_the_passes_that_lacked_something_then(
    company: Any, policy: Any, second: Customer
) -> None:
    """The phone was filled in later and the rank taken away later: what counts is that day."""
    step(company.li, "become_prospect", company.customer, prospect_at=timezone.now())
    step(company.wang, "become_prospect", second, prospect_at=timezone.now(), headcount=30)
    step(company.li, "change", company.customer, headcount=80)
    step(company.li, "change", second, headcount=None)
    gate = {"on": "become_prospect", "holds": {"headcount": EMPTY}}
    found = only(told(policy, "GATE", "customer", gate))
    assert (found["after"]["met"], found["after"]["breached"]) == (1, 1)
    assert found["flips"] == {"caught": 1, "cleared": 0, "added": 2, "dropped": 0}
    missed = {row["person"]: row["missed_after"] for row in found["people"]}
    assert missed == {"li": 1, "wang": 0}
    above = {"on": "become_prospect", "holds": {"headcount": {"at_least": 20}}}
    report = told(policy, "GATE", "customer", above)
    assert {one["value"]: one["missed"] for one in report["curve"]} == {
        10: 1, 13: 1, 20: 1, 30: 1, 40: 2,
    }  # fmt: skip
    assert "不小于 20" in next(one["label"] for one in report["curve"] if one["is_draft"])


def test_both_sides_of_a_gate_are_judged_on_the_same_passes(
    company: Any, policy: Any, second: Customer
) -> None:
    gate = {"on": "become_prospect", "holds": {"headcount": {"at_least": 20}}}
    rule(policy, "GATE", "customer", gate)
    step(company.li, "become_prospect", second, prospect_at=timezone.now(), headcount=30)
    stricter = {**gate, "holds": {"headcount": {"at_least": 50}}}
    found = only(told(policy, "GATE", "customer", stricter))
    assert (found["before"]["met"], found["after"]["breached"]) == (1, 1)
    assert found["flips"] == {"caught": 1, "cleared": 0, "added": 0, "dropped": 0}
    assert only(told(policy, "GATE", "customer", stricter, company.east.pk))["flips"]["caught"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_save_is_refused_for_what_it_breaks_itself(
    company: Any, policy: Any, second: Customer
) -> None:
    """Two new customers without a headcount; one is given it and loses it, one lacks it still."""
    step(company.li, "change", second, headcount=12)
    step(company.wang, "change", second, headcount=None)
    step(company.li, "change", company.customer, address="别处")
    needed = {"fields": ["headcount"], "enforce": "write"}
    found = only(told(policy, "REQUIRED", "customer", needed))
    assert found["after"]["duties"] == 4  # two were made, one was given it, one lost it
    assert found["after"]["breached"] == 3
    missed = {row["person"]: row["missed_after"] for row in found["people"]}
    assert missed == {None: 2, "li": 0, "wang": 1}


@pytest.mark.django_db(transaction=True)
def test_an_approval_counts_requests_and_seats_by_level(
    company: Any, policy: Any, second: Customer
) -> None:
    rule(
        policy, "APPROVAL", "customer",
        {"on": "regrade", "approvers": ["line_manager"], "where": {"grade": "A"}},
    )  # fmt: skip
    step(company.li, "regrade", second, grade="A", expected_spend=Decimal(3_000_000))
    step(company.li, "regrade", company.customer, grade="B", expected_spend=Decimal(900_000))
    step(company.wang, "regrade", company.customer, grade="A")
    by_amount = {
        "on": "regrade",
        "approvers": [
            "line_manager",
            {"who": "superiors", "levels": 2, "where": {"expected_spend": {"above": 1_000_000}}},
        ],
    }
    report = told(policy, "APPROVAL", "customer", by_amount)
    found = only(report)
    assert (found["before"]["duties"], found["after"]["duties"]) == (2, 3)
    assert found["flips"]["added"] == 1
    levels = {one["label"]: (one["seats_before"], one["seats_after"]) for one in found["levels"]}
    assert levels == {"直接上级": (2, 3), "连续 2 级上级": (0, 1)}  # 王总 is spared
    seats = {one["name"]: (one["seats_before"], one["seats_after"]) for one in found["approvers"]}
    assert seats == {"王总": (1, 2), "许总": (1, 2)}
    assert found["seats"]["hours_per_seat"] is None
    assert {one["value"] for one in report["curve"]} == {
        500_000,
        666_667,
        10**6,
        1_500_000,
        2 * 10**6,
    }


def test_an_alert_replayed_as_it_is_gives_its_own_episodes(
    company: Any, policy: Any, second: Customer
) -> None:
    for days in (200, 120, 20):
        visit(company.li, second, timezone.now() - timedelta(days=days), 1)
    idle = {"when": {"idle_days": {"at_least": 60}}, "clear_after": "7d", "who": "owner"}
    alert = rule(policy, "ALERT", "customer", idle)
    sweep.sweep(timezone.now())
    raised = models.Alert._base_manager.filter(rule=alert, removed_at=None).count()
    assert raised >= 3
    found = only(told(policy, "ALERT", "customer", idle))
    assert found["before"] == found["after"]
    assert found["after"]["duties"] == raised
    assert set(found["flips"].values()) == {0}
    later = {**idle, "when": {"idle_days": {"at_least": 90}}}
    fewer = only(told(policy, "ALERT", "customer", later))
    assert fewer["flips"]["dropped"] == raised - fewer["after"]["duties"] > 0
    assert fewer["flips"]["added"] == 0


def test_an_alert_keeps_what_it_measured_when_it_was_raised(
    company: Any, policy: Any, second: Customer
) -> None:
    visit(company.li, second, timezone.now() - timedelta(days=65), 1)
    idle = {"when": {"idle_days": {"at_least": 60}}, "clear_after": "7d", "who": "owner"}
    alert = rule(policy, "ALERT", "customer", idle)
    sweep.sweep(timezone.now())
    made = models.Alert._base_manager.get(rule=alert, subject_id=second.pk, cleared_at=None)
    assert made.measured == {"idle_days": 60}
    client = Client()
    client.force_login(company.li)
    assert "无跟进天数 60" in client.get(f"/alert/{made.pk}").content.decode()
    assert sweep.sweep(timezone.now(), full=True).written.added == 0


def test_ending_a_rule_is_replayed_as_well(company: Any, policy: Any, second: Customer) -> None:
    needed = {"fields": ["headcount"], "enforce": "write"}
    rule(policy, "REQUIRED", "customer", needed)
    draft = models.Policy(code=policy.code, changes={"KA-9.1": {"rules": {"1": None}}})
    now = timezone.now()
    asked = replay.Asked(company.since.date(), timezone.localdate(now), now)
    found = only(replay.told(replay.replay(drafts.trials(draft), asked)))
    assert found["before"]["breached"] == found["flips"]["dropped"] == 2
    assert found["after"]["duties"] == 0


def test_the_page_tells_each_family_in_its_words_and_counts_what_is_out_of_sight(
    company: Any, policy: Any, second: Customer, management: Any
) -> None:
    made = visit(company.li, second, timezone.now() - timedelta(days=2), 1)
    step(company.li, "cancel_activity", made, stage="CANCELLED")
    gate = {"on": "cancel_activity", "holds": {"off_site_reason": EMPTY}}
    with door.acting(by=company.qian, action="draft") as deed:
        draft = revising.begin(deed, "visits", "加一道门槛")
        rule = {"kind": "GATE", "record": "activity", "params": gate}
        draft = revising.put(deed, draft, "KA-9.1", line=1, rule=rule)
    today = timezone.localdate()
    one = replays.ask(draft, today - timedelta(days=30), today)
    replays.run_waiting()
    pages = {}
    for person in (company.qian, company.boss):
        client = Client()
        client.force_login(person)
        pages[person.login] = client.get(f"/replays/{one.pk}").content.decode()
    for page in pages.values():
        assert "门槛与保存校验：现行与草稿" in page
        assert "会被拦下" in page
        assert "新拦下 1" in page
    assert "第二家有限公司" in pages["boss"]
    assert "第二家有限公司" not in pages["qian"]
    assert "1 件的对象你无权查看" in pages["qian"]
    assert f"#{made.pk}" not in pages["qian"]
