"""How a metric is shown: its number in words, its way over the last periods, its groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from fangyuan.core.spans import Period, PeriodKind, period_of
from fangyuan.metrics import declare, periods
from fangyuan.metrics.declare import METRICS, Number
from fangyuan.metrics.measure import Span
from fangyuan.site import display

LENGTHS: Final = {"month": "月", "quarter": "季", "year": "年"}
POINTS: Final = 12
WIDTH, HEIGHT, BASE, LEFT = 600, 150, 126, 44
_AREAS: Final = {
    "lead": "线索",
    "touch": "线索",
    "customer": "客户",
    "tag_value": "标签",
    "opportunity": "商机",
    "stage_entry": "阶段",
    "step": "阶段",
    "need": "方案与谈判",
    "solution": "方案与谈判",
    "quote": "方案与谈判",
    "point": "方案与谈判",
    "negotiation": "方案与谈判",
    "activity": "活动",
    "response": "满意度与调研",
    "task": "活动",
    "resource_usage": "费用与工时",
    "snapshot": "商机",
    "reading": "读数",
    "contract": "合同",
}


def area(metric: Any) -> str:
    """Under which heading of the dictionary a metric stands."""
    [first, *_] = [one for _, one in declare.parts(metric)]
    return _AREAS.get(first.of.record_name(), "规矩")


def areas() -> dict[str, list[Any]]:
    """Every metric of the dictionary by heading, in the order of a sale."""
    found: dict[str, list[Any]] = {name: [] for name in dict.fromkeys([*_AREAS.values(), "规矩"])}
    for metric in METRICS.values():
        found[area(metric)].append(metric)
    return {name: metrics for name, metrics in found.items() if metrics}


def told(value: Number | None, unit: str) -> str:
    """A number with its unit as one reads it; a dash where there is none."""
    if value is None:
        return "–"
    if unit == declare.PERCENT:
        return display.pct(float(value))
    if unit == "元":
        return f"{display.wan(Decimal(str(value)))} 万元"
    rounded = round(float(value), 2)
    whole = f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.2f}".rstrip("0")
    return f"{whole} {unit}".strip()


def period(metric: Any, length: str, day: date) -> Period | None:
    """The period to read a metric in: as asked, else as its clause says; None for an instant."""
    usual = [declare.WINDOWS[window] for window in metric.windows.split()]
    kind = length if length in LENGTHS else next(iter(usual), "")
    return period_of(kind, day) if kind else None


def span_of(one: Period) -> Span:
    """The days of a period."""
    return Span(one.first, one.after)


def earlier(one: Period, count: int = POINTS) -> list[Period]:
    """The last periods up to this one, oldest first."""
    found = [one]
    while len(found) < count:
        found.append(found[-1].previous())
    return found[::-1]


@dataclass(frozen=True)
class Bar:
    """One period of the trend, as drawn and as read."""

    label: str
    said: str
    x: float
    y: float
    width: float
    height: float
    is_now: bool
    name: str

    @property
    def middle(self) -> float:
        """Where its label stands."""
        return round(self.x + self.width / 2, 1)

    @property
    def top(self) -> float:
        """Where its number stands."""
        return round(self.y - 5, 1)


def _short(one: Period) -> str:
    if one.kind is PeriodKind.MONTH:
        return f"{one.first.month}月"
    if one.kind is PeriodKind.QUARTER:
        return f"{one.first:%y}Q{(one.first.month + 2) // 3}"
    return str(one.first.year)


def bars(values: Sequence[Number | None], of: Sequence[Period], unit: str) -> list[Bar]:
    """Columns of a chart; a period without a number has none."""
    numbers = [float(value or 0) for value in values]
    most = max([abs(number) for number in numbers], default=0) or 1
    step = (WIDTH - LEFT) / max(len(of), 1)
    drawn = []
    for place, (value, one) in enumerate(zip(values, of, strict=True)):
        height = round(max(numbers[place], 0) / most * (BASE - 16), 1)
        drawn.append(
            Bar(
                label=_short(one),
                said=told(value, unit),
                x=round(LEFT + step * place + step * 0.2, 1),
                y=round(BASE - height, 1),
                width=round(step * 0.6, 1),
                height=height,
                is_now=place == len(of) - 1,
                name=periods.say(one),
            )
        )
    return drawn
