"""Taking back what was just done: kept in the session for a short time, done through the door."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.utils import dateparse

from fangyuan import door
from fangyuan.core import records
from fangyuan.engine import approval

KEPT = 3
LASTS = timedelta(minutes=5)  # the toast stays 8 seconds; a slow page may need longer


def keep(session: Any, steps: list[dict[str, Any]], now: datetime) -> str:
    """Keep what would undo a deed; gives the address that does it.

    A step is `{"do": "restore" | "remove" | "change" | "act", "record": …, "id": …, "values": …}`.
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
                deed.change(record, values, revision=step["revision"])
            else:
                getattr(deed, step["do"])(record)
