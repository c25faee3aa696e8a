"""Event streams: which events of which record happened to a subject, by records.md section 2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle import facts
from tests.oracle.facts import View
from tests.oracle.world import Record


@dataclass(frozen=True)
class Stream:
    """The instant of a source record, filtered, and the type of record it happens to."""

    source: str
    at: str
    subject: str
    when: tuple[tuple[str, Any], ...] = ()


STREAMS = {
    "customer.learned": Stream("customer", "learned_at", "customer"),
    "customer.owner_changed": Stream("holding", "starts_at", "customer"),
    "customer.graded": Stream("customer", "graded_at", "customer"),
    "customer.changed": Stream("change", "clock_at", "customer"),
    "customer.major_changed": Stream("change", "clock_at", "customer", (("is_major", True),)),
    "customer.reviewed": Stream("response", "submitted_at", "customer", (("kind", "REVIEW"),)),
    "customer.talked": Stream("activity", "ended_at", "customer", (("stage", "DONE"),)),
    "customer.visited": Stream(
        "activity", "ended_at", "customer", (("kind", "VISIT"), ("stage", "DONE"))
    ),
    "customer.deep_talked": Stream(
        "activity", "ended_at", "customer", (("is_deep", True), ("stage", "DONE"))
    ),
    "activity.incoming": Stream("activity", "ended_at", "customer", (("is_incoming", True),)),
    "activity.outgoing": Stream("activity", "ended_at", "customer", (("is_incoming", False),)),
    "visit.ended": Stream("activity", "ended_at", "activity", (("kind", "VISIT"),)),
    "visit.written": Stream("activity", "written_at", "activity", (("kind", "VISIT"),)),
    "plan.submitted": Stream("plan", "submitted_at", "person"),
    "person.changed": Stream("change", "occurred_at", "person", (("kind", "MEMBER"),)),
    "request.asked": Stream("request", "asked_at", "request"),
}


@dataclass(frozen=True)
class Event:
    """Something that happened to a record."""

    at: datetime
    recorded_at: datetime
    record: Record


def events(view: View, name: str, subject: Record) -> list[Event]:
    """The events of a named stream that happened to a record, as known by now."""
    return view.once((name, subject.pointer), lambda: list(_events(view, name, subject)))


def _events(view: View, name: str, subject: Record) -> Iterator[Event]:
    stream = STREAMS[name]
    if stream.source == "holding":
        yield from _holdings(view, subject)
        return
    for record in _near(view, stream.source, subject):
        event = _event(view, record, stream.at)
        if event is None or not _happened_to(view, record, stream.subject, subject):
            continue
        if facts.holds(view, record, dict(stream.when), event.at):
            yield event


def counted(view: View, params: dict[str, Any], subject: Record) -> Iterator[Event]:
    """The events that a cadence counts for a record: `event`, by way of `via`, that fit `when`."""
    source, _, instant = params["event"].partition(".")
    for record in _near(view, source, subject):
        event = _event(view, record, instant)
        if event is None or not _belongs(view, record, params["via"], subject):
            continue
        if facts.holds(view, record, params.get("when", {}), event.at):
            yield event


def _near(view: View, source: str, subject: Record) -> list[Record]:
    """The records of a type that may concern a subject: of a customer, only its own."""
    if subject.type != "customer":
        return view.of_type(source)

    def whose(record: Record) -> str | None:
        concerned = view.customer_of(record)
        return None if concerned is None else concerned.pointer

    of = view.once(("near", source), lambda: facts.grouped(view.of_type(source), whose))
    return of.get(subject.pointer, [])


def _event(view: View, record: Record, instant: str) -> Event | None:
    if not view.is_known(record) or view.is_removed(record):
        return None
    at = view.fact(record, instant, view.now)
    return None if at is None else Event(at, record.recorded_at, record)


def _holdings(view: View, subject: Record) -> Iterator[Event]:
    for one in view.holdings(subject.pointer, "OWNER"):
        if one.starts_at <= view.now:
            yield Event(one.starts_at, one.starts_at, subject)


def _happened_to(view: View, record: Record, type: str, subject: Record) -> bool:
    if record.type == type:
        return record.pointer == subject.pointer
    if type == "customer":
        return _is(view.customer_of(record), subject)
    if type == "person" and record.type == "plan":
        return record.facts.get("person") == subject.key
    return record.facts.get("subject") == subject.pointer


def _belongs(view: View, record: Record, via: str, subject: Record) -> bool:
    if via == "subject_customer":
        return _is(view.customer_of(record), subject)
    if via == "subject":
        return record.facts.get("subject") == subject.pointer
    return record.facts.get(via) == subject.key


def _is(found: Record | None, subject: Record) -> bool:
    return found is not None and found.pointer == subject.pointer
