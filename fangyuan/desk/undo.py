"""Taking back what was just done: kept in the session for a short time, done through the door.

A verb is taken back only where that is exact: it changed nothing but its record, or only who
answers for it. Otherwise it is said why not.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import dateparse

from fangyuan import door
from fangyuan.access import table
from fangyuan.core import records
from fangyuan.desk import columns
from fangyuan.engine import approval
from fangyuan.org.models import Person

KEPT = 3
ASKED = "送了审批，要撤回请到“审批”里"
SPREAD = "同时动了别的记录，不能一键撤销"
LASTS = timedelta(minutes=5)  # the toast stays 8 seconds; a slow page may need longer


def keep(session: Any, steps: list[dict[str, Any]], now: datetime) -> str:
    """Keep what would undo a deed; gives the address that does it.

    A step is `{"do": "restore" | "remove" | "change" | "act", "record": …, "id": …, "values": …}`;
    with a verb, `change` may write what only that verb may.
    """
    token = secrets.token_urlsafe(8)
    frozen = [{**step, "values": approval.freeze(step.get("values", {}))} for step in steps]
    kept = list(session.get("undo", []))[-(KEPT - 1) :]
    session["undo"] = [*kept, {"token": token, "at": now.isoformat(), "steps": frozen}]
    return f"/undo/{token}"


def take(session: Any, token: str, now: datetime) -> list[dict[str, Any]] | None:
    """The steps kept under a token, once; None when there are none or it is too late."""
    kept = session.get("undo", [])
    found = next((one for one in kept if one["token"] == token), None)
    if found is None:
        return None
    session["undo"] = [one for one in kept if one is not found]
    at = dateparse.parse_datetime(found["at"])
    return found["steps"] if at is not None and now - at < LASTS else None


def undo(steps: list[dict[str, Any]], *, by: Any) -> None:
    """Do the steps as one deed; raises Denied, Stale or Refused and then nothing is undone."""
    with door.acting(by=by, action="undo", reason="撤销") as deed:
        for step in steps:
            record = records.find((step["record"], step["id"]))
            values = approval.thaw(step["values"])
            if step["do"] == "act":
                door.act(step["verb"], record, by=by, payload=values)
            elif step["do"] == "change":
                _change(deed, record, values, step)
            else:
                getattr(deed, step["do"])(record)


def _change(deed: door.Deed, record: Any, values: dict[str, Any], step: dict[str, Any]) -> None:
    verb = door.VERBS.get(step.get("verb", ""))
    if verb is not None and not table.may_act(deed.by, verb.full_name):
        raise door.Denied(f"你的岗位不能“{verb.label}”")
    freed = set(verb.writes if verb else ()) - deed.free
    deed.free |= freed
    try:
        deed.change(record, values, revision=step["revision"])
    finally:
        deed.free -= freed


def act(
    verb: door.Verb, record: Any, *, by: Any, payload: dict[str, Any]
) -> tuple[Any, list[dict[str, Any]], str]:
    """Do a verb: what came of it, the steps that take it back exactly, or why there are none."""
    was, owner = _values(record), columns.owners([record]).get(record.pk)
    with door.acting(by=by, action=verb.name), connection.cursor() as cursor:
        last = _written(cursor, 0)[-1:]
        result = door.act(verb.full_name, record, by=by, payload=payload)
        written = {(kind, pk) for _, kind, pk in _written(cursor, last[0][0] if last else 0)}
    if isinstance(result, door.Waiting):
        return result, [], ""
    me = (record.record_name(), record.pk)
    step = {"verb": verb.full_name, "record": me[0], "id": me[1]}
    if written <= {me}:
        now = type(record)._base_manager.get(pk=record.pk)
        changed = {name: was[name] for name, value in _values(now).items() if value != was[name]}
        back = {**step, "do": "change", "values": changed, "revision": now.revision}
        return result, [back] if changed else [], ""
    kinds = {kind for kind, _ in written}
    is_handed_on = columns.owners([record]).get(record.pk) != owner
    if kinds == {"holding"} and owner and is_handed_on and "person" in verb.asks:
        values = {"person": Person._base_manager.get(pk=owner), "reason": "撤销"}
        return result, [{**step, "do": "act", "values": values}], ""
    return result, [], ASKED if "request" in kinds else SPREAD


def _values(record: Any) -> dict[str, Any]:
    return {f.attname: getattr(record, f.attname) for f in record._meta.fields if f.editable}


def _written(cursor: Any, after: int) -> list[tuple[int, str, int]]:
    """What this transaction wrote after an event of the log: event, type and number."""
    cursor.execute(
        "SELECT id, record, record_id FROM core_event"
        " WHERE xid = pg_current_xact_id()::text::bigint AND id > %s ORDER BY id",
        [after],
    )
    return list(cursor.fetchall())
