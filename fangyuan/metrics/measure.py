"""`measure`: one grouped query over what the actor may see, for every kind of metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, Q

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
        over = measure(metric.over, actor=actor, span=span, by=by, where=where)
        under = measure(metric.under, actor=actor, span=span, by=by, where=where)
        return {key: share(over.get(key), total) for key, total in under.items()}
    if isinstance(metric, Formula):
        terms = [measure(t, actor=actor, span=span, by=by, where=where) for t in metric.terms]
        keys = {key for term in terms for key in term}
        return {key: metric.compute(*(term.get(key) for term in terms)) for key in keys}
    return _sums(metric, actor=actor, span=span, by=by, where=where)


def share(part: Number, whole: Number) -> Number:
    """A part of a whole between 0 and 1; None of nothing."""
    return float(part or 0) / float(whole) if whole else None


def rows_of(metric: Metric | Balance, *, actor: Any, span: Span | None, where: Q | None) -> Any:
    """Exactly the rows that a number counts, for drilling down."""
    rows = metric.of.objects.seen_by(actor).filter(metric.where)
    if where is not None:
        rows = rows.filter(where)
    if isinstance(metric, Metric):
        if span is None:
            raise ValueError(f"{metric.name} needs a span")
        rows = rows.filter(**{f"{metric.at}__gte": span.start, f"{metric.at}__lt": span.end})
    return rows


def _sums(
    metric: Metric | Balance,
    *,
    actor: Any,
    span: Span | None,
    by: Sequence[str | Dimension],
    where: Q | None,
) -> dict[Key, Number]:
    rows = rows_of(metric, actor=actor, span=span, where=where)
    if not by:
        return {(): rows.aggregate(measured=metric.value)["measured"] or 0}
    names = {
        f"by_{place}": F(d) if isinstance(d, str) else d.expression for place, d in enumerate(by)
    }
    grouped = rows.annotate(**names).values(*names).annotate(measured=metric.value).order_by()
    return {tuple(row[n] for n in names): row["measured"] for row in grouped}
