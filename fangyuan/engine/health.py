"""Whether the rules run: when the last sweep ended, and which rules fail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fangyuan.engine import models

STANDSTILL = timedelta(minutes=10)


def look(now: datetime) -> dict[str, Any]:
    """The state of the sweep: `ok`, when it last ended, the failing clauses, a Chinese sentence."""
    rows = models.Progress.objects.everything("健康检查").select_related("rule__clause")
    beat: datetime | None = None
    failing: list[str] = []
    for row in rows:
        if row.rule_id is None:
            beat = row.beat_at
        elif row.failed_at is not None:
            failing.append(row.rule.clause.number)
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
