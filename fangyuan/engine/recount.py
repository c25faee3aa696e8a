"""The ledger recomputed from nothing beside the ledger as it stands: any difference is an alarm.

Computed rule by rule in transactions that the database keeps from writing and that are rolled back.
Only what has been swept is compared: records changed since then are left to the next sweep.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import Error, connection, transaction
from django.utils import timezone

from fangyuan.core import calendar, events, records, spans
from fangyuan.core.models import Operation
from fangyuan.engine import alerts, kinds, ledger, listing, models, reach, rulebook, sweep
from fangyuan.engine import compile as compiler
from fangyuan.engine.changes import Changes
from fangyuan.org import lines, posting
from fangyuan.org.models import Message

MOST: Final = 200  # so many differences are told row by row; the rest is counted
AT: Final = timedelta(hours=2)  # after midnight, when the worker looks
PAUSE: Final = 5.0  # seconds without a sweep that the nightly check allows itself
_EVERYTHING: Final = 2**62  # beyond every number of a transaction
_SIDES: Final = """
SELECT c.rule_id, c.subject_type, c.subject_id, c.occurrence, c.began_on,
       to_jsonb(o) AS there, CASE WHEN NOT c.is_gone THEN to_jsonb(c) END AS want
  FROM engine_changed c LEFT JOIN engine_obligation o ON o.id = c.id AND o.began_on = c.was_begun_on
 ORDER BY c.subject_id, c.occurrence
"""
_LEFT_BEHIND: Final = """
SELECT rule_id, subject_type, subject_id, occurrence, began_on, to_jsonb(o) AS there, NULL AS want
  FROM engine_obligation o
 WHERE state <> 'VOID' AND rule_id IN (
       SELECT DISTINCT rule_id FROM engine_tally WHERE rule_id <> ALL (%s) AND state <> 'VOID')
"""
_COMPARED: Final = {
    "person_id": "责任人",
    "due_at": "到期",
    "met_at": "完成",
    "state": "状态",
    "began_at": "起",
    "wakes_at": "下次变化",
    "cause": "缘由",
    "known_at": "得知",
    "also_told": "另知会",
}


@dataclass
class Outcome:
    """What was compared and what differs; `differences` holds the first rows, `number` counts."""

    as_of: datetime
    duties: int = 0
    rules: int = 0
    number: int = 0
    pending: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the whole ledger was compared and is as the facts say."""
        return not self.number and not self.failed

    def add(self, number: int, told: list[dict[str, Any]]) -> None:
        """Count so many differences, and keep the first ones as long as there is room."""
        self.number += number
        self.differences += told[: MOST - len(self.differences)]


class Unswept(Exception):
    """There is no ledger yet to compare."""


def check(between: Callable[[], object] = lambda: None) -> Outcome:
    """Compare every rule's duties and episodes and all tallies; raises Unswept.

    `between` is called after each rule, while others may sweep.
    """
    began = time.monotonic()
    outcome = Outcome(_state().as_of)
    rules = {rule.pk: rule for rule in (*rulebook.alerts(), *rulebook.duties())}
    for rule in rules.values():
        with _alone() as state:
            _compare(rule, state, outcome)
        between()
    with _alone() as state, connection.cursor() as cursor:
        outcome.as_of = state.as_of
        cursor.execute(_LEFT_BEHIND, [list(rules)])
        left = _dicts(cursor)
        outcome.add(len(left), _told(left[:MOST]))
        cursor.execute(f"{compiler.template('tallies').template} ORDER BY 3, 1, 2")
        tallies = cursor.fetchall()
        outcome.add(len(tallies), _tallies(tallies[:MOST]))
        cursor.execute("SELECT coalesce(sum(number), 0) FROM engine_tally")
        outcome.duties = int(cursor.fetchone()[0])
    outcome.seconds = round(time.monotonic() - began, 2)
    return outcome


def _state() -> Any:
    found = models.Progress.objects.everything("台账核对").filter(rule=None).first()
    if found is None or found.as_of is None:
        raise Unswept("还没有扫描过，没有台账可核对。请先运行 ./fy sweep")
    return found


@contextmanager
def _alone() -> Iterator[Any]:
    """While no sweep runs: how far the last one came, in a transaction that can keep nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [sweep.LOCK])
        ledger.prepare()
        alerts.prepare()
        cursor.execute("SET LOCAL transaction_read_only = on")
        try:
            yield _state()
        finally:
            transaction.set_rollback(True)


def _compare(rule: models.Rule, state: Any, outcome: Outcome) -> None:
    outcome.rules += 1
    known = models.Progress.objects.everything("台账核对").filter(rule=rule).first()
    if known is None:  # newer than the last sweep
        return
    if known.failed_at is not None:
        outcome.failed[rule.clause.number] = known.error
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            _look(cursor, rule, state, outcome)
    except (Error, kinds.BadRule, ValueError, LookupError) as wrong:
        outcome.failed[rule.clause.number] = str(wrong).splitlines()[0]


def _look(cursor: Any, rule: models.Rule, state: Any, outcome: Outcome) -> None:
    book = rulebook.open_book(state.as_of, calendar.stored())
    if rule.kind == "ALERT":
        alerts.judge(rule, book)
        differing = compiler.template("misjudged").substitute(rule=rule.pk)
    else:
        want = ledger.wanted(rule, rulebook.kind_of(rule), book.terms(rule))
        there = ledger.OF_RULE.format(rule=rule.pk)
        cursor.execute(compiler.template("diff").substitute(want=want, there=there))
        differing = _SIDES
    cursor.execute(f"SELECT count(*) FROM ({differing}) x")  # noqa: S608 - made above
    every = int(cursor.fetchone()[0])
    if not every:
        return
    touched = _touched(rule, state)
    if touched is None:
        outcome.pending += every
        return
    settled = f"FROM ({differing}) x WHERE subject_id <> ALL (%s::bigint[])"
    cursor.execute(f"SELECT count(*) {settled}", [sorted(touched)])
    number = int(cursor.fetchone()[0])
    cursor.execute(f"SELECT * {settled} LIMIT {MOST}", [sorted(touched)])
    outcome.pending += every - number
    outcome.add(number, _told(_dicts(cursor)))


def _dicts(cursor: Any) -> list[dict[str, Any]]:
    names = [column.name for column in cursor.description]
    found = [dict(zip(names, row, strict=True)) for row in cursor]
    for one in found:
        for side in ("there", "want"):
            one[side] = one[side] and json.loads(one[side])
    return found


def _touched(rule: models.Rule, state: Any) -> set[int] | None:
    """The subjects that a change since the last sweep may concern; None where it may be all.

    Whatever a comparison saw is in the log by now, so the changes are read after it.
    """
    changes = Changes.read(state.cursor, _EVERYTHING)
    moved = "calendar_day" in changes.records and reach.counts_working_days(rule)
    if moved or reach.is_touched_whole(rule, changes):
        return None
    return reach.subjects(rule, changes)


# --- in words


def _told(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Both sides of each difference, with keys and logins for numbers."""
    rules = models.Rule.objects.everything("台账核对").select_related("clause__policy", "policy")
    known = rules.in_bulk({one["rule_id"] for one in found})
    sides = {
        side: listing.spelled(known, [_row(one, side) for one in found])
        for side in ("there", "want")
    }
    return [
        {
            **{name: there[name] for name in ("clause", "version", "record", "key", "occurrence")},
            "ledger": _side(there) if one["there"] else None,
            "recomputed": _side(want) if one["want"] else None,
            "differs": _differs(one["there"], one["want"]),
        }
        for one, there, want in zip(found, sides["there"], sides["want"], strict=True)
    ]


def _row(one: dict[str, Any], side: str) -> dict[str, Any]:
    """A side as a row of the ledger; an absent one says only what both are about."""
    kept = one[side] or {}
    instants = {
        name: datetime.fromisoformat(kept[name]) if kept.get(name) else None
        for name in ("began_at", "due_at", "met_at")
    }
    person, state = kept.get("person_id"), kept.get("state") or ""
    return {**one, "person_id": person, "state": state, **instants}


def _side(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("state", "person", "due_at", "met_at")}


def _differs(there: dict[str, Any] | None, want: dict[str, Any] | None) -> list[str]:
    if there is None:
        return ["台账缺这一行"]
    if want is None:
        return ["重算没有这一行"]
    return [said for name, said in _COMPARED.items() if there.get(name) != want.get(name)]


def _tallies(found: list[Any]) -> list[dict[str, Any]]:
    rules = models.Rule.objects.everything("台账核对").select_related("clause")
    known = rules.in_bulk({row[0] for row in found})
    logins = listing.keys_of("person", {row[1] for row in found if row[1]})
    return [
        {
            "clause": known[rule].clause.number if rule in known else "",
            "version": known[rule].version if rule in known else "",
            "record": "tally",
            "key": logins.get(person),
            "occurrence": f"{due_on} {state.lower()}",
            "ledger": {"number": kept},
            "recomputed": {"number": counted},
            "differs": ["件数"],
        }
        for rule, person, due_on, state, kept, counted in found
    ]


def report(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain values in a stable shape (docs/cli.md)."""
    return {
        "ok": outcome.ok,
        "as_of": outcome.as_of.astimezone(spans.SHANGHAI).isoformat(),
        "rules": outcome.rules,
        "duties": outcome.duties,
        "number": outcome.number,
        "pending": outcome.pending,
        "failed": outcome.failed,
        "seconds": outcome.seconds,
        "differences": outcome.differences,
    }


def said(outcome: Outcome) -> list[str]:
    """The outcome in lines: how it ended first, then both sides of each difference."""
    compared = f"{outcome.rules} 条规则、{outcome.duties} 件义务"
    ends = f"{outcome.number} 处不一致" if outcome.number else "重算与台账一致"
    told = [f"{ends}（{compared}，用时 {outcome.seconds:g} 秒）"]
    if outcome.pending:
        told.append(f"{outcome.pending} 处有扫描之后的改动，留给下一次扫描，没有算作不一致")
    told += [f"{clause} 没有核对：{error}" for clause, error in outcome.failed.items()]
    for one in outcome.differences:
        told += _lines(one)
    if outcome.number > MOST:
        told.append(f"只列出前 {MOST} 处")
    if outcome.number:
        told.append("台账只由扫描来写：不一致说明有人直接改了库，或程序有错。")
        told.append("先查清原因，再用 ./fy sweep --full 重算，用 ./fy check-ledger --keep 复核。")
    return told


_NAMES: Final = {
    "state": "状态",
    "person": "责任人",
    "due_at": "到期",
    "met_at": "完成",
    "number": "件数",
}


def _lines(one: dict[str, Any]) -> Iterator[str]:
    type_of = records.row_types().get(one["record"])
    label = type_of._meta.verbose_name if type_of else one["record"]
    what, happened = "、".join(one["differs"]), one["occurrence"]
    if one["record"] == "tally":
        day, state = happened.split()
        happened = f"{day} {_value('state', state)}"
    yield f"{one['clause']} {label} {one['key'] or ''} {happened}：{what}"
    for side, values in (("台账", one["ledger"]), ("重算", one["recomputed"])):
        told = "，".join(f"{_NAMES[name]} {_value(name, v)}" for name, v in (values or {}).items())
        yield f"  {side} {told or '没有'}"


def _value(name: str, value: Any) -> str:
    if value is None:
        return "无"
    if name == "state":
        return str(models.State(value.upper()).label)
    if name.endswith("_at"):
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M}"
    return str(value)


# --- every night


def nightly(sweeps: Callable[[], object]) -> None:
    """Check once a night, sweep meanwhile, and raise the alarm where something differs."""
    now = timezone.now()
    last = last_check()
    if last is not None and last.started_at >= _latest(now):
        return
    swept = [time.monotonic()]

    def between() -> None:
        if time.monotonic() - swept[0] > PAUSE:
            with contextlib.suppress(sweep.Busy):
                sweeps()
            swept[0] = time.monotonic()

    with contextlib.suppress(Unswept):
        keep(check(between), started_at=now)


def _latest(now: datetime) -> datetime:
    """The latest instant at which a check was due."""
    at = spans.midnight(spans.day_of(now)) + AT
    return at if at <= now else at - timedelta(days=1)


def last_check() -> Operation | None:
    """The latest check that was kept."""
    rows = Operation.objects.everything("台账核对").present().filter(kind="RECOUNT")
    found: Operation | None = rows.order_by("-started_at").first()
    return found


def keep(outcome: Outcome, *, started_at: datetime) -> Operation:
    """Note a check as an operation, and tell the administrators what differs."""
    told = said(outcome)
    with transaction.atomic(), connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="recount", reason="台账核对", channel="JOB")
        kept = Operation(
            kind="RECOUNT",
            started_at=started_at,
            ended_at=timezone.now(),
            is_ok=outcome.ok,
            note="\n".join(told),
        )
        kept.save()
        if not outcome.ok:
            posting.post(
                Message(
                    person_id=person,
                    kind="ALERT",
                    subject_type="operation",
                    subject_id=kept.pk,
                    title=f"台账核对：{told[0]}",
                    text="\n".join(told[1:21]),
                    sent_at=timezone.now(),
                    step_key=f"recount:{kept.pk}:{person}",
                )
                for person in lines.administrators()
            )
    return kept
