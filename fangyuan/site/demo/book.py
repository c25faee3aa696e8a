"""The invented customers: who they are, who answers for them, how far they have come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from fangyuan.site.demo import names
from fangyuan.site.demo.staff import Colleague

SOURCES = ["REFERRAL", "EXHIBITION", "TELEMARKETING", "CAMPAIGN", "COLD_VISIT", "SEARCH"]
TIERS = [("TIER1", "A", 40), ("TIER2", "A", 60), ("TIER3", "B", 80)]
OTHERS = [("A", 30), ("B", 70), ("C", 140), ("D", 100)]


@dataclass
class Account:
    """One customer as planned."""

    name: str
    owner: Colleague
    grade: str
    tier: str | None
    values: dict[str, Any]
    contact: dict[str, Any]
    earlier: Colleague | None = None
    moved_at: datetime | None = None
    row: Any = field(default=None, repr=False)
    contact_row: Any = field(default=None, repr=False)

    def holder(self, at: datetime) -> Colleague:
        """Who answered for the customer at an instant."""
        return (
            self.earlier if self.earlier and self.moved_at and at <= self.moved_at else self.owner
        )


def plan(luck: Random, people: list[Colleague], now: datetime) -> list[Account]:
    """Key accounts with the KA team, the rest with the regional teams."""
    ka = [p for p in people if p.position == "ka_rep"]
    reps = [p for p in people if p.position == "sales_rep"]
    taken: set[str] = set()
    accounts: list[Account] = []
    for tier, grade, number in TIERS:
        accounts += [_account(luck, now, ka, taken, grade, tier) for _ in range(number)]
    for grade, number in OTHERS:
        accounts += [_account(luck, now, reps, taken, grade, None) for _ in range(number)]
    for place, account in enumerate(accounts):
        account.contact["phone"] = names.phone(place)
    return accounts


def _account(
    luck: Random,
    now: datetime,
    owners: list[Colleague],
    taken: set[str],
    grade: str,
    tier: str | None,
) -> Account:
    name, industry, city = names.company(luck, taken)
    learned = now - timedelta(days=luck.randint(200, 900), hours=luck.randint(0, 9))
    owner = luck.choice(owners)
    slow = luck.random() > owner.diligence
    entered = learned + timedelta(hours=luck.uniform(26, 90) if slow else luck.uniform(0.5, 22))
    values = {
        **_profile(luck, name, industry, city),
        **_standing(luck, grade, tier, learned, entered),
        **(_background(luck) if grade in "ABC" else {}),
    }
    contact = {
        "name": names.person(luck),
        "title": luck.choice(names.TITLES),
        "is_main": True,
        "roles": luck.sample(["DECIDER", "INFLUENCER", "TECHNICAL", "BUYER"], 2),
        "recorded_at": entered,
    }
    account = Account(name, owner, grade, tier, values, contact)
    if luck.random() < 0.08:
        account.earlier = luck.choice([p for p in owners if p is not owner])
        account.moved_at = now - timedelta(days=luck.randint(20, 120), hours=3)
    return account


def _profile(luck: Random, name: str, industry: str, city: str) -> dict[str, Any]:
    region, latitude, longitude, streets = names.CITIES[city]
    return {
        "name": name,
        "uscc": names.uscc(luck, region),
        "address": f"{city}市{luck.choice(streets)} {luck.randint(1, 888)} 号",
        "region_id": f"region:{region}",
        "source_id": f"source:{luck.choice(SOURCES)}",
        "industry_id": f"industry:{industry}",
        "headcount": luck.randint(60, 4000),
        "intent": luck.choice(["HIGH", "MIDDLE", "LOW"]),
        "latitude": round(latitude + luck.uniform(-0.05, 0.05), 6),
        "longitude": round(longitude + luck.uniform(-0.05, 0.05), 6),
    }


def _standing(
    luck: Random, grade: str, tier: str | None, learned: datetime, entered: datetime
) -> dict[str, Any]:
    won = grade in "AB" and luck.random() < 0.7
    sizes = ["LARGE", "MEDIUM"] if grade in "AB" else ["MEDIUM", "SMALL", "MICRO"]
    return {
        "size": luck.choice(sizes),
        "learned_at": learned,
        "recorded_at": entered,
        "grade": grade,
        "grade_basis": "年采购额与合作潜力评分",
        "graded_at": entered,
        "is_ka": tier is not None,
        "ka_tier": tier,
        "ka_basis": "规模、行业影响力与合作潜力" if tier else "",
        "prospect_at": learned + timedelta(days=20) if grade in "ABC" else None,
        "won_at": learned + timedelta(days=90) if won else None,
    }


def _background(luck: Random) -> dict[str, Any]:
    return {
        "product_need": "产线检测与控制升级，分两期实施",
        "budget_low": luck.randint(20, 60) * 10000,
        "budget_high": luck.randint(80, 400) * 10000,
        "buying_plan": luck.choice(["本季立项，下季招标", "按年度框架分批下单", "先试点一条线"]),
        "position": "区域内排名靠前，下游以整车和消费电子为主",
        "phase_id": "growth:GROWTH",
        "rivals_note": "两家同业长期供货，价格低、响应慢",
        "org_chart": "采购部、设备部、质量部三方会签，分管副总拍板",
        "business_scope": "零部件研发、制造与销售",
        "buying_process": "技术评审、商务谈判、总经理办公会",
        "buying_habits": "季度集中采购，尾款 10%",
    }
