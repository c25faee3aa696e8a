"""`./fy token LOGIN`: a key with which a program acts for a person; shown once."""

from __future__ import annotations

import argparse
import importlib
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from fangyuan import door
from fangyuan.access import tokens

_import = importlib.import_module("fangyuan.desk.management.commands.import")


class Command(BaseCommand):
    """Issue or revoke tokens of the API."""

    help = "发放或收回接口令牌"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("login", metavar="LOGIN")
        parser.add_argument("--name", default="命令行发放", help="用途")
        parser.add_argument("--days", type=int, default=90, help="有效天数，缺省 90")
        parser.add_argument("--revoke", action="store_true", help="收回此人全部令牌")

    def handle(self, *args: Any, **options: Any) -> None:
        person, now = _import.person_of(options["login"]), timezone.now()
        with door.acting(by=None, action="token", reason=options["name"], channel="JOB"):
            if options["revoke"]:
                self.stdout.write(f"已收回 {tokens.revoke(person, at=now)} 个令牌")
                return
            until = now + timedelta(days=options["days"])
            self.stdout.write(tokens.issue(person, name=options["name"], expires_at=until))
