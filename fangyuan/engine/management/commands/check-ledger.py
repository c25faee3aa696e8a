"""`check-ledger`: recompute the ledger from nothing and compare; writes nothing to it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fangyuan.engine import recount


class Command(BaseCommand):
    """Print every difference with both sides; exit status 1 where there is one."""

    help = "从头重算一遍，与台账逐行比对；不改台账，有不一致时退出码不为 0"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument("--keep", action="store_true", help="结果记入运维作业，不一致时告警")

    def handle(self, **options: Any) -> None:
        started_at = timezone.now()
        try:
            outcome = recount.check()
        except recount.Unswept as wrong:
            raise CommandError(str(wrong)) from wrong
        if options["keep"]:
            recount.keep(outcome, started_at=started_at)
        if options["format"] == "json":
            self.stdout.write(json.dumps(recount.report(outcome), ensure_ascii=False, indent=1))
        else:
            self.stdout.write("\n".join(recount.said(outcome)))
        if not outcome.ok:
            raise CommandError("台账与重算不一致，或有规则没有核对")
