"""Signed-in browsers of the three people, and one rule in force."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from fangyuan import door
from fangyuan.engine.models import Clause, Obligation, Policy, Rule


@pytest.fixture
def visit(company):
    """A browser signed in as one of the company's people: `visit("li").get(…)`."""

    def signed_in(name: str) -> Client:
        browser = Client()
        browser.force_login(getattr(company, name))
        return browser

    return signed_in


@pytest.fixture
def rule(company):
    """Put one rule of some clause in force."""

    def put(kind: str, record: str, number: str = "RES-3.1.2a", **params: object) -> Rule:
        with door.acting(by=None, action="test") as deed:
            policy = deed.create(Policy, {"code": "res", "title": "资源管理", "version": number})
            values = {"policy": policy, "number": number, "area": "资源", "kind": "规则"}
            clause = deed.create(Clause, {**values, "title": "资料完整"})
            return deed.create(
                Rule,
                {
                    "clause": clause,
                    "kind": kind,
                    "record": record,
                    "params": params,
                    "starts_at": company.since,
                },
            )

    return put


@pytest.fixture
def duty(company, rule):
    """Put an obligation about a record into the ledger."""
    made = rule("DEADLINE", "activity", "KA-3.3.2", on="ended_at", until="written_at", within="24h")

    def put(subject, state: str, due, met=None, person=None) -> Obligation:
        values = {
            "rule": made,
            "occurrence": f"{state}{due}",
            "began_on": due.date().replace(day=1),
        }
        values |= {"began_at": due - timedelta(days=1), "due_at": due, "met_at": met}
        one = Obligation(**values, state=state, person=person or company.li)
        one.subject = subject
        one.save(force_insert=True)
        return one

    return put
