"""Whether the rules run: when the last sweep ended, and which rules fail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fangyuan.core import ready
from fangyuan.engine import models

STANDSTILL = timedelta(minutes=10)


_PROGRESS = ready.Ready(
    lambda: (
        models.Progress.objects.everything("健康检查")
        .order_by()
        .values_list("rule_id", "beat_at", "failed_at", "rule__clause__number")
    )
)


def look(now: datetime) -> dict[str, Any]:
    """The state of the sweep: `ok`, when it last ended, the failing clauses, a Chinese sentence."""
    beat: datetime | None = None
    failing: list[str] = []
    for rule, beat_at, failed_at, number in _PROGRESS():
        if rule is None:
            beat = beat_at
        elif failed_at is not None:
            failing.append(number)
    is_still = beat is not None and now - beat > STANDSTILL
    return {
        "ok": not is_still and not failing,
        "swept_at": beat.isoformat() if beat else None,
        "failing": sorted(set(failing)),
        "message": _said(beat, is_still, failing),
    }


def _said(beat: datetime | None, is_still: bool, failing: list[str]) -> str:
    if failing:
        return f"{len(set(failing))} 条条款的规则没有算成：{'、'.join(sorted(set(failing)))}"
    if beat is None:
        return "还没有扫描过"
    return "扫描停了，义务可能不是最新的" if is_still else "规则在正常运行"
