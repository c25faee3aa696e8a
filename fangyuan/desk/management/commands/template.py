"""`./fy template TYPE`: an empty table with the columns that an import of this type takes."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from fangyuan.core import tables
from fangyuan.desk.exchange import columns

_import = importlib.import_module("fangyuan.desk.management.commands.import")


class Command(BaseCommand):
    """Write the template of one record type."""

    help = "写出一种记录的导入模板"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("type", metavar="TYPE", help="记录类型，如 customer 或 客户")
        parser.add_argument("--format", choices=["csv", "xlsx"], default="csv")
        parser.add_argument("--out", metavar="FILE", type=Path, help="写到文件，缺省写到标准输出")

    def handle(self, *args: Any, **options: Any) -> None:
        model = _import.model_of(options["type"])
        header = [column.label for column in columns.template(model)]
        write = tables.write_csv if options["format"] == "csv" else tables.write_xlsx
        with _import.target(options["out"]) as target:
            write(target, header, [])
