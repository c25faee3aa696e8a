"""`workdays add FROM DAYS | between FROM TO`: the working calendar on the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan.core import calendar


class Command(BaseCommand):
    """Print one date or one number, and nothing else."""

    help = "按公司日历加工作日，或数两天之间的工作日"

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = parser.add_subparsers(dest="way", required=True)
        add = ways.add_parser("add", help="某日之后第几个工作日")
        add.add_argument("start", metavar="FROM")
        add.add_argument("days", metavar="DAYS", type=int)
        between = ways.add_parser("between", help="前一日之后到后一日（含）有几个工作日")
        between.add_argument("start", metavar="FROM")
        between.add_argument("end", metavar="TO")

    def handle(self, **options: Any) -> None:
        days = calendar.stored()
        start = _day(options["start"])
        if options["way"] == "add":
            try:
                self.stdout.write(days.add(start, options["days"]).isoformat())
            except (ValueError, OverflowError) as wrong:
                raise CommandError("算出的日期超出了日历的范围") from wrong
        else:
            self.stdout.write(str(days.between(start, _day(options["end"]))))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise CommandError(f"“{text}”不是日期，应写成 2026-11-16") from wrong
