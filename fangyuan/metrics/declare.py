"""What a metric is: four kinds, declared once, measured by `measure` only.

Names follow the blueprint's metric dictionary; the clause that asks for a metric stands with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q

Number = Decimal | float | int | None


@dataclass(frozen=True)
class Metric:
    """An amount that adds up over a span: `value` over the rows of `of` whose `at` lies in it."""

    name: str
    label: str
    of: Any
    at: str
    value: Any
    unit: str = ""
    where: Q = field(default_factory=Q)
    clause: str = ""


@dataclass(frozen=True)
class Balance:
    """An amount as of a moment: `value` over the rows that exist then."""

    name: str
    label: str
    of: Any
    value: Any
    unit: str = ""
    where: Q = field(default_factory=Q)
    clause: str = ""


@dataclass(frozen=True)
class Ratio:
    """One sum over another, never a mean of ratios."""

    name: str
    label: str
    over: Metric
    under: Metric
    unit: str = "%"
    clause: str = ""
    target: float | None = None


@dataclass(frozen=True)
class Formula:
    """Something computed from measured numbers; not additive."""

    name: str
    label: str
    compute: Callable[..., Number]
    terms: tuple[Any, ...]
    unit: str = ""
    clause: str = ""


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
