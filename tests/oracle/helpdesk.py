"""A real help desk's log and what is expected of each of its cases.

The figures lie outside the project, in the folder that FY_SHARED names (else `shared` beside the
clone). Where they are not, the tests are reported as not run.

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

from tests.oracle.calendar_oracle import ZONE, Calendar
from tests.oracle.world import Record, Rule

SHARED = Path(os.environ.get("FY_SHARED") or Path(__file__).parents[3] / "shared")
LOG_END = datetime(2014, 1, 4, tzinfo=ZONE)
YEARS = range(2009, 2015)
CLOCKS: dict[str, Callable[[datetime], datetime]] = {
    "rec": lambda at: at.replace(tzinfo=ZONE),  # as the clock on the wall said it
    "sh": lambda at: at.replace(tzinfo=UTC).astimezone(ZONE),
}
SOLUTION = "Resolve ticket"
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
    # One ordinary Monday a year says that the year is published.
    made = Calendar(
        {date(year, 1, 8): date(year, 1, 8).isoweekday() <= 5 for year in YEARS}, set(YEARS)
    )
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


def ticket_of(case: dict[str, str], clock: str) -> Record:
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


def steps() -> tuple[dict[str, list[datetime]], set[str], datetime]:
    """When each case was touched up to its first solution, which were solved, and the log's end."""
    happened: dict[str, list[tuple[datetime, int, str]]] = {}
    with (folder("helpdesk") / "events.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = instant_of(row["time:timestamp"], "sh")
            assert at is not None
            step = (at, int(row["event_index"]), row["concept:name"])
            happened.setdefault(row["case:concept:name"], []).append(step)
    touched: dict[str, list[datetime]] = {}
    solved = set()
    for key, listed in happened.items():
        listed.sort()
        names = [name for _, _, name in listed]
        last = len(listed)
        if SOLUTION in names:
            solved.add(key)
            last = names.index(SOLUTION) + 1
        touched[key] = [at for at, _, _ in listed[:last]]
    end = max(at for listed in happened.values() for at, _, _ in listed)
    return touched, solved, end
