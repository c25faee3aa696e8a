"""`publish DRAFT --from DATE --by LOGIN`: keep a draft, try it on the past, ask for approval."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fangyuan import door
from fangyuan.desk import replies
from fangyuan.engine.management.commands.replay import loaded
from fangyuan.engine.models import InFlight, Policy
from fangyuan.engine.revision import replays, revising
from fangyuan.org.models import Person
from fangyuan.site import actions, drafting

PAST = timedelta(days=90)


class Command(BaseCommand):
    """Publishing needs a replay and another's word: this does the first, asks for the second."""

    help = "把草稿试算后送审；批准后自 --from 起生效"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("draft", type=Path, metavar="DRAFT.yaml")
        parser.add_argument("--from", dest="on", type=date.fromisoformat, required=True)
        parser.add_argument("--by", required=True, metavar="LOGIN")
        parser.add_argument("--in-flight", default="OLD", choices=InFlight.values)
        parser.add_argument("--replay-from", type=date.fromisoformat)
        parser.add_argument("--replay-to", type=date.fromisoformat)

    def handle(self, **options: Any) -> None:
        found = loaded(self, options["draft"])
        by = Person.objects.everything("发布").present().filter(login=options["by"]).first()
        if by is None or not drafting.may_draft(by):
            raise CommandError(f"“{options['by']}”不存在或不能起草制度")
        try:
            draft = self._kept(found, by)
            self._tried(draft, by, options)
            sent = actions.submit(
                draft, on=options["on"], in_flight=options["in_flight"], by=by, channel="JOB"
            )
        except (door.Denied, door.Refused, revising.Unready) as wrong:
            raise CommandError(str(wrong)) from wrong
        self.stdout.write(f"草稿 {draft.version}：{replies.outcome('发布修订', sent)}")

    def _kept(self, found: Any, by: Person) -> Policy:
        with door.acting(by=by, action="draft", channel="JOB") as deed:
            draft = revising.begin(deed, found.policy, found.summary)
            return revising.replace_all(deed, draft, found.changes)

    def _tried(self, draft: Policy, by: Person, options: dict[str, Any]) -> None:
        last = options["replay_to"] or timezone.localdate() - timedelta(days=1)
        first = options["replay_from"] or last - PAST
        one = replays.ask(draft, first, last, by=by)
        replays.run(one)
        one.refresh_from_db()
        draft.refresh_from_db()
        if one.stage != "DONE":
            raise CommandError(f"没有算成：{one.message}")
        flips = one.result["flips"]
        self.stdout.write(
            f"试算 {first} 至 {last}：新抓到 {flips['caught']} 件，不再算 {flips['cleared']} 件"
        )
