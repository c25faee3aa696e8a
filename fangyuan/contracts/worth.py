"""What a solution brings the customer in money, and how much of what they need it answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Q

from fangyuan.contracts.models import Quote, Solution
from fangyuan.opportunities.models import Need

YEARS = 3


@dataclass(frozen=True)
class Gain:
    """The expected benefit (ROI): what goes in, what comes back each year, in yuan."""

    put_in: Decimal
    a_year: Decimal

    @property
    def months(self) -> int | None:
        """After how many months it has come back, the started one counted; None if it never has."""
        if self.a_year <= 0:
            return None
        return int(-(-self.put_in * 12 // self.a_year))

    @property
    def rate(self) -> Decimal | None:
        """The net gain of three years as a share of what went in, in per cent."""
        if self.put_in <= 0:
            return None
        net = self.a_year * YEARS - self.put_in
        return (net * 100 / self.put_in).quantize(Decimal("0.1"), ROUND_HALF_UP)

    @property
    def years(self) -> list[tuple[int, Decimal]]:
        """What has come back after each year, less what went in."""
        return [(year, self.a_year * year - self.put_in) for year in range(1, YEARS + 1)]


def gain(solution: Solution) -> Gain | None:
    """The expected benefit of a solution; what goes in is its price unless another was given."""
    put_in = solution.roi_in if solution.roi_in is not None else solution.amount
    if put_in is None or solution.roi_gain is None:
        return None
    return Gain(put_in, solution.roi_gain)


@dataclass(frozen=True)
class Fit:
    """How many of the needs that were confirmed the solution answers, and whether it was priced."""

    confirmed: int
    answered: int
    unanswered: list[Any]
    quotes: list[Quote]

    @property
    def rate(self) -> int | None:
        """The share answered, in per cent (PA-8.6.2); None where nothing was confirmed."""
        return round(100 * self.answered / self.confirmed) if self.confirmed else None


def fit(solution: Solution) -> Fit:
    """From the needs of the opportunity over the solution to its quotes."""
    needs = Need.objects.everything("方案所在商机在范围内").present()
    needs = needs.filter(opportunity=solution.opportunity_id, confirmed_at__isnull=False)
    counted = needs.aggregate(n=Count("pk"), met=Count("pk", filter=Q(answered_at__isnull=False)))
    quotes = Quote.objects.everything("方案在范围内").present().filter(solution=solution)
    left = list(needs.filter(answered_at=None).order_by("pk")[:5])
    return Fit(counted["n"], counted["met"], left, list(quotes.order_by("-pk")[:5]))
