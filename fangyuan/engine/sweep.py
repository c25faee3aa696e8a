"""The sweep: bring the ledger to an instant, at the cost of what changed or fell due since.

One sweep at a time; never back in time. An incremental sweep is one transaction, a full one a
transaction per rule: killed at any point, the next one ends in the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import Error, connection, transaction
from django.utils import timezone

from fangyuan.core import calendar, spans
from fangyuan.engine import alerts, history, kinds, ledger, models, reach, rulebook, wakes
from fangyuan.engine.changes import Changes
from fangyuan.engine.ledger import Written

LOCK: Final = 0x66_79_73_77  # one sweep at a time, by this advisory lock
MANY: Final = 20_000  # beyond so many subjects a rule is settled whole


class Busy(Exception):
    """Another sweep is running."""


class BackInTime(Exception):
    """A sweep may not go back behind the last one."""


@dataclass
class Outcome:
    """What a sweep did."""

    as_of: datetime
    written: Written = field(default_factory=Written)
    failed: dict[str, str] = field(default_factory=dict)
    rules: int = 0


def sweep(as_of: datetime | None = None, *, full: bool = False, waits: bool = False) -> Outcome:
    """Bring the ledger to an instant (now); raises BackInTime, and Busy unless it waits."""
    with _locked(waits):
        as_of = as_of or _database_now()
        state = _state()
        if state.as_of is not None and as_of < state.as_of:
            last, this = (at.astimezone(spans.SHANGHAI) for at in (state.as_of, as_of))
            said = f"上次已扫到 {last:%Y-%m-%d %H:%M:%S}，这次是 {this:%Y-%m-%d %H:%M:%S}"
            raise BackInTime(f"扫描不能往回走：{said}")
        _add_partitions(as_of)
        outcome = Outcome(as_of)
        if full or state.as_of is None:
            _sweep_all(state, outcome)
        else:
            _sweep_changed(state, outcome)
        return outcome


def settle_all(as_of: datetime | None = None) -> Outcome:
    """Settle every rule over all its subjects."""
    return sweep(as_of, full=True)


@contextmanager
def _locked(waits: bool) -> Iterator[None]:
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                raise Busy("另一次扫描正在进行，请稍后再试")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
        return found


def _state() -> models.Progress:
    found, _ = models.Progress.objects.everything("规则扫描").get_or_create(rule=None)
    return found


def _add_partitions(as_of: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT engine_partitions((%s + interval '3 months')::date)", [as_of])


def horizon() -> int:
    """Every transaction before this number is over, and what it wrote can be seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


# --- full


def _sweep_all(state: models.Progress, outcome: Outcome) -> None:
    seen = horizon()
    with transaction.atomic():
        moved = calendar.lay_out(calendar.stored())
        warnings, duties = rulebook.standing()
        rules = [*warnings, *duties]
        wakes.gather(rules, as_of=outcome.as_of)
    book = replace(rulebook.open_book(outcome.as_of, calendar.stored()), ahead=wakes.AHEAD)
    for rule in rules:
        with transaction.atomic():
            ledger.prepare()
            _settle_whole(rule, book, outcome, moved)
    with transaction.atomic():
        ledger.prepare()
        _drop_gone(rules, outcome)
        ledger.mend_tallies(as_of=outcome.as_of)
        wakes.remember_gathered()
        _keep_state(state, seen, outcome)


def _settle_whole(rule: models.Rule, book: Any, outcome: Outcome, moved: bool) -> None:
    with _isolated(rule, outcome, is_whole=True):
        if rule.kind == "ALERT":
            outcome.written += alerts.settle(rule, book)[0]
        else:
            outcome.written += ledger.settle_rule(rule, book, calendar_moved=moved)


@contextmanager
def _isolated(rule: models.Rule, outcome: Outcome, *, is_whole: bool = False) -> Iterator[None]:
    """A rule that fails is reported and settled whole next time; the others go on."""
    outcome.rules += 1
    failed_at, error = None, ""
    try:
        with transaction.atomic():
            yield
    except (Error, kinds.BadRule, ValueError, LookupError) as wrong:
        if isinstance(wrong, Error) and connection.connection.closed:
            raise
        outcome.failed[rule.clause.number] = str(wrong).splitlines()[0]
        failed_at, error = timezone.now(), str(wrong)
    if failed_at is not None or is_whole:
        came = models.Progress(rule=rule, failed_at=failed_at, error=error, as_of=outcome.as_of)
        models.Progress.objects.everything("规则扫描").bulk_create(
            [came],
            update_conflicts=True,
            unique_fields=["rule"],
            update_fields=["failed_at", "error", "as_of"],
        )


def _drop_gone(rules: list[models.Rule], outcome: Outcome) -> None:
    known = models.Progress.objects.everything("规则扫描").exclude(rule=None)
    for progress in known.exclude(rule__in=rules).select_related("rule"):
        if progress.rule.kind == "ALERT":
            outcome.written += alerts.drop(progress.rule_id)
        else:
            outcome.written += ledger.drop_rule(progress.rule_id, as_of=outcome.as_of)
        progress.delete()


def _keep_state(state: models.Progress, seen: int, outcome: Outcome) -> None:
    state.cursor, state.as_of, state.beat_at = seen, outcome.as_of, timezone.now()
    history.begin(state, outcome.as_of)
    state.save()


# --- incremental


def _sweep_changed(state: models.Progress, outcome: Outcome) -> None:
    with transaction.atomic():
        seen = horizon()
        ledger.prepare()
        warnings, duties = rulebook.standing()
        rules = [*warnings, *duties]
        changes = Changes.read(state.cursor, seen)
        changes.add_woken(wakes.take(as_of=outcome.as_of))
        wakes.keep(changes, rules, as_of=outcome.as_of)
        moved = "calendar_day" in changes.records and calendar.lay_out(calendar.stored())
        book = rulebook.open_book(outcome.as_of, calendar.stored())
        whole = _settled_whole(rules, changes, state, moved) | book.carried_since(state.as_of)
        due = _fallen_due(outcome.as_of)
        picked = False
        for rule in warnings:
            _settle_alert(rule, book, outcome, (changes, rule.pk in whole))
        for rule in duties:
            if rule.pk in whole:
                _settle_whole(rule, book, outcome, moved)
                continue
            subjects = reach.subjects(rule, changes) | due.get(rule.pk, set())
            picked |= _settle_part(rule, book, outcome, (subjects, state.as_of))
        if picked:
            outcome.written += ledger.settle_picked(as_of=outcome.as_of)
        _drop_gone(rules, outcome)
        _keep_state(state, seen, outcome)


def _settle_alert(
    rule: models.Rule, book: Any, outcome: Outcome, part: tuple[Changes, bool]
) -> None:
    """Raise and clear what the changes concern; the duties that follow see it in this sweep."""
    changes, is_whole = part
    subjects = None if is_whole else reach.subjects(rule, changes)
    if subjects is not None and len(subjects) > MANY:
        subjects = None
    if subjects == set():
        return
    with _isolated(rule, outcome, is_whole=is_whole):
        written, changed = alerts.settle(rule, book, subjects)
        outcome.written += written
        changes.add_woken(("alert", number) for number in changed)


def _settle_part(
    rule: models.Rule, book: Any, outcome: Outcome, part: tuple[set[int], Any]
) -> bool:
    """Open new periods and pick the subjects concerned; says whether anything was picked."""
    subjects, since = part
    if len(subjects) > MANY:
        _settle_whole(rule, book, outcome, False)
        return False
    if ledger.begins_period(rule, since, book.as_of):
        with _isolated(rule, outcome):
            outcome.written += ledger.settle_periods(rule, book, since)
    if subjects:
        with _isolated(rule, outcome):
            ledger.pick(rule, subjects, book)
    return bool(subjects)


def _settled_whole(
    rules: list[models.Rule], changes: Changes, state: models.Progress, moved: bool
) -> set[int]:
    """Rules that are new, failed, or touched as a whole: by calendar, adoption or a version."""
    known = models.Progress.objects.everything("规则扫描").filter(rule__in=rules, failed_at=None)
    steady = set(known.values_list("rule_id", flat=True))
    return {
        rule.pk
        for rule in rules
        if rule.pk not in steady
        or (moved and reach.counts_working_days(rule))
        or reach.is_touched_whole(rule, changes)
        or (rule.kind == "REQUIRED" and state.as_of is not None and state.as_of < rule.starts_at)
    }


def _fallen_due(as_of: datetime) -> dict[int, set[int]]:
    """Subjects whose duties time alone has changed."""
    found: dict[int, set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule_id, subject_id FROM engine_obligation WHERE wakes_at <= %s", [as_of]
        )
        for rule, subject in cursor:
            found.setdefault(rule, set()).add(subject)
    return found
