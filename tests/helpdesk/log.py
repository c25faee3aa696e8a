"""The real help desk's log and what was worked out of it beforehand, read where it lies.

The log is not part of the project. FY_SHARED names the folder that holds it, else it is looked for
in `shared` beside the clone; where it is not, the tests are reported as not run.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.helpdesk.models import SOLVED, TAKEN

ZONE = ZoneInfo("Asia/Shanghai")
SHARED = Path(os.environ.get("FY_SHARED") or Path(__file__).parents[3] / "shared")
# The two clocks by which the log can be read: as if the clock on its wall were the company's, or
# as instants.
CLOCKS = {"rec": ZONE, "sh": UTC}
# Within what a ticket must be answered or resolved, and the column in which the answer stands.
DEADLINES = {
    "24h": ("responded_at", "R1_breach"),
    "1wd": ("responded_at", "R1w_{}_A"),
    "3wd": ("resolved_at", "R2_3_{}_A"),
    "7wd": ("resolved_at", "R2_7_{}_A"),
}


@dataclass
class Told:
    """One case: what happened when, in order, and what is expected of it."""

    key: str
    expected: dict[str, str]
    events: list[tuple[datetime, int, str]] = field(default_factory=list)

    @cached_property
    def opened_at(self) -> datetime:
        """The first event opens the case."""
        return self.events[0][0]

    @cached_property
    def responded_at(self) -> datetime | None:
        """When it was first taken in charge."""
        return self._first(TAKEN)

    @cached_property
    def resolved_at(self) -> datetime | None:
        """When it was first resolved."""
        return self._first(SOLVED)

    def _first(self, kind: str) -> datetime | None:
        return next((at for at, _, done in self.events if done == kind), None)


def folder(name: str = "helpdesk") -> Path:
    """A folder of the real data, or a loud report that the test did not run."""
    path = SHARED / "data" / name
    if not path.is_dir():
        pytest.skip(f"NOT RUN: no {name} data; name its folder by FY_SHARED")
    return path


@cache
def totals() -> dict[str, int]:
    """How many cases breach each rule, and how many cases and events there are."""
    told = json.loads((folder() / "expected.json").read_text(encoding="utf-8"))
    return {**told["breaches"], **{name: told[name] for name in ("cases", "events")}}


@cache
def cases(clock: str) -> dict[str, Told]:
    """Every case by its name, its events read by one of the clocks."""
    with (folder() / "expected_per_case.csv").open(encoding="utf-8") as lines:
        found = {row["case"]: Told(row["case"], row) for row in csv.DictReader(lines)}
    with (folder() / "events.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            said = datetime.fromisoformat(row["time:timestamp"]).replace(tzinfo=CLOCKS[clock])
            event = (said.astimezone(ZONE), int(row["event_index"]), row["concept:name"])
            found[row["case:concept:name"]].events.append(event)
    for told in found.values():
        told.events.sort()
    return found


@cache
def end(clock: str) -> datetime:
    """The last instant of the log."""
    return max(told.events[-1][0] for told in cases(clock).values())
