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
# The instants ahead that a full sweep found so far.
AHEAD: Final = "engine_ahead"
_GATHERED: Final = """
CREATE TEMP TABLE IF NOT EXISTS engine_ahead (record text, record_id bigint, at timestamptz);
TRUNCATE engine_ahead;
"""
_SAME: Final = "w.record = a.record AND w.record_id = a.record_id AND w.at = a.at"
_REMEMBERED: Final = f"""
DELETE FROM engine_wake w WHERE NOT EXISTS (SELECT FROM engine_ahead a WHERE {_SAME});
INSERT INTO engine_wake (record, record_id, at)
SELECT DISTINCT a.record, a.record_id, a.at FROM engine_ahead a
 WHERE NOT EXISTS (SELECT FROM engine_wake w WHERE {_SAME});
TRUNCATE engine_ahead;
"""  # noqa: S608 - fixed text


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


def gather(rules: Iterable[models.Rule], *, as_of: datetime) -> None:
    """Find the instants ahead of all records anew, beside what is remembered."""
    with connection.cursor() as cursor:
        cursor.execute(_GATHERED)
    read = _read_by(rules)
    for record in {*read, *SPANS}:
        _keep(record, read.get(record, set()), as_of=as_of, numbers=None, into=AHEAD)


def remember_gathered() -> None:
    """Remember what was gathered and nothing else; writes only where they differ."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBERED)


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
    elif isinstance(fact, facts.DaysTo):
        yield model.record_name(), fact.day
    elif isinstance(fact, facts.Plain) and fact.kind in ("at", "date") and fact.is_temporal:
        yield model.record_name(), name
    if fact.is_temporal:
        yield model.record_name(), model.begins


def _keep(
    record: str,
    names: set[str],
    *,
    as_of: datetime,
    numbers: list[int] | None,
    into: str = "engine_wake",
) -> None:
    model = records.row_types().get(record)
    names = {*names, *SPANS.get(record, ())}
    if model is None or not names or numbers == []:
        return
    if record == "tracked":
        _keep_told(as_of=as_of, numbers=numbers, into=into)
    rows = model._base_manager.order_by()
    rows = rows if numbers is None else rows.filter(pk__any_of=numbers)
    is_ahead, instants = Q(), []
    # All instants of a record in one reading of it.
    for place, name in enumerate(sorted({*names, "removed_at"})):
        by_day = facts.find(model, name).kind == "date"
        floor: Any = spans.day_of(as_of) if by_day else as_of
        rows = rows.annotate(**{f"fy_{place}": scope.value_of(model, name)})
        is_ahead |= Q(**{f"fy_{place}__gte" if by_day else f"fy_{place}__gt": floor})
        # The last day of a span belongs to it: what it says changes when the day is over.
        days = int(name in ("ends_on", "left_on"))
        instants.append(timelines.instant(f"r.at_{place}", by_day=by_day, days=days))
    columns = [f"_{place}" for place in range(len(instants))]
    source = timelines.text_of(
        rows.filter(is_ahead).values_list("pk", *(f"fy{one}" for one in columns))
    )
    source = f"({source}) r (id, {', '.join(f'at{one}' for one in columns)})"
    _insert(record, source, instants, as_of=as_of, into=into)


def _keep_told(*, as_of: datetime, numbers: list[int] | None, into: str) -> None:
    """Some tracked facts are instants themselves: they come like any other."""
    told = Tracked._base_manager.order_by().filter(value__regex=r"^\d{4}-\d\d-\d\d[ T]\d\d:")
    if numbers is not None:
        told = told.filter(pk__any_of=numbers)
    source = timelines.text_of(told.annotate(fy_at=F("value")).values_list("pk", "fy_at"))
    _insert("tracked", f"({source}) r (id, at)", ["r.at::timestamptz"], as_of=as_of, into=into)


def _insert(record: str, source: str, instants: list[str], *, as_of: datetime, into: str) -> None:
    values = ", ".join(f"({at})" for at in instants)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {into} (record, record_id, at)
                SELECT '{record}', r.id, x.at FROM {source}
                 CROSS JOIN LATERAL (VALUES {values}) AS x (at)
                 WHERE x.at > {timelines.literal(as_of)}::timestamptz
                ON CONFLICT DO NOTHING"""  # noqa: S608 - declared names and quoted literals
        )
