"""Building what an example takes as given: imported history, each record with its own entry time.

Nothing here is judged by write-time rules: history came from elsewhere and may be incomplete.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from fangyuan import door
from fangyuan.core import records
from fangyuan.desk.exchange import mistakes, values
from fangyuan.org.models import Holding, Person
from fangyuan.site.proof.stories import Confused
from fangyuan.site.proof.vocabulary import Vocabulary

SINCE, RECORDED, TIMES = "自", "录入", "次数"
BEFORE = "2020-01-01"
PARTS = {str(label): str(code) for code, label in Holding.Role.choices}
CHANGE, TRANSFER, REMOVE = "改", "转交", "删"


def instant(text: Any) -> datetime:
    """An instant as the examples write it; raises Confused."""
    try:
        return values.instant(str(text))
    except mistakes.Bad as bad:
        raise Confused(f"“{text}”不是时刻，写成 2026-05-13 16:00") from bad


class World:
    """The records of one example by the names it gives them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.words = vocabulary

    def tell(self, step: Mapping[str, Any]) -> None:
        """Make one step of what is given true."""
        for key, said in step.items():
            word, _, name = key.partition(" ")
            if not name:
                raise Confused(f"“{key}”要写成 词 名字，如 客户 华清电子")
            details = dict(said or {})
            with door.acting(by=None, action="import", reason="例子", channel="IMPORT"):
                if word in (CHANGE, TRANSFER, REMOVE):
                    self._later(word, name, details)
                else:
                    self._make(word, name, details)

    def _later(self, word: str, name: str, details: dict[str, Any]) -> None:
        record = self.words.find(name)
        since = instant(details.pop(SINCE)) if SINCE in details else timezone.now()
        if word == REMOVE:
            record.removed_at = since
            record.save()
        elif word == TRANSFER:
            self._transfer(record, self.words.find(details["给"]), since)
        else:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('fangyuan.since', %s, true)", [since.isoformat()])
            self._assign(record, details)
            record.save()

    def _transfer(self, record: Any, person: Person, since: datetime) -> None:
        held = Holding._base_manager.filter(
            subject_type=record.record_name(), subject_id=record.pk, role="OWNER", ends_at=None
        )
        held.update(ends_at=since)
        self._hold(record, person, "OWNER", since)

    def _make(self, word: str, name: str, details: dict[str, Any]) -> None:
        model, preset = self.words.record(word)
        details = {**preset, **details}
        own = {str(f.verbose_name) for f in model._meta.concrete_fields}
        holders = {k: details.pop(k) for k in [k for k in details if k in PARTS and k not in own]}
        recorded = details.pop(RECORDED, None)
        times = int(details.pop(TIMES, 1))
        values = self.words.assignments(model, details)
        if not issubclass(model, records.Record):
            self._trace(model, values, times)
            return
        record = self._known(model, values, recorded) or model(imported_at=timezone.now())
        self._name(record, name)
        for field, value in values.items():
            setattr(record, field, value)
        began = getattr(record, model.begins, None)
        if record.pk is None:
            record.recorded_at = instant(recorded) if recorded else _at(began)
        record.index()
        record.save()
        record.refresh_from_db()
        self.words.named[name] = record
        for part, people in holders.items():
            for person in people if isinstance(people, list) else [people]:
                self._hold(record, self.words.find(person), PARTS[part], _at(began))

    def _trace(self, model: Any, values: Mapping[str, Any], times: int) -> None:
        """Traces are only added, and have no entry time of their own."""
        model._base_manager.bulk_create([model(**values) for _ in range(times)])

    def _known(self, model: Any, values: Mapping[str, Any], recorded: Any) -> Any:
        """A team of the installation that the examples share, by its code. Where it is told when
        it was entered, another takes its place: that instant cannot be changed."""
        if "code" not in values or not model._meta.get_field("code").unique:
            return None
        same = model._base_manager.filter(code=values["code"])
        if recorded is not None:
            same.update(code=f"{values['code']}~")
            return None
        return same.first()

    def _name(self, record: Any, name: str) -> None:
        known = {f.name for f in record._meta.concrete_fields}
        for label in ("name", "company", "title"):
            if label in known:
                setattr(record, label, name)
                return

    def _assign(self, record: Any, details: Mapping[str, Any]) -> None:
        for name, value in self.words.assignments(type(record), details).items():
            setattr(record, name, value)

    def _hold(self, record: Any, person: Person, role: str, since: datetime) -> None:
        holding = Holding(
            person=person, role=role, starts_at=since, recorded_at=since, imported_at=timezone.now()
        )
        holding.subject = record
        holding.save()


def _at(began: Any) -> datetime:
    """The instant at which a record began; one without an instant of its own is from before."""
    if isinstance(began, datetime):
        return began
    return instant(began if isinstance(began, date) else BEFORE)
