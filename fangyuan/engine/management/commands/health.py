"""`health`: how the rules run and what carries them; exit status 1 where something stands badly."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fangyuan.engine import health


class Command(BaseCommand):
    """Print every sign of health."""

    help = "运行状况：扫描、改动积压、失败的规则、排队、台账核对、日历、数据库、磁盘、消息渠道"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, **options: Any) -> None:
        signs = health.report(timezone.now())
        is_well = health.is_well(signs)
        if options["format"] == "json":
            told = {"ok": is_well, "signs": [sign.plain() for sign in signs]}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1, default=str))
        else:
            self.stdout.write("\n".join(health.lines(signs)))
        if not is_well:
            raise CommandError("有异常，见上面标“异常”的几行")
