"""`./fy export TYPE`: the records of one type that a person may see, on the standard output."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan import door
from fangyuan.access import table
from fangyuan.desk.exchange import outbox
from fangyuan.desk.exchange.export import Export
from fangyuan.desk.replies import outcome

_import = importlib.import_module("fangyuan.desk.management.commands.import")


class Command(BaseCommand):
    """Export the records of one type."""

    help = "导出一种记录（jsonl、csv、xlsx）"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("type", metavar="TYPE", help="记录类型，如 customer 或 客户")
        parser.add_argument("--format", choices=list(outbox.FORMATS), default="jsonl")
        parser.add_argument("--by", metavar="LOGIN", default="admin", help="以谁的名义导出")
        parser.add_argument("--out", metavar="FILE", type=Path, help="写到文件，缺省写到标准输出")

    def handle(self, *args: Any, **options: Any) -> None:
        model, actor = _import.model_of(options["type"]), _import.person_of(options["by"])
        kind, form = model.record_name(), options["format"]
        if not table.may(actor, kind, "r"):
            raise CommandError(f"{actor.name}看不到{model._meta.verbose_name}")
        found = model.objects.seen_by(actor).present()
        try:
            waiting = outbox.release(actor, kind, found.count(), "", "命令行")
        except door.Denied as denied:
            raise CommandError(str(denied)) from denied
        if waiting is not None:
            raise CommandError(f"{outcome('导出', waiting)}，批准后再导出")
        export = Export(model, actor, plain=form == "jsonl")
        with _import.target(options["out"]) as target:
            outbox.write(target, export, found, form, sheet=str(model._meta.verbose_name))
