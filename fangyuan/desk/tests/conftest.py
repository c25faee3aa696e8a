"""Signed-in browsers of the three people, and one rule in force."""

from __future__ import annotations

import pytest
from django.test import Client

from fangyuan import door
from fangyuan.engine.models import Clause, Policy, Rule


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
