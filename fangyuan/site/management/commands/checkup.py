"""`checkup [--policy CODE]`: what is wrong with the rulebook; exit status 1 for serious flaws."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fangyuan.site import flaws


class Command(BaseCommand):
    """Print every flaw that is not on record, the worst first."""

    help = "制度体检：条款、规则和台账里的问题，为什么，数字"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--policy", default="", help="只查这一部制度的代码")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, **options: Any) -> None:
        found = [one.flaw for one in flaws.look(options["policy"]) if not one.kept]
        if options["format"] == "json":
            told = [{**asdict(flaw), "key": flaw.key} for flaw in found]
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            for flaw in found:
                figures = "".join(f"，{name} {value}" for name, value in flaw.figures)
                about = f"{flaw.clause} {flaw.title}".strip()
                label = f"[{flaw.severity_label}] {flaw.kind.label}"
                self.stdout.write(f"{label} {about}：{flaw.why}{figures}")
        if any(flaw.severity == "BAD" for flaw in found):
            raise CommandError("有严重的问题")
