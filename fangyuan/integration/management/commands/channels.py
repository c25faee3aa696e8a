"""`channels`: how the channels do; with `--test NAME --to LOGIN` one message is sent right away."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fangyuan.integration import setup, state
from fangyuan.integration.models import Channel
from fangyuan.org.models import Person


class Command(BaseCommand):
    """Print the state of each channel, or the exact answer to a test."""

    help = "消息渠道的状态；试发一条"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--test", metavar="NAME", help="试发：渠道的名称")
        parser.add_argument("--to", metavar="LOGIN", default="admin", help="试发给谁")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, **options: Any) -> None:
        if options["test"]:
            self._test(options["test"], options["to"])
            return
        found = state.channel_state(timezone.now())
        if options["format"] == "json":
            told = [{**asdict(one), "is_well": one.is_well} for one in found]
            self.stdout.write(json.dumps(told, ensure_ascii=False, default=str))
        else:
            for one in found:
                self.stdout.write(f"{one.name}（{one.kind}）：{one.sentence}")
        if not all(one.is_well for one in found):
            raise CommandError("有渠道发不出去")

    def _test(self, name: str, login: str) -> None:
        channel = Channel.objects.everything("命令行").present().filter(name=name).first()
        if channel is None:
            raise CommandError(f"没有叫“{name}”的渠道，用 channels 列出全部")
        person = Person.objects.everything("命令行").present().filter(login=login).first()
        if person is None:
            raise CommandError(f"没有登录名“{login}”")
        answer = setup.test(channel, person, timezone.now())
        if answer.outcome not in ("SENT", "DELIVERED"):
            raise CommandError(f"没有发成，对方答复：{answer.text}")
        self.stdout.write(f"已发出，对方答复：{answer.text}")
