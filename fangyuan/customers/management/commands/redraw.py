"""`redraw`: run a published draw again and say whether every line is the same."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan.customers import draw
from fangyuan.customers.models import Allotment

PARTS = ("method", "seed", "seed_digest", "items", "candidates", "result")


class Command(BaseCommand):
    """Draw again from what was published; exit status 1 where a line differs."""

    help = "重演一次分配：用公布的种子再算一遍，逐条比较"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("draw", help="批次编号，或公布的 JSON 文件")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        told = published(options["draw"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        wrong = differences(told)
        for line in wrong:
            self.stderr.write(line)
        if wrong:
            raise SystemExit(1)
        given = draw.counts(told["result"])
        self.stdout.write(f"{len(told['result'])} 条逐条相同，种子与先公布的摘要相符")
        for one in told["candidates"]:
            why = one["why_not"] or f"权重 {one['weight']}，分得 {given.get(one['id'], 0)}"
            self.stdout.write(f"  {one['name']}：{why}")


def published(named: str) -> dict[str, Any]:
    """What was published of a draw, by its number or from a file; raises CommandError."""
    if named.isdigit():
        found = Allotment.objects.everything("重演").filter(pk=int(named)).first()
        if found is None or found.at is None:
            raise CommandError(f"没有已完成的第 {named} 批分配")
        return {name: getattr(found, name) for name in PARTS}
    try:
        told: dict[str, Any] = json.loads(Path(named).read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise CommandError(f"读不了“{named}”：{wrong}") from wrong
    if missing := [name for name in PARTS if name not in told]:
        raise CommandError(f"“{named}”里少了 {'、'.join(missing)}")
    return told


def differences(told: dict[str, Any]) -> list[str]:
    """What is not as published, in Chinese; nothing if all is the same."""
    wrong = []
    if draw.digest(told["seed"]) != told["seed_digest"]:
        wrong.append("种子和先公布的摘要不同")
    again = draw.run(told["seed"], told["method"], told["items"], told["candidates"])
    if len(again) != len(told["result"]):
        wrong.append(f"重演得 {len(again)} 条，公布的是 {len(told['result'])} 条，不同")
    for one, other in zip(again, told["result"], strict=False):
        if one != other:
            wrong.append(f"第 {one['item']} 号重演给 {one['person']}，公布的是 {other}，不同")
    return wrong
