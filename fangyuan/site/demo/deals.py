"""The invented company's sales projects: on their way in three pipelines, won and lost.

Every project has its history: when it entered each stage, what was handed in there, who competes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.customers.models import Customer
from fangyuan.forms.models import Form, Response
from fangyuan.opportunities.models import (
    Adjustment,
    Need,
    Opportunity,
    Rivalry,
    Stage,
    StageEntry,
    StageItem,
    Step,
)
from fangyuan.org.models import Holding
from fangyuan.site.demo import forecasts

SEED: Final = 20260403
WANTS: Final = (
    "二期产线在线检测", "仓储分拣改造", "质量追溯系统", "能耗监测平台", "包装线视觉检测",
    "设备联网改造", "年度备件框架", "实验室检测设备",
    "售后服务续约", "涂装线升级", "洁净车间监测", "物流称重系统",
    "模具寿命管理", "来料检验自动化", "装配线防错", "数据采集网关",
)  # fmt: skip
PAINS: Final = (
    "漏检导致退货",
    "人工记录对不上",
    "换型时间太长",
    "能耗逐年上升",
    "设备停机没有预警",
)
GOALS: Final = ("漏检率降到万分之二", "节拍提到四十二秒", "能耗降一成", "停机时间减半")
RIVALS: Final = ("迅测科技", "广域光学", "恒准自动化", "博锐仪器")
ASPECTS: Final = ("PRICE", "SERVICE", "TECHNOLOGY", "DELIVERY", "BRAND")
# pipeline, how many projects, how far the last one may have come
SHAPES: Final = (("s1s7", 64), ("articles", 36), ("journey", 20), ("ka", 24))
ENDS: Final = (("OPEN", 62), ("WON", 17), ("LOST", 16), ("DROPPED", 5))


@dataclass
class Deal:
    """One project as planned: what it is, and the days it spent in each stage so far."""

    customer: Customer
    owner_id: int
    stages: list[Stage]
    began: datetime
    spent: list[int]
    outcome: str
    values: dict[str, Any] = field(default_factory=dict)
    row: Any = None

    @property
    def stage(self) -> Stage:
        """The stage in which it stands."""
        return self.stages[len(self.spent)]

    @property
    def entries(self) -> Iterator[tuple[Stage, datetime, datetime | None]]:
        """Each stage entered, with when, and when it was left."""
        at = self.began
        for stage, days in zip(self.stages, self.spent, strict=False):
            yield stage, at, at + timedelta(days=days)
            at += timedelta(days=days)
        yield self.stage, at, None

    @property
    def last(self) -> datetime:
        """When it entered the stage in which it stands."""
        return list(self.entries)[-1][1]


def fill(now: datetime) -> int:
    """Write the projects in a few bulk statements, as imported history."""
    luck = Random(SEED)
    with door.acting(by=None, action="demo", reason="示例公司", history=True):
        deals = list(_planned(luck, now))
        for deal, row in zip(deals, _save(Opportunity, [_row(d) for d in deals], now), strict=True):
            deal.row = row
        _save(Holding, [_holding(deal) for deal in deals], now)
        _save(StageEntry, [entry for deal in deals for entry in _entries(deal)], now)
        _save(Need, [need for deal in deals for need in _needs(luck, deal)], now)
        _save(Step, [step for deal in deals for step in _steps(luck, deal, now)], now)
        _rivals(luck, deals, now)
        _save(Response, [week for deal in deals for week in _weeks(luck, deal, now)], now)
        forecasts.snapshots(luck, deals, now)
        owners = sorted({deal.owner_id for deal in deals})
        _save(Adjustment, forecasts.adjustments(luck, owners, now), now)
    return len(deals)


def _save(model: Any, rows: list[Any], now: datetime) -> list[Any]:
    for row in rows:
        row.index()
        row.imported_at = now
    return list(model._base_manager.bulk_create(rows, batch_size=1000))


def _planned(luck: Random, now: datetime) -> Iterator[Deal]:
    held = Holding._base_manager.filter(subject_type="customer", role="OWNER", ends_at=None)
    owners = dict(held.values_list("subject_id", "person_id"))
    customers = [c for c in Customer._base_manager.order_by("id") if c.pk in owners]
    key = [c for c in customers if c.is_ka]
    for pipeline, number in SHAPES:
        found = Stage._base_manager.filter(pipeline_id=f"pipeline:{pipeline}")
        stages = list(found.filter(owner_record="OPPORTUNITY").order_by("seq"))
        for _ in range(number):
            customer = luck.choice(key if pipeline == "ka" else customers)
            yield _deal(luck, now, customer, owners[customer.pk], stages)


def _deal(luck: Random, now: datetime, customer: Any, owner: int, stages: list[Stage]) -> Deal:
    outcome = luck.choices([code for code, _ in ENDS], [share for _, share in ENDS])[0]
    most = len(stages) - 1
    gone = most if outcome == "WON" else luck.choices(range(most), range(most, 0, -1))[0]
    spent = [luck.choice((6, 9, 12, 15, 19, 24, 33)) for _ in range(gone)]
    # What is over ended at some time in the last half year.
    rest = luck.choice((2, 4, 7, 9, 13, 18, 23) if outcome == "OPEN" else (3, 9, 31, 58, 88, 120))
    began = now - timedelta(days=sum(spent) + rest, hours=luck.randint(0, 60))
    deal = Deal(customer, owner, stages, began, spent, outcome)
    deal.values = _values(luck, deal, now)
    return deal


def _values(luck: Random, deal: Deal, now: datetime) -> dict[str, Any]:
    far = len(deal.spent)
    told: dict[str, Any] = {
        "name": f"{luck.choice(WANTS)}",
        "amount": Decimal(
            luck.choice((12, 18, 26, 36, 46, 58, 64, 72, 88, 96, 128, 168, 240)) * 10_000
        ),
        "expected_on": (now + timedelta(days=luck.randint(-6, 130))).date(),
        "win_rate": deal.stage.win_rate,
        "source": deal.customer.source,
        # Only what a record bears out: see TAG-2.2.1.
        "tag_source": "REFERRAL" if deal.customer.referrer_id else "OTHER",
        "needs_summary": "现场测过两条线，要求与产线节拍同步，三个月内投用",
        "next_step": luck.choice(
            ("约技术负责人看样机", "补报价依据", "等客户会签", "安排高层见面")
        ),
        "next_at": now + timedelta(days=luck.randint(1, 12)),
        "forecast": luck.choice(("PIPELINE", "PIPELINE", "BEST", "COMMIT")),
        "project_type": _type(deal),
    }
    if far >= 1 or luck.random() < 0.6:
        told |= {"pain": luck.choice(PAINS), "business_goal": luck.choice(GOALS)}
        told |= {"budget": "80 至 120 万", "timeframe": "下季度内", "real_need": "替换人工检验"}
    if far >= 1 or luck.random() < 0.4:
        told |= {"decision_chain": "技术评审、采购会、副总审批", "authority": "副总 100 万以内"}
        told |= {"need_ok": True, "budget_ok": luck.random() < 0.7, "decision_ok": True}
        told |= {"current_solution": "人工抽检", "current_gap": "漏检率高", "fit": "HIGH"}
        told |= {"criteria": "技术五成、价格三成、服务两成", "procurement": "比选后走框架"}
    if deal.customer.is_ka:
        told |= {"need_traits": "多厂区、要统一数据", "purchasing_power": "年技改投入两千万"}
        told["feasibility"] = "FEASIBLE"
    if far >= 1:
        told |= {"deep_need": "保住最大的客户", "influences": "交期和本地服务"}
        told |= {
            "value_text": "退货少一半",
            "value_metric": "退货率",
            "value_base": 2,
            "value_target": 1,
        }
        told |= {"initiated_at": deal.began + timedelta(days=3), "feasibility": "FEASIBLE"}
        told |= {"evaluation": "PASS", "evaluated_at": deal.began + timedelta(days=2)}
        told |= {"is_preferred": True, "direction_given": True}
    return told | _ended(luck, deal)


def _ended(luck: Random, deal: Deal) -> dict[str, Any]:
    """How a project that is over ended."""
    if deal.outcome == "OPEN":
        return {}
    told: dict[str, Any] = {"outcome": deal.outcome, "closed_at": deal.last + timedelta(days=1)}
    told["win_rate"] = 100 if deal.outcome == "WON" else 0
    if deal.outcome == "LOST":
        reason = luck.choice(("PRICE", "RIVAL", "TIMING", "BUDGET"))
        told["loss_reason"] = _term("loss_reason", reason)
        told["loss_note"] = "复盘已做，结论写进了竞品卡"
    return told


def _type(deal: Deal) -> Term:
    return _term("project_type", "STRATEGIC" if deal.customer.is_ka else "SMALL_BUSINESS")


def _term(domain: str, code: str) -> Term:
    found: Term = Term._base_manager.get(key=f"{domain}:{code}")
    return found


def _row(deal: Deal) -> Opportunity:
    left = deal.stages[len(deal.spent) - 1] if deal.spent else None
    return Opportunity(
        customer=deal.customer,
        pipeline_id=deal.stage.pipeline_id,
        stage=deal.stage,
        left=left,
        recorded_at=deal.began,
        **deal.values,
    )


def _holding(deal: Deal) -> Holding:
    held = {"person_id": deal.owner_id, "role": "OWNER", "starts_at": deal.began}
    return Holding(subject=("opportunity", deal.row.pk), recorded_at=deal.began, **held)


def _entries(deal: Deal) -> Iterator[StageEntry]:
    there = list(deal.entries)
    for place, (stage, entered, left) in enumerate(there):
        yield StageEntry(
            subject=("opportunity", deal.row.pk),
            stage=stage,
            entered_at=entered,
            left_at=left,
            left_to=there[place + 1][0] if left else None,
            by_id=deal.owner_id,
            recorded_at=entered,
        )


def _needs(luck: Random, deal: Deal) -> Iterator[Need]:
    for kind, text in (("PAIN", luck.choice(PAINS)), ("GOAL", luck.choice(GOALS))):
        if deal.spent or luck.random() < 0.5:
            yield Need(
                customer=deal.customer,
                opportunity=deal.row,
                kind=kind,
                text=text,
                recorded_at=deal.began + timedelta(days=1),
            )


def _steps(luck: Random, deal: Deal, now: datetime) -> Iterator[Step]:
    for stage, entered, left in deal.entries:
        for item in StageItem._base_manager.filter(stage=stage):
            if left is None and luck.random() < 0.5:
                continue
            at = min(now, entered + timedelta(days=luck.randint(1, 5)))
            yield Step(
                opportunity=deal.row,
                item=item,
                kind=item.kind if item.kind in Step.Kind.values else "ACTIVITY",
                name=item.name,
                person_id=deal.owner_id,
                state="DONE",
                done_at=at,
                recorded_at=at,
            )


def _weeks(luck: Random, deal: Deal, now: datetime) -> Iterator[Response]:
    """The weekly update of a project that is open, nearly always handed in by Friday."""
    form = Form._base_manager.get(code="WEEKLY", version=1)
    at = deal.began + timedelta(days=(4 - deal.began.weekday()) % 7)
    until = deal.values.get("closed_at") or now
    while at < until:
        if luck.random() < 0.9:
            yield Response(
                form=form,
                subject=("opportunity", deal.row.pk),
                person_id=deal.owner_id,
                submitted_at=at,
                covers=form.covers,
                recorded_at=at,
            )
        at += timedelta(days=7)


def _rivals(luck: Random, deals: list[Deal], now: datetime) -> None:
    terms = [
        Term(domain="competitor", code=f"DEMO{n}", key=f"competitor:DEMO{n}", label=name, rank=n)
        for n, name in enumerate(RIVALS, 1)
    ]
    known = {t.key: t for t in Term._base_manager.filter(domain="competitor")}
    fresh = [t for t in terms if t.key not in known]
    Term._base_manager.bulk_create(fresh)
    rows = []
    for deal in deals:
        if luck.random() < 0.55:
            rival = luck.choice(terms)
            rows.append(
                Rivalry(
                    opportunity=deal.row,
                    rival_id=rival.key,
                    strengths=luck.sample(ASPECTS, 2),
                    weakness_aspects=[luck.choice(ASPECTS)],
                    strength_note="本地有备件库，四小时到场",
                    weaknesses="报价高一成",
                    counter="用三年总成本对比",
                    seen_at=deal.began + timedelta(days=4),
                    recorded_at=deal.began + timedelta(days=4),
                )
            )
    _save(Rivalry, rows, now)
