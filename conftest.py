"""What tests of every room share: a small company with three people.

王总 leads the team, 小李 owns the customer, 小赵 is an outsider of another team.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection

from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.customers.models import Contact, Customer
from fangyuan.org.models import Holding, Membership, Person, Team

ZONE = ZoneInfo("Asia/Shanghai")


def pytest_configure(config: pytest.Config) -> None:
    """Give every process that runs tests beside others a data folder of its own."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        settings.DATA = Path(settings.DATA) / worker
        settings.DATA.mkdir(parents=True, exist_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded as `told`: how many cases were compared, and which."""
    for report in terminalreporter.getreports(""):
        for name, said in getattr(report, "user_properties", ()):
            if name == "told" and getattr(report, "when", "") == "call":
                terminalreporter.write_line(str(said))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The test database, taken from threads that still hold a connection when the tests end."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def local(text: str) -> datetime:
    """An instant in the company's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


POSITIONS = {
    "sales_director": "销售总监",
    "sales_manager": "销售经理",
    "ka_manager": "KA销售经理",
    "ka_rep": "KA销售代表",
    "sales_rep": "销售代表",
    "contract_admin": "合同管理员",
    "legal_dept": "法务部",
    "audit_dept": "审计部",
    "hr_dept": "人力资源部",
}
TERMS = {
    "source": {"REFERRAL": "客户推荐", "CALL": "电话营销", "COLD_VISIT": "陌生拜访"},
    "position": POSITIONS,
    "industry": {"C36": "汽车制造业"},
    "growth": {"GROWTH": "成长期"},
    "pipeline": {
        "articles": "条文七阶段",
        "s1s7": "S1–S7 流程",
        "journey": "客户旅程五阶段",
        "ka": "KA 流程",
    },
    "attachment": {"SENT": "发给客户的文书"},
    "loss_reason": {"PRICE": "价格"},
    "product_category": {"HARDWARE": "硬件设备"},
}


def term(domain: str, code: str) -> Term:
    """The term of a vocabulary."""
    return Term._base_manager.get(key=f"{domain}:{code}")


def hire(deed, login, name, position, team, manager=None):
    """A person in a position of a team, since the beginning of 2020."""
    person = deed.create(
        Person,
        {
            "login": login,
            "name": name,
            "work_no": login,
            "joined_on": date(2020, 1, 1),
            "manager": manager,
            "key": login,
        },
    )
    deed.create(
        Membership,
        {
            "person": person,
            "team": team,
            "position": term("position", position),
            "starts_on": date(2020, 1, 1),
        },
    )
    return person


def own(deed, customer, person, since):
    """Make a person the owner of a customer from an instant."""
    return deed.create(
        Holding, {"subject": customer, "person": person, "role": "OWNER", "starts_at": since}
    )


@pytest.fixture
def company(db):
    """Two teams under one director, one customer of 小李, no rule in force."""
    with door.acting(by=None, action="test") as deed:
        for domain, entries in TERMS.items():
            for code, label in entries.items():
                deed.create(Term, {"domain": domain, "code": code, "label": label})
        root = deed.create(Team, {"code": "acme", "name": "示例公司", "kind": "COMPANY"})
        ka = deed.create(Team, {"code": "ka_team", "name": "KA团队", "parent": root})
        east = deed.create(Team, {"code": "east", "name": "华东销售部", "parent": root})
        boss = hire(deed, "boss", "许总", "sales_director", root)
        wang = hire(deed, "wang", "王总", "ka_manager", ka, boss)
        li = hire(deed, "li", "小李", "ka_rep", ka, wang)
        zhao = hire(deed, "zhao", "小赵", "sales_rep", east, boss)
        deed.change(root, leader=boss)
        deed.change(ka, leader=wang)
        since = local("2026-01-05 09:00")
        customer = deed.create(
            Customer,
            {
                "name": "华清电子有限公司",
                "source": term("source", "REFERRAL"),
                "learned_at": since,
                "address": "苏州市工业园区星湖街 1 号",
                "key": "hq",
            },
        )
        contact = deed.create(
            Contact,
            {"customer": customer, "name": "陈工", "phone": "13800138000", "is_main": True},
        )
        own(deed, customer, li, since)
    return SimpleNamespace(
        root=root,
        ka=ka,
        east=east,
        boss=boss,
        wang=wang,
        li=li,
        zhao=zhao,
        customer=customer,
        contact=contact,
        since=since,
    )
