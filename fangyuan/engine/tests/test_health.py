"""The report of health says what is wrong, and its status tells a script."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from fangyuan.core.models import CalendarDay
from fangyuan.engine import health, models, recount, sweep


@pytest.fixture
def swept(company: Any) -> Any:
    """A small company, swept and its ledger checked."""
    sweep.sweep(timezone.now())
    recount.keep(recount.check(), started_at=timezone.now())
    # All of a test is one transaction; this one counts as over.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE engine_progress SET cursor = pg_current_xact_id()::text::bigint + 1")
    return company


def levels() -> dict[str, str]:
    """How each sign stands now."""
    return {sign.name: sign.level for sign in health.report(timezone.now())}


def test_a_fresh_sweep_is_well(swept: Any) -> None:
    found = levels()
    names = {"sweep", "lag", "rules", "queue", "ledger", "calendar", "imports", "channels"}
    assert names <= set(found)
    assert {found[name] for name in names} == {"ok"}
    assert {"database", "connections", "disk"} <= set(found)


def test_without_a_sweep_nothing_is_well(company: Any) -> None:
    found = {sign.name: sign for sign in health.report(timezone.now())}
    assert found["sweep"].level == "bad"
    assert "./fy sweep" in found["sweep"].said
    with pytest.raises(CommandError):
        call_command("health", stdout=StringIO())


def test_a_worker_that_stopped_and_a_rule_that_fails_are_told(swept: Any) -> None:
    long_ago = timezone.now() - timedelta(hours=3)
    models.Progress._base_manager.filter(rule=None).update(beat_at=long_ago)
    found = {sign.name: sign for sign in health.report(timezone.now())}
    assert found["sweep"].level == "bad" and "3 小时" in found["sweep"].said
    assert not health.look(timezone.now())["ok"]


def test_changes_that_no_sweep_has_read_are_counted(swept: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE engine_progress SET cursor = 0")
        cursor.execute("UPDATE core_event SET at = at - interval '1 hour'")
    assert levels()["lag"] == "bad"


def test_a_year_without_published_holidays_is_told(swept: Any) -> None:
    this_year = timezone.localdate().replace(month=5, day=1).replace(year=2019)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('fangyuan.actor', '0', true)")
    CalendarDay._base_manager.create(
        on=this_year, is_working=False, name="劳动节", calendar_version="public"
    )
    assert levels()["calendar"] == "bad"


def test_the_report_is_read_by_scripts(swept: Any) -> None:
    out = StringIO()
    call_command("health", format="json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["ok"]
    assert {"name", "label", "level", "said", "figures"} == set(told["signs"][0])
    out = StringIO()
    call_command("health", stdout=out)
    assert "[正常] 扫描：" in out.getvalue()
