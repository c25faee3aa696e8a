"""What is tried in vain is kept: who, what, when, by which clause; and nobody can flood it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from fangyuan import door
from fangyuan.engine import attempts
from fangyuan.engine.models import Clause, Policy, Refusal, Rule
from fangyuan.metrics.compliance import refused_attempts
from fangyuan.metrics.measure import Span, measure
from tests.door.test_door import REGRADE

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate(company: Any) -> Rule:
    """A key account needs a rival to be known before it is graded anew."""
    with door.acting(by=None, action="test") as deed:
        policy = deed.create(
            Policy, {"code": "t", "title": "门槛制度", "version": "1", "stage": "PUBLISHED"}
        )
        clause = deed.create(
            Clause,
            {
                "policy": policy, "number": "TG-1.1", "title": "评级门槛", "area": "customers",
                "text": "评级前先填写行业。", "kind": "gate", "bindings": [],
            },
        )  # fmt: skip
        made: Rule = deed.create(
            Rule,
            {
                "clause": clause, "kind": "GATE", "record": "customer",
                "starts_at": company.since,
                "params": {"on": "regrade", "holds": {"industry": {"not_empty": True}}},
            },
        )  # fmt: skip
    return made


def kept() -> list[Refusal]:
    return list(Refusal.objects.everything("t").order_by("pk"))


def test_a_refused_step_is_kept_once_and_counted(company: Any, gate: Rule) -> None:
    for _ in range(3):
        with pytest.raises(door.Refused):
            door.act("regrade", company.customer, by=company.wang, payload=REGRADE)
    [one] = kept()
    assert (one.person, one.action, one.clause, one.number) == (
        company.wang,
        "regrade",
        "TG-1.1",
        3,
    )
    assert one.subject == ("customer", company.customer.pk)
    assert "行业" in one.sentence
    today = timezone.localdate()
    span = Span(today, today + timedelta(days=1))
    assert measure(refused_attempts, actor=company.boss, span=span)[()] == 3


def test_what_goes_through_leaves_none(company: Any) -> None:
    door.act("regrade", company.customer, by=company.wang, payload=REGRADE)
    assert kept() == []


def test_who_has_no_right_is_kept_too(company: Any) -> None:
    with pytest.raises(door.Denied):
        door.change(company.customer, {"name": "别的公司"}, by=company.zhao)
    [one] = kept()
    assert (one.person, one.action, one.clause) == (company.zhao, "change", "")
    assert one.subject == ("customer", company.customer.pk)


def test_nobody_can_flood_the_record(company: Any) -> None:
    for number in range(attempts.MOST + 50):
        attempts.keep(
            company.li.pk, "change", ("customer", number), [("KA-1.1", "不行")],
            channel="API", at=timezone.now(),
        )  # fmt: skip
    assert len(kept()) == attempts.MOST + 1
    assert kept()[-1].number == 50


def test_the_clause_tells_whom_it_stopped(company: Any, gate: Rule) -> None:
    with pytest.raises(door.Refused):
        door.act("regrade", company.customer, by=company.wang, payload=REGRADE)
    for person, sees in ((company.boss, True), (company.zhao, False)):
        browser = Client()
        browser.force_login(person)
        said = browser.get("/clause/TG-1.1").content.decode()
        assert ("拦下的尝试" in said) == sees
        assert browser.get("/refusal/").content.decode().count("王总") >= sees
