"""The dictionary of metrics, and the page of one: number, target, trend, what it is made of."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.core import spans
from fangyuan.desk import replies
from fangyuan.engine.models import Clause
from fangyuan.metrics import declare, dimensions, drill, measure, periods, targets
from fangyuan.metrics.declare import METRICS, Formula, Ratio
from fangyuan.site import metric_shapes as shapes

MOST: Final = 200  # lines of a breakdown
NOBODY: Final = "没有"
_TRENDS: Final = {"month", "quarter", "year"}


@require_safe
def dictionary(request: HttpRequest) -> HttpResponse:
    """Every metric with its formula, window and clauses; the numbers of one area at a time."""
    areas = shapes.areas()
    chosen = request.GET.get("area", "")
    chosen = chosen if chosen in areas else next(iter(areas))
    today = timezone.localdate()
    period = spans.period_of(_length(request), today)
    metrics = areas[chosen]
    values = measure.measure_each(metrics, actor=request.user, span=shapes.span_of(period))
    context = {
        "tabs": [
            {
                "label": name,
                "url": f"?area={name}&length={period.kind.value}",
                "count": len(found),
                "current": name == chosen,
            }
            for name, found in areas.items()
        ],
        "area": chosen,
        "lengths": shapes.LENGTHS,
        "length": period.kind.value,
        "period": periods.say(period),
        "lines": [_line(one, values) for one in metrics],
        "count": len(METRICS),
    }
    return render(request, "site/metrics.html", context)


def _length(request: HttpRequest) -> str:
    told = request.GET.get("length", "")
    return told if told in shapes.LENGTHS else "quarter"


def _line(metric: Any, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "metric": metric,
        "formula": declare.say(metric),
        "clauses": metric.clause.split(),
        "value": shapes.told(values.get(metric.name), metric.unit),
        "is_shown": metric.name in values,
        "dated": declare.dated(metric),
    }


@require_safe
def metric(request: HttpRequest, name: str) -> HttpResponse:
    """One metric: `length` and `day` say the period, `by` what it is told apart by."""
    found = METRICS.get(name)
    if found is None:
        raise Http404("没有这个指标")
    if not measure.is_shown(found, request.user):
        return replies.refused(request, "这个指标用到的资料不在你的权限内")
    period = shapes.period(found, request.GET.get("length", ""), _day(request))
    by = request.GET.get("by", "")
    choices = dimensions.common(found)
    by = by if by in choices else next(iter(choices), "")
    context = {
        "metric": found,
        "formula": declare.say(found),
        "dated": declare.dated(found),
        "clauses": _clauses(found),
        "period": periods.say(period) if period else "现在",
        "by": by,
        "choices": [(one, dimensions.LABELS[one]) for one in choices],
        "lengths": shapes.LENGTHS if period else {},
        **_moves(period),
        **_numbers(found, request.user, period),
        "lines": _lines(found, request.user, period, by) if by else [],
        "is_share": isinstance(found, Ratio),
    }
    return render(request, "site/metric.html", context)


def _day(request: HttpRequest) -> date:
    try:
        return date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return timezone.localdate()


def _moves(period: Any) -> dict[str, Any]:
    if period is None:
        return {}
    today = timezone.localdate()
    return {
        "length": period.kind.value,
        "day": period.first,
        "earlier": period.previous().first,
        "later": period.next().first if period.after <= today else None,
    }


def _clauses(found: Any) -> list[Any]:
    rows = Clause.objects.everything("条款人人可读").filter(number__in=found.clause.split())
    return list(rows.present().only("number", "title"))


def _numbers(found: Any, actor: Any, period: Any) -> dict[str, Any]:
    """The number, its parts with their rows, the periods before, and what was to be reached."""
    span = shapes.span_of(period) if period else None
    parts, is_formula = _parts(found, actor, span), isinstance(found, Formula)
    trend = _trend(found, actor, period)
    value = trend["values"][-1] if trend else _measured(found, actor, span)
    before = trend["values"][-2] if trend else None
    return {
        "value": shapes.told(value, found.unit),
        "parts": parts,
        "rows_url": "" if parts or is_formula else drill.Count(found, "rows", span).url,
        "bars": trend["bars"] if trend else [],
        "before": shapes.told(before, found.unit) if trend else "",
        "change": _change(found, value, before),
        **_target(found, actor, span, value),
    }


def _measured(found: Any, actor: Any, span: Any) -> Any:
    return measure.measure(found, actor=actor, span=span).get(())


def _parts(found: Any, actor: Any, span: Any) -> list[dict[str, Any]]:
    if not isinstance(found, Ratio):
        return []
    sums = dict(declare.parts(found))
    told = measure.measure_all(list(sums.values()), actor=actor, span=span)[()]
    return [
        {
            "label": {"over": "分子", "under": "分母"}[name],
            "value": shapes.told(number, one.unit),
            "url": drill.Count(found, name, span).url,
        }
        for (name, one), number in zip(sums.items(), told, strict=True)
    ]


def _trend(found: Any, actor: Any, period: Any) -> dict[str, Any] | None:
    """The last periods, where each row of the metric says to which it belongs."""
    sums = [one for _, one in declare.parts(found)]
    adds_up = all(isinstance(one, declare.Metric) and not one.to for one in sums)
    if period is None or period.kind.value not in _TRENDS or not adds_up:
        return None
    if isinstance(found, Formula):
        return None
    shown = shapes.earlier(period)
    whole = measure.Span(shown[0].first, period.after)
    values = measure.measure(found, actor=actor, span=whole, by=[period.kind.value])
    none = None if isinstance(found, Ratio) else 0
    told = [values.get((one.first,), none) for one in shown]
    return {"values": told, "bars": shapes.bars(told, shown, found.unit)}


def _change(found: Any, value: Any, before: Any) -> dict[str, Any] | None:
    """By how much the number changed since the period before, and whether for the better."""
    if value is None or before is None:
        return None
    if found.unit == declare.PERCENT:
        amount, unit = 100 * (float(value) - float(before)), "个百分点"
    elif not before:
        return None
    else:
        amount, unit = 100 * (float(value) - float(before)) / float(before), "%"
    return {
        "said": f"{'升' if amount > 0 else '降'} {abs(amount):.1f} {unit}" if amount else "持平",
        "is_better": amount != 0 and (amount < 0) == found.falls,
        "is_worse": amount != 0 and (amount > 0) == found.falls,
    }


def _target(found: Any, actor: Any, span: Any, value: Any) -> dict[str, Any]:
    one = targets.of(found.name)
    is_attainment = any(getattr(part, "to", "") for _, part in declare.parts(found))
    if span is None or is_attainment or not measure.is_shown(one, actor):
        return {"has_no_target": is_attainment}
    goal = measure.measure_all([one], actor=actor, span=span)[()][0]
    if not goal and found.name != "compliance_rate":
        return {}
    goal = goal or 100 * float(getattr(found, "target", None) or 0)
    reached = targets.attained(value, goal, found)
    said = f"{float(goal):g}%" if found.unit == declare.PERCENT else shapes.told(goal, found.unit)
    return {"goal": said, "reached": reached, "reached_pct": reached and min(100 * reached, 100)}


def _lines(found: Any, actor: Any, period: Any, by: str) -> list[dict[str, Any]]:
    """The metric for each value of a dimension, with the way to the rows of each number."""
    span = shapes.span_of(period) if period else None
    told = _apart(found, actor, span, by)
    model = next(one.of for _, one in declare.parts(found))
    names = _names(model, by, list(told), actor)
    order = sorted(told.items(), key=lambda one: (one[1][0] is None, -float(one[1][0] or 0)))
    if by in dimensions.TIMES:
        order = sorted(told.items(), key=lambda one: str(one[0]))
    most = max([abs(float(value or 0)) for value, _ in told.values()], default=0) or 1
    return [
        {
            "name": names.get(key, NOBODY if key is None else "不在你的范围内"),
            "key": key,
            "value": shapes.told(value, found.unit),
            "bar": 100 * max(float(value or 0), 0) / most,
            "counts": _counts(found, span, by, key, numbers),
        }
        for key, (value, numbers) in order[:MOST]
    ]


def _apart(found: Any, actor: Any, span: Any, by: str) -> dict[Any, tuple[Any, tuple[Any, ...]]]:
    """For each value of a dimension the metric and the sums that it is made of."""
    if isinstance(found, Formula):
        values = measure.measure(found, actor=actor, span=span, by=[by])
        return {key: (value, ()) for (key,), value in values.items()}
    sums = [one for _, one in declare.parts(found)]
    both = measure.measure_all(sums, actor=actor, span=span, by=[by])
    is_share = isinstance(found, Ratio)
    return {
        key: (measure.share(*numbers) if is_share else numbers[0], numbers)
        for (key,), numbers in both.items()
    }


def _counts(found: Any, span: Any, by: str, key: Any, numbers: Any) -> list[dict[str, Any]]:
    """Each number behind the metric, with the list of its rows."""
    said = drill.NONE if key is None else str(key)
    is_share, sums = isinstance(found, Ratio), dict(declare.parts(found))
    places = list(sums) if numbers else []
    return [
        {
            "said": shapes.told(number, sums[name].unit) if is_share else "明细",
            "url": drill.Count(found, name, span, by, said).url,
        }
        for name, number in zip(places, numbers, strict=True)
    ]


def _names(model: Any, by: str, keys: list[Any], actor: Any) -> dict[Any, str]:
    there = [key for key in keys if key is not None]
    named = dimensions.names(model, by)
    if named is None:
        return {key: dimensions.code_label(by, key) for key in there}
    rows = named.objects.seen_by(actor).filter(pk__in=there)
    return {row.pk: str(row) for row in rows}
