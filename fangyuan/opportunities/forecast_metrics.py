"""What a month's first snapshot expected of it, and how near that came to what was signed."""

from __future__ import annotations

from django.db.models import DecimalField, ExpressionWrapper, F, Q

from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.metrics.declare import Metric, Number, declare
from fangyuan.opportunities.models import Snapshot

_YUAN = DecimalField(max_digits=18, decimal_places=2)
facts.extend(
    Snapshot,
    {
        "weighted": facts.Derived(
            "加权额",
            kind="money",
            value=lambda: ExpressionWrapper(F("amount") * F("win_rate") / 100, output_field=_YUAN),
        ),
        "is_due": facts.Derived(
            "预计当月签约",
            kind="bool",
            value=lambda: is_true(
                Q(expected_on__year=F("taken_on__year"), expected_on__month=F("taken_on__month"))
            ),
        ),
    },
)
forecast_amount = declare(
    Metric(
        *("forecast_amount", "月初预测签约额", Snapshot, "taken_on", "sum(weighted)", "元"),
        # What the month's first snapshot expected of that same month.
        where={"is_opening": True, "is_due": True, "forecast": {"not_is": "OMITTED"}},
    )
)


def near(told: Number, signed: Number) -> Number:
    """1 less the miss over what was signed, never below 0; None where nothing was signed."""
    if not signed or told is None:
        return None
    return max(0.0, 1 - abs(float(told) - float(signed)) / float(signed))
