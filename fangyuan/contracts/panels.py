"""Parts of the pages: the worth of a solution, the rounds of talks, the way of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, ClassVar, Final

from fangyuan.contracts import worth
from fangyuan.contracts.models import Contract, Point
from fangyuan.desk.panels import Panel, Scene

# The way of a contract: its stages, and what tells when each was reached.
ROAD: Final = (
    ("DRAFT", "起草", "recorded_at"),
    ("REVIEW", "送审", "reviewed_at"),
    ("APPROVED", "批准", "approved_at"),
    ("SENT", "发客户", "sent_at"),
    ("CUSTOMER_SIGNED", "客户签署", "customer_signed_at"),
    ("SIGNED", "双签", "signed_at"),
    ("PERFORMING", "履行", "effective_at"),
)
SCORES: Final = ("fits_need", "fits_house", "fits_market")
WEIGHED: Final = ("roi_in", "roi_gain", "amount")


@dataclass
class Worth(Panel):
    """What a solution is worth to the customer, how far it answers the needs, how it was judged."""

    name: str = "worth"
    title: str = "价值与匹配"
    folder: ClassVar[str] = "contracts"

    def context(self, scene: Scene) -> dict[str, Any]:
        record, hidden = scene.record, scene.hidden
        shown = not hidden & set(WEIGHED)
        marks = [(record._meta.get_field(n).verbose_name, getattr(record, n)) for n in SCORES]
        given = [mark for _, mark in marks if mark is not None]
        return {
            "gain": worth.gain(record) if shown else None,
            "fit": worth.fit(record),
            "marks": marks if given else [],
            "mean": Decimal(sum(given)) / len(given) if given else None,
            "may": scene.may_change,
        }


@dataclass
class Rounds(Panel):
    """The rounds of the talks: each topic with both positions, and what was given away so far."""

    name: str = "rounds"
    title: str = "轮次与让利"
    folder: ClassVar[str] = "contracts"

    def context(self, scene: Scene) -> dict[str, Any]:
        rows = Point.objects.seen_by(scene.actor).present().filter(negotiation=scene.record)
        points = sorted(rows.select_related("topic"), key=lambda one: (one.round or 0, one.pk))
        mandate = None if "mandate_rate" in scene.hidden else scene.record.mandate_rate
        conceded = sum((one.concession or Decimal(0) for one in points), Decimal(0))
        return {
            "rounds": [(n, list(found)) for n, found in groupby(points, lambda one: one.round)],
            "conceded": conceded,
            "mandate": mandate,
            "share": min(100, conceded * 100 / mandate) if mandate else None,
            "is_over": mandate is not None and conceded > mandate,
            "new_url": f"/point/new?negotiation={scene.record.pk}&kind=TOPIC"
            f"&opportunity={scene.record.opportunity_id}",
        }


@dataclass
class Road(Panel):
    """How far a contract has come, and when each step was taken."""

    name: str = "road"
    title: str = "进度"
    folder: ClassVar[str] = "contracts"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        order = [code for code, _, _ in ROAD]
        ended = record.stage in (Contract.Stage.EXPIRED, Contract.Stage.ENDED)
        here = len(order) if ended else order.index(record.stage) if record.stage in order else -1
        return {
            "steps": [
                {
                    "label": label,
                    "at": getattr(record, at) if place <= here else None,
                    "state": "done" if place < here else "now" if place == here else "",
                }
                for place, (_, label, at) in enumerate(ROAD)
            ],
            "closed": record.get_stage_display() if here < 0 or ended else "",
            "record": record,
            "is_stale": record.stage == "APPROVED" and record.approved_hash != record.text_hash,
            "is_waiting": record.stage == "SENT",
        }


@dataclass
class Deviations(Panel):
    """Where the text leaves its template, paragraph by paragraph, and whether that is agreed."""

    name: str = "deviations"
    title: str = "条款变更"
    folder: ClassVar[str] = "contracts"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        agreed = bool(record.deviated_hash) and record.deviated_hash == record.text_hash
        return {"lines": record.deviations, "is_agreed": agreed, "record": record}
