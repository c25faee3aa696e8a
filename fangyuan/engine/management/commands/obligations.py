"""`obligations [--clause ID] [--person LOGIN] [--as-of ISO]`: the ledger, as JSON lines."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan.core import spans
from fangyuan.engine import listing


class Command(BaseCommand):
    """Print obligations: as they stand, or as they stood or would stand at an instant."""

    help = "列出义务，一行一个 JSON 对象"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clause", help="只列这一条款")
        parser.add_argument("--person", help="只列这个登录名的义务")
        parser.add_argument("--as-of", dest="as_of", help="时点，ISO 8601；缺省为上次扫描")
        parser.add_argument("--format", choices=["jsonl"], default="jsonl")

    def handle(self, **options: Any) -> None:
        try:
            as_of = spans.read_instant(options["as_of"]) if options["as_of"] else None
            rows = listing.rows(clause=options["clause"], person=options["person"], as_of=as_of)
            for row in rows:
                self.stdout.write(json.dumps(row, ensure_ascii=False))
        except (listing.Unknown, spans.SpanError) as refused:
            raise CommandError(str(refused)) from refused
