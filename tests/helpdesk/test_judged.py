"""The same log judged by the oracle, which shares nothing with the engine; and the two modes."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from tests.helpdesk import log
from tests.oracle.calendar_oracle import DAY, Calendar, day_of, end_of
from tests.oracle.oracle import settle
from tests.oracle.world import Record, Rule, World

YEARS = range(2009, 2015)
FORTNIGHT = timedelta(days=14)


@cache
def calendar(kind: str) -> Calendar:
    """Monday to Friday, or the State Council's calendar of those years."""
    # One ordinary Monday a year says that the year is published.
    made = Calendar(
        {date(year, 1, 8): date(year, 1, 8).isoweekday() <= 5 for year in YEARS}, set(YEARS)
    )
    if kind == "CN":
        path = log.folder("holidays_cn") / "holidays_2010_2019.json"
        told = json.loads(path.read_text(encoding="utf-8"))
        made.public = {date.fromisoformat(d["date"]): not d["isOffDay"] for d in told["days"]}
    return made


def rules() -> list[Rule]:
    """Answered within a day, by clock and by working day; resolved within 3 and 7 working days."""
    return [
        Rule(
            f"HELP-{within}",
            {
                "kind": "deadline",
                "record": "ticket",
                "on": "opened_at",
                "until": until,
                "within": within,
            },
        )
        for within, (until, _) in log.DEADLINES.items()
    ]


def ticket(told: log.Told) -> Record:
    """A case as the oracle knows it."""
    names = ("opened_at", "responded_at", "resolved_at")
    return Record("ticket", told.key, told.opened_at, {n: getattr(told, n) for n in names})


@pytest.mark.parametrize("clock", log.CLOCKS)
@pytest.mark.parametrize("kind", ["MF", "CN"])
def test_the_oracle_judges_every_case_as_expected(clock: str, kind: str) -> None:
    cases = log.cases(clock)
    world = World(
        rules=rules(), calendar=calendar(kind), records=[ticket(told) for told in cases.values()]
    )
    found = settle(world, log.end(clock) + DAY)
    assert len(found) == len(cases) * len(log.DEADLINES)
    for duty in found:
        told, within = cases[duty.key], duty.clause.removeprefix("HELP-")
        column = log.DEADLINES[within][1].format(f"{clock}_{kind}")
        # Done too late or never by the end of the log: both count as breaches there.
        assert (duty.state != "met") == (told.expected[column] == "1"), (duty.key, within)
        if within in ("3wd", "7wd"):
            last = told.expected[f"deadline{within[0]}_{clock}_{kind}_A"]
            assert duty.due_at == end_of(date.fromisoformat(last)), (duty.key, within)


@pytest.mark.parametrize("kind", ["MF", "CN"])
def test_mode_b_is_another_rule_only_for_starts_on_days_off(kind: str) -> None:
    for told in log.cases("sh").values():
        if told.expected[f"deadline3_sh_{kind}_A"] != told.expected[f"deadline3_sh_{kind}_B"]:
            assert not calendar(kind).is_working(day_of(told.opened_at)), told.key


def test_no_gap_of_more_than_fourteen_days() -> None:
    cases = log.cases("sh")
    waited = {told.key for told in cases.values() if max(gaps(told)) > FORTNIGHT}
    assert waited == {told.key for told in cases.values() if told.expected["R3_breach"] == "1"}


def gaps(told: log.Told) -> list[timedelta]:
    """The times between the events of a case up to its first solution or the end of the log."""
    instants: list[datetime] = []
    for at, _, kind in told.events:
        instants.append(at)
        if kind == log.SOLVED:
            break
    else:
        instants.append(log.end("sh"))
    return [b - a for a, b in zip(instants, instants[1:], strict=False)] or [timedelta()]


def test_the_worked_examples_of_both_modes() -> None:
    folder = log.folder("holidays_cn")
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
