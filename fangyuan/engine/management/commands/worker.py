"""`worker`: sweep every few seconds, send reminders, run what other rooms hand in."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connection

from fangyuan.engine import jobs, recount, reminders, sweep

log = logging.getLogger("fangyuan.worker")


class Command(BaseCommand):
    """Work in rounds until asked to stop; a failing part is logged and does not stop the others."""

    help = "后台工作进程：扫描规则、发提醒、跑导入"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=3.0, help="两轮之间的秒数")
        parser.add_argument("--once", action="store_true", help="只跑一轮")

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            self.work()
            if options["once"]:
                break
            stop.wait(options["every"])

    def work(self) -> None:
        """Do one round."""
        close_old_connections()
        parts: dict[str, Callable[[], object]] = {
            "规则扫描": sweep_now,
            "台账核对": lambda: recount.nightly(sweep_now),
            **jobs.registered(),
        }
        for name, run in parts.items():
            try:
                run()
            except sweep.Busy:
                log.info("另一次扫描正在进行，这一轮跳过")
            except Exception:  # noqa: BLE001 - one bad job must not stop the rules
                log.exception("%s 失败", name)
                _heal()


def sweep_now(as_of: datetime | None = None) -> None:
    """Bring the ledger to an instant (now) and send what is to be said by then."""
    done = sweep.sweep(as_of)
    for clause, error in done.failed.items():
        log.error("%s 没有算成：%s", clause, error)
    reminders.send(done.as_of)


def _heal() -> None:
    """Drop a connection that the failure left unusable; the next round opens a fresh one."""
    try:
        connection.ensure_connection()
        if not connection.is_usable():
            connection.close()
    except Error:
        connection.close()
