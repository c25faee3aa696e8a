"""The invented company's offers: what it sells, solutions, quotes, talks and contracts of projects.

Whatever stands in a project follows from how far it has come, so that its stages are borne out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from django.core.files.base import ContentFile

from fangyuan import door
from fangyuan.contracts import contract_papers, papers, sums
from fangyuan.contracts.models import Contract, Negotiation, Point, Quote, QuoteLine, Solution
from fangyuan.core.models import Term
from fangyuan.desk import attachments
from fangyuan.desk import papers as desk_papers
from fangyuan.library.models import Material, Price, PriceList, Product
from fangyuan.opportunities.models import Need, Opportunity
from fangyuan.opportunities.models.stage import StageTag
from fangyuan.org.models import Membership, Person, Team

SEED: Final = 20260517
COMPANY: Final = "方圆智能装备有限公司"  # as its papers bear it
ORDER: Final = [code for code, _ in StageTag.choices]
# login, name, department, its name, position
OFFICES: Final = (
    ("guyan", "顾岩", "legal_dept", "法务部", "key_position_staff"),
    ("weizhen", "魏真", "contract_mgmt_dept", "合同管理部", "contract_admin"),
)
# name, model, category, unit, list price and foreseen cost in yuan
GOODS: Final = (
    ("视觉检测站", "VS-300", "HARDWARE", "套", 186_000, 121_000),
    ("在线称重单元", "ZC-80", "HARDWARE", "台", 42_000, 27_500),
    ("质量追溯软件", "ZS-5", "SOFTWARE", "套", 128_000, 46_000),
    ("数据采集网关", "SC-12", "HARDWARE", "台", 9_800, 5_600),
    ("安装调试服务", "FW-1", "SERVICE", "人天", 2_400, 1_500),
)
TERMS: Final = (
    "签约付百分之三十，到货验收付百分之六十，质保一年期满付百分之十。\n"
    "货到现场十五日内完成安装调试。"
)
TOPICS: Final = (
    ("PRICE", "单价再降五个点", "总价不变，加送一年备件", "让三个点，备件另计"),
    ("PAYMENT", "全部验收后付款", "首付三成", "首付两成，验收七成"),
    ("DELIVERY", "六周交货", "八周", "七周分两批"),
)
PARTS: Final = [
    "产品或服务介绍",
    "解决方案",
    "价格策略",
    "合作模式",
    "方案细节",
    "实施计划",
    "服务支持",
]


def fill(now: datetime) -> dict[str, int]:
    """Write them as imported history; gives the number of rows of each type."""
    luck = Random(SEED)
    with door.acting(by=None, action="demo", reason="示例公司", history=True) as deed:
        _offices(deed)
        prices, goods = _catalogue(deed, now)
        _stationery(deed, now)
        counts: dict[str, int] = {}
        far = Opportunity._base_manager.filter(stage__stage_tag__in=ORDER[3:])
        for deal in far.select_related("stage", "customer").order_by("pk"):
            for row in Offer(luck, deal, prices, goods, now).write():
                name = row.record_name()
                counts[name] = counts.get(name, 0) + 1
    return counts


def _offices(deed: door.Deed) -> None:
    root = Team._base_manager.get(code="company")
    deed.change(root, name=COMPANY)
    like = Person._base_manager.get(login="xuguodong")
    for login, name, code, said, position in OFFICES:
        team = deed.create(
            Team, {"code": code, "name": said, "kind": "DEPARTMENT", "parent": root, "key": code}
        )
        values = {"login": login, "name": name, "work_no": login, "joined_on": like.joined_on}
        person = deed.create(Person, {**values, "manager": like.manager, "key": login})
        Person._base_manager.filter(pk=person.pk).update(password=like.password)
        held = {"person": person, "team": team, "starts_on": like.joined_on}
        deed.create(Membership, {**held, "position_id": f"position:{position}"})
        deed.change(team, leader=person)


def _catalogue(deed: door.Deed, now: datetime) -> tuple[PriceList, list[tuple[Product, Price]]]:
    values = {"name": "目录价", "starts_on": date(now.year, 1, 1), "stage": "ACTIVE"}
    basis = {"cost_basis": "上年实际成本加三个点", "demand_basis": "前三季询价量"}
    prices = deed.create(PriceList, {**values, **basis, "rival_basis": "三家公开报价"})
    goods = []
    for name, model, category, unit, amount, cost in GOODS:
        term = Term._base_manager.filter(key=f"product_category:{category}").first()
        term = term or Term._base_manager.filter(domain="product_category").order_by("rank")[0]
        told = {"name": name, "model": model, "category": term, "unit": unit, "state": "ON_SALE"}
        product = deed.create(Product, {**told, "features": "双工位，每分钟四十件", "cost": cost})
        listed = {"price_list": prices, "product": product, "amount": amount, "cost": cost}
        goods.append((product, deed.create(Price, listed)))
    return prices, goods


def _stationery(deed: door.Deed, now: datetime) -> None:
    """The company's templates for quotes and contracts, in force."""
    sections = ["产品或服务内容", "价格条款", "付款方式", "交货时间", "质量标准", "售后服务"]
    for code, title, kind, category, wording, said in (
        ("MB-01", "标准报价单", "TEMPLATE", "QUOTE_TEMPLATE", papers.WORDING, []),
        ("MB-02", "标准销售合同", "CONTRACT_TEMPLATE", "CONTRACT_TEMPLATE",
         contract_papers.WORDING, sections),
    ):  # fmt: skip
        values = {"code": code, "title": title, "kind": kind, "sections": said}
        made = deed.create(Material, {**values, "category_id": f"knowledge:{category}"})
        file = ContentFile(desk_papers.starter(wording), name=f"{title}.docx")
        attachments.keep(deed, made, file)
        done = {"state": "PUBLISHED", "published_at": now, "effective_on": now.date()}
        checked = dict.fromkeys(("is_accurate", "is_full", "is_clear"), True)
        deed.free |= {*done, *checked}
        deed.change(made, {**done, **checked})


class Offer:
    """Everything that was offered in one project, up to where it stands."""

    def __init__(
        self, luck: Random, deal: Any, prices: PriceList, goods: list[Any], now: datetime
    ) -> None:
        self.luck, self.deal, self.prices, self.goods, self.now = luck, deal, prices, goods, now
        self.far = ORDER.index(deal.stage.stage_tag)
        self.won = deal.outcome == "WON"
        self.end = deal.closed_at or now
        self.began = deal.recorded_at
        self.day = max(1, (self.end - self.began).days)

    def write(self) -> Iterator[Any]:
        """Solution and needs, quote with its lines, talks, contract: what the stage bears out."""
        solution = self._solution()
        yield solution
        for need in Need._base_manager.filter(opportunity=self.deal):
            answered = self.luck.random() < 0.8
            told = {
                "confirmed_at": self._at(0.2),
                "answered_at": self._at(0.4) if answered else None,
            }
            Need._base_manager.filter(pk=need.pk).update(**told)
        quote = self._quote(solution)
        yield quote
        if self.far >= ORDER.index("NEGOTIATION") or self.won:
            yield from self._talks()
        if self.won or self.far >= ORDER.index("SIGNING"):
            yield self._contract(quote)

    def _at(self, share: float) -> datetime:
        """An instant between the project's beginning and its end."""
        return self.began + timedelta(days=int(self.day * share), hours=2)

    def _save(self, row: Any) -> Any:
        row.index()
        row.imported_at = self.now
        row.save()
        return row

    def _solution(self) -> Solution:
        amount = self.deal.amount or Decimal(360_000)
        stage = "ACCEPTED" if self.won or self.far > 3 else self.luck.choice(("DRAFT", "SENT"))
        done = stage != "DRAFT"
        return self._save(
            Solution(
                opportunity=self.deal,
                title=f"{self.deal.name}方案",
                kind="FINAL" if done else "DRAFT",
                sections=PARTS if done else PARTS[:3],
                authors=["售前部", "交付部"],
                amount=amount,
                roi_in=amount,
                roi_gain=(amount * self.luck.choice((45, 60, 80)) / 100).quantize(Decimal(1)),
                roi_basis="按三班、年开工三百天、漏检赔付归零测算",
                feasible="FEASIBLE",
                differs="本地备件库，四小时到场",
                fits_need=self.luck.choice((4, 5)) if done else None,
                fits_house=self.luck.choice((3, 4)) if done else None,
                fits_market=self.luck.choice((3, 4, 5)) if done else None,
                stage=stage,
                reviewed_at=self._at(0.4) if done else None,
                sent_at=self._at(0.45) if done else None,
                presented_at=self._at(0.5) if done else None,
                promised_on=self._at(0.5).date(),
                confirmed_at=self._at(0.6) if stage == "ACCEPTED" else None,
                confirm_form="WRITTEN" if stage == "ACCEPTED" else None,
                recorded_at=self._at(0.3),
            )
        )

    def _quote(self, solution: Solution) -> Quote:
        stage = "ACCEPTED" if self.won or self.far > 4 else "SENT" if self.far > 3 else "DRAFT"
        valid = self.now + timedelta(days=self.luck.choice((3, 18, 40)))
        quote = self._save(
            Quote(
                opportunity=self.deal,
                solution=solution,
                price_list=self.prices,
                valid_until=valid.date(),
                terms=TERMS,
                discount_reason="首批合作，承诺年框",
                stage=stage,
                approved_at=self._at(0.5) if stage != "DRAFT" else None,
                sent_at=self._at(0.55) if stage != "DRAFT" else None,
                recorded_at=self._at(0.45),
            )
        )
        discount = Decimal(self.luck.choice((92, 95, 97, 100))) / 100
        for product, price in self.luck.sample(self.goods, self.luck.choice((2, 3, 4))):
            line = QuoteLine(
                quote=quote,
                product=product,
                quantity=self.luck.choice((1, 2, 4, 6)),
                price=(price.amount * discount).quantize(Decimal(1)),
                deliver_on=(valid + timedelta(days=45)).date(),
                recorded_at=self._at(0.45),
            )
            self._save(line)
        sums.keep(None, {quote.pk})
        fresh: Quote = Quote._base_manager.get(pk=quote.pk)
        if stage != "DRAFT":
            told = dict.fromkeys(("approved_hash", "sent_hash"), sums.digest(fresh.pk))
            Quote._base_manager.filter(pk=fresh.pk).update(**told)
        return fresh

    def _talks(self) -> Iterator[Any]:
        agreed = self.won or self.far >= ORDER.index("SIGNING")
        talks = self._save(
            Negotiation(
                opportunity=self.deal,
                goal="本季签约，首付不低于两成",
                walk_away="总价不低于目录价九折",
                strategy="先谈交期和服务，再谈价格",
                mandate="最多让利五个点，超出报总监",
                mandate_rate=5,
                within_policy=True,
                appointed_at=self._at(0.65),
                customer_people=["采购部长", "技术总监"],
                knows_solution=True,
                knows_floor=True,
                materials_ready=True,
                manager_joins="JOINS",
                join_reason="首次见对方副总",
                stage="AGREED" if agreed else "RUNNING",
                started_at=self._at(0.65),
                ended_at=self._at(0.8) if agreed else None,
                recorded_at=self._at(0.6),
            )
        )
        yield talks
        for place, (topic, theirs, ours, result) in enumerate(TOPICS[: 3 if agreed else 2]):
            closed = agreed or place == 0
            yield self._save(
                Point(
                    opportunity=self.deal,
                    negotiation=talks,
                    kind="TOPIC",
                    topic_id=f"point_topic:{topic}",
                    round=place // 2 + 1,
                    raised_at=self._at(0.66),
                    text=f"客户要求{theirs}",
                    theirs=theirs,
                    ours=ours,
                    result=result if closed else "",
                    concession=3 if closed and topic == "PRICE" else None,
                    mood="NEUTRAL",
                    closed_at=self._at(0.7) if closed else None,
                    recorded_at=self._at(0.66),
                )
            )

    def _contract(self, quote: Quote) -> Contract:
        signed = self.end - timedelta(days=1) if self.won else None
        stage = "PERFORMING" if signed else self.luck.choice(("DRAFT", "REVIEW", "SENT"))
        sent = stage in ("SENT", "PERFORMING")
        cost = sum(
            (line.cost or 0) * line.quantity for line in QuoteLine._base_manager.filter(quote=quote)
        )
        return self._save(
            Contract(
                opportunity=self.deal,
                customer=self.deal.customer,
                number=f"HT{self.end.year}-D{self.deal.pk:04d}",
                quote=quote,
                amount=quote.total,
                estimated_cost=cost or None,
                payment_terms=TERMS,
                down_payment=(quote.total * 3 / 10).quantize(Decimal("0.01")),
                deliver_by=(self.end + timedelta(days=60)).date(),
                checks=["清晰", "合法", "合规"],
                starts_on=signed.date() if signed else None,
                ends_on=(signed + timedelta(days=365)).date() if signed else None,
                stage=stage,
                reviewed_at=self._at(0.82) if stage != "DRAFT" else None,
                approved_at=self._at(0.84) if sent else None,
                sent_at=self._at(0.85) if sent else None,
                promised_back_on=(signed or self.now + timedelta(days=5)).date() if sent else None,
                agreed_sign_on=(signed + timedelta(days=1)).date() if signed else None,
                customer_signed_at=signed - timedelta(hours=6) if signed else None,
                company_signed_at=signed,
                signed_at=signed,
                effective_at=signed,
                recorded_at=self._at(0.81),
            )
        )
