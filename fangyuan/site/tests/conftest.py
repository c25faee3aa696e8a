"""What the pages' tests share: rules put in force, a browser of the rep, visits of 小李."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.engine.models import Clause, Policy, Rule

LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


@pytest.fixture
def demand(company):
    """Put one rule in force: `demand(number, kind, record, **params)`."""

    def put(number, kind, record, **params):
        with door.acting(by=None, action="test") as deed:
            policy = Policy._base_manager.filter(code="test").first() or deed.create(
                Policy, {"code": "test", "title": "试用制度", "version": "1", "stage": "PUBLISHED"}
            )
            values = {"policy": policy, "number": number, "title": number, "text": number}
            clause = deed.create(Clause, {**values, "area": "x", "kind": "x"})
            params = {"kind": kind.lower(), "record": record, **params}
            values = {"clause": clause, "kind": kind, "record": record, "params": params}
            return deed.create(Rule, values, starts_at=LONG_AGO)

    return put


@pytest.fixture
def ka(company):
    """小李's customer as a key account of the first tier, with a place on the map."""
    with door.acting(by=None, action="test") as deed:
        deed.free |= {"is_ka", "ka_tier", "grade"}
        values = {"is_ka": True, "ka_tier": "TIER1", "grade": "B", "ka_basis": "体量"}
        values |= {"latitude": "31.310000", "longitude": "120.680000"}
        return deed.change(company.customer, values)


@pytest.fixture
def rep(client, company):
    """The browser of 小李."""
    client.force_login(company.li)
    return client


@pytest.fixture
def visit_of(company):
    """Make a visit of 小李's customer, planned `ahead` hours from now."""

    def make(ahead=1, **values):
        planned = timezone.now() + timedelta(hours=ahead)
        basic = {"customer": company.customer, "person": company.li, "planned_at": planned}
        with door.acting(by=company.li, action="test") as deed:
            return deed.create(Activity, {**basic, **values})

    return make
