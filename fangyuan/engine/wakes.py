"""Instants that lie ahead in a record: the sweep looks at it again when they come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import F, Q

from fangyuan.core import facts, measured, records, spans, timelines, words
from fangyuan.core.models import Tracked
from fangyuan.engine import models, rulebook, scope
from fangyuan.engine.changes import Changes
from fangyuan.engine.kinds import Alert, BadRule, Cadence, Deadline, Required

# Spans that apply whatever was recorded: the edges at which what they say changes.
SPANS: Final = {
    "membership": ("starts_on", "ends_on"),
    "holding": ("starts_at", "ends_at"),
    "waiver": ("starts_at",),
    "tracked": ("starts_at", "ends_at"),
}


def take(*, as_of: datetime) -> list[tuple[str, int]]:
    """Remove and give the records of which an instant has come."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM engine_wake WHERE at <= %s RETURNING record, record_id", [as_of]
        )
        return list(cursor.fetchall())


def keep(changes: Changes, rules: Iterable[models.Rule], *, as_of: datetime) -> None:
    """Remember the instants ahead of the changed records."""
    read = _read_by(rules)
    for record, changed in changes.records.items():
        _keep(record, read.get(record, set()), as_of=as_of, numbers=list(changed))


def rebuild(rules: Iterable[models.Rule], *, as_of: datetime) -> None:
    """Find the instants ahead of all records anew."""
    models.Wake.objects.everything("规则扫描").delete()
    read = _read_by(rules)
    for record in {*read, *SPANS}:
        _keep(record, read.get(record, set()), as_of=as_of, numbers=None)


def _read_by(rules: Iterable[models.Rule]) -> dict[str, set[str]]:
    """The instants that rules read, by record type."""
    read: dict[str, set[str]] = {}
    for rule in rules:
        try:
            kind = rulebook.kind_of(rule)
        except BadRule:
            continue
        for record, name in _moments(kind):
            read.setdefault(record, set()).add(name)
    return read


def _moments(kind: Any) -> Iterable[tuple[str, str]]:
    yield kind.record, "recorded_at"
    yield kind.record, kind.model.begins
    if kind.model.ends:
        yield kind.record, kind.model.ends
    names = set(words.names(kind.where))
    if isinstance(kind, Required):
        names |= {*words.names(kind.wanted), str(kind.since)}
    if isinstance(kind, Alert):
        names |= words.names(kind.plainly)
    for name in names:
        yield from _edges_of(kind.model, name)
    if isinstance(kind, Cadence):
        yield from _of_source(kind.event.split(".")[0], kind.at)
    elif isinstance(kind, Deadline):
        for name in (kind.on, kind.until):
            stream = facts.stream(name, kind.record)
            yield from _of_source(stream.source, stream.at) if stream else [(kind.record, name)]


def _of_source(source: str, at: str) -> Iterable[tuple[str, str]]:
    yield source, "recorded_at"
    yield source, at


def _edges_of(model: Any, name: str) -> Iterable[tuple[str, str]]:  # noqa: C901 - one a fact type
    fact = facts.find(model, name)
    if isinstance(fact, facts.Via):
        yield from _edges_of(fact.target, fact.of)
    elif isinstance(fact, facts.Among | facts.Since):
        yield from _edges_of(model, fact.of)
    elif isinstance(fact, measured.Measured) and measured.has_bin(fact.events):
        # Traces without a bin are written when they happen: none lies ahead.
        yield from _of_source(fact.source, fact.at)
    elif isinstance(fact, facts.Phases):
        yield from ((model.record_name(), at) for _, at in fact.begun_by)
    elif isinstance(fact, facts.Until):
        yield model.record_name(), fact.until
    elif isinstance(fact, facts.Plain) and fact.kind in ("at", "date") and fact.is_temporal:
        yield model.record_name(), name
    if fact.is_temporal:
        yield model.record_name(), model.begins


def _keep(record: str, names: set[str], *, as_of: datetime, numbers: list[int] | None) -> None:
    model = records.row_types().get(record)
    names = {*names, *SPANS.get(record, ())}
    if model is None or not names or numbers == []:
        return
    if record == "tracked":
        _keep_told(as_of=as_of, numbers=numbers)
    for name in sorted({*names, "removed_at"}):
        fact = facts.find(model, name)
        by_day = fact.kind == "date"
        floor: Any = spans.day_of(as_of) if by_day else as_of
        rows = model._base_manager.order_by().annotate(fy_at=scope.value_of(model, name))
        rows = rows.filter(Q(fy_at__gte=floor) if by_day else Q(fy_at__gt=floor))
        if numbers is not None:
            rows = rows.filter(pk__any_of=numbers)
        # The last day of a span belongs to it: what it says changes when the day is over.
        at = timelines.instant("r.at", by_day=by_day, days=int(name in ("ends_on", "left_on")))
        _insert(record, timelines.text_of(rows.values_list("pk", "fy_at")), at, as_of=as_of)


def _keep_told(*, as_of: datetime, numbers: list[int] | None) -> None:
    """Some tracked facts are instants themselves: they come like any other."""
    told = Tracked._base_manager.order_by().filter(value__regex=r"^\d{4}-\d\d-\d\d[ T]\d\d:")
    if numbers is not None:
        told = told.filter(pk__any_of=numbers)
    source = timelines.text_of(told.annotate(fy_at=F("value")).values_list("pk", "fy_at"))
    _insert("tracked", source, "r.at::timestamptz", as_of=as_of)


def _insert(record: str, source: str, at: str, *, as_of: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO engine_wake (record, record_id, at)
                SELECT '{record}', r.id, {at} FROM ({source}) r (id, at)
                 WHERE {at} > {timelines.literal(as_of)}::timestamptz
                ON CONFLICT DO NOTHING"""  # noqa: S608 - declared names and quoted literals
        )
