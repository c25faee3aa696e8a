"""A worker killed at random moments leaves the ledger, its history and the reminders as they would
be; FY_KILLS sets how often it is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.oracle.many import ROOT
from tests.twins import twins

KILLS = int(os.environ.get("FY_KILLS", "8"))


def play(place: dict[str, str], *words: str) -> dict[str, Any]:
    """One run in a database of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.oracle.killing", *words],
        cwd=ROOT,
        env=place,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_killed_worker_ends_where_an_undisturbed_one_does(
    django_db_setup: None, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock(), twins("killed", "left_alone") as (killed, left_alone):
        disturbed = play(killed, str(KILLS))
        undisturbed = play(left_alone, "0", *disturbed["instants"])
    assert (disturbed["kills"], undisturbed["kills"]) == (KILLS, 0)
    for name, rows in undisturbed["stands"].items():
        assert rows, name
        assert len(set(rows)) == len(rows), name
        assert disturbed["stands"][name] == rows, name
