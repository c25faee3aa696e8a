"""The recomputation from nothing finds one wrong row, whoever wrote it, and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from fangyuan.core.models import Operation
from fangyuan.engine import health, models, recount, sweep
from fangyuan.engine.models import Obligation
from fangyuan.engine.tests.test_sweep import HOLIDAYS
from fangyuan.org.models import Message, Person
from tests.oracle import agreement
from tests.oracle.calendar_oracle import read_public


@pytest.fixture
def swept(db: None) -> agreement.Batch:
    """A few random worlds in the database, swept."""
    batch = agreement.batch(5, 4, read_public(HOLIDAYS))
    batch.lay()
    sweep.sweep(batch.setting.as_of[-1])
    # All of a test is one transaction; this one counts as over.
    write("UPDATE engine_progress SET cursor = pg_current_xact_id()::text::bigint + 1")
    return batch


def write(sql: str, *values: Any) -> None:
    """What somebody with the database's password could do."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def everything() -> list[Any]:
    """All that a check must leave as it is."""
    return [
        list(model._base_manager.order_by("pk").values_list())
        for model in (Obligation, models.Move, models.Tally, models.Alert, models.Wake)
    ]


def test_a_swept_ledger_is_what_the_facts_give(swept: agreement.Batch) -> None:
    before = everything()
    outcome = recount.check()
    assert outcome.ok and outcome.duties and outcome.rules
    assert everything() == before


CORRUPTIONS: dict[str, Callable[[Obligation], None]] = {
    "到期": lambda one: write(
        # Earlier, for the end of a day belongs to it: the tallies are not to differ as well.
        "UPDATE engine_obligation SET due_at = due_at - interval '1 minute' WHERE id = %s",
        one.pk,
    ),
    "责任人": lambda one: write(
        "UPDATE engine_obligation SET person_id = (SELECT max(id) FROM org_person"
        " WHERE id IS DISTINCT FROM person_id) WHERE id = %s",
        one.pk,
    ),
    "台账缺这一行": lambda one: write("DELETE FROM engine_obligation WHERE id = %s", one.pk),
    "重算没有这一行": lambda one: write(
        "UPDATE engine_obligation SET occurrence = 'made up' WHERE id = %s", one.pk
    ),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_one_corrupted_row_is_found_and_both_sides_are_told(
    swept: agreement.Batch, what: str
) -> None:
    one = Obligation._base_manager.exclude(state="VOID").order_by("pk").first()
    CORRUPTIONS[what](one)
    before = everything()
    outcome = recount.check()
    assert not outcome.ok
    assert everything() == before
    found = next(row for row in outcome.differences if what in row["differs"])
    assert found["clause"] == one.rule.clause.number
    assert (found["ledger"] is None) == (what == "台账缺这一行")
    assert (found["recomputed"] is None) == (what == "重算没有这一行")


def test_a_tally_that_was_tampered_with_is_found(swept: agreement.Batch) -> None:
    tally = models.Tally._base_manager.filter(number__gt=0).first()
    write("UPDATE engine_tally SET number = number + 5 WHERE id = %s", tally.pk)
    outcome = recount.check()
    assert outcome.number == 1
    assert outcome.differences[0]["ledger"] == {"number": tally.number + 5}
    assert outcome.differences[0]["recomputed"] == {"number": tally.number}


def test_an_episode_that_was_tampered_with_is_found(swept: agreement.Batch) -> None:
    alert = models.Alert._base_manager.filter(removed_at=None).order_by("pk").first()
    write("SELECT set_config('fangyuan.actor', '0', true)")
    write("UPDATE engine_alert SET known_at = known_at + interval '1 day' WHERE id = %s", alert.pk)
    write("UPDATE engine_progress SET cursor = pg_current_xact_id()::text::bigint + 1")
    outcome = recount.check()
    assert alert.rule.clause.number in {one["clause"] for one in outcome.differences}
    assert "得知" in str(outcome.differences)


def test_what_changed_after_the_sweep_is_no_difference(swept: agreement.Batch) -> None:
    """A record entered or corrected since waits for the next sweep."""
    one = Obligation._base_manager.exclude(state="VOID").order_by("pk").first()
    write("UPDATE engine_obligation SET cause = '{\"told_late\": true}' WHERE id = %s", one.pk)
    assert not recount.check().ok
    write("UPDATE engine_progress SET cursor = 0")
    outcome = recount.check()
    assert outcome.ok
    assert outcome.pending == 1


def test_the_command_ends_with_a_status_that_a_script_can_read(swept: agreement.Batch) -> None:
    out = StringIO()
    call_command("check-ledger", format="json", stdout=out)
    assert json.loads(out.getvalue())["ok"]
    write("UPDATE engine_obligation SET state = 'MET' WHERE state = 'BREACHED'")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check-ledger", stdout=out)
    assert "处不一致" in out.getvalue()
    assert "  台账 状态 按时" in out.getvalue()
    assert "  重算 状态 违规" in out.getvalue()


def test_the_night_checks_once_and_raises_the_alarm(swept: agreement.Batch) -> None:
    chief = Person._base_manager.order_by("pk").first()
    Person._base_manager.filter(pk=chief.pk).update(is_admin=True)
    write("UPDATE engine_obligation SET state = 'MET' WHERE state = 'BREACHED'")
    recount.nightly(lambda: None)
    recount.nightly(lambda: None)
    kept = Operation._base_manager.get(kind="RECOUNT")
    assert kept.is_ok is False and kept.ended_at is not None
    message = Message._base_manager.get(person=chief, subject_type="operation")
    assert "处不一致" in message.title and "重算" in message.text
    found = health.look(timezone.now())
    assert not found["ok"]
    assert "台账核对" in found["message"]


def test_a_check_is_due_again_after_the_next_night(swept: agreement.Batch) -> None:
    recount.nightly(lambda: None)
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    write("SET LOCAL fangyuan.actor = '0'")
    Operation._base_manager.filter(kind="RECOUNT").update(started_at=yesterday)
    recount.nightly(lambda: None)
    assert Operation._base_manager.filter(kind="RECOUNT").count() == 2


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_a_full_sweep_puts_right_whatever_was_tampered_with(
    swept: agreement.Batch, what: str
) -> None:
    CORRUPTIONS[what](Obligation._base_manager.exclude(state="VOID").order_by("pk").first())
    write(
        "UPDATE engine_tally SET number = number + 5 WHERE id = (SELECT max(id) FROM engine_tally)"
    )
    sweep.sweep(swept.setting.as_of[-1], full=True)
    write("UPDATE engine_progress SET cursor = pg_current_xact_id()::text::bigint + 1")
    assert recount.check().ok
