"""A real help desk's log, replayed through the engine: every case comes out as worked out before.

**Weekend starts.** The log's answers come in two modes; ENGINE.md means mode A. It says: 「the day
of the trigger does not count, wherever in the day it falls; due at the end (24:00) of the third
working day after it」. A ticket opened on Saturday with `3wd` is therefore due at the end of
Wednesday: Saturday is not counted, Monday is the first day. Mode B first rolls a start on a day off
forward to the next working day and does not count that one either, which makes it Thursday;
nothing in ENGINE.md rolls a start.

**The 14-day figure** of the log (`R3_breach`) is a gap of more than 14 times 24 hours between one
event and the next, up to the first solution or to the end of the log. That is not ENGINE.md's
`biweek`, which lies fixed on the calendar (two ISO weeks anchored on 2024-01-01). The gap is a
deadline from each event to the next within `336h`, and so it is compared, case by case. The biweek
cadence has no figure there; it is compared with a plain count over the same events, and with the
gaps as far as these bind it: an empty biweek is a gap of more than 14 days, and a gap of more than
28 days holds an empty biweek.

The history is loaded as imported, each row with the `recorded_at` it would have had. By one clock
it is swept from year to year as if the system had been there, by the other at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import modify_settings

from fangyuan.core import events, facts
from fangyuan.core.models import CalendarDay
from fangyuan.engine import sweep
from fangyuan.engine.ledger import Written
from fangyuan.engine.models import Clause, Policy, Rule
from tests.helpdesk import log
from tests.helpdesk.models import STREAMS, Handling, Ticket
from tests.oracle.loading import Load, copy

DAY = timedelta(days=1)
START = datetime(2010, 1, 1, tzinfo=log.ZONE)
# Where the sweeps of each clock halt before the end of the log.
HALTS = {"rec": (), "sh": [datetime(year, 1, 1, tzinfo=log.ZONE) for year in (2012, 2013)]}
IS_IMPORTED = '{"imported": true}'
IMPORTED = datetime(2014, 6, 1, tzinfo=log.ZONE)
RULES: dict[str, dict[str, Any]] = {
    **{
        within: {"kind": "DEADLINE", "on": "opened_at", "until": until, "within": within}
        for within, (until, _) in log.DEADLINES.items()
    },
    "gap": {
        "kind": "DEADLINE",
        "on": "ticket.left_open",
        "until": "ticket.handled",
        "within": "336h",
    },
    "biweek": {
        "kind": "CADENCE",
        "where": {"stage": "OPEN"},
        "event": "handling.at",
        "via": "ticket",
        "per": "biweek",
    },
}
Duty = dict[str, Any]
Ledger = dict[str, dict[tuple[str, str], Duty]]


@pytest.fixture
def desk(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The help desk's app installed, with its tables and streams; nothing of it stays."""
    monkeypatch.setattr(facts, "_streams", dict(facts._streams))
    facts.declare_streams(Ticket, STREAMS)
    with modify_settings(INSTALLED_APPS={"append": "tests.helpdesk"}):
        _clear()
        with connection.schema_editor() as editor:
            editor.create_model(Ticket)
            editor.create_model(Handling)
        events.install(connection)
        yield
        _clear()


def _clear() -> None:
    """Drop the desk's tables and empty the ledger's, which Django's flush does not know."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS helpdesk_handling, helpdesk_ticket")
        cursor.execute("TRUNCATE engine_obligation")


def lay(clock: str) -> dict[int, str]:
    """Write the rules and the whole log as imported history; gives the rules' names by number."""
    made = Load(IMPORTED)
    policy = {"id": 1, "code": "HELP", "version": "1", "title": "服务台", "stage": "PUBLISHED"}
    with transaction.atomic(), connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="import", reason="历史", channel="IMPORT")
        copy(cursor, made, Policy, [policy])
        copy(cursor, made, Clause, _clauses(made))
        copy(cursor, made, Rule, _rules(made))
        copy(cursor, made, Ticket, _tickets(made, clock))
        copy(cursor, made, Handling, _handlings(made, clock))
        cursor.execute("ANALYZE helpdesk_ticket, helpdesk_handling")
    return {made.number(f"rule:{name}"): name for name in RULES}


def _clauses(made: Load) -> Iterator[dict[str, Any]]:
    for name in RULES:
        number = made.number(f"clause:{name}")
        said = {"number": f"HELP-{name}", "text": name, "area": "", "kind": ""}
        yield {"id": number, "policy_id": 1, **said}


def _rules(made: Load) -> Iterator[dict[str, Any]]:
    for name, rule in RULES.items():
        yield {
            "id": made.number(f"rule:{name}"),
            "clause_id": made.number(f"clause:{name}"),
            "line": 0,
            "kind": rule["kind"],
            "record": "ticket",
            "params": {part: said for part, said in rule.items() if part != "kind"},
            "starts_at": START,
        }


def _tickets(made: Load, clock: str) -> Iterator[dict[str, Any]]:
    for told in log.cases(clock).values():
        yield {
            "id": made.number(f"ticket:{told.key}"),
            "key": told.key,
            "opened_at": told.opened_at,
            "resolved_at": told.resolved_at,
            "recorded_at": told.opened_at,
        }


def _handlings(made: Load, clock: str) -> Iterator[dict[str, Any]]:
    for told in log.cases(clock).values():
        for at, place, kind in told.events:
            yield {
                "id": made.number(f"handling:{told.key}/{place}"),
                "ticket_id": made.number(f"ticket:{told.key}"),
                "kind": kind,
                "at": at,
                "recorded_at": at,
            }


def ledger(rules: dict[int, str]) -> Ledger:
    """What stands in the ledger: for each rule, the duty of each case and occurrence."""
    found: Ledger = {name: {} for name in RULES}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.rule_id, t.key, o.occurrence, o.state, o.due_at, o.met_at,"
            " o.cause::text, o.person_id"
            " FROM engine_obligation o JOIN helpdesk_ticket t ON t.id = o.subject_id"
        )
        for rule, key, occurrence, state, due_at, met_at, cause, person in cursor:
            assert person is None  # nobody holds these tickets
            assert (rule, key, occurrence) not in found
            duty = {"state": state, "due_at": due_at, "met_at": met_at, "cause": cause}
            found[rules[rule]][key, occurrence] = duty
    return found


def state_of(due_at: datetime, done_at: datetime | None, now: datetime) -> str:
    """The state of a deadline as of an instant."""
    if done_at is not None and done_at <= now:
        return "MET" if done_at <= due_at else "LATE"
    return "BREACHED" if now > due_at else "OPEN"


def check_past(found: Ledger, clock: str, now: datetime) -> None:
    """As of an instant within the log there is a duty for each case opened by then, and it fits."""
    for within, (until, _) in log.DEADLINES.items():
        if within == "1wd":
            continue  # its due times are not given
        opened = [told for told in log.cases(clock).values() if told.opened_at <= now]
        assert len(found[within]) == len(opened)
        for told in opened:
            due_at = _due(told, within, f"{clock}_CN")
            duty = found[within][told.key, "opened_at"]
            state = state_of(due_at, getattr(told, until), now)
            assert (duty["due_at"], duty["state"]) == (due_at, state), f"{told.key} {within} {now}"


def _due(told: log.Told, within: str, answers: str) -> datetime:
    if within == "24h":
        return told.opened_at + DAY
    last = date.fromisoformat(told.expected[f"deadline{within[0]}_{answers}_A"]) + DAY
    return datetime(last.year, last.month, last.day, tzinfo=log.ZONE)


def check_deadlines(found: Ledger, clock: str, kind: str) -> None:
    """At the end of the log each deadline of each case came out as expected."""
    now = log.end(clock)
    for within, (until, column) in log.DEADLINES.items():
        name = column.format(f"{clock}_{kind}")
        assert len(found[within]) == log.totals()["cases"]
        breaches = 0
        for told in log.cases(clock).values():
            duty = found[within][told.key, "opened_at"]
            done_at, wrong = getattr(told, until), f"{told.key} {within} {duty}"
            # What is not done by the end of the log counts as a breach there, running or not.
            assert (duty["state"] != "MET") == (told.expected[name] == "1"), wrong
            assert duty["state"] == state_of(duty["due_at"], done_at, now), wrong
            assert duty["met_at"] == done_at, wrong
            assert duty["cause"] == IS_IMPORTED, wrong
            if within != "1wd":
                assert duty["due_at"] == _due(told, within, f"{clock}_{kind}"), wrong
            breaches += duty["state"] != "MET"
        assert breaches == log.totals()[name]


def check_gaps(found: Ledger, clock: str) -> None:
    """A case waited more than 14 days for its next event where the log's answers say so."""
    missed = ("LATE", "BREACHED")
    waited = {key for (key, _), duty in found["gap"].items() if duty["state"] in missed}
    cases = log.cases(clock)
    assert waited == {key for key, told in cases.items() if told.expected["R3_breach"] == "1"}
    assert len(waited) == log.totals()["R3_breach"]


def check_biweeks(found: Ledger, clock: str) -> None:
    """Each whole biweek in which an open ticket was not touched is a breach, and nothing else."""
    duties = {place: duty for place, duty in found["biweek"].items() if duty["state"] != "VOID"}
    now = log.end(clock)
    empty = {
        (told.key, f"biweek:{first}")
        for told in log.cases(clock).values()
        for first in empty_biweeks(told, now)
    }
    assert {place for place, duty in duties.items() if duty["state"] == "BREACHED"} == empty
    for (key, occurrence), duty in duties.items():
        first = date.fromisoformat(occurrence.removeprefix("biweek:"))
        happened = [at for at, _, _ in log.cases(clock)[key].events if biweek(at) == first]
        assert duty["met_at"] == min(happened, default=None), f"{key} {duty}"
    gaps = {key: float(told.expected["max_gap_days"]) for key, told in log.cases(clock).items()}
    left = {key for key, _ in empty}
    assert left <= {key for key, gap in gaps.items() if gap >= 14}
    assert left >= {key for key, gap in gaps.items() if gap > 28}


def biweek(at: datetime) -> date:
    """The Monday on which the biweek of an instant begins."""
    return at.date() - DAY * ((at.date() - date(2024, 1, 1)).days % 14)


def empty_biweeks(told: log.Told, now: datetime) -> Iterator[date]:
    """The biweeks, whole and over, in which an open case saw no event."""
    until = told.resolved_at or now
    touched = {biweek(at) for at, _, _ in told.events}
    first = biweek(told.opened_at)
    while (first := first + 14 * DAY) + 14 * DAY <= until.date():
        if first not in touched:
            yield first


def work_every_weekday() -> None:
    """Publish years without any holiday: a Sunday off is all that their notices say."""
    made = Load(IMPORTED)
    sundays = [date(year, 1, 7 - date(year, 1, 1).weekday()) for year in range(2010, 2015)]
    days = [
        {"id": place, "on": on, "is_working": False, "calendar_version": "public"}
        for place, on in enumerate(sundays, start=1)
    ]
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="change", reason="平日历", channel="JOB")
        copy(cursor, made, CalendarDay, days)


def swept(rules: dict[int, str], now: datetime) -> Ledger:
    """The ledger after the next sweep, to an instant."""
    assert sweep.sweep(now).failed == {}
    return ledger(rules)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("clock", HALTS)
def test_every_case_comes_out_as_expected(clock: str) -> None:
    log.folder()
    rules, end = lay(clock), log.end(clock)
    for now in HALTS[clock]:
        check_past(swept(rules, now), clock, now)
    found = swept(rules, end)
    check_deadlines(found, clock, "CN")
    check_gaps(found, clock)
    check_biweeks(found, clock)
    with transaction.atomic():  # a sweep sees what its own transaction changed at once
        work_every_weekday()
        found = swept(rules, end)
    check_deadlines(found, clock, "MF")
    assert sweep.sweep(end, full=True).written == Written()
