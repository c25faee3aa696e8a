"""From a number to its rows: the ordinary list, narrowed to exactly what a metric counts.

The condition reads `metric:part:from..to` and, where the number stands for one value of a
dimension, `:dimension=key`: `counted=win_rate:over:2026-07-01..2026-10-01:team=3`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Q

from fangyuan.desk import declare as desks
from fangyuan.desk import filters
from fangyuan.metrics import declare, dimensions, periods
from fangyuan.metrics.declare import METRICS, Balance, Metric
from fangyuan.metrics.measure import Span, moment_of, rows_of

NONE: Final = "none"
_WRITTEN: Final = re.compile(
    r"(?P<metric>\w+):(?P<part>\w+):(?:(?P<start>[\d-]{10})\.\.(?P<end>[\d-]{10}))?"
    r"(?::(?P<by>\w+)=(?P<key>[^:]+|[a-z_]+:[^:]+))?"
)
_PARTS: Final = {"rows": "", "over": "分子", "under": "分母"}


@dataclass(frozen=True)
class Count:
    """One number of a metric: which sum, of which span, of which value of a dimension."""

    metric: Any
    part: str
    span: Span | None
    by: str = ""
    key: str = ""

    @property
    def sum(self) -> Metric | Balance:
        """The sum whose rows are meant."""
        return dict(declare.parts(self.metric))[self.part]

    def __str__(self) -> str:
        days = f"{self.span.start}..{self.span.end}" if self.span else ""
        whose = f":{self.by}={self.key}" if self.by else ""
        return f"{self.metric.name}:{self.part}:{days}{whose}"

    @property
    def url(self) -> str:
        """The list of the rows; empty where the type has no list."""
        name = self.sum.of.record_name()
        known = {desk.name for desk in desks.desks()}
        return f"/{name}/?counted={self}" if name in known else ""

    def rows(self, actor: Any) -> Any:
        """The rows, as far as the actor may see them."""
        rows = rows_of(self.sum, actor=actor, span=self.span)
        if not self.by:
            return rows
        rows, name = dimensions.grouped(rows, self.sum, self.by, moment_of(self.sum, self.span))
        return rows.filter(**{name: None if self.key == NONE else self.key})

    def said(self, actor: Any) -> str:
        """The number in words, for the chip of the list."""
        part = _PARTS.get(self.part, "")
        told = [f"{self.metric.label}（{part}）" if part else str(self.metric.label)]
        if self.span:
            told.append(periods.named(self.span.start, self.span.end))
        if self.by:
            told.append(f"{dimensions.LABELS[self.by]} {label_of(self, actor)}")
        return " · ".join(told)


def label_of(count: Count, actor: Any) -> str:
    """What the key of a count names, if the actor may see it."""
    if count.key == NONE:
        return "没有"
    names = dimensions.names(count.sum.of, count.by)
    if names is None:
        return dimensions.code_label(count.by, count.key)
    found = names.objects.seen_by(actor).filter(pk=count.key).first()
    return str(found) if found else count.key


def read(text: str) -> Count | None:
    """The number that is meant, or None where nothing is."""
    found = _WRITTEN.fullmatch(text)
    metric = METRICS.get(found["metric"]) if found else None
    if found is None or metric is None or found["part"] not in dict(declare.parts(metric)):
        return None
    try:
        ends = [date.fromisoformat(found[name]) for name in ("start", "end") if found[name]]
    except ValueError:
        return None
    if found["by"] and found["by"] not in dimensions.common(metric):
        return None
    span = Span(*ends) if ends else None
    count = Count(metric, found["part"], span, found["by"] or "", found["key"] or "")
    return count if span or isinstance(count.sum, Balance) else None


class Counted(filters.Filter):
    """The rows that a metric counts."""

    control = "text"
    called = "counted"

    def bind(self, model: Any) -> Counted:
        self.model, self.label = model, "计入指标"
        return self

    def _count(self, value: str) -> Count:
        found = read(value)
        if found is None or found.sum.of is not self.model:
            raise filters.BadQuery("认不出是哪个指标的哪个数，请回到指标页重新点开")
        return found

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        count = self._count(value)
        try:
            return Q(pk__in=count.rows(actor).order_by().values("pk"))
        except (TypeError, ValueError) as wrong:
            raise filters.BadQuery("这个数的范围认不出，请回到指标页重新点开") from wrong

    def said(self, value: str, actor: Any) -> str:
        return self._count(value).said(actor)
