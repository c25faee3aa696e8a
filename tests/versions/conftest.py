"""A regulation with one clause: visits are written up within 72 hours."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from conftest import hire
from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.core.models import Term
from fangyuan.engine import sweep
from fangyuan.engine.models import Clause, Policy, Replay, Rule
from fangyuan.engine.packs import installation
from fangyuan.engine.revision import replays, revising
from fangyuan.org.models import Team

PARAMS = {"on": "ended_at", "until": "written_at", "within": "72h", "where": {"kind": "VISIT"}}


@pytest.fixture
def policy(company: Any) -> Policy:
    """The regulation in force since 2010, and 小钱 who drafts its revisions."""
    with door.acting(by=None, action="test") as deed:
        for code, label in (("sales_ops", "销售运营"), ("company_management", "公司管理层")):
            deed.create(Term, {"domain": "position", "code": code, "label": label})
        company.qian = hire(deed, "qian", "小钱", "sales_ops", company.root, company.boss)
        since = date(2010, 1, 1)
        made: Policy = deed.create(
            Policy,
            {
                "code": "visits", "title": "拜访制度", "version": "2026.1", "starts_on": since,
                "stage": "PUBLISHED", "applies_to": ["ka_team", "sales_rep"],
            },
        )  # fmt: skip
        clause = deed.create(
            Clause,
            {
                "policy": made, "number": "KA-9.1", "title": "拜访记录",
                "area": "activities-visits", "text": "拜访结束后 72 小时内写完记录。",
                "kind": "deadline",
                "bindings": [{"bind": "rule", "kind": "deadline", "record": "activity", **PARAMS}],
            },
        )  # fmt: skip
        Rule(
            clause=clause, kind="DEADLINE", record="activity", params=PARAMS, policy=made,
            starts_at=installation.start_of(since),
        ).save()  # fmt: skip
    return made


def visit(person: Any, customer: Any, ended_at: Any, hours: float | None = None) -> Activity:
    """A visit that ended at an instant and was written up so many hours later, if at all."""
    with door.acting(by=None, action="test", history=True) as deed:
        made: Activity = deed.create(
            Activity,
            {
                "person": person, "customer": customer, "kind": "VISIT", "stage": "DONE",
                "started_at": ended_at - timedelta(hours=1), "ended_at": ended_at,
                "written_at": None if hours is None else ended_at + timedelta(hours=hours),
            },
        )  # fmt: skip
    return made


def drafted(company: Any, within: str) -> Policy:
    """A draft with another span."""
    with door.acting(by=company.qian, action="draft") as deed:
        draft = revising.begin(deed, "visits", f"改为 {within}")
        rule = {"kind": "DEADLINE", "record": "activity", "params": {**PARAMS, "within": within}}
        return revising.put(deed, draft, "KA-9.1", line=0, rule=rule)


def tried(draft: Policy, first: date, last: date, team: Any = None) -> dict[str, Any]:
    """The report of a replay by the worker."""
    one = replays.ask(draft, first, last, team=team)
    replays.run_waiting()
    return dict(Replay._base_manager.get(pk=one.pk).result)


@pytest.fixture
def visits(company: Any, policy: Policy) -> dict[float, Activity]:
    """Visits of the last weeks by the hours after which they were written up; swept."""
    begun = timezone.now() - timedelta(days=20)
    made = {
        hours: visit(company.li, company.customer, begun + timedelta(days=place), hours)
        for place, hours in enumerate((1.0, 11.9, 12.0, 12.1, 23.0, 71.0, 90.0))
    }
    sweep.sweep(timezone.now())
    return made


@pytest.fixture
def management(company: Any, policy: Policy) -> Any:
    """严总 leads the management of the company."""
    with door.acting(by=None, action="test") as deed:
        head = hire(deed, "yan", "严总", "company_management", company.root)
        deed.create(
            Team,
            {
                "code": "company_management",
                "name": "管理层",
                "parent": company.root,
                "leader": head,
            },
        )
    return head
