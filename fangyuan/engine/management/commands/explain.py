"""`explain OBLIGATION`: why an obligation exists, why it is red, how it turns green."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fangyuan.core import spans
from fangyuan.engine import explain, models, reasons


class Command(BaseCommand):
    """Print one explanation in Chinese."""

    help = "解释一项义务：依据、起因、计日、责任人、为何是这个状态、怎样转绿"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("obligation", type=int, help="义务编号")

    def handle(self, **options: Any) -> None:
        found = (
            models.Obligation.objects.everything("解释").filter(pk=options["obligation"]).first()
        )
        if found is None:
            raise CommandError(f"没有编号为 {options['obligation']} 的义务")
        told = explain.explain(found, now=timezone.now())
        person = told.person or "没有人负责，记在团队"
        lines = [
            f"{told.clause} {told.clause_text}",
            f"制度：{told.policy} 版本 {told.version}",
            f"规则：{told.sentence}",
            f"对象：{told.subject}",
            f"起因：{told.trigger}",
            f"计算：{told.counting}",
            f"责任人：{person}",
            f"状态：{reasons.state(told.state)}。{told.why}",
            f"怎样转绿：{told.how}",
        ]
        skipped = [f"{d.on:%m-%d}{d.name and ' ' + d.name}" for d in told.days if not d.counts]
        if skipped:
            lines.insert(6, f"跳过的日子：{'、'.join(skipped)}")
        lines += [f"归属：{h.person} {_span(h)}" for h in told.holders]
        lines += [f"变动：{_day(m.at)} 由{m.was}变为{m.became}，{m.said}" for m in told.moves]
        self.stdout.write("\n".join(lines))


def _day(at: Any) -> str:
    return f"{at.astimezone(spans.SHANGHAI):%Y-%m-%d %H:%M}"


def _span(held: explain.Held) -> str:
    return f"{_day(held.starts_at)} 起" + (f"，{_day(held.ends_at)} 止" if held.ends_at else "")
