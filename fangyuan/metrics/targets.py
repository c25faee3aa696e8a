"""What is to be reached, as a sum: the targets that are not divided further, of their period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fangyuan.engine.packs import names
from fangyuan.metrics.declare import METRICS, Metric, Number, Ratio, part
from fangyuan.metrics.models import Target

HUNDRED = 100


class Named(Mapping[str, str]):
    """What targets can be set for: every metric, and those that the regulations name besides."""

    def _said(self) -> dict[str, str]:
        own = {name: metric.label for name, metric in METRICS.items()}
        listed = names.model()
        return {**own, **{name: listed.said(name) for name in sorted(listed.metrics - own.keys())}}

    def __getitem__(self, name: str) -> str:
        return self._said()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said())

    def __len__(self) -> int:
        return len(self._said())


def of(metric: str, *, unit: str = "") -> Metric:
    """The targets of a metric: those of people, and of teams that were not divided among them.

    Shares do not add up; of several the mean is told.
    """
    declared = METRICS.get(metric)
    value = "avg(value)" if isinstance(declared, Ratio) else "sum(value)"
    one = part(
        *(Target, "starts_on", value),
        metric=metric,
        tier="BASE",
        is_current=True,
        is_leaf=True,
    )
    label = f"{Named()[metric]}的目标"
    return Metric("", label, one.of, one.at, one.value, unit, one.where, to="ends_on")


def attained(value: Number, target: Number, metric: Any) -> float | None:
    """Which part of its target a value is; a share is set as a number of a hundred."""
    if value is None or not target:
        return None
    reached = float(value) * (HUNDRED if metric.unit == "%" else 1)
    return reached / float(target)
