"""Whether the rules run: the last sweep, failing rules, the check of the ledger, and what carries
them. `look` is asked by pages and probes all the time, `report` by whoever wants to know why."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models.functions import Left

from fangyuan.core import calendar, ready, spans
from fangyuan.core.models import Operation
from fangyuan.engine import models

STANDSTILL: Final = timedelta(minutes=10)
LAGGING: Final = timedelta(minutes=1)
OVERNIGHT: Final = timedelta(hours=26)
LONG_OPEN: Final = timedelta(minutes=5)  # a transaction this old keeps the sweep from going on
GIGABYTE: Final = 2**30
GOOD, FAIR, BAD = "ok", "warn", "bad"


_PROGRESS = ready.Ready(
    lambda: (
        models.Progress.objects.everything("健康检查")
        .order_by()
        .values_list("rule_id", "beat_at", "failed_at", "rule__clause__number")
    )
)
_CHECKED = ready.Ready(
    lambda: (
        Operation.objects.everything("健康检查")
        .present()
        .filter(kind="RECOUNT", is_ok__isnull=False)
        .order_by("-started_at")
        .values_list("pk", "is_ok", "started_at", Left("note", 120))[:1]
    )
)


def look(now: datetime) -> dict[str, Any]:
    """The state of the rules: `ok`, when the last sweep ended, the failing clauses, how the ledger
    stood the last check, a Chinese sentence."""
    beat: datetime | None = None
    failing: list[str] = []
    for rule, beat_at, failed_at, number in _PROGRESS():
        if rule is None:
            beat = beat_at
        elif failed_at is not None:
            failing.append(number)
    is_still = beat is not None and now - beat > STANDSTILL
    ledger = _checked()
    differs = ledger is not None and not ledger["ok"]
    return {
        "ok": not is_still and not failing and not differs,
        "swept_at": beat.isoformat() if beat else None,
        "failing": sorted(set(failing)),
        "ledger": ledger,
        "message": _said(
            beat, is_still, failing, str(ledger["said"]) if differs and ledger else ""
        ),
    }


def _checked() -> dict[str, Any] | None:
    for pk, is_ok, at, note in _CHECKED():
        said = note.splitlines()[0] if note else ""
        return {"ok": is_ok, "at": at.isoformat(), "operation": pk, "said": said}
    return None


def _said(beat: datetime | None, is_still: bool, failing: list[str], differs: str) -> str:
    if differs:
        return f"台账核对：{differs}"
    if failing:
        return f"{len(set(failing))} 条条款的规则没有算成：{'、'.join(sorted(set(failing)))}"
    if beat is None:
        return "还没有扫描过"
    return "扫描停了，义务可能不是最新的" if is_still else "规则在正常运行"


# --- the whole report


@dataclass(frozen=True)
class Sign:
    """One thing looked at: how it stands (`ok`, `warn`, `bad`), in words, with its figures."""

    name: str
    label: str
    level: str
    said: str
    figures: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


_watched: list[Callable[[datetime], Sign]] = []


def watch(look_at: Callable[[datetime], Sign]) -> Callable[[datetime], Sign]:
    """Have a room above tell how something of its own stands."""
    _watched.append(look_at)
    return look_at


def report(now: datetime) -> list[Sign]:
    """Every sign, in the order in which one would ask."""
    found = look(now)
    own = (_swept, _lag, _failing, _queue, _ledger)
    plain = (_calendar, _settings, _connections, _disk)
    signs = [one(now, found) for one in own]
    return [*signs, *(one(now) for one in plain), *(one(now) for one in _watched)]


def is_well(signs: list[Sign]) -> bool:
    """Whether nothing stands badly."""
    return all(sign.level != BAD for sign in signs)


def _rows(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def ago(span: timedelta) -> str:
    """How long that is, in the largest unit that fits twice."""
    seconds = int(span.total_seconds())
    for unit, length in (("天", 86400), ("小时", 3600), ("分钟", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} 秒"


def _swept(now: datetime, found: dict[str, Any]) -> Sign:
    if found["swept_at"] is None:
        return Sign("sweep", "扫描", BAD, "还没有扫描过，请启动 worker 或运行 ./fy sweep")
    age = now - datetime.fromisoformat(found["swept_at"])
    level = BAD if age > STANDSTILL else FAIR if age > LAGGING else GOOD
    said = f"{ago(age)}前扫描完" + ("，worker 可能停了" if level == BAD else "")
    return Sign("sweep", "扫描", level, said, {"swept_at": found["swept_at"]})


_UNREAD: Final = """
SELECT count(*), min(at) FROM core_event
 WHERE xid >= (SELECT cursor FROM engine_progress WHERE rule_id IS NULL)
"""


def _lag(now: datetime, found: dict[str, Any]) -> Sign:
    number, oldest = _rows(_UNREAD)[0]
    if not number:
        return Sign("lag", "待扫改动", GOOD, "没有还没扫到的改动", {"unread": 0})
    age = now - oldest
    level = BAD if age > STANDSTILL else FAIR if age > LAGGING else GOOD
    figures = {"unread": number, "oldest": oldest.isoformat()}
    return Sign("lag", "待扫改动", level, f"至多 {number} 处，最早在 {ago(age)}前", figures)


def _failing(now: datetime, found: dict[str, Any]) -> Sign:
    failed = models.Progress.objects.everything("健康检查").exclude(failed_at=None)
    errors = dict(failed.exclude(rule=None).values_list("rule__clause__number", "error"))
    if not errors:
        return Sign("rules", "规则", GOOD, "全部算成")
    said = "；".join(f"{clause} {error.splitlines()[0]}" for clause, error in errors.items())
    return Sign("rules", "规则", BAD, f"{len(errors)} 条没有算成：{said}", {"failing": errors})


def _queue(now: datetime, found: dict[str, Any]) -> Sign:
    rows = models.Replay.objects.everything("健康检查").filter(stage__in=["WAITING", "RUNNING"])
    waiting = list(rows.order_by("asked_at").values_list("asked_at", flat=True))
    if not waiting:
        return Sign("queue", "试算排队", GOOD, "没有排队的", {"waiting": 0})
    age = now - waiting[0]
    level = FAIR if age > STANDSTILL else GOOD
    figures = {"waiting": len(waiting), "oldest": waiting[0].isoformat()}
    return Sign("queue", "试算排队", level, f"{len(waiting)} 次，最早等了 {ago(age)}", figures)


def _ledger(now: datetime, found: dict[str, Any]) -> Sign:
    last = found["ledger"]
    if last is None:
        return Sign("ledger", "台账核对", FAIR, "还没有核对过，可运行 ./fy check-ledger --keep")
    age = now - datetime.fromisoformat(last["at"])
    level = BAD if not last["ok"] else FAIR if age > OVERNIGHT else GOOD
    return Sign("ledger", "台账核对", level, f"{ago(age)}前：{last['said']}", last)


def _calendar(now: datetime) -> Sign:
    published, today = calendar.stored().published, spans.day_of(now)
    guessed = models.Obligation.objects.everything("健康检查").filter(
        state="OPEN", cause__has_key="provisional"
    )
    number = guessed.count()
    figures = {"published": sorted(published), "provisional_duties": number}
    if today.year not in published:
        said = f"{today.year} 年的节假日还没有公布或录入，{number} 件义务的到期时间是暂定的"
        return Sign("calendar", "工作日历", BAD, said, figures)
    if number or (today.month == 12 and today.year + 1 not in published):
        said = f"{today.year + 1} 年的节假日还没有公布或录入，{number} 件义务的到期时间是暂定的"
        return Sign("calendar", "工作日历", FAIR, said, figures)
    return Sign("calendar", "工作日历", GOOD, f"公布到 {max(published)} 年", figures)


# What makes a committed write survive a crash, and keeps plans and statistics right.
_WANTED: Final = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}
_SETTINGS: Final = """
SELECT name, setting FROM pg_settings
 WHERE name IN ('fsync', 'full_page_writes', 'autovacuum', 'synchronous_commit', 'server_version',
                'shared_buffers', 'work_mem', 'max_wal_size', 'TimeZone')
"""


def _settings(now: datetime) -> Sign:
    found = dict(_rows(_SETTINGS))
    wrong = [f"{name} = {found[name]}" for name, value in _WANTED.items() if found[name] != value]
    version = found["server_version"].split()[0]
    if wrong:
        said = f"PostgreSQL {version}：{'、'.join(wrong)}，断电可能丢数据，请改回 on"
        return Sign("database", "数据库设置", FAIR, said, found)
    return Sign("database", "数据库设置", GOOD, f"PostgreSQL {version}", found)


_CONNECTIONS: Final = """
SELECT count(*), current_setting('max_connections')::int,
       min(xact_start) FILTER (WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()
                                 AND datname = current_database())
  FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


def _connections(now: datetime) -> Sign:
    used, most, oldest = _rows(_CONNECTIONS)[0]
    figures = {"used": used, "most": most, "oldest": oldest.isoformat() if oldest else None}
    said = f"连接 {used} / {most}"
    level = BAD if used > 0.95 * most else FAIR if used > 0.8 * most else GOOD
    if oldest is not None and now - oldest > LONG_OPEN:
        level = FAIR if level == GOOD else level
        said += f"，有事务开了 {ago(now - oldest)}，扫描要等它结束"
    return Sign("connections", "数据库连接", level, said, figures)


def _disk(now: datetime) -> Sign:
    size = _rows("SELECT pg_database_size(current_database())")[0][0]
    disk = shutil.disk_usage(settings.DATA)
    share = disk.free / disk.total
    level = BAD if disk.free < GIGABYTE else FAIR if share < 0.1 else GOOD
    figures = {"free": disk.free, "total": disk.total, "database": size}
    free, held = disk.free / GIGABYTE, size / GIGABYTE
    said = f"可用 {free:.1f} GB（{share:.0%}），数据库占 {held:.2f} GB"
    return Sign("disk", "磁盘", level, said, figures)


MARKS: Final = {GOOD: "正常", FAIR: "留意", BAD: "异常"}  # in words


def lines(signs: list[Sign]) -> Iterator[str]:
    """The report for a terminal."""
    for sign in signs:
        yield f"[{MARKS[sign.level]}] {sign.label}：{sign.said}"
