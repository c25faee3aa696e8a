"""The monthly forecast: a person's open deals as they stand, handed in as a report (PS-3.3b)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from fangyuan import door
from fangyuan.activities.models import Report
from fangyuan.core import spans
from fangyuan.forms import seed
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Holding


def standing(person: Any, day: date) -> Report | None:
    """The forecast that a person handed in for the month of a day, if they did."""
    rows = Report.objects.everything("本人的预测").present().filter(kind="FORECAST", person=person)
    found: Report | None = rows.filter(period=f"{day:%Y-%m}", team=None).first()
    return found


def submit(person: Any, day: date) -> Report:
    """Hand in the forecast of the month of a day; raises Refused where a deal's figures lack."""
    deals = _deals(person)
    lacking = [
        door.Unmet(f"{deal.name}：填{label}", name, "", "opportunity", deal.pk)
        for deal in deals
        for name, label in seed.FORECAST.items()
        if getattr(deal, name) is None
    ]
    if lacking:
        raise door.Refused(lacking)
    period = spans.period_of("month", day)
    with door.acting(by=person, action="submit_forecast") as deed:
        made = deed.create(
            Report,
            {
                "kind": "FORECAST",
                "title": f"{day:%Y-%m} 销售预测",
                "person": person,
                "period": f"{day:%Y-%m}",
                "period_end": period.last,
                "forecasts": [_line(deal) for deal in deals],
                "numbers": _sums(deals),
            },
        )
        report: Report = door.act("submit_report", made, by=person)
    return report


def _deals(person: Any) -> list[Any]:
    held = Holding._base_manager.filter(
        person=person, subject_type="opportunity", role="OWNER", ends_at=None, removed_at=None
    )
    rows = Opportunity.objects.everything("本人负责的商机").present().filter(outcome="OPEN")
    return list(rows.filter(pk__in=held.values("subject_id")).order_by("expected_on", "pk"))


def _line(deal: Any) -> dict[str, Any]:
    return {
        "opportunity": deal.pk,
        "name": deal.name,
        "amount": str(deal.amount),
        "expected_on": str(deal.expected_on),
        "win_rate": str(deal.win_rate),
        "forecast": deal.forecast,
    }


def _sums(deals: list[Any]) -> dict[str, str]:
    """The amounts by category, and what is to be expected by the chances."""
    found = {}
    for category, label in Opportunity.Forecast.choices:
        amounts = [deal.amount for deal in deals if deal.forecast == category]
        found[label] = str(sum(amounts, Decimal(0)))
    counted = [deal for deal in deals if deal.forecast != Opportunity.Forecast.OMITTED]
    weighed = sum((deal.amount * deal.win_rate / 100 for deal in counted), Decimal(0))
    return {**found, "加权": str(weighed.quantize(Decimal("0.01")))}
