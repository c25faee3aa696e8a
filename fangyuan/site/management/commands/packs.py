"""`packs check FILE…` names the mistakes in packs; `packs load [FILE…]` brings them into force."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan.engine import packs
from fangyuan.engine.packs import check, product
from fangyuan.engine.packs.installation import Clash, Installed


class Command(BaseCommand):
    """Check packs without touching anything, or load them."""

    help = "检查或载入制度包"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="check|load")
        checking = actions.add_parser("check", help="检查制度文件，列出每一处错误")
        checking.add_argument("files", nargs="+", type=Path, metavar="FILE")
        loading = actions.add_parser("load", help="载入制度文件，缺省为随产品发布的全部制度")
        loading.add_argument("files", nargs="*", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        files = options["files"] or packs.shipped()
        if options["action"] == "check":
            self._check(files)
        else:
            self._load(files)

    def _check(self, files: list[Path]) -> None:
        checked = check.check_all(files)
        running = product.running()
        for one in checked:
            for problem in one.problems:
                self.stderr.write(str(problem))
            if one.pack is not None:
                waiting = [p.id for p, _, b in one.pack.rules() if running.waits(b)]
                self.stdout.write(
                    f"{one.file} 没有错误：《{one.pack.head.title}》{one.pack.head.version}，"
                    f"{len(one.pack.provisions)} 条，其中 {len(set(waiting))} 条在等产品的其他部分"
                )
        if wrong := sum(len(one.problems) for one in checked):
            raise CommandError(f"共 {wrong} 处错误，改好后再载入；现行制度没有受影响")

    def _load(self, files: list[Path]) -> None:
        try:
            for done in packs.install(files):
                self.stdout.write(_told(done))
        except check.Broken as broken:
            for problem in broken.problems:
                self.stderr.write(str(problem))
            said = f"共 {len(broken.problems)} 处错误，没有载入；现行制度没有受影响"
            raise CommandError(said) from broken
        except Clash as clash:
            raise CommandError(f"{clash}；没有载入，现行制度没有受影响") from clash


def _told(done: Installed) -> str:
    if not done.changed:
        return f"{done.policy} {done.version} 没有变化"
    return (
        f"{done.policy} {done.version} 已载入：{done.clauses} 条，{done.rules} 条规则生效，"
        f"{done.waiting} 条规则在等产品的其他部分"
    )
