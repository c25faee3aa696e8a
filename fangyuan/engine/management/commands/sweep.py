"""`sweep [--as-of ISO] [--full]`: bring the ledger of duties to an instant."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan.core import spans
from fangyuan.engine import sweep


class Command(BaseCommand):
    """Sweep once and say what it did."""

    help = "按规则把义务扫描到一个时点"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", dest="as_of", help="时点，ISO 8601；缺省为现在")
        parser.add_argument("--full", action="store_true", help="从头全部重算")

    def handle(self, **options: Any) -> None:
        begun = time.perf_counter()
        try:
            as_of = spans.read_instant(options["as_of"]) if options["as_of"] else None
            done = sweep.sweep(as_of, full=options["full"], waits=True)
        except (sweep.BackInTime, spans.SpanError) as refused:
            raise CommandError(str(refused)) from refused
        took = time.perf_counter() - begun
        at = done.as_of.astimezone(spans.SHANGHAI)
        self.stdout.write(
            f"已扫描到 {at:%Y-%m-%d %H:%M:%S}：新增 {done.written.added}，"
            f"改动 {done.written.changed}，状态变化 {done.written.moved}，用时 {took:.2f} 秒"
        )
        for clause, error in done.failed.items():
            self.stderr.write(f"{clause} 没有算成：{error}")
        if done.failed:
            raise CommandError(f"{len(done.failed)} 条条款的规则没有算成，其余已完成")
