"""Metrics that speak of facts which are not there are found when the system starts."""

from __future__ import annotations

from typing import Any

from django.core import checks

from fangyuan.metrics import declare


@checks.register()
def sound_metrics(**_: Any) -> list[checks.CheckMessage]:
    """Look at every sum of every metric."""
    found: list[checks.CheckMessage] = []
    for name, metric in declare.METRICS.items():
        for place, part in declare.parts(metric):
            found += [
                checks.Error(f"{name} {place}：{fault}", id="metrics.E001")
                for fault in declare.faults(part)
            ]
        if unknown := set(metric.windows.split()) - set(declare.WINDOWS):
            found.append(checks.Error(f"{name} 没有这种窗口：{unknown}", id="metrics.E002"))
    return found
