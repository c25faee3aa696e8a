"""`replay DRAFT --from DATE --to DATE`: what a draft would have given, beside what was in force."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fangyuan.engine import models
from fangyuan.engine.packs import check, revisions
from fangyuan.engine.revision import drafts, replay
from fangyuan.org.models import Team


class Command(BaseCommand):
    """Try a draft from a file on the past; nothing is written."""

    help = "用草稿重放一段过去：谁会多出违规、多少工作量；不写任何数据"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("draft", type=Path, metavar="DRAFT.yaml")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
        parser.add_argument("--team", help="部门代码，缺省为全公司")
        parser.add_argument("--format", choices=["json", "text"], default="text")

    def handle(self, **options: Any) -> None:
        found = loaded(self, options["draft"])
        asked = self._asked(options)
        policy = models.Policy(code=found.policy, changes=found.changes)
        done = replay.told(replay.replay(drafts.trials(policy), asked))
        report = {"policy": found.policy, "summary": found.summary, **done}
        if options["format"] == "json":
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))
        else:
            self.stdout.write(told(report))

    def _asked(self, options: dict[str, Any]) -> replay.Asked:
        if options["first"] > options["last"]:
            raise CommandError("--from 不能晚于 --to")
        team = None
        if options["team"]:
            rows = Team.objects.everything("试算").present()
            team = rows.filter(code=options["team"]).values_list("pk", flat=True).first()
            if team is None:
                raise CommandError(f"没有代码为“{options['team']}”的部门")
        return replay.Asked(options["first"], options["last"], timezone.now(), team)


def loaded(command: BaseCommand, path: Path) -> revisions.Read:
    """The draft in a file; its mistakes go to the standard error."""
    try:
        found = revisions.load(path)
    except check.Broken as broken:
        for problem in broken.problems:
            command.stderr.write(str(problem))
        raise CommandError(f"共 {len(broken.problems)} 处错误，没有试算") from broken
    if not found.changes:
        raise CommandError("草稿和现行制度没有差别")
    return found


def told(report: dict[str, Any]) -> str:
    """The report in a few lines."""
    lines = [f"{report['from']} 至 {report['to']}，用时 {report['seconds']} 秒"]
    for one in report["clauses"]:
        lines.append(f"{one['clause']} {one['sentence_after'] or '这条规则停用'}")
        lines.append(_counted(one))
    for row in report["people"][:10]:
        who = f"{row['name'] or '无人负责'} {row['team']}"
        lines.append(f"  {who} {row['missed_before']} → {row['missed_after']}")
    return "\n".join(lines)


# What a family counts, what of it is missed or refused, what comes and goes.
WORDS = {
    "DUTIES": ("义务", "违规与迟办", "新抓到", "不再算"),
    "REFUSALS": ("经过的动作", "会被拦下", "新拦下", "不再拦"),
    "REQUESTS": ("申请", "", "新增", "减少"),
    "ALERTS": ("预警", "", "新增", "减少"),
}


def _counted(one: dict[str, Any]) -> str:
    before, after, flips = one["before"], one["after"], one["flips"]
    number, missed, more, fewer = WORDS[one["family"]]
    said = f"  {number} {before['duties']} → {after['duties']}，"
    if missed:
        said += f"{missed} {before['missed']} → {after['missed']}，"
        return f"{said}{more} {flips['caught']}，{fewer} {flips['cleared']}"
    return f"{said}{more} {flips['added']}，{fewer} {flips['dropped']}"
