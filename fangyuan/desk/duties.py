"""Obligations in the words of the person who owes them: what to do, about whom, where, until when.

Rooms say with `phrase` how a duty of theirs is called and where it is met; whatever nobody named is
called by its clause. Used by the workbench, the duties panel, lists and reminders alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from fangyuan.access import scopes
from fangyuan.core import ready, records
from fangyuan.engine import known, reminders

PERIODS = {
    "day": "今天",
    "week": "本周",
    "biweek": "本双周",
    "month": "本月",
    "quarter": "本季",
    "half-year": "本半年",
    "year": "今年",
}
SHOWN = ("OPEN", "BREACHED")


@dataclass(frozen=True)
class Phrase:
    """How a kind of duty is called, and where it is met; `{id}` is the subject's number.

    Of a type that speaks of another record (`spoken_of`) they are that one's `{kind}` and `{id}`.
    """

    say: str
    url: str
    act: str
    params: Mapping[str, Any]


_phrases: list[tuple[str, Phrase]] = []


def phrase(record: str, *, say: str, url: str, act: str = "去办", **params: Any) -> None:
    """Name the duties about `record` whose rule has these parameters (`until`, `event`, `when` …).

    `say` may hold `{period}`, e.g. 完成{period}拜访. The most particular phrase wins.
    """
    _phrases.append((record, Phrase(say, url, act, params)))


def _phrase(record: str, params: Mapping[str, Any]) -> Phrase | None:
    fitting = [
        found
        for kind, found in _phrases
        if kind == record and all(_fits(params.get(k), v) for k, v in found.params.items())
    ]
    return max(fitting, key=lambda found: len(found.params), default=None)


def _fits(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(given, Mapping):
        return all(given.get(key) == value for key, value in wanted.items())
    return bool(given == wanted)


@dataclass(frozen=True)
class Duty:
    """One obligation as it is shown."""

    pk: int
    title: str
    subject: str
    subject_url: str
    clause: str
    name: str
    clause_url: str
    state: str
    start: datetime
    due: datetime
    met: datetime | None
    person_id: int | None
    person: str
    url: str
    action: str
    why_url: str
    is_told_late: bool

    @property
    def clock(self) -> str:
        """The hour it falls due; 24:00 is the end of the day before. Long past, the day instead."""
        local = timezone.localtime(self.due)
        if self.state == "BREACHED":
            ended = local - timedelta(microseconds=1)
            return f"{ended.month}-{ended.day:02d}"
        return "24:00" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"

    @property
    def done_text(self) -> str:
        """What is said of a duty that is done."""
        if self.met is None or self.is_open:
            return ""
        return "迟办" if self.state == "LATE" else f"{timezone.localtime(self.met):%H:%M} 完成"

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in SHOWN


def describe(found: Iterable[Any], actor: Any) -> list[Duty]:
    """These obligations in words; one query per type of subject, however many there are.

    Subjects outside the actor's rows keep their type's name only.
    """
    rows = list(found)
    known.named(rows)
    meant = _meant(rows)
    names = subject_names([meant.get(_key(row), row) for row in rows], actor)
    return [_duty(row, meant.get(_key(row), row), names) for row in rows]


class Meant(NamedTuple):
    """The record of which a subject speaks."""

    subject_type: str
    subject_id: int


def _key(row: Any) -> tuple[str, int]:
    return row.subject_type, row.subject_id


def _meant(rows: list[Any]) -> dict[tuple[str, int], Meant]:
    """For subjects that only say who has to do with another record, that record."""
    types = records.row_types()
    asked: dict[str, set[int]] = {}
    for kind, number in {_key(row) for row in rows}:
        if getattr(types.get(kind), "spoken_of", ""):
            asked.setdefault(kind, set()).add(number)
    found = {}
    for kind, numbers in asked.items():
        by = types[kind].spoken_of
        pointers = types[kind]._base_manager.order_by().filter(pk__any_of=sorted(numbers))
        for pk, to, number in pointers.values_list("pk", f"{by}_type", f"{by}_id"):
            found[kind, pk] = Meant(to, number)
    return found


def subject_names(rows: list[Any], actor: Any) -> dict[tuple[str, int], str]:
    """The names of what these rows are about; empty where the actor may not see it.

    One query per type; what was named before in the same request is not asked again.
    """
    said: dict[tuple[str, int], str] = actor.__dict__.setdefault("_named", {})
    wanted: dict[str, set[int]] = {}
    for row in rows:
        if row.subject_type and (row.subject_type, row.subject_id) not in said:
            wanted.setdefault(row.subject_type, set()).add(row.subject_id)
    types = records.row_types()
    for kind, numbers in wanted.items():
        seen = scopes.reach(actor, types[kind])
        said.update({(kind, number): "" for number in numbers})
        for record in _SUBJECTS(types[kind], seen, actor=actor, numbers=sorted(numbers)):
            know(record, actor)
    return said


_SUBJECTS = ready.Ready(
    lambda model, seen: (
        model.objects.everything("在范围内")
        .filter(scopes.later(seen, model, few=True), pk__any_of=ready.Slot("numbers"))
        .select_related(*_spoken_of(model))
        .order_by()
    )
)


def know(record: Any, actor: Any) -> None:
    """Note the name of a record that is at hand and that the actor may see."""
    about = next((getattr(record, n) for n in _spoken_of(type(record)) if getattr(record, n)), None)
    said = actor.__dict__.setdefault("_named", {})
    said[record.record_name(), record.pk] = str(about or record)


def know_by_name(kind: str, number: int, name: str | None, actor: Any) -> None:
    """Note a name that is at hand, where records of the type are called by their own."""
    if name and not _spoken_of(records.row_types()[kind]):
        actor.__dict__.setdefault("_named", {})[kind, number] = name


def _spoken_of(model: Any) -> list[str]:
    """The records by whose name a record of this type is called, if it has none of its own."""
    if any(f.name == "name" for f in model._meta.fields):
        return []
    return [f.name for f in model._meta.fields if f.name in ("customer", "plan")]


def _duty(row: Any, about: Any, names: dict[tuple[str, int], str]) -> Duty:
    clause, params = row.rule.clause, row.rule.params
    kind, number = _key(about)
    said = _phrase(row.subject_type, params)
    period = PERIODS.get(params.get("per", ""), "")
    fallback = records.row_types()[kind]._meta.verbose_name
    return Duty(
        pk=row.pk,
        title=said.say.format(period=period) if said else (clause.title or clause.number),
        subject=names.get((kind, number)) or str(fallback),
        subject_url=f"/{kind}/{number}",
        clause=clause.number,
        name=clause.title,
        clause_url=f"/clause/{clause.number}",
        state=row.state,
        start=row.began_at,
        due=row.due_at,
        met=row.met_at,
        person_id=row.person_id,
        person=row.person.name if "person" in row._state.fields_cache and row.person else "",
        url=said.url.format(id=number, kind=kind) if said else f"/{kind}/{number}",
        action=said.act if said else "去办",
        why_url=f"/obligation/{row.pk}",
        is_told_late=bool(row.cause.get("told_late")),
    )


def _called(rows: list[Any], actor: Any) -> list[str]:
    return [f"{duty.title} · {duty.subject}" for duty in describe(rows, actor)]


reminders.name_with(_called)
