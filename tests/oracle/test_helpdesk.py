"""A real help desk's log, judged by the oracle: every case must come out as worked out beforehand.

The figures lie outside the project, in the folder that FY_SHARED names (else `shared` beside the
clone). Where they are not, these tests are reported as not run.

Weekend starts: ENGINE.md means the log's mode A. The day of the trigger never counts, wherever it
falls, so a ticket opened on Saturday with `3wd` is due at the end of Wednesday. Mode B, which
first rolls a start on a day off forward to the next working day, is another rule.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from tests.oracle.calendar_oracle import DAY, ZONE, Calendar, day_of, end_of
from tests.oracle.oracle import settle
from tests.oracle.world import Record, Rule, World

SHARED = Path(os.environ.get("FY_SHARED") or Path(__file__).parents[3] / "shared")
LOG_END = datetime(2014, 1, 4, tzinfo=ZONE)
YEARS = range(2009, 2015)
CLOCKS: dict[str, Callable[[datetime], datetime]] = {
    "rec": lambda at: at.replace(tzinfo=ZONE),  # as the clock on the wall said it
    "sh": lambda at: at.replace(tzinfo=UTC).astimezone(ZONE),
}
SPANS = {"24h": "R1_breach", "1wd": "R1w", "3wd": "R2_3", "7wd": "R2_7"}


def folder(name: str) -> Path:
    """A folder of the real data, or a loud report that the test did not run."""
    path = SHARED / "data" / name
    if not path.is_dir():
        pytest.skip(f"NOT RUN: no {name} data; name its folder by FY_SHARED")
    return path


@cache
def calendar(kind: str) -> Calendar:
    """Monday to Friday, or the State Council's calendar of those years."""
    made = Calendar(published=set(YEARS))
    if kind == "CN":
        told = json.loads(
            (folder("holidays_cn") / "holidays_2010_2019.json").read_text(encoding="utf-8")
        )
        made.public = {date.fromisoformat(d["date"]): not d["isOffDay"] for d in told["days"]}
    return made


@cache
def cases() -> list[dict[str, str]]:
    """The cases with what is expected of each."""
    with (folder("helpdesk") / "expected_per_case.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def instant_of(text: str, clock: str) -> datetime | None:
    """An instant of the log by one of the two clocks."""
    return CLOCKS[clock](datetime.fromisoformat(text).replace(tzinfo=None)) if text else None


def ticket(case: dict[str, str], clock: str) -> Record:
    """A case as a record of a type of these tests' own."""
    opened = instant_of(case["open_utc"], clock)
    assert opened is not None
    moments = {
        "opened_at": opened,
        "responded_at": instant_of(case["response_utc"], clock),
        "resolved_at": instant_of(case["resolved_utc"], clock),
    }
    return Record("ticket", case["case"], opened, moments)


def rules() -> list[Rule]:
    """Answered within a day, by clock and by working day; resolved within 3 and 7 working days."""
    return [
        Rule(
            "HELP-" + within,
            {
                "kind": "deadline",
                "record": "ticket",
                "on": "opened_at",
                "until": "responded_at" if within in ("24h", "1wd") else "resolved_at",
                "within": within,
            },
        )
        for within in SPANS
    ]


@pytest.mark.parametrize("clock", ["rec", "sh"])
@pytest.mark.parametrize("kind", ["MF", "CN"])
def test_every_case_is_judged_as_expected(clock: str, kind: str) -> None:
    told = World(
        rules=rules(),
        calendar=calendar(kind),
        records=[ticket(case, clock) for case in cases()],
    )
    found = {(duty.key, duty.clause.removeprefix("HELP-")): duty for duty in settle(told, LOG_END)}
    assert len(found) == len(cases()) * len(SPANS)
    for case in cases():
        for within, column in SPANS.items():
            duty = found[case["case"], within]
            if within != "24h":
                column = f"{column}_{clock}_{kind}_A"
            wrong = f"{case['case']} {within} {duty}"
            # Late by the end of the log, or never done: both count as a breach there. A duty
            # that is still running on the last day is counted as one too.
            assert (duty.state != "met") == (case[column] == "1"), wrong
            if within in ("3wd", "7wd"):
                last = date.fromisoformat(case[f"deadline{within[0]}_{clock}_{kind}_A"])
                assert duty.due_at == end_of(last), wrong


@pytest.mark.parametrize("kind", ["MF", "CN"])
def test_mode_b_is_another_rule_only_for_starts_on_days_off(kind: str) -> None:
    for case in cases():
        opened = instant_of(case["open_utc"], "sh")
        assert opened is not None
        differs = case[f"deadline3_sh_{kind}_A"] != case[f"deadline3_sh_{kind}_B"]
        if differs:
            assert not calendar(kind).is_working(day_of(opened)), case["case"]


def watched(kind: str = "Resolve ticket") -> dict[str, list[datetime]]:
    """When something happened in each case, up to its first solution or to the end of the log."""
    happened: dict[str, list[tuple[datetime, int, str]]] = {}
    with (folder("helpdesk") / "events.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = instant_of(row["time:timestamp"], "sh")
            assert at is not None
            event = (at, int(row["event_index"]), row["concept:name"])
            happened.setdefault(row["case:concept:name"], []).append(event)
    log_end = max(at for events in happened.values() for at, _, _ in events)
    cut = {}
    for key, events in happened.items():
        events.sort()
        solved = [place for place, event in enumerate(events) if event[2] == kind]
        last = solved[0] + 1 if solved else len(events)
        cut[key] = [at for at, _, _ in events[:last]] + ([] if solved else [log_end])
    return cut


def test_no_gap_of_more_than_fourteen_days() -> None:
    breached = {
        key
        for key, instants in watched().items()
        if any(
            later > calendar("MF").due(earlier, "336h")[0]
            for earlier, later in zip(instants, instants[1:], strict=False)
        )
    }
    assert breached == {case["case"] for case in cases() if case["R3_breach"] == "1"}


def test_the_worked_examples_of_both_modes() -> None:
    text = (folder("holidays_cn") / "expected_examples.json").read_text(encoding="utf-8")
    told = Calendar()
    for path in sorted(folder("holidays_cn").glob("20[0-9][0-9].json")):
        year = json.loads(path.read_text(encoding="utf-8"))
        told.published.add(int(path.stem))
        told.public |= {date.fromisoformat(d["date"]): not d["isOffDay"] for d in year["days"]}
    for example in json.loads(text)["examples"]:
        start, n = date.fromisoformat(example["start"]), example["n"]
        assert told.nth_working_day(start, n).isoformat() == example["A"], example
        rolled = start
        while not told.is_working(rolled):
            rolled += DAY
        assert told.nth_working_day(rolled, n).isoformat() == example["B"], example
