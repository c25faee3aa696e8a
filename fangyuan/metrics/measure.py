"""`measure`: one grouped query over what the actor may see, for every kind of metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Q, Sum

from fangyuan.access import table
from fangyuan.core import facts, spans
from fangyuan.core.records import Record
from fangyuan.desk import filters
from fangyuan.metrics import declare, dimensions
from fangyuan.metrics.declare import Balance, Before, Dimension, Formula, Metric, Number, Ratio

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Span:
    """Days from `start` up to but not including `end`."""

    start: date
    end: date

    def before(self, years: int = 0) -> Span:
        """The span of the same kind just before, or so many years before."""
        if years:
            return Span(_years_ago(self.start, years), _years_ago(self.end, years))
        for kind in spans.PeriodKind:
            period = spans.period_of(kind, self.start)
            if (period.first, period.after) == (self.start, self.end):
                return Span(period.previous().first, period.first)
        return Span(self.start - (self.end - self.start), self.start)


def _years_ago(day: date, years: int) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - years, 3, 1)
    return day.replace(year=day.year - years)


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
    denominator is nothing is None, never 0, and so is what the actor may not see.
    """
    if isinstance(metric, Before):
        earlier = span.before(metric.years) if span else None
        return measure(metric.of, actor=actor, span=earlier, by=by, where=where)
    if not is_shown(metric, actor):
        return {} if by else {(): None}
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
    if len({_alike(m) for m in metrics}) == 1:
        return _sums(metrics, actor=actor, span=span, by=by, where=where)
    each = [_sums((m,), actor=actor, span=span, by=by, where=where) for m in metrics]
    keys = {key for found in each for key in found}
    return {key: tuple(found.get(key, (0,))[0] for found in each) for key in keys}


def measure_each(
    metrics: Sequence[Any], *, actor: Any, span: Span | None
) -> dict[str, Number | None]:
    """Many metrics of one span, as few queries as their sums need; those not shown are left out."""
    shown = [one for one in metrics if is_shown(one, actor)]
    wanted: dict[Any, dict[str, Metric | Balance]] = {}
    for metric in shown:
        if not isinstance(metric, Formula):
            for name, one in declare.parts(metric):
                wanted.setdefault(_alike(one), {})[f"{metric.name}.{name}"] = one
    found: dict[str, Number] = {}
    for sums in wanted.values():
        told = _sums(list(sums.values()), actor=actor, span=span, by=(), where=None)
        found |= dict(zip(sums, told[()], strict=True))
    return {one.name: _value(one, found, actor, span) for one in shown}


def _value(metric: Any, found: dict[str, Number], actor: Any, span: Span | None) -> Number:
    if isinstance(metric, Ratio):
        return share(found[f"{metric.name}.over"], found[f"{metric.name}.under"])
    if isinstance(metric, Formula):
        return measure(metric, actor=actor, span=span).get(())
    return found[f"{metric.name}.rows"]


def _alike(one: Metric | Balance) -> tuple[Any, ...]:
    """What sums must have in common to share a query."""
    if isinstance(one, Metric):
        return one.of, one.at, one.to
    return one.of, one.begins, one.ends


def share(part: Number, whole: Number) -> Number:
    """A part of a whole between 0 and 1; None of nothing."""
    return float(part or 0) / float(whole) if whole else None


def is_shown(metric: Any, actor: Any) -> bool:
    """Whether the actor may see everything that the metric is made of, on some rows at least."""
    return all(
        table.may(actor, one.of.record_name(), "r")
        and not declare.fact_names(one) & table.hidden(actor, one.of.record_name())
        for _, one in declare.parts(metric)
    )


def rows_of(
    metric: Metric | Balance, *, actor: Any, span: Span | None, where: Q | None = None
) -> Any:
    """Exactly the rows that a number counts, for drilling down."""
    found = _within(metric, actor, span, declare.fact_names(metric))
    return found.filter(declare.condition(metric) & (where or Q()))


def moment_of(metric: Metric | Balance, span: Span | None) -> datetime | None:
    """The moment of a balance: the beginning of the span; now where it can only tell now."""
    is_past = isinstance(metric, Balance) and metric.begins and span is not None
    return spans.midnight(span.start) if is_past and span else None


def _within(metric: Metric | Balance, actor: Any, span: Span | None, names: set[str]) -> Any:
    """The rows of the metric's type in the span that the actor may see, with these facts."""
    model = metric.of
    rows = facts.annotate(model.objects.seen_by(actor), names)
    if issubclass(model, Record):
        rows = rows.present()
    for name in names & filters.veiled(actor, model.record_name()):
        rows = rows.filter(filters.showing(actor, model, name))
    if isinstance(metric, Metric):
        if span is None:
            raise ValueError(f"{metric.name} needs a span")
        return rows.filter(_spanned(metric, span))
    if metric.begins and span is not None:
        at = spans.midnight(span.start)
        begins, ends = (facts.find(model, n).path for n in (metric.begins, metric.ends))
        gone = Q(**{ends: None}) | Q(**{f"{ends}__gte": at})
        return rows.filter(gone, **{f"{begins}__lt": at})
    return rows


def _spanned(metric: Metric, span: Span) -> Q:
    """The rows of a span: by days, or by midnights where the metric counts instants."""
    fact = facts.find(metric.of, metric.at)
    if metric.to:
        return Q(**{fact.path: span.start, metric.to: span.end - timedelta(days=1)})
    start, end = span.start, span.end
    if fact.kind == "at":
        start, end = spans.midnight(start), spans.midnight(end)
    return Q(**{f"{fact.path}__gte": start, f"{fact.path}__lt": end})


def _sums(
    metrics: Sequence[Metric | Balance],
    *,
    actor: Any,
    span: Span | None,
    by: Sequence[str | Dimension],
    where: Q | None,
) -> dict[Key, tuple[Number, ...]]:
    first, is_shared = metrics[0], len(metrics) > 1
    if is_shared:
        needed = set().union(*(declare.fact_names(m) for m in metrics))
        found = _within(first, actor, span, needed).filter(where or Q())
    else:
        found = rows_of(first, actor=actor, span=span, where=where)
    sums = {f"sum_{n}": aggregate(m, is_filtered=is_shared) for n, m in enumerate(metrics)}
    if not by:
        totals = found.order_by().aggregate(**sums)
        return {(): tuple(totals[name] or 0 for name in sums)}
    names = []
    for one in by:
        found, name = dimensions.grouped(found, first, one, moment_of(first, span))
        names.append(name)
    grouped = found.order_by().values(*names).annotate(**sums)
    return {tuple(row[n] for n in names): tuple(row[name] or 0 for name in sums) for row in grouped}


def aggregate(metric: Metric | Balance, *, is_filtered: bool) -> Any:
    """What is summed; where rows are shared, only over the rows that the metric is about."""
    condition = declare.condition(metric)
    only = condition if is_filtered and condition else None
    kind, name = metric.value.partition("(")[0], declare.measured_fact(metric)
    path = facts.find(metric.of, name).path if name else "pk"
    if kind == "sum":
        return Sum(path, filter=only)
    if kind == "avg":
        return Avg(path, filter=only)
    return Count(path, filter=only, distinct=kind == "distinct")
