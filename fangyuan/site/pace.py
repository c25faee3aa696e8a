"""How the sales process runs: the time in its stages, and what following it brings (PA-3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import table
from fangyuan.core import spans
from fangyuan.desk import replies
from fangyuan.metrics import declare
from fangyuan.metrics.measure import Span, measure
from fangyuan.opportunities import board, exits, forecast

PERIOD: Final = timedelta(days=365)
MONTHS: Final = 6
# How a process is followed beside what comes of it (PA-3.3).
PAIRS: Final = {
    "contact": ("first_contact_on_time_rate", "lead_to_prospect_rate"),
    "handover": ("mql_to_sql_rate", "sql_to_opportunity_rate"),
    "quality": ("lead_valid_rate", "lead_to_prospect_rate"),
}


@dataclass(frozen=True)
class Step:
    """One stage: what stands in it now, and how those who left it did."""

    stage: Any
    number: int
    amount: Decimal
    stalled: int
    gone: int
    moved: int
    middle: float | None
    late: float | None


def steps(actor: Any, pipeline: str, every: list[Any]) -> list[Step]:
    """The stages of a pipeline as far as the actor sees its deals; one grouped query."""
    now = timezone.now()
    rows = forecast.seen(actor, None, "stage_id", "outcome", "amount", "closed_at")
    given = {"pipeline": pipeline, "since": now - PERIOD, "stalled": now - board.STALLED}
    known = {stage.pk: stage for stage in every}
    return [Step(known[row[0]], *row[1:]) for row in forecast.ask("stages", rows, **given)]


def _chosen(request: HttpRequest) -> tuple[list[Any], Any, list[Any]]:
    every = exits.all_stages()
    lines = board.pipelines(every)
    code = request.GET.get("pipeline", lines[0].code if lines else "")
    chosen = next((one for one in lines if one.code == code), None)
    if chosen is None:
        raise Http404(code)
    return lines, chosen, every


@require_safe
def process(request: HttpRequest) -> HttpResponse:
    """Where stages take too long, and what following the process brings (PA-3.3)."""
    if not table.may(request.user, "opportunity", "r"):
        return replies.refused(request, "你的岗位用不到过程看板")
    lines, chosen, every = _chosen(request)
    found = steps(request.user, chosen.key, every)
    pair = request.GET.get("pair", next(iter(PAIRS)))
    if pair not in PAIRS:
        raise Http404(pair)
    longest = max((one.middle or 0 for one in found), default=0)
    context = {
        "lines": lines,
        "chosen": chosen,
        "steps": [
            {"step": one, "bar": round(100 * (one.middle or 0) / longest) if longest else 0,
             "is_longest": bool(longest) and one.middle == longest}
            for one in found
        ],
        "pair": pair,
        "pairs": [
            {
                "label": declare.METRICS[names[0]].label,
                "url": f"/process?{urlencode({'pipeline': chosen.code, 'pair': code})}",
                "current": code == pair,
            }
            for code, names in PAIRS.items()
        ],
        "trends": [_trend(name, request.user) for name in PAIRS[pair]],
        "list_url": f"/opportunity/?{urlencode({'outcome': 'OPEN', 'pipeline': chosen.code})}",
    }  # fmt: skip
    return render(request, "site/process.html", context)


def _trend(name: str, actor: Any) -> dict[str, Any]:
    """A rate month by month, the running month last; one query."""
    metric = declare.METRICS[name]
    periods = [spans.period_of("month", timezone.localdate())]
    while len(periods) < MONTHS:
        periods.insert(0, periods[0].previous())
    by = declare.Dimension("month", "月", TruncMonth(metric.over.at, tzinfo=spans.SHANGHAI))
    span = Span(periods[0].first, periods[-1].after)
    told = {
        timezone.localdate(key[0]): rate
        for key, rate in measure(metric, actor=actor, span=span, by=[by]).items()
        if key[0] is not None
    }
    rates = [told.get(one.first) for one in periods]
    return {
        "label": metric.label,
        "clause": metric.clause,
        "values": [None if rate is None else 100 * float(rate) for rate in rates],
        "months": [
            {"label": f"{one.first.month} 月", "rate": rate}
            for one, rate in zip(periods, rates, strict=True)
        ],
    }
