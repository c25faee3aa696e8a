"""`./fy import TYPE FILE --by LOGIN`: records from a table, all of them or none."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan.desk.exchange import batches, columns, load
from fangyuan.org.models import Person


class Command(BaseCommand):
    """Import a file of one record type."""

    help = "导入一种记录的表格（xlsx、csv、jsonl）"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("type", metavar="TYPE", help="记录类型，如 customer 或 客户")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--by", metavar="LOGIN", required=True, help="以谁的名义导入")
        parser.add_argument("--legacy", action="store_true", help="历史导入，保留给定的录入时间")
        parser.add_argument("--dry-run", action="store_true", help="只检查，不写入")
        parser.add_argument("--partial", action="store_true", help="留下正确的行")

    def handle(self, *args: Any, **options: Any) -> None:
        order = load.Order(
            model=model_of(options["type"]),
            path=options["file"],
            by=person_of(options["by"]),
            is_history=options["legacy"],
            is_partial=options["partial"],
            is_rehearsal=options["dry_run"],
        )
        outcome = batches.run_file(order)
        for note in outcome.notes:
            self.stderr.write(note)
        for mistake in outcome.mistakes:
            self.stderr.write(str(mistake))
        self.stdout.write(_said(order, outcome))
        if outcome.mistakes:
            sys.exit(1)


def _said(order: load.Order, outcome: load.Outcome) -> str:
    if outcome.mistakes and not order.is_partial:
        return f"共 {outcome.total} 行，有误 {outcome.failed} 行。没有写入任何一行"
    counts = (
        f"共 {outcome.total} 行：新建 {outcome.created}，修改 {outcome.changed}，"
        f"不变 {outcome.unchanged}，有误 {outcome.failed}"
    )
    return f"{counts}。只检查，没有写入" if order.is_rehearsal else counts


@contextmanager
def target(path: Path | None) -> Iterator[Any]:
    """The file to write, or the standard output."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with path.open("wb") as file:
            yield file


def model_of(name: str) -> Any:
    """The record type named on the command line."""
    try:
        return columns.type_of(name)
    except LookupError as unknown:
        raise CommandError(str(unknown.args[0])) from unknown


def person_of(login: str) -> Person:
    """The enabled person with this login."""
    person = Person.objects.everything("命令行").filter(login=login).first()
    if person is None or not person.is_active:
        raise CommandError(f"没有登录名为“{login}”的启用账户")
    return person
