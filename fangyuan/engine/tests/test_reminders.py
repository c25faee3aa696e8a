"""Reminders go out step by step, each once, and never about what was imported or told late."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from fangyuan.engine import kinds, models, reminders, sweep
from fangyuan.org.models import Message
from tests.oracle import agreement
from tests.oracle.calendar_oracle import read_public

HOLIDAYS = Path(__file__).parents[2] / "core/data/holidays.csv"


class Killed(Exception):
    """The process died here."""


@pytest.fixture
def told(db: None) -> agreement.Batch:
    """Some random worlds, swept and reminded up to the first instant."""
    batch = agreement.batch(10, 2, read_public(HOLIDAYS))
    batch.lay()
    first = batch.setting.as_of[0]
    sweep.sweep(first)
    assert reminders.send(first) == 0
    with connection.cursor() as cursor:
        # All this is one transaction, which every sweep would otherwise read anew.
        cursor.execute("DELETE FROM core_event")
    return batch


def _walk(told: agreement.Batch) -> int:
    """Sweep and remind day by day up to the last instant."""
    at, last = told.setting.as_of[0], told.setting.as_of[-1]
    sent = 0
    while at < last:
        at = min(at + timedelta(days=4), last)
        sweep.sweep(at)
        sent += reminders.send(at)
    return sent


def test_each_step_is_said_once_to_the_right_person(told: agreement.Batch) -> None:
    sent = _walk(told)
    messages = Message._base_manager.filter(kind="REMIND")
    assert sent == Message._base_manager.count() > messages.count() > 0
    assert reminders.send(told.setting.as_of[-1]) == 0
    steps = {key.split(":")[2] for key in messages.values_list("step_key", flat=True)}
    assert {"ahead", "due", "late", "manager"} <= steps
    _silent_about_what_was_told_late()
    _told_to_superiors()


def _silent_about_what_was_told_late() -> None:
    said = Message._base_manager.filter(kind="REMIND")
    keys = said.values_list("step_key", flat=True)
    numbers = {int(key.split(":")[1]) for key in keys}
    spoken_of = models.Obligation._base_manager.filter(pk__in=numbers)
    assert not spoken_of.filter(cause__has_key="told_late").exists()


def _told_to_superiors() -> None:
    for message in Message._base_manager.filter(step_key__contains=":manager:")[:20]:
        number = int(message.step_key.split(":")[1])
        owed = models.Obligation._base_manager.get(pk=number)
        assert message.person_id == owed.person.manager_id or owed.person.manager_id is None


def test_killed_anywhere_nothing_is_lost_and_nothing_said_twice(told: agreement.Batch) -> None:
    last = told.setting.as_of[-1]
    sweep.sweep(last)
    number = 1
    while True:
        number = number * 3 + 1
        try:
            with connection.execute_wrapper(_killer(number)):
                sent = reminders.send(last)
            break
        except Killed:
            assert not Message._base_manager.exists()
    assert sent == Message._base_manager.count() > 0


def _killer(number: int) -> Any:
    count = 0

    def kill(execute: Any, *given: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            raise Killed
        return execute(*given)

    return kill


def test_an_alert_is_said_once_to_everybody_it_concerns(told: agreement.Batch) -> None:
    _walk(told)
    said = list(Message._base_manager.filter(kind="ALERT").values_list("step_key", flat=True))
    assert said
    assert len(said) == len(set(said))
    for alert in models.Alert._base_manager.filter(warned_at__isnull=False):
        mine = {key for key in said if key.startswith(f"alert:{alert.pk}:")}
        whose = {alert.person_id, *alert.also_told} - {None}
        assert mine <= {f"alert:{alert.pk}:{person}" for person in whose}
    assert not models.Alert._base_manager.filter(warned_at=None, removed_at=None).exists()


def test_a_rule_may_say_when_and_whom_it_reminds() -> None:
    params = {"on": "learned_at", "until": "recorded_at", "within": "24h"}
    usual = reminders.steps_of(kinds.read("deadline", "customer", params))
    assert [(s.name, s.after, s.says) for s in usual][2:] == [
        ("late", 1, "仍未完成"),
        ("manager", 2, "逾期两个工作日"),
        ("director", 5, "逾期五个工作日"),
    ]
    own = {**params, "remind_before": "2h", "remind_again": 0, "remind_manager": 12}
    steps = reminders.steps_of(kinds.read("deadline", "customer", own))
    assert [s.name for s in steps] == ["ahead", "due", "manager", "director"]
    assert steps[0].before == timedelta(hours=2)
    assert steps[2].says == "逾期 12 个工作日"
