"""A world as the rows of the import files, type by type, in the columns of the import list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from tests.oracle.calendar_oracle import ZONE
from tests.oracle.world import Record, Span, World

Row = dict[str, str]
COLUMNS: dict[str, tuple[str, ...]] = {
    "customer": ("grade", "is_ka", "ka_tier", "learned_at"),
    "activity": (
        "customer", "person", "kind", "purpose", "is_deep", "is_incoming", "started_at",
        "ended_at", "situation", "feedback", "result", "written_at",
    ),
    "change": (
        "subject", "kind", "occurred_at", "known_at", "known_proof", "updated_at", "reported_by",
    ),
    "response": ("subject", "person", "submitted_at", "covers"),
    "plan": ("person", "kind", "period", "submitted_at", "items_complete"),
    "request": ("action", "asked_by", "asked_at", "decided_at"),
}  # fmt: skip


def to_rows(world: World) -> dict[str, list[Row]]:
    """Every record type of a world, in an order in which each refers only to earlier ones."""
    return {
        "calendar_day": [
            {"on": text(day), "is_working": text(worked), "name": "公司安排"}
            for day, worked in sorted(world.calendar.company.items())
        ],
        "person": [
            {
                "login": one.login,
                "name": one.login,
                "work_no": one.login,
                "manager": text(one.manager),
                "joined_on": text(one.joined_on),
            }
            for one in world.people
        ],
        "team": [
            {
                "code": one.code,
                "name": one.code,
                "kind": one.kind,
                "parent": text(one.parent),
                "leader": text(one.leader),
            }
            for one in world.teams
        ],
        "membership": [
            _row(one, ("person", "team", "position", "is_main", "starts_on", "ends_on"))
            for one in world.memberships
        ],
        "customer": list(_records(world, "customer")),
        "tracked": list(_tracked(world)),
        "leave": [
            {
                **_row(one, ("person", "starts_at", "ends_at", "stand_in", "stage")),
                "requested_at": text(one.starts_at),
            }
            for one in world.leaves
        ],
        **{type: list(_records(world, type)) for type in COLUMNS if type != "customer"},
        "holding": [
            _row(one, ("subject", "person", "role", "starts_at", "ends_at"))
            for one in world.holdings
        ],
        "waiver": [
            {**_row(one, ("clause", "subject", "person", "starts_at", "ends_at")), "reason": "特批"}
            for one in world.waivers
        ],
    }


def text(value: Any) -> str:
    """A value as an import file writes it; nothing is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(ZONE).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (tuple, list, set)):
        return ";".join(sorted(str(one) for one in value))
    return str(value)


def _row(one: Any, columns: tuple[str, ...]) -> Row:
    return {column: text(getattr(one, column)) for column in columns}


def _records(world: World, type: str) -> Iterator[Row]:
    for record in world.records:
        if record.type != type:
            continue
        row = {"key": record.key, "recorded_at": text(record.recorded_at)}
        row |= {column: text(record.facts.get(column)) for column in COLUMNS[type]}
        if type == "customer":
            row |= {
                "name": f"{record.key} 有限公司",
                "address": "测试路 1 号",
                "source": "REFERRAL",
            }
        if type == "response":
            row["form"] = str(record.facts["kind"])
        yield row


def _tracked(world: World) -> Iterator[Row]:
    """The whole history of each tracked fact: an empty value where a span ends with no other."""
    for record in world.records:
        for fact, spans in record.tracked.items():
            for span, after in zip(spans, [*spans[1:], None], strict=True):
                yield _told(record, fact, (text(span.value), span.starts_at))
                if span.ends_at is not None and not _touches(span, after):
                    yield _told(record, fact, ("", span.ends_at))


def _touches(span: Span, after: Span | None) -> bool:
    return after is not None and after.starts_at == span.ends_at


def _told(record: Record, fact: str, since: tuple[str, datetime]) -> Row:
    return {
        "subject": record.pointer,
        "fact": fact,
        "value": since[0],
        "starts_at": text(since[1]),
    }
