"""Exports leaving the house: logged, marked with who and when, agreed to where a clause asks."""

from __future__ import annotations

import json
import re
import tempfile
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from django.utils import timezone

from fangyuan import door
from fangyuan.access import table
from fangyuan.access.models import AccessLog
from fangyuan.core import tables
from fangyuan.desk.exchange.export import Export
from fangyuan.engine.models import Request

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}
VERB = "access_log.export"
_GRANT_HOLDS = timedelta(days=3)
_SHEET = re.compile(r"[\[\]:*?/\\']")


@door.verb("access_log", label="导出")
def export(deed: door.Deed, record: AccessLog, *, purpose: str) -> AccessLog:
    """Agree to an export; whoever asked fetches the file themselves."""
    return record


def _log(actor: Any, told: str, count: int, terminal: str) -> AccessLog:
    kind = AccessLog.Kind.EXPORT
    made: AccessLog = AccessLog._base_manager.create(
        kind=kind, person=actor, rows=count, purpose=told, terminal=terminal
    )
    return made


def release(actor: Any, kind: str, count: int, purpose: str, terminal: str = "") -> Any:
    """Let an export leave and log it: None, or `Waiting` where somebody must agree first.

    Where a clause wants approval (DAY-3.1.3), the request is filed at the first try. Raises Denied.
    """
    if not table.may_act(actor, VERB):
        raise door.Denied("你的岗位不能导出，请部门里能导出的同事帮忙")
    told = f"{kind} {purpose}".strip()
    asked = Request.objects.everything("导出申请").filter(
        action=VERB, asked_by=actor, payload__purpose=told
    )
    if (waiting := asked.filter(state="WAITING").first()) is not None:
        return door.Waiting(waiting)
    with door.acting(by=actor, action="export", reason=told, trusted=True):
        trace = _log(actor, told, count, terminal)
        since = timezone.now() - _GRANT_HOLDS
        if asked.filter(state="AGREED", decided_at__gte=since).exists():
            return None
        result = door.act(VERB, trace, by=actor, payload={"purpose": told})
        return result if isinstance(result, door.Waiting) else None


def write(
    target: BinaryIO, export: Export, found: Any, form: str, *, mark: str = "", sheet: str = ""
) -> None:
    """Write the rows in a format; `mark` says on the first line who took them and when."""
    if form == "jsonl":
        header = export.header
        for row in export.rows(found):
            line = json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False)
            target.write(line.encode() + b"\n")
    elif form == "csv":
        if mark:
            target.write(b"\xef\xbb\xbf" + f'"{mark}"\r\n'.encode())
        with tempfile.TemporaryFile() as body:
            tables.write_csv(body, export.header, export.rows(found))
            body.seek(3 if mark else 0)
            while chunk := body.read(2**16):
                target.write(chunk)
    else:
        name = _SHEET.sub(" ", sheet)[:31] or "数据"
        tables.write_xlsx(target, export.header, export.rows(found), sheet=name)


def marked(label: str, actor: Any, at: datetime) -> str:
    """The line that goes with every sheet: what, who, when."""
    local = timezone.localtime(at)
    return f"{label} · {actor.name} 导出于 {local:%Y-%m-%d %H:%M} · 仅供内部使用"
