"""The invented company's leads, from the first card to the customer, its pools and its draws."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.customers import drawing, scoring
from fangyuan.customers.models import Contact, Customer, Lead, Pool, Touch
from fangyuan.marketing.models import Campaign
from fangyuan.org.models import Holding, Membership, Person, Team
from fangyuan.site.demo import names

SEED = 20260301
CAMPAIGNS = (
    ("华东智能制造展", "EXPO", 40, "上海"),
    ("在线检测技术研讨会", "SEMINAR", 18, "苏州"),
    ("以旧换新促销", "PROMOTION", 9, "线上"),
)
# stage, how many, days since it was got at least and at most
STAGES = (
    ("NEW", 22, 0, 6),
    ("NURTURE", 26, 20, 120),
    ("MQL", 24, 2, 12),
    ("ASSIGNED", 26, 3, 20),
    ("SQL", 14, 10, 40),
    ("PROSPECT", 10, 30, 90),
    ("RETURNED", 6, 8, 30),
    ("ARCHIVED", 8, 40, 120),
    ("INVALID", 9, 5, 60),
)
SOURCES = ("EXHIBITION", "CAMPAIGN", "WEBSITE", "HOTLINE", "TELEMARKETING", "COLD_VISIT", "SEARCH")
NEEDS = ("两条产线的在线检测", "替换老旧控制柜", "仓储自动化一期", "三坐标测量外包", "备件年度框架")
REASONS = {"NURTURE": "NOT_RIPE", "RETURNED": "NO_BUDGET", "ARCHIVED": "NO_NEED"}
# By which process a lead is followed; most by the articles.
LINES = ("articles", "s1s7", "articles", "journey")
SOLD = ("ASSIGNED", "SQL", "PROSPECT")
# name, kind, team, industries, regions, limits
POOLS: tuple[tuple[str, str, str | None, list[str], list[str], dict[str, Any]], ...] = (
    ("汽车与电子公海", "CUSTOMER", "sales_dept", ["36", "39"], [], {"quota": 30}),
    ("华东公海", "CUSTOMER", "sales_dept", [], ["310000", "320000", "330000"], {"quota": 40}),
    ("全国公海", "CUSTOMER", None, [], [], {"quota": 60}),
    ("KA 线索池", "LEAD", "ka_team", [], [], {"quota": 20}),
    ("销售线索池", "LEAD", "sales_dept", [], [], {"quota": 50, "method": "LOAD"}),
)
LIMITS = {"daily_claims": 5, "cool_off_days": 30, "fresh_hours": 24}
FREE = ("退回：顾不过来", "久未联系回收（POOL-3.1）", "久未成交回收（POOL-3.2）", "新入池")


class Leads:
    """Plans the leads and pools from a seed and a moment, then writes them."""

    def __init__(self, now: datetime) -> None:
        self.now, self.luck = now.replace(minute=0, second=0, microsecond=0), Random(SEED)
        self.people = {p.login: p for p in Person.objects.everything("示例").exclude(login=None)}
        self.sellers = self._of("sales_rep") + self._of("ka_rep")
        self.taken = set(Customer.objects.everything("示例").values_list("name", flat=True))

    def _of(self, position: str) -> list[Person]:
        rows = Membership.objects.everything("示例").filter(position=f"position:{position}")
        return [row.person for row in rows.select_related("person").order_by("person_id")]

    def write(self) -> int:
        """Write everything; gives the number of leads."""
        with door.acting(by=None, action="demo", reason="示例公司", history=True) as deed:
            campaigns = self._campaigns(deed)
            pools = self._pools(deed)
            self._lie_in(pools)
            leads = self._leads(campaigns, pools)
            scoring.keep(deed, {lead.pk for lead in leads})
        self._draw(pools)
        return len(leads)

    def _campaigns(self, deed: door.Deed) -> list[Campaign]:
        found = []
        for name, kind, ago, place in CAMPAIGNS:
            at = self.now - timedelta(days=ago)
            values = {"name": name, "kind": kind, "place": place, "stage": "ENDED"}
            span = {"starts_at": at, "ends_at": at + timedelta(days=2), "ended_at": at}
            found.append(deed.create(Campaign, values, **span))
        return found

    def _pools(self, deed: door.Deed) -> dict[str, Pool]:
        teams = {team.code: team for team in Team.objects.everything("示例")}
        found = {}
        for rank, (name, kind, team, industries, regions, more) in enumerate(POOLS, start=1):
            values = {"name": name, "kind": kind, "team": teams[team] if team else None}
            values |= {"industries": industries, "regions": regions, "rank": 10 * rank, **LIMITS}
            since = self.now - timedelta(days=13)
            found[name] = deed.create(Pool, {**values, **more}, starts_at=since)
        return found

    def _lie_in(self, pools: dict[str, Pool]) -> None:
        """Customers that nobody answers for, and a few that were taken lately."""
        rows, contacts, held = [], [], []
        lying = [pools[name] for name in ("汽车与电子公海", "华东公海", "全国公海")]
        for number in range(48):
            name, industry, city = names.company(self.luck, self.taken)
            at = self.now - timedelta(days=self.luck.randint(1, 12), hours=self.luck.randint(0, 9))
            rows.append(self._customer(name, industry, city, at, lying[number % 3], number < 42))
        saved = Customer._base_manager.bulk_create(rows)
        taker = self.people["zhoumin"]
        for number, row in enumerate(saved):
            person, title = names.person(self.luck), self.luck.choice(names.TITLES)
            contact = {"name": person, "title": title, "phone": names.phone(5000 + number)}
            contacts.append(Contact(customer=row, is_main=True, **contact))
            since = {"starts_at": self.now - timedelta(days=12, hours=number % 7)}
            if row.pooled_at is None:
                held.append(Holding(subject=row, person=taker, from_pool=True, **since))
        Contact._base_manager.bulk_create(contacts)
        Holding._base_manager.bulk_create(held)

    def _customer(
        self, name: str, industry: str, city: str, at: datetime, pool: Pool, lies: bool
    ) -> Customer:
        region, latitude, longitude, streets = names.CITIES[city]
        row = Customer(
            name=name,
            uscc=names.uscc(self.luck, region),
            address=f"{city}市{self.luck.choice(streets)} {self.luck.randint(1, 888)} 号",
            region_id=f"region:{region}",
            source_id="source:TELEMARKETING",
            industry_id=f"industry:{industry}",
            grade=self.luck.choice("CDD"),
            grade_basis="初次录入",
            size=self.luck.choice(["SMALL", "MEDIUM"]),
            latitude=round(latitude, 6),
            longitude=round(longitude, 6),
            learned_at=at - timedelta(days=200),
            recorded_at=at - timedelta(days=200),
            imported_at=self.now,
            pool=pool,
            pooled_at=at if lies else None,
            pool_reason=self.luck.choice(FREE) if lies else "",
        )
        row.index()
        return row

    def _leads(self, campaigns: list[Campaign], pools: dict[str, Pool]) -> list[Lead]:
        planned: list[Lead] = [
            self._lead(stage, least, most, number, campaigns, pools)
            for stage, count, least, most in STAGES
            for number in range(count)
        ]
        saved = Lead._base_manager.bulk_create(planned)
        held = [self._holding(lead) for lead in saved if lead.stage in SOLD]
        Holding._base_manager.bulk_create(held)
        owner = {holding.subject_id: holding.person for holding in held}
        Touch._base_manager.bulk_create(touch for lead in saved for touch in self._touches(lead))
        talks = [self._talk(lead, owner[lead.pk]) for lead in saved if self._was_called(lead)]
        Activity._base_manager.bulk_create(talks)
        return list(saved)

    def _lead(
        self, stage: str, least: int, most: int, number: int, campaigns: Any, pools: Any
    ) -> Lead:
        name, industry, city = names.company(self.luck, self.taken)
        got = self.now - timedelta(
            days=self.luck.randint(least, most), hours=self.luck.randint(1, 9)
        )
        source = self.luck.choice(SOURCES)
        lead = Lead(
            company=name,
            contact_name=names.person(self.luck),
            phone=names.phone(7000 + len(self.taken)),
            source_id=f"source:{source}",
            campaign=self.luck.choice(campaigns) if source in ("EXHIBITION", "CAMPAIGN") else None,
            platform_id="platform:OFFICIAL_SITE" if source == "WEBSITE" else None,
            occurred_at=got,
            recorded_at=min(got + timedelta(hours=self.luck.choice([1, 3, 8, 30])), self.now),
            imported_at=self.now,
            need=self.luck.choice(NEEDS),
            industry_id=f"industry:{industry}",
            region_id=f"region:{names.CITIES[city][0]}",
            stage=stage,
            pipeline_id=f"pipeline:{LINES[number % len(LINES)]}",
        )
        self._found(lead, got)
        if stage == "MQL":
            lead.pool = pools["KA 线索池" if number % 3 == 0 else "销售线索池"]
            lead.pooled_at, lead.pool_reason = lead.mql_at, "达到市场合格"
        lead.index()
        return lead

    def _found(self, lead: Lead, got: datetime) -> None:
        """What marketing and sales noted of a lead by the stage it has reached."""
        if lead.stage == "NEW" and self.luck.random() < 0.6:
            return
        valid = lead.stage != "INVALID"
        lead.first_verdict = "VALID" if valid else "INVALID"
        lead.screened_at = lead.classified_at = got + timedelta(hours=self.luck.choice([4, 20, 30]))
        lead.info_ok, lead.source_ok = valid, True
        lead.fits_industry, lead.fits_size = self.luck.random() < 0.8, self.luck.random() < 0.7
        lead.category_id = "lead_category:WARM" if valid else "lead_category:NOT_FIT"
        lead.nurture_id = "nurture:CONTENT" if valid else "nurture:NONE"
        reason = "UNREACHABLE" if not valid else REASONS.get(lead.stage)
        lead.reason_id = f"lead_reason:{reason}" if reason else None
        if lead.stage in ("MQL", *SOLD):
            lead.mql_at = got + timedelta(days=1)
        if lead.stage in SOLD:
            lead.assigned_at = lead.stage_two_at = got + timedelta(days=1, hours=5)
            lead.background, lead.pain = "汽车与电子零部件", "人工检测漏检多"
            lead.contact_pain, lead.basic_need = "夜班漏检被客户投诉", lead.need
            lead.introduced = ["公司", "产品或服务"]
        if lead.stage in ("SQL", "PROSPECT"):
            lead.sql_at = got + timedelta(days=4)
            lead.budget, lead.authority = "80 万左右", "分管副总拍板"
            lead.need_detail, lead.timeline = "先试一条线再铺开", "下季度立项"
            lead.decision_chain, lead.intent = "设备部提出，采购部比价，副总批", "HIGH"
        if lead.stage == "PROSPECT":
            lead.converted_at = got + timedelta(days=12)

    def _holding(self, lead: Lead) -> Holding:
        person = self.luck.choice(self.sellers)
        if self.luck.random() < 0.12:
            person = self.people["zhoumin"]
        at = lead.assigned_at
        told = {"recorded_at": at, "imported_at": self.now, "reason": "派给销售"}
        return Holding(subject=lead, person=person, starts_at=at, **told)

    def _touches(self, lead: Lead) -> list[Touch]:
        kinds = ["ATTENDED"] if lead.campaign_id else []
        kinds += self.luck.sample(["DOWNLOADED", "OPENED", "CLICKED", "REGISTERED", "PUSHED"], 2)
        span = max(1, (self.now - lead.occurred_at).days)
        return [
            Touch(
                lead=lead,
                kind=kind,
                campaign=lead.campaign if kind == "ATTENDED" else None,
                content="" if kind == "ATTENDED" else "在线检测白皮书",
                at=lead.occurred_at + timedelta(days=self.luck.randint(0, span - 1)),
                is_first=place == 0,
            )
            for place, kind in enumerate(kinds)
        ]

    def _was_called(self, lead: Lead) -> bool:
        return lead.stage in SOLD and self.luck.random() < 0.85

    def _talk(self, lead: Lead, person: Person) -> Activity:
        first = (lead.assigned_at or self.now) + timedelta(hours=self.luck.choice([2, 5, 20, 26]))
        last = self.now - timedelta(days=self.luck.randint(0, 7), hours=self.luck.randint(0, 5))
        at = min(max(first, last), self.now)
        said = {
            "situation": "首次联系，介绍公司与产品",
            "feedback": "愿意看方案",
            "result": "约了演示",
        }
        when = {"started_at": at, "ended_at": at, "written_at": at, "recorded_at": at}
        when["imported_at"] = self.now
        kind = {"kind": "CALL", "purpose": "FIRST", "stage": "DONE"}
        return Activity(
            lead=lead, person=person, is_deep=lead.stage != "ASSIGNED", **kind, **when, **said
        )

    def _draw(self, pools: dict[str, Pool]) -> None:
        """One draw that was made, so that there is something to run again; the next is sealed."""
        pool, director = pools["销售线索池"], self.people["xuguodong"]
        with door.acting(by=director, action="allot", reason="示例公司") as deed:
            numbers = list(drawing.waiting(pool).values_list("pk", flat=True)[:9])
            payload = {"numbers": numbers}
            door.act("allot", drawing.seal(deed, pool), by=director, payload=payload)
