"""Sending beside the sweep: a slow mail server must not keep the rules waiting."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from django.db import connections
from django.utils import timezone

from fangyuan.engine import jobs
from fangyuan.integration import acted, outbox
from fangyuan.integration.models import Dispatch

log = logging.getLogger("fangyuan.outbox")
_running: list[threading.Thread] = []


def round_trip() -> None:
    """One round of the worker: see who acted; if something is due, have it sent on the side."""
    now = timezone.now()
    acted.look_sometimes(now)
    if _is_due(now) and not any(one.is_alive() for one in _running):
        _running[:] = [threading.Thread(target=_send, name="outbox")]
        _running[0].start()


def _is_due(now: datetime) -> bool:
    due = Dispatch.objects.everything("待发").filter(state="QUEUED", next_at__lte=now)
    return due.filter(channel__is_on=True, channel__removed_at=None).exists()


def _send() -> None:
    try:
        outbox.run(timezone.now())
    except Exception:  # noqa: BLE001 - the worker goes on; the next round tries again
        log.exception("消息投递失败")
    finally:
        connections.close_all()


jobs.register("消息投递", round_trip)
