"""`measure`: one grouped query over what the actor may see, for every kind of metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import DateTimeField, F, Q

from fangyuan.core.records import Record
from fangyuan.core.spans import midnight
from fangyuan.metrics.declare import Balance, Dimension, Formula, Metric, Number, Ratio

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Span:
    """Days from `start` up to but not including `end`."""

    start: date
    end: date


def measure(
    metric: Any,
    *,
    actor: Any,
    span: Span | None = None,
    by: Sequence[str | Dimension] = (),
    where: Q | None = None,
) -> dict[Key, Number]:
    """The metric for each value of the dimensions `by` (a single key `()` without any).

    `span` is needed by all but balances; `where` narrows the rows further. A ratio whose
    denominator is nothing is None, never 0.
    """
    if isinstance(metric, Ratio):
        both = measure_all((metric.over, metric.under), actor=actor, span=span, by=by, where=where)
        return {key: share(over, under) for key, (over, under) in both.items()}
    if isinstance(metric, Formula):
        terms = [measure(t, actor=actor, span=span, by=by, where=where) for t in metric.terms]
        keys = {key for term in terms for key in term}
        return {key: metric.compute(*(term.get(key) for term in terms)) for key in keys}
    found = measure_all((metric,), actor=actor, span=span, by=by, where=where)
    return {key: number for key, (number,) in found.items()}


def measure_all(
    metrics: Sequence[Metric | Balance],
    *,
    actor: Any,
    span: Span | None = None,
    by: Sequence[str | Dimension] = (),
    where: Q | None = None,
) -> dict[Key, tuple[Number, ...]]:
    """Several sums side by side for each value of the dimensions.

    Metrics over the same rows and instant share one query; others get one each.
    """
    if len({(m.of, getattr(m, "at", None)) for m in metrics}) == 1:
        return _sums(metrics, actor=actor, span=span, by=by, where=where)
    each = [_sums((m,), actor=actor, span=span, by=by, where=where) for m in metrics]
    keys = {key for found in each for key in found}
    return {key: tuple(found.get(key, (0,))[0] for found in each) for key in keys}


def share(part: Number, whole: Number) -> Number:
    """A part of a whole between 0 and 1; None of nothing."""
    return float(part or 0) / float(whole) if whole else None


def rows_of(metric: Metric | Balance, *, actor: Any, span: Span | None, where: Q | None) -> Any:
    """Exactly the rows that a number counts, for drilling down."""
    rows = metric.of.objects.seen_by(actor).filter(metric.where)
    if issubclass(metric.of, Record):
        rows = rows.present()
    if where is not None:
        rows = rows.filter(where)
    if isinstance(metric, Metric):
        if span is None:
            raise ValueError(f"{metric.name} needs a span")
        start, end = _ends(metric, span)
        rows = rows.filter(**{f"{metric.at}__gte": start, f"{metric.at}__lt": end})
    return rows


def _ends(metric: Metric, span: Span) -> tuple[Any, Any]:
    """Where the span begins and ends: days, or midnights where the metric counts instants."""
    field = metric.of._meta.get_field(metric.at)
    if isinstance(field, DateTimeField):
        return midnight(span.start), midnight(span.end)
    return span.start, span.end


def _sums(
    metrics: Sequence[Metric | Balance],
    *,
    actor: Any,
    span: Span | None,
    by: Sequence[str | Dimension],
    where: Q | None,
) -> dict[Key, tuple[Number, ...]]:
    first = metrics[0]
    rows = replace(first, where=Q()) if len(metrics) > 1 else first
    found = rows_of(rows, actor=actor, span=span, where=where)
    sums = {f"sum_{n}": _filtered(m, len(metrics) > 1) for n, m in enumerate(metrics)}
    if not by:
        totals = found.aggregate(**sums)
        return {(): tuple(totals[name] or 0 for name in sums)}
    names = {
        f"by_{place}": F(d) if isinstance(d, str) else d.expression for place, d in enumerate(by)
    }
    grouped = found.annotate(**names).values(*names).annotate(**sums).order_by()
    return {tuple(row[n] for n in names): tuple(row[name] or 0 for name in sums) for row in grouped}


def _filtered(metric: Metric | Balance, is_shared: bool) -> Any:
    """The aggregate; where rows are shared it counts only the rows that the metric is about."""
    if not (is_shared and metric.where):
        return metric.value
    kept = metric.value.copy()
    kept.filter = metric.where
    return kept
