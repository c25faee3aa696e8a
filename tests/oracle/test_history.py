"""The ledger as it stood: seen by its history it is what it was, on random worlds that change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fangyuan.core import spans
from fangyuan.engine import history, ledger, models, sweep
from tests.oracle import agreement
from tests.oracle.calendar_oracle import day_of, midnight, read_public

HOLIDAYS = Path(__file__).parents[2] / "fangyuan/core/data/holidays.csv"
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
Row = tuple[Any, ...]


@pytest.fixture(params=[3, 11])
def told(request: pytest.FixtureRequest, db: None) -> agreement.Batch:
    """Random worlds as they stood before, in the database and not swept yet."""
    batch = agreement.batch(request.param, 40, read_public(HOLIDAYS), with_past=True)
    batch.final, batch.last_setting = batch.worlds, batch.setting  # type: ignore[attr-defined]
    batch.worlds, batch.setting = batch.earlier, batch.before
    batch.lay()
    return batch


def stands() -> dict[int, Row]:
    """Every duty as it stands in the ledger now."""
    rows = models.Obligation.objects.everything("comparison").values_list(
        "pk", "person_id", "due_at", "met_at", "state"
    )
    return {pk: tuple(rest) for pk, *rest in rows}


def seen(at: datetime, sense: str) -> dict[int, Row]:
    """Every duty of now as it stood at an instant."""
    found = history.stood(list(stands()), at, sense)
    return {
        pk: (duty.person_id, duty.due_at, duty.met_at, duty.state) for pk, duty in found.items()
    }


def instants(told: agreement.Batch) -> Iterator[tuple[datetime, Any]]:
    """When to sweep, and which worlds are true by then: changes come in two portions."""
    final, setting = told.final, told.last_setting  # type: ignore[attr-defined]
    first, second, third = setting.as_of
    half = len(final) // 2
    yield first, (told.worlds, told.setting)
    yield first + timedelta(hours=7), ([*final[:half], *told.worlds[half:]], told.setting)
    yield first + 2 * DAY, (final, told.setting)
    yield second, (final, setting)
    yield third, (final, setting)


def test_past_states_and_tallies_are_what_they_were(told: agreement.Batch) -> None:
    was: dict[datetime, dict[int, Row]] = {}
    tallies: dict[date, set[Row]] = {}
    for at, (worlds, setting) in instants(told):
        told.become(worlds, setting)
        assert sweep.sweep(at, full=True).failed == {}
        was[at], tallies[day_of(at - TICK)] = stands(), ledger.rebuilt_tally()
    moved = models.Move.objects.everything("comparison")
    assert moved.filter(was="BREACHED").exists()
    assert moved.filter(because__cause="handover").exists()
    for at, rows in was.items():
        assert history.basis(at) == history.KNOWN
        assert seen(at, history.KNOWN) == rows
        assert seen(at + TICK, history.KNOWN) == rows
    for day, numbers in tallies.items():
        assert history.tallied(day) == numbers
    assert history.tallied(max(tallies) + DAY) == ledger.rebuilt_tally()


def test_before_it_was_kept_the_ledger_is_inferred_from_what_it_knew(
    told: agreement.Batch,
) -> None:
    at = told.setting.as_of[-1]
    assert sweep.sweep(at, full=True).failed == {}
    duties = list(models.Obligation.objects.everything("comparison").select_related("rule"))
    assert history.tallied(day_of(at - TICK)) == ledger.rebuilt_tally()
    first = min(day_of(shown(duty)) for duty in duties)
    last = day_of(at - TICK) - DAY
    for day in (first + n * DAY for n in range((last - first).days + 1)):
        end = midnight(day + DAY)
        assert history.basis(end) == history.TODAY
        there = {duty.pk: naive(duty, end) for duty in duties if shown(duty) < end}
        expected = Counter(
            (duty.rule_id, duty.person_id, day_of(duty.due_at - TICK), there[duty.pk])
            for duty in duties
            if there.get(duty.pk)
        )
        assert history.tallied(day) == {(*key, number) for key, number in expected.items()}
        found = seen(end, history.TODAY)
        assert {pk: row[-1] for pk, row in found.items() if pk in there} == {
            pk: state for pk, state in there.items() if state
        }


def naive(duty: Any, at: datetime) -> str | None:
    """What state a duty was in at an instant, by its row of today; None if it never was one."""
    left = duty.cause.get("left_at")
    if duty.state == "VOID" and left is None:
        return None
    if left is not None and datetime.fromisoformat(left) <= at:
        return "VOID"
    if duty.state == "WAIVED":
        waiver = models.Waiver.objects.everything("comparison").get(pk=duty.cause["waiver"])
        if waiver.starts_at <= at:
            return "WAIVED"
    if duty.met_at is not None and duty.met_at <= at:
        return "MET" if duty.met_at <= duty.due_at else "LATE"
    is_past = at >= duty.due_at if duty.rule.kind == "CADENCE" else at > duty.due_at
    return "BREACHED" if is_past and not duty.cause.get("provisional") else "OPEN"


def shown(duty: Any) -> datetime:
    """From when a duty stands in the ledger: its beginning, or a period before if due by then."""
    if duty.due_at > duty.began_at or duty.rule.kind != "CADENCE":
        return duty.began_at  # type: ignore[no-any-return]
    return spans.parse_key(duty.occurrence).previous().start


def test_what_todays_facts_say_of_now_is_what_stands(told: agreement.Batch) -> None:
    at = told.setting.as_of[-1]
    sweep.sweep(at, full=True)
    rows = models.Obligation.objects.everything("comparison").exclude(cause__has_key="gone")
    # A deadline at the very instant is red just after it.
    pks = set(rows.exclude(due_at=at).values_list("pk", flat=True))
    found = {pk: row for pk, row in seen(at + TICK, history.TODAY).items() if pk in pks}
    assert found == {pk: row for pk, row in stands().items() if pk in pks}
