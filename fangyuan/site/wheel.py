"""The 方圆图: one rod per clause that the system carries out, its length the rate of compliance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

CENTRE = (300.0, 268.0)
INNER, OUTER, DOTS, NAMES = 112.0, 206.0, 214.0, 256.0
GAP = 9.0  # degrees between two policies
ROOM = 26.0  # degrees that the name of a policy with few rods needs beside its neighbours
MARKS = 4  # so many breaches are drawn one by one
FLOOR = 0.5  # a rate this low is drawn as a stub, so that differences near the goal can be seen


@dataclass(frozen=True)
class Rod:
    """One clause on the wheel, as drawn."""

    title: str
    url: str
    tone: str
    track: str
    path: str
    goal: str
    dots: list[tuple[str, str]]


@dataclass(frozen=True)
class Sector:
    """One policy's part of the wheel with its name and rate."""

    name: str
    rate: float | None
    x: float
    y: float
    anchor: str
    rods: list[Rod]


@dataclass(frozen=True)
class Stat:
    """What the wheel needs to know of one clause."""

    number: str
    title: str
    rate: float | None
    breaches: int


def draw(policies: Sequence[tuple[str, float | None, Sequence[Stat]]], goal: float) -> list[Sector]:
    """Lay the policies round the circle; each rod gets the same angle."""
    shown = [p for p in policies if p[2]]
    if not shown:
        return []
    step = _step([len(stats) for _, _, stats in shown])
    angle, sectors = GAP / 2, []
    for name, rate, stats in shown:
        width = max(ROOM, step * len(stats))
        first = angle + (width - step * (len(stats) - 1)) / 2
        drawn = [_rod(stat, first + step * place, goal) for place, stat in enumerate(stats)]
        sectors.append(_sector(name, rate, angle + width / 2, drawn))
        angle += width + GAP
    return sectors


def _step(numbers: Sequence[int]) -> float:
    """Degrees from rod to rod, so that every policy has its rods and room for its name."""
    around = 360.0 - GAP * len(numbers)
    wide, step = list(numbers), around / sum(numbers)
    while narrow := [number for number in wide if step * number < ROOM]:
        wide = [number for number in wide if number not in narrow]
        if not wide:
            return step
        around -= ROOM * len(narrow)
        step = around / sum(wide)
    return step


def _at(angle: float, radius: float) -> tuple[float, float]:
    turn = (angle - 90) * pi / 180
    return round(CENTRE[0] + radius * cos(turn), 1), round(CENTRE[1] + radius * sin(turn), 1)


def _line(angle: float, start: float, end: float) -> str:
    (x1, y1), (x2, y2) = _at(angle, start), _at(angle, end)
    return f"M{x1} {y1}L{x2} {y2}"


def _reach(rate: float) -> float:
    part = max(rate - FLOOR, 0.04) / (1 - FLOOR)
    return INNER + (OUTER - INNER) * min(part, 1.0)


def _rod(stat: Stat, angle: float, goal: float) -> Rod:
    said = "还没有到期的义务" if stat.rate is None else f"守规率 {100 * stat.rate:.1f}%"
    tone = "none" if stat.rate is None else _tone(stat.rate)
    number = min(stat.breaches, MARKS)
    spots = [_at(angle, DOTS + 8 * place) for place in range(number)]
    return Rod(
        title=f"{stat.number} {stat.title}，{said}"
        + (f"，未处理违规 {stat.breaches}" if stat.breaches else ""),
        url=f"/clause/{stat.number}",
        tone=tone,
        track=_line(angle, INNER, OUTER),
        path="" if stat.rate is None else _line(angle, INNER, _reach(stat.rate)),
        goal=_line(angle, _reach(goal) - 1, _reach(goal) + 1),
        dots=[(f"{x - 2.5:.1f}", f"{y - 2.5:.1f}") for x, y in spots],
    )


def _tone(rate: float) -> str:
    if rate >= 0.95:
        return ""
    return "soon" if rate >= 0.85 else "bad"


def _sector(name: str, rate: float | None, angle: float, rods: list[Rod]) -> Sector:
    x, y = _at(angle, NAMES)
    anchor = "middle" if abs(x - CENTRE[0]) < 130 else ("start" if x > CENTRE[0] else "end")
    return Sector(name, rate, x, y, anchor, rods)


def trend(
    rates: Sequence[float | None], reds: Sequence[int], labels: Sequence[str]
) -> dict[str, object]:
    """The line of the rate and the bars of new breaches, as coordinates of a 600 × 166 drawing."""
    known = [r for r in rates if r is not None]
    low = min([0.9, *known]) - 0.01 if known else 0.9
    low = max(low, 0.0)
    high, most = 1.0, max([1, *reds])
    step = 558.0 / max(len(rates), 1)

    def height(rate: float) -> float:
        return round(146 - 130 * (rate - low) / (high - low), 1)

    points = [
        (round(34 + step * (place + 0.5), 1), height(rate))
        for place, rate in enumerate(rates)
        if rate is not None
    ]
    bars = [
        {
            "x": round(34 + step * (place + 0.5) - 9, 1),
            "y": round(146 - 60 * red / most, 1),
            "height": round(60 * red / most, 1),
            "title": f"{label} 新增违规 {red} 起",
            "is_last": place == len(reds) - 1,
        }
        for place, (red, label) in enumerate(zip(reds, labels, strict=True))
    ]
    middle = (low + high) / 2
    return {
        "line": " ".join(f"{x},{y}" for x, y in points),
        "last": points[-1] if points else None,
        "bars": bars,
        "grid": [(height(r), f"{100 * r:.0f}") for r in (low, middle, 0.95, high)],
        "labels": [
            (round(34 + step * (place + 0.5), 1), label)
            for place, label in enumerate(labels)
            if place % 2 == 0 or place == len(labels) - 1
        ],
    }
