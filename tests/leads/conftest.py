"""What tests of leads share: vocabularies, somebody of marketing, a lead that was assigned."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conftest import hire, local, term
from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.customers import holding
from fangyuan.customers.models import Lead
from fangyuan.org.models import Team

POINTS = {
    "PHONE": ("留有电话", {"points": 5, "when": {"phone": {"not_empty": True}}}),
    "TALKED": ("有过主动联系", {"points": 10, "when": {"first_contact_at": {"not_empty": True}}}),
    "CAME": ("到场参加活动", {"points": 15, "when": {"touch_kinds": {"has": ["ATTENDED"]}}}),
}
WORDS = {
    "lead_category": {"HOT": "近期可成交"},
    "nurture": {"MAIL": "邮件"},
    "lead_reason": {"NO_NEED": "没有需求", "NOT_RIPE": "时机未成熟"},
    "region": {"320500": "苏州市"},
}


@pytest.fixture
def market(company):
    """The company with a marketing department."""
    with door.acting(by=None, action="test") as deed:
        for domain, entries in WORDS.items():
            for code, label in entries.items():
                deed.create(Term, {"domain": domain, "code": code, "label": label})
        for code, (label, maps) in POINTS.items():
            values = {"domain": "lead_points", "code": code, "label": label}
            deed.create(Term, values, maps=maps)
        promoter = {"domain": "position", "code": "marketing_promoter", "label": "市场推广人员"}
        deed.create(Term, promoter)
        team = deed.create(
            Team, {"code": "marketing_dept", "name": "市场部", "parent": company.root}
        )
        feng = hire(deed, "feng", "小冯", "marketing_promoter", team, company.boss)
    return SimpleNamespace(**vars(company), feng=feng)


def got(market, company="澜石新材料有限公司", **more):
    """A lead that marketing got."""
    values = {"company": company, "source": term("source", "CALL"), "phone": "13900000001"}
    values |= {"occurred_at": local("2026-05-11 09:00"), "contact_name": "周工", **more}
    with door.acting(by=None, action="test") as deed:
        return deed.create(Lead, values)


def assigned(market, person=None, **more):
    """A lead that was given to 小李."""
    lead = got(market, stage="ASSIGNED", **more)
    with door.acting(by=None, action="test") as deed:
        holding.hand_to(lead, person or market.li, at=deed.at)
    return lead
