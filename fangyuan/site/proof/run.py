"""Running examples in one transaction that is rolled back, and keeping what came out."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.utils import timezone

from fangyuan import door
from fangyuan.core import calendar, events, records
from fangyuan.core import models as core
from fangyuan.engine import alerts, kinds, ledger, packs, rulebook
from fangyuan.forms import seed
from fangyuan.opportunities import pipelines
from fangyuan.site.proof import stories
from fangyuan.site.proof.deeds import Deeds
from fangyuan.site.proof.stories import Confused, Story
from fangyuan.site.proof.verdicts import Verdicts
from fangyuan.site.proof.vocabulary import Vocabulary
from fangyuan.site.proof.world import World

PACKAGE = Path(__file__).resolve().parents[2]
CODE = {".py", ".sql", ".yaml", ".csv"}


@dataclass(frozen=True)
class Result:
    """What came of one example."""

    clause: str
    name: str
    file: str
    line: int
    passed: bool
    said: str = ""


class Company:
    """The company of the examples, built once; every example leaves it as it was."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary(stories.cast())
        for step in self.vocabulary.cast.given:
            World(self.vocabulary).tell(step)

    def run(self, story: Story) -> Result:
        """Run one example and undo it."""
        at = story.line
        words = Vocabulary(
            self.vocabulary.cast, self.vocabulary.lookups, dict(self.vocabulary.named)
        )
        with transaction.atomic():
            try:
                for part, act in _acts(words, story.clause):
                    for number, step in enumerate(getattr(story.told, part)):
                        at = story.line_of(part, number)
                        act(step)
                said = ""
            except Confused as confused:
                said = confused.sentence
            except (door.Stale, Error, kinds.BadRule, ValidationError, LookupError) as wrong:
                said = f"{type(wrong).__name__}:{wrong}"
            transaction.set_rollback(True)
        return Result(story.clause, story.name, story.file, at, not said, said)


def _acts(words: Vocabulary, clause: str) -> Iterator[tuple[str, Any]]:
    yield "given", World(words).tell
    yield "when", Deeds(words).do
    yield "then", Verdicts(words, clause, functools.partial(settle, words)).check


def settle(words: Vocabulary, at: datetime, clauses: list[str]) -> None:
    """Settle the rules of these clauses over the records of an example, as of an instant."""
    rules = [rule for rule in rulebook.duties() if rule.clause.number in clauses]
    book = rulebook.open_book(at, calendar.stored())
    with connection.cursor() as cursor:
        cursor.execute("SELECT engine_partitions((%s + interval '3 months')::date)", [at])
    ledger.prepare()
    named: dict[str, set[int]] = {}
    for one in words.named.values():
        named.setdefault(one.record_name(), set()).add(one.pk)
    for rule in rulebook.alerts():
        if rule.clause.number in clauses and rule.record in named:
            raised = alerts.settle(rule, book, named[rule.record])[1]
            named.setdefault("alert", set()).update(raised)
    for rule in rules:
        if rule.record in named:
            ledger.pick(rule, named[rule.record], book)
    ledger.settle_picked(as_of=at)


@contextmanager
def company() -> Iterator[Company]:
    """A company with the shipped packs in force, in a transaction that leaves nothing behind."""
    with transaction.atomic():
        _as_the_application()
        if not core.Term.objects.everything("例子").filter(domain="source").exists():
            call_command("prepare", verbosity=0, skip_checks=True)
        else:
            packs.install(packs.shipped())
            with door.acting(by=None, action="prepare", reason="例子") as deed:
                seed.plant(deed)
                pipelines.plant(deed)
        calendar.lay_out(calendar.stored())
        _make_room()
        _adopt_everything()
        yield Company()
        transaction.set_rollback(True)


def _as_the_application() -> None:
    """What an example may do the program must be able to do with the rights that it is given."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [events.APP_ROLE])
        if cursor.fetchone():
            cursor.execute(f"SET LOCAL ROLE {events.APP_ROLE}")


def _make_room() -> None:
    """Put customers that happen to be called as in an example out of its way."""
    names = {
        key.split(" ")[-1]
        for story in all_stories()
        for step in (*story.told.given, *story.told.when)
        for key in step
    }
    customers: Any = records.row_types()["customer"]
    with door.acting(by=None, action="import", reason="例子", channel="IMPORT"):
        called = customers._base_manager.filter(name__in=names, removed_at=None)
        called.update(removed_at=timezone.now())


def _adopt_everything() -> None:
    """The examples hold whatever this company adopted, and since when."""
    with door.acting(by=None, action="import", reason="例子", channel="IMPORT"):
        core.Tracked._base_manager.filter(subject_type="team", fact="policies").delete()
        teams: Any = records.row_types()["team"]
        teams._base_manager.filter(kind="COMPANY").update(policies=[])
        core.Tracked._base_manager.filter(subject_type="team", fact="policies").delete()


@functools.cache
def all_stories() -> list[Story]:
    """Every example of every policy."""
    return [story for path in stories.books() for story in stories.stories(path)]


def run_all(here: Company) -> list[Result]:
    """Run every example and keep the results."""
    results = [here.run(story) for story in all_stories()]
    keep(results)
    return results


def keep(results: Iterable[Result]) -> None:
    """Write the results beside the data, with the state of everything they depend on."""
    content = {"of": fingerprint(), "results": [asdict(result) for result in results]}
    with contextlib.suppress(OSError):
        results_file().parent.mkdir(parents=True, exist_ok=True)
        results_file().write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def kept() -> list[Result] | None:
    """The results of the last run, if nothing that they depend on has changed since."""
    try:
        content = json.loads(results_file().read_text(encoding="utf-8"))
        if content["of"] != fingerprint():
            return None
        return [Result(**result) for result in content["results"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def results_file() -> Path:
    """Where the results of the last run are kept."""
    return Path(settings.DATA) / "cases.json"


@functools.cache
def fingerprint() -> str:
    """The state of the packs, the examples and the code, as this process found them."""
    sha = hashlib.sha256()
    folders = (packs.FOLDER, PACKAGE)
    for path in sorted(p for folder in folders for p in folder.rglob("*") if p.suffix in CODE):
        if "tests" not in path.parts:
            sha.update(str(path.name).encode())
            sha.update(path.read_bytes())
    return sha.hexdigest()
