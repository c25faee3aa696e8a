"""`coverage`: how many clauses of each policy are carried and proved, and what others wait for."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand

from fangyuan.engine import models
from fangyuan.site.proof import coverage
from fangyuan.site.proof.coverage import Covered


class Command(BaseCommand):
    """Print coverage per policy, or every clause as JSON."""

    help = "各制度的条款覆盖：共几条、已承载几条、有例子通过几条，其余在等什么"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument("--fresh", action="store_true", help="重跑全部例子")

    def handle(self, *args: Any, **options: Any) -> None:
        covered, failed = coverage.coverage(afresh=options["fresh"])
        for result in failed:
            self.stderr.write(f"{result.file}:{result.line} {result.name}:{result.said}")
        if options["format"] == "json":
            self.stdout.write(json.dumps([_plain(one) for one in covered], ensure_ascii=False))
            return
        titles = dict(models.Policy.objects.everything("覆盖").values_list("code", "title"))
        policies: dict[str, list[Covered]] = defaultdict(list)
        for one in covered:
            policies[one.policy].append(one)
        for policy, clauses in policies.items():
            self._policy(titles.get(policy, policy), clauses)
        self._sum("合计", covered)

    def _policy(self, title: str, clauses: list[Covered]) -> None:
        self._sum(f"《{title}》", clauses)
        for one in clauses:
            if not one.bound:
                self.stdout.write(f"  {one.id} {one.title} 在等 {'、'.join(one.waits_for)}")

    def _sum(self, title: str, clauses: list[Covered]) -> None:
        bound = sum(one.bound for one in clauses)
        exercised = sum(one.exercised for one in clauses)
        self.stdout.write(
            f"{title} 共 {len(clauses)} 条，已承载 {bound} 条，有例子通过 {exercised} 条"
        )


def _plain(one: Covered) -> dict[str, Any]:
    return {
        "id": one.id,
        "policy": one.policy,
        "bound": one.bound,
        "exercised": one.exercised,
        "waits_for": list(one.waits_for),
    }
