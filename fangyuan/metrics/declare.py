"""What a metric is: four kinds, declared once, measured by `measure` only.

A metric speaks the language of rules: `where` is a condition in the ten words over declared facts
(`core.words`), `value` one of `count`, `distinct(fact)`, `sum(fact)`, `avg(fact)`. Names follow the
blueprint's metric dictionary; the clauses that ask for a metric stand with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q

from fangyuan.core import facts, words

Number = Decimal | float | int | None
Condition = Mapping[str, Any]
COUNT: Final = "count"
PERCENT: Final = "%"
# The periods in which a clause has a metric read; a cohort is read by the period that it began in.
WINDOWS: Final = {
    "week": "week",
    "month": "month",
    "quarter": "quarter",
    "year": "year",
    "cohort-month": "month",
    "cohort-quarter": "quarter",
    "appraisal": "quarter",
    "instant": "",
    "lifetime": "",
}


def _none() -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Metric:
    """An amount that adds up over a span: `value` over the rows of `of` whose `at` lies in it.

    With `to` a row counts for the very span that it states, from `at` to `to` (a target's period).
    A part of a ratio needs no name.
    """

    name: str
    label: str
    of: Any
    at: str
    value: str = COUNT
    unit: str = ""
    where: Condition = field(default_factory=_none, hash=False)
    clause: str = ""
    windows: str = "month"
    falls: bool = False
    to: str = ""


@dataclass(frozen=True)
class Balance:
    """An amount as of a moment: `value` over the rows that exist then.

    Rows exist from `begins` to before `ends`; without them only now can be told.
    """

    name: str
    label: str
    of: Any
    value: str = COUNT
    unit: str = ""
    where: Condition = field(default_factory=_none, hash=False)
    clause: str = ""
    windows: str = "instant"
    falls: bool = False
    begins: str = ""
    ends: str = ""


@dataclass(frozen=True)
class Ratio:
    """One sum over another, never a mean of ratios."""

    name: str
    label: str
    over: Metric | Balance
    under: Metric | Balance
    unit: str = PERCENT
    clause: str = ""
    target: float | None = None
    windows: str = "month"
    falls: bool = False


@dataclass(frozen=True)
class Formula:
    """Something computed from measured numbers; not additive."""

    name: str
    label: str
    compute: Callable[..., Number]
    terms: tuple[Any, ...]
    unit: str = ""
    clause: str = ""
    said: str = ""
    windows: str = "month"
    falls: bool = False


@dataclass(frozen=True)
class Before:
    """A metric in the span of the same kind just before: a term of a change."""

    of: Any
    years: int = 0


@dataclass(frozen=True)
class Dimension:
    """Something to measure by: a field path, or an expression over the rows."""

    name: str
    label: str
    expression: Any


METRICS: dict[str, Any] = {}


def declare(metric: Any) -> Any:
    """Enter a metric into the dictionary; a name is taken once."""
    if metric.name in METRICS:
        raise ValueError(f"metric {metric.name} is declared twice")
    METRICS[metric.name] = metric
    return metric


def part(of: Any, at: str, value: str = COUNT, **where: Any) -> Metric:
    """What a ratio counts above or below its line."""
    return Metric("", "", of, at, value, where=where)


def narrowed(metric: Metric, **more: Any) -> Metric:
    """The same rows, only those that also meet this: the part of a cohort that came through."""
    return Metric("", "", metric.of, metric.at, COUNT, where={**metric.where, **more})


def parts(metric: Any) -> Iterator[tuple[str, Metric | Balance]]:
    """The sums that a metric is made of, by the names under which their rows are found."""
    if isinstance(metric, Ratio):
        yield "over", metric.over
        yield "under", metric.under
    elif isinstance(metric, Formula):
        for place, term in enumerate(metric.terms):
            inner = term.of if isinstance(term, Before) else term
            yield from ((f"{place}{name}", one) for name, one in parts(inner))
    else:
        yield "rows", metric


def measured_fact(part: Metric | Balance) -> str:
    """The fact that is counted or summed; empty where rows are."""
    return part.value.partition("(")[2].rstrip(")")


def fact_names(part: Metric | Balance) -> set[str]:
    """Every fact that a sum looks at."""
    ends = (part.at, part.to) if isinstance(part, Metric) else (part.begins, part.ends)
    return {name for name in (*words.names(part.where), measured_fact(part), *ends) if name}


def condition(part: Metric | Balance) -> Q:
    """Which rows a sum counts, over rows annotated with their facts."""
    return words.where(part.of, part.where)


def say(metric: Any) -> str:
    """The formula in Chinese, read off the declaration."""
    if isinstance(metric, Ratio):
        return f"{say(metric.over)} ÷ {say(metric.under)}"
    if isinstance(metric, Formula):
        return metric.said
    if isinstance(metric, Before):
        return f"{'上年同期' if metric.years else '上期'}的{metric.of.label}"
    if metric.label and not metric.name:
        return str(metric.label)
    noun = str(metric.of._meta.verbose_name)
    if any("." in name for name in metric.where):  # of which kind something else is
        noun = f"{words.sentence(metric.of, metric.where)}的{noun}"
    else:
        noun = words.about(metric.of, metric.where, noun)
    kind, name = metric.value.partition("(")[0], measured_fact(metric)
    if not name:
        return f"{noun}数"
    label = facts.find(metric.of, name).label
    return {
        "distinct": f"{noun}涉及的{label}数（不重复）",
        "sum": f"{noun}的{label}合计",
        "avg": f"{noun}的{label}平均",
    }[kind]


def dated(metric: Any) -> str:
    """By which instant of a row a metric counts it, in Chinese."""
    told = dict.fromkeys(
        facts.label(one.of, one.at) if isinstance(one, Metric) else "现在"
        for _, one in parts(metric)
        if not getattr(one, "to", "")
    )
    return "看现在" if list(told) == ["现在"] else f"按{'、'.join(told)}计"


def faults(part: Metric | Balance) -> list[str]:
    """What is wrong with a sum, in Chinese: facts that are not there, words that mean nothing."""
    found = words.faults(part.of, part.where)
    for name in fact_names(part) - words.names(part.where):
        try:
            facts.find(part.of, name)
        except facts.UnknownFact as unknown:
            found.append(str(unknown))
    if part.value.partition("(")[0] not in (COUNT, "distinct", "sum", "avg"):
        found.append(f"没有“{part.value}”这种合计")
    return found
