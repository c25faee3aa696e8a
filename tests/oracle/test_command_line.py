"""From files through the command line to the ledger: the shipped packs against the oracle's rules.

Worlds come in by `import --legacy`, are swept, and `obligations` prints what the oracle expects.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.oracle import choices, clauses, histories, oracle, rows, world
from tests.oracle.calendar_oracle import DAY, midnight, read_public
from tests.oracle.choices import Setting
from tests.oracle.world import World

HOLIDAYS = Path(__file__).parents[2] / "fangyuan/core/data/holidays.csv"
NOT_IMPORTED = ("plan", "request")
REQUESTS = "KA-3.3.1c"
# In the past, because nothing may be entered in the future: a spring festival, a national day.
WINDOWS = ((date(2025, 1, 13), 61), (date(2024, 9, 9), 75))


def importable(made: World) -> World:
    """The world without what the import list has no columns for."""
    made.records = [
        record
        for record in made.records
        if record.type not in NOT_IMPORTED and record.facts.get("kind") != "HEALTH"
    ]
    for record in made.records:
        record.removed_at = None
        record.facts.pop("lost_at", None)
    kept = {record.pointer for record in made.records}
    made.waivers = [one for one in made.waivers if one.subject is None or one.subject in kept]
    return made


def shipped(pick: choices.Pick, window: tuple[date, int]) -> Setting:
    """The rules as shipped, adopted by the whole company, with a few company days."""
    first, days = window
    calendar = read_public(HOLIDAYS)
    for _ in range(4):
        calendar.company[first + pick.number(0, days) * DAY] = choices.chance(pick, 50)
    last = midnight(first + days * DAY) + timedelta(hours=pick.number(0, 300))
    return Setting(first, days, clauses.rules_of(), calendar, [], [last])


def bring_in(made: World, folder: Path) -> None:
    """Import every type of a world, each from a file."""
    for kind, listed in rows.to_rows(made).items():
        if not listed:
            continue
        path = folder / f"{kind}.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(listed[0]))
            writer.writeheader()
            writer.writerows(listed)
        call_command("import", kind, path, by="admin", legacy=True, stdout=io.StringIO())


def printed(clause: str, *options: str) -> list[dict[str, Any]]:
    """What `obligations` prints for a clause."""
    out = io.StringIO()
    call_command("obligations", "--clause", clause, *options, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def expected(made: World, clause: str, as_of: datetime) -> list[dict[str, Any]]:
    """The same by the oracle."""
    return [
        {
            "clause": duty.clause,
            "record": duty.record,
            "key": duty.key,
            "occurrence": duty.occurrence,
            "person": duty.person,
            "began_on": duty.began_on.isoformat(),
            "due_at": duty.due_at,
            "met_at": duty.met_at,
            "state": duty.state,
        }
        for duty in oracle.settle(made, as_of)
        if duty.clause == clause
    ]


def comparable(listed: list[dict[str, Any]]) -> list[str]:
    """The columns that both have, with instants as instants, in one order."""
    names = ("record", "key", "occurrence", "person", "began_on", "due_at", "met_at", "state")
    told = []
    for row in listed:
        values = {name: row[name] for name in names}
        for name in ("due_at", "met_at"):
            at = values[name]
            at = datetime.fromisoformat(at) if isinstance(at, str) else at
            values[name] = at and at.timestamp()
        values["state"] = str(values["state"]).lower()
        told.append(json.dumps(values, sort_keys=True))
    return sorted(told)


@pytest.mark.django_db
@pytest.mark.parametrize("window", WINDOWS)
def test_files_through_the_command_line_give_the_oracles_duties(
    window: tuple[date, int], tmp_path: Path
) -> None:
    call_command("prepare", stdout=io.StringIO())
    pick = choices.Dice(window[1])
    setting = shipped(pick, window)
    told = world.renamed(importable(histories.random_world(pick, setting)), "z")
    told.adoptions = None
    bring_in(told, tmp_path)
    as_of = setting.as_of[-1]
    call_command("sweep", as_of=as_of.isoformat(), stdout=io.StringIO())
    known = {person.login for person in told.people} | {record.key for record in told.records}
    for clause in set(clauses.BOUND) - {REQUESTS}:
        wanted = comparable(expected(told, clause, as_of))
        for options in ((), ("--as-of", as_of.isoformat())):
            found = [row for row in printed(clause, *options) if row["key"] in known]
            assert comparable(found) == wanted, (clause, options)
