"""A real help desk's log, judged by oracle and engine: every case comes out as expected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from django.db import connection

from fangyuan.core import events
from fangyuan.engine import sweep
from tests.oracle import helpdesk, laying, ticket
from tests.oracle.calendar_oracle import DAY, ZONE, Calendar, day_of, end_of
from tests.oracle.choices import Setting
from tests.oracle.loading import Load, Values, copy
from tests.oracle.oracle import settle
from tests.oracle.world import SHIPPED_FROM, Adoption, Rule, World

Verdicts = dict[tuple[str, str], tuple[str, datetime]]
FORTNIGHT = "336h"
GAPS = Rule(
    "HELP-gap",
    {
        "kind": "deadline",
        "record": "ticket",
        "on": "ticket.waiting",
        "until": "ticket.touched",
        "within": FORTNIGHT,
    },
)


def unexpected(found: Verdicts, clock: str, kind: str) -> list[str]:
    """Every case and span whose verdict or due day is not the expected one."""
    wrong = []
    for case in helpdesk.cases():
        for within, column in helpdesk.SPANS.items():
            state, due_at = found[case["case"], within]
            if within != "24h":
                column = f"{column}_{clock}_{kind}_A"
            # Done too late or never by the end of the log: both count as breaches there.
            if (state != "met") != (case[column] == "1"):
                wrong.append(f"{case['case']} {within}: {state}")
            if within in ("3wd", "7wd"):
                last = date.fromisoformat(case[f"deadline{within[0]}_{clock}_{kind}_A"])
                if due_at != end_of(last):
                    wrong.append(f"{case['case']} {within}: due {due_at}, not {last}")
    assert len(found) == len(helpdesk.cases()) * len(helpdesk.SPANS)
    return wrong


@pytest.mark.parametrize("clock", ["rec", "sh"])
@pytest.mark.parametrize("kind", ["MF", "CN"])
def test_the_oracle_judges_every_case_as_expected(clock: str, kind: str) -> None:
    told = World(
        rules=helpdesk.rules(),
        calendar=helpdesk.calendar(kind),
        records=[helpdesk.ticket_of(case, clock) for case in helpdesk.cases()],
    )
    found = {
        (duty.key, duty.clause.removeprefix("HELP-")): (duty.state, duty.due_at)
        for duty in settle(told, helpdesk.LOG_END)
    }
    assert unexpected(found, clock, kind) == []


@pytest.mark.parametrize("kind", ["MF", "CN"])
def test_mode_b_is_another_rule_only_for_starts_on_days_off(kind: str) -> None:
    for case in helpdesk.cases():
        opened = helpdesk.instant_of(case["open_utc"], "sh")
        assert opened is not None
        if case[f"deadline3_sh_{kind}_A"] != case[f"deadline3_sh_{kind}_B"]:
            assert not helpdesk.calendar(kind).is_working(day_of(opened)), case["case"]


def test_no_gap_of_more_than_fourteen_days() -> None:
    touched, solved, log_end = helpdesk.steps()
    breached = set()
    for key, instants in touched.items():
        watched = instants if key in solved else [*instants, log_end]
        for earlier, later in zip(watched, watched[1:], strict=False):
            if later > helpdesk.calendar("MF").due(earlier, FORTNIGHT)[0]:
                breached.add(key)
    assert breached == long_gaps()


def long_gaps() -> set[str]:
    """The cases that lay untouched for more than a fortnight."""
    return {case["case"] for case in helpdesk.cases() if case["R3_breach"] == "1"}


def test_the_worked_examples_of_both_modes() -> None:
    folder = helpdesk.folder("holidays_cn")
    told = Calendar()
    for path in sorted(folder.glob("20[0-9][0-9].json")):
        year = json.loads(path.read_text(encoding="utf-8"))
        told.published.add(int(path.stem))
        told.public |= {date.fromisoformat(d["date"]): not d["isOffDay"] for d in year["days"]}
    text = (folder / "expected_examples.json").read_text(encoding="utf-8")
    for example in json.loads(text)["examples"]:
        start, n = date.fromisoformat(example["start"]), example["n"]
        assert told.nth_working_day(start, n).isoformat() == example["A"], example
        rolled = start
        while not told.is_working(rolled):
            rolled += DAY
        assert told.nth_working_day(rolled, n).isoformat() == example["B"], example


# --- the engine, with a record type of the tests' own


@pytest.fixture
def desk(db: None) -> Iterator[SimpleNamespace]:
    """The ticket's record types, for one test."""
    helpdesk.folder("helpdesk")
    with ticket.registered() as made:
        yield made


def lay(rules: list[Rule], kind: str) -> None:
    """Rules of the help desk in force, under one of the two calendars."""
    setting = Setting(
        date(2010, 1, 1), 0, rules, helpdesk.calendar(kind), [Adoption("HELP", SHIPPED_FROM)]
    )
    laying.lay(setting)


def ledger() -> Iterator[tuple[str, str, str, datetime]]:
    """Each duty of a ticket: key, clause, state, due time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.key, c.number, lower(o.state), o.due_at FROM engine_obligation o"
            " JOIN engine_rule r ON r.id = o.rule_id JOIN engine_clause c ON c.id = r.clause_id"
            " JOIN oracle_ticket t ON t.id = o.subject_id WHERE o.subject_type = 'ticket'"
        )
        yield from cursor.fetchall()


def load(desk: SimpleNamespace, clock: str) -> Load:
    """Every case as a ticket."""
    made = Load(SHIPPED_FROM, first=2_000_000)
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="import", reason="工单", channel="IMPORT")
        copy(cursor, made, desk.Ticket, _tickets(made, clock))
        cursor.execute("ANALYZE oracle_ticket")
    return made


def _tickets(made: Load, clock: str) -> Iterator[Values]:
    for case in helpdesk.cases():
        told = helpdesk.ticket_of(case, clock)
        yield {
            "id": made.number(told.pointer),
            "key": told.key,
            "recorded_at": told.recorded_at,
            **told.facts,
        }


@pytest.mark.parametrize("clock", ["rec", "sh"])
@pytest.mark.parametrize("kind", ["MF", "CN"])
def test_the_engine_judges_every_case_as_expected(
    desk: SimpleNamespace, clock: str, kind: str
) -> None:
    lay(helpdesk.rules(), kind)
    load(desk, clock)
    assert sweep.sweep(helpdesk.LOG_END, full=True).failed == {}
    found = {
        (key, clause.removeprefix("HELP-")): (state, due_at.astimezone(ZONE))
        for key, clause, state, due_at in ledger()
    }
    assert unexpected(found, clock, kind) == []


def test_the_engine_finds_every_gap_of_more_than_fourteen_days(desk: SimpleNamespace) -> None:
    touched, solved, log_end = helpdesk.steps()
    lay([GAPS], "MF")
    made = load(desk, "sh")
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="import", reason="工单", channel="IMPORT")
        copy(cursor, made, desk.TicketEvent, _events(made, touched, solved))
        cursor.execute("ANALYZE oracle_ticket_event")
    assert sweep.sweep(log_end, full=True).failed == {}
    breached = {key for key, _, state, _ in ledger() if state in ("late", "breached")}
    assert breached == long_gaps()


def _events(made: Load, touched: dict[str, list[datetime]], solved: set[str]) -> Iterator[Values]:
    for key, instants in touched.items():
        for place, at in enumerate(instants):
            yield {
                "id": made.number(f"ticket_event:{key}/{place}"),
                "ticket_id": made.number(f"ticket:{key}"),
                "at": at,
                "recorded_at": at,
                "is_solution": key in solved and place == len(instants) - 1,
            }


def test_the_tests_record_type_is_gone_afterwards() -> None:
    with pytest.raises(LookupError):
        ticket.apps.get_model("core", "Ticket")
