"""`serve`: the web server, with everything loaded once and shared by its processes."""

from __future__ import annotations

import gc
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections
from django.urls import get_resolver
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from fangyuan.access import table
from fangyuan.core import text
from fangyuan.site import wsgi


class Command(BaseCommand):
    """Serve the pages until asked to stop."""

    help = "启动网页服务"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="监听的地址")
        parser.add_argument("--port", type=int, default=8123, help="监听的端口")
        parser.add_argument("--workers", type=int, default=2, help="进程数，每个四线程")

    def handle(self, **options: Any) -> None:
        warm_up()
        Server(
            f"{wsgi.__name__}:application",
            address=options["host"],
            port=options["port"],
            interface=Interfaces.WSGI,
            workers=options["workers"],
            blocking_threads=4,
            websockets=False,
            respawn_failed_workers=True,
            log_level=LogLevels.warning,
        ).serve()


def warm_up() -> None:
    """Load what every process needs before they part, so that its memory is theirs in common."""
    _ = get_resolver().url_patterns
    table.table()
    text.company_pinyin("方圆")
    connections.close_all()
    # What is frozen is not touched by collections, so its pages stay shared.
    gc.collect()
    gc.freeze()
    # A page makes some ten thousand objects and leaves nearly none in circles: look once a page.
    gc.set_threshold(10_000, 10, 10)
