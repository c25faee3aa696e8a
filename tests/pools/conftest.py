"""A company with a pool of customers: its team, its limits, customers that lie in it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from conftest import hire, term
from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.customers.models import Customer, Pool


@pytest.fixture
def pooled(company):
    """The pool of the eastern team, with two reps of it."""
    now = timezone.now()
    with door.acting(by=None, action="test") as deed:
        for code, label in (("NO_TIME", "顾不过来"), ("OTHER", "其他")):
            deed.create(Term, {"domain": "return_reason", "code": code, "label": label})
        qian = hire(deed, "qian", "小钱", "sales_rep", company.east, company.boss)
        values = {"name": "华东公海", "kind": "CUSTOMER", "team": company.east}
        pool = deed.create(Pool, {**values, "starts_at": now - timedelta(days=400)})
    return SimpleNamespace(**vars(company), pool=pool, qian=qian, now=now)


def lay(pooled, *names, ago=timedelta(days=3), pool=None):
    """Customers that lie in the pool for some time."""
    found = []
    with door.acting(by=None, action="test") as deed:
        for name in names:
            values = {"name": name, "source": term("source", "CALL"), "learned_at": pooled.since}
            where = {"pool": pool or pooled.pool, "pooled_at": pooled.now - ago}
            found.append(deed.create(Customer, {**values, **where, "pool_reason": "新入池"}))
    return found


def limit(pool, **limits):
    """Set limits of the pool."""
    with door.acting(by=None, action="test") as deed:
        return deed.change(pool, limits)
