"""The two drawings of the forecast: the bridge since a snapshot, and accuracy month by month."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from fangyuan.opportunities import forecast
from fangyuan.site import display

WIDTH, HEIGHT, TOP, FOOT = 640, 190, 22, 36
TONES: Final = {
    "NEW": "up", "IN": "up", "GROWN": "up", "SHRUNK": "down", "OUT": "down", "LOST": "down",
    "WON": "won",
}  # fmt: skip


def bridge(told: forecast.Bridge) -> dict[str, Any]:
    """Bars from what was open then to what is open now; each step begins where the last ended."""
    bars: list[tuple[str, str, Decimal, Decimal, str, int | None]] = [
        ("快照时", "end", forecast.NOTHING, told.start, _said(told.start), None)
    ]
    at = told.start
    for kind, (number, moved) in told.steps.items():
        sign = "+" if moved > 0 else "−"
        said = f"{sign}{display.money(abs(moved))}" if moved else ""
        low, high = sorted((at, at + moved))
        bars.append((forecast.KINDS[kind], TONES[kind], low, high, said, number))
        at += moved
    bars.append(("现在", "end", forecast.NOTHING, told.end, _said(told.end), None))
    most = max((high for _, _, _, high, _, _ in bars), default=forecast.NOTHING) or Decimal(1)
    step, reach = WIDTH / len(bars), HEIGHT - TOP - FOOT
    drawn = []
    for place, (label, tone, low, high, said, number) in enumerate(bars):
        y = TOP + reach * float(1 - high / most)
        drawn.append(
            {
                "x": round(place * step + step * 0.16, 1),
                "y": round(y, 1),
                "width": round(step * 0.68, 1),
                "height": round(max(1.5, reach * float((high - low) / most)), 1),
                "middle": round(place * step + step / 2, 1),
                "said_y": round(y - 6, 1),
                "tone": tone,
                "label": label,
                "said": said,
                "number": number,
            }
        )
    return {"bars": drawn, "width": WIDTH, "height": HEIGHT, "floor": HEIGHT - FOOT}


def _said(amount: Decimal) -> str:
    return display.money(amount) if amount else "0"


def accuracy(months: Sequence[forecast.Month]) -> dict[str, Any] | None:
    """What was weighed at each month's beginning beside what was signed in it."""
    known = [m for m in months if m.weighted is not None or m.won]
    if not known:
        return None
    most = max(max(m.weighted or 0, m.won or 0) for m in known) or Decimal(1)
    step, reach = WIDTH / len(known), HEIGHT - TOP - FOOT
    wide = min(34.0, step * 0.3)
    drawn = []
    for place, month in enumerate(known):
        middle = place * step + step / 2
        right = month.right(month.weighted)
        told = float((month.weighted or 0) / most) * reach
        won = float((month.won or 0) / most) * reach
        drawn.append(
            {
                "middle": round(middle, 1),
                "label": f"{month.first.month} 月",
                "told": {"x": round(middle - wide - 1, 1), "y": round(TOP + reach - told, 1),
                         "height": round(told, 1)},
                "won": {"x": round(middle + 1, 1), "y": round(TOP + reach - won, 1),
                        "height": round(won, 1)},
                "said": f"{100 * right:.0f}%" if right is not None else "",
                "said_y": round(TOP + reach - max(told, won) - 6, 1),
            }
        )  # fmt: skip
    return {
        "bars": drawn, "wide": round(wide, 1), "width": WIDTH, "height": HEIGHT,
        "floor": HEIGHT - FOOT,
    }  # fmt: skip
