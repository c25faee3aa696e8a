"""What rooms above the engine tell of themselves to `./fy health`: imports that wait, channels."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fangyuan.desk.models import ImportBatch
from fangyuan.engine import health
from fangyuan.engine.health import BAD, FAIR, GOOD, STANDSTILL, Sign
from fangyuan.integration import state


@health.watch
def imports(now: datetime) -> Sign:
    """Files that wait to be brought in."""
    rows = ImportBatch.objects.everything("健康检查").filter(stage__in=["WAITING", "RUNNING"])
    waiting = list(rows.order_by("recorded_at").values_list("recorded_at", flat=True))
    if not waiting:
        return Sign("imports", "导入排队", GOOD, "没有排队的", {"waiting": 0})
    age = now - waiting[0]
    figures = {"waiting": len(waiting), "oldest": waiting[0].isoformat()}
    said = f"{len(waiting)} 个文件，最早等了 {health.ago(age)}"
    return Sign("imports", "导入排队", FAIR if age > STANDSTILL else GOOD, said, figures)


@health.watch
def channels(now: datetime) -> Sign:
    """Ways out of the house for messages."""
    found = state.channel_state(now)
    used = [one for one in found if one.is_on]
    figures = {"channels": [{**asdict(one), "is_well": one.is_well} for one in found]}
    if not used:
        said = "没有启用站外渠道，消息只在站内"
        return Sign("channels", "消息渠道", GOOD, said, figures)
    wrong = [one for one in used if not one.is_well]
    said = "；".join(f"{one.name} {one.sentence}" for one in wrong or used)
    level = BAD if len(wrong) == len(used) else FAIR if wrong else GOOD
    return Sign("channels", "消息渠道", level, said, figures)
