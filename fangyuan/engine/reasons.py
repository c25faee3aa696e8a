"""The sentences of an explanation: what began a duty, how it was counted, why, what helps."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from fangyuan.core import calendar, facts, spans, words
from fangyuan.engine import models
from fangyuan.engine.kinds import Cadence, Deadline, Required, base

CAUSES: Final = {
    "due passed": "到期未完成",
    "done": "已完成",
    "done late": "过期后完成",
    "late recording": "事情按时做了，记录补得晚",
    "left scope": "对象离开了适用范围",
    "waiver": "豁免生效或结束",
    "calendar": "工作日历改动，到期时间重算",
    "corrected": "相关记录被更正",
    "handover": "换了责任人",
}


def state(code: str | None) -> str:
    """A state in words."""
    return str(models.State(code).label) if code else ""


def clock(at: datetime) -> str:
    """An instant in the company's zone; 00:00 is 24:00 of the day before."""
    day, time = spans.ending(at)
    return f"{day.year} 年 {day.month} 月 {day.day} 日 {time}"


def trigger(kind: Any, obligation: models.Obligation) -> str:
    """What began the duty."""
    if isinstance(kind, Cadence):
        return f"{_period(obligation.occurrence)}开始时对象在适用范围内"
    at = _began(obligation.began_at)
    if isinstance(kind, Deadline):
        return f"“{base.moment_label(kind.model, kind.on)}”在 {at}"
    return f"自 {at} 起在适用范围内"


def _began(at: datetime) -> str:
    local = at.astimezone(spans.SHANGHAI)
    return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M}"


def _period(key: str) -> str:
    period = spans.parse_key(key)
    if period.first == period.last:
        return f"{period.first:%Y-%m-%d} "
    return f"{period.first:%Y-%m-%d} 至 {period.last:%Y-%m-%d} 这一{period.kind.label}"


def counting(kind: Any, obligation: models.Obligation) -> str:
    """How the due time came about."""
    due = clock(obligation.due_at)
    if isinstance(kind, Cadence):
        return f"{kind.due_rule.label if kind.due else '期末'}到期，即 {due}"
    if kind.within is None:
        return f"到期取“{facts.label(kind.model, kind.by)}”，即 {due}"
    span = spans.parse(kind.within)
    how = "按整点整分计" if span.is_exact else "当天不算，到最后一日 24:00"
    first = calendar.stored().due(obligation.began_at, span)
    moved = kind.on_leave == "extend" and obligation.due_at > first.at
    leave = f"，本应 {clock(first.at)} 到期，因责任人请假顺延" if moved else ""
    return f"期限 {span.label}，{how}{leave}，到期 {due}"


def why(told: Any, *, is_gone: bool) -> str:
    """Why it has its state."""
    due = clock(told.due_at)
    done = clock(told.met_at) if told.met_at else ""
    late = "；系统知道时已经过期" if told.is_told_late else ""
    left = (
        f"对象在 {clock(told.left_at)} 离开了适用范围，当时还没有完成" if told.left_at else "已作废"
    )
    guess = f"要到 {due}，但那一年的放假安排还没公布，到期时间是暂定的"
    said = {
        "VOID": "相关记录更正后，这项义务不再成立" if is_gone else left,
        "WAIVED": f"到期 {due} 在豁免期内",
        "MET": f"{done} 完成，不晚于到期 {due}",
        "LATE": f"到期 {due}，{done} 才完成",
        "BREACHED": f"到期 {due}，至今没有完成{late}",
        "OPEN": guess if told.is_provisional else f"还没到期，到期 {due}",
    }
    return said[told.state]


def how(told: Any, kind: Any) -> str:
    """How it turns green, or that nothing is left to do."""
    if told.state not in ("OPEN", "BREACHED"):
        return "不需要再做什么"
    what = _act(kind)
    if told.state == "OPEN":
        return f"在 {clock(told.due_at)} 前{what}，就是按时"
    if isinstance(kind, Cadence):
        return f"如果期内其实已经{what}，补上记录就转为按时；没做过的不能补做"
    if isinstance(kind, Deadline) and kind.is_entry:
        return "录入后转为迟办，违规的历史保留"
    return f"{what}后转为迟办；如果其实按时做了，补上当时的时间就转为按时"


def _act(kind: Any) -> str:
    if isinstance(kind, Cadence):
        noun = str(kind.source._meta.verbose_name)
        return f"有 {kind.at_least} 次{words.about(kind.source, kind.when, noun)}"
    if isinstance(kind, Required):
        return f"做到{words.sentence(kind.model, kind.wanted)}"
    return f"完成“{base.moment_label(kind.model, kind.until)}”"
