"""A worker killed at random moments leaves the ledger, its history and the reminders as they would
be; FY_KILLS sets how often it is killed."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.oracle import many
from tests.twins import twins

KILLS = int(os.environ.get("FY_KILLS", "8"))


@pytest.mark.slow
def test_a_killed_worker_ends_where_an_undisturbed_one_does(
    django_db_setup: None, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock(), twins("killed", "left_alone") as (killed, left_alone):
        disturbed = many.played(killed, str(KILLS))
        undisturbed = many.played(left_alone, "0", *disturbed["instants"])
    assert (disturbed["kills"], undisturbed["kills"]) == (KILLS, 0)
    assert many.apart(disturbed, undisturbed) == []
