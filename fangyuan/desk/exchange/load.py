"""One import from file to records: read, resolve, look at, write, judge; all of it or nothing.

With `partial` the rows in which something is wrong are left out and the rest is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction

from fangyuan import door
from fangyuan.access import table
from fangyuan.core import bulk, tables
from fangyuan.desk.exchange import (
    check,
    columns,
    echoes,
    history,
    kids,
    later,
    mistakes,
    resolve,
    rows,
    sources,
    terms,
)  # fmt: skip
from fangyuan.desk.exchange.mistakes import Mistakes

LIMITS = tables.Limits(seconds=900.0, size=200 * 2**20, unpacked=2**30, text=2**30, rows=5_000_000)
_ROUNDS = 20
_LOCKED = "55P03"


@dataclass(frozen=True)
class Order:
    """What is to be imported, how, and in whose name."""

    model: Any
    path: Path
    by: Any
    name: str = ""
    is_history: bool = False
    is_partial: bool = False
    is_rehearsal: bool = False
    mode: str = "OVERWRITE"
    mapping: dict[str, str] = field(default_factory=dict)
    limits: tables.Limits = LIMITS
    # Called with the outcome before the transaction ends, where its rows are kept.
    seal: Callable[[Any], None] = lambda outcome: None

    @property
    def file_name(self) -> str:
        """The file's name as people know it."""
        return self.name or self.path.name

    @property
    def reason(self) -> str:
        """What the log says about every row."""
        return f"导入 {self.file_name}"


@dataclass
class Outcome:
    """What came of an import."""

    total: int = 0
    created: int = 0
    changed: int = 0
    skipped: int = 0
    mistakes: Mistakes = field(default_factory=Mistakes)
    notes: list[str] = field(default_factory=list)
    awaited: list[dict[str, Any]] = field(default_factory=list)
    is_kept: bool = False
    xid: int | None = None

    @property
    def failed(self) -> int:
        """How many rows were refused."""
        return len(self.mistakes.rows - {0})

    @property
    def unchanged(self) -> int:
        """How many rows said what was known already."""
        return self.total - self.failed - self.created - self.changed - self.skipped


class _TakeBack(Exception):
    """Ends the deed without keeping anything."""


def digest(path: Path) -> int:
    """A number that is the same for the same file."""
    made = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            made.update(chunk)
    return int.from_bytes(made.digest()[:8], "big", signed=True)


def run(order: Order, tick: Callable[[int], None] = lambda count: None) -> Outcome:
    """Import a file; what is wrong is in the outcome, never half in the database."""
    outcome = Outcome()
    try:
        with sources.opened(order.path, order.limits, order.file_name) as source:
            outcome.notes = source.notes
            _deed(order, source, outcome, tick)
    except mistakes.Unreadable as refused:
        outcome.mistakes.extend(refused.mistakes)
    except door.Denied as denied:
        outcome.mistakes.add(0, "", "", mistakes.Bad(str(denied), ""))
    if not outcome.is_kept and not order.is_rehearsal:
        outcome.created = outcome.changed = 0
    return outcome


def _deed(order: Order, source: Any, outcome: Outcome, tick: Callable[[int], None]) -> None:
    try:
        with door.acting(
            by=order.by,
            action="import",
            reason=order.reason,
            channel="IMPORT",
            history=order.is_history,
        ) as deed:
            with connection.cursor() as cursor:
                _alone(cursor, order)
                Load(order, source, outcome, deed, cursor).run(tick)
                cursor.execute("SELECT pg_current_xact_id()::text::bigint")
                outcome.xid = cursor.fetchone()[0]
            if order.is_rehearsal or (outcome.mistakes and not order.is_partial):
                raise _TakeBack
            order.seal(outcome)
        outcome.is_kept = True
    except _TakeBack:
        outcome.is_kept = False


def _alone(cursor: Any, order: Order) -> None:
    """The same file twice at once is a slip; files of one type come in one after the other."""
    # Whoever hangs up stops the work: a killed import holds nothing for longer than this.
    cursor.execute("SET LOCAL client_connection_check_interval = '5s'")
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [digest(order.path)])
    if not cursor.fetchone()[0]:
        raise mistakes.whole("这份文件正在导入", "等它完成，不用再传一次")
    name = order.model.record_name()
    cursor.execute("SET LOCAL lock_timeout = '60s'")
    try:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('fangyuan.import'), hashtext(%s))", [name]
        )
    except OperationalError as busy:
        if getattr(busy.__cause__, "sqlstate", "") != _LOCKED:
            raise
        raise mistakes.whole("另一份同类文件还在导入", "等它完成再来") from busy
    cursor.execute("SET LOCAL lock_timeout = 0")


class Load:
    """The work of one import inside its transaction."""

    def __init__(self, order: Order, source: Any, outcome: Outcome, deed: Any, cursor: Any) -> None:
        self.order, self.source, self.outcome = order, source, outcome
        self.deed, self.cursor, self.model = deed, cursor, order.model
        self.found = outcome.mistakes
        self.columns = columns.match(source.header, self.model, order.by, order.mapping)
        check.file_as_a_whole(order, [column for column in self.columns if column])
        self.slots = rows.slots(self.columns, terms.Lookups())
        self.indexing = rows.Indexing(self.model, self.slots)
        self.given = rows.given(self.slots, self.indexing.names)

    def run(self, tick: Callable[[int], None]) -> None:
        """Do it all; what is wrong is noted in the outcome."""
        self._stage(tick)
        if self.model.record_name() == "tracked":
            history.replace(self)
            return
        self._know()
        for _ in range(_ROUNDS):
            if not self._round():
                return
        raise mistakes.whole("有太多行互相牵连", "先改正列出的行，再导入")

    def _stage(self, tick: Callable[[int], None]) -> None:
        made = rows.stage_columns(self.slots, self.model, self.indexing.names)
        bulk.open_stage(self.cursor, made)
        names = ["row", *(n for slot in self.slots for n in slot.names), *self.indexing.names]
        staged = rows.staged(self.source, self.slots, self.indexing, self.found, tick)
        bulk.copy(self.cursor, names, staged)
        self.cursor.execute(f"SELECT count(*) FROM {bulk.STAGE}")
        self.outcome.total = self.cursor.fetchone()[0]
        for slot in self.slots:
            if slot.column.kind == "pointer":
                self.note(resolve.pointers(self.cursor, slot.column, self.order.by))
            elif slot.column.kind == "reference" and slot.column.target is not self.model:
                waits = later.may_wait(self.model, slot.column.name)
                how: dict[str, Any] = {"may_wait": waits, "tell": self.remark}
                self.note(resolve.references(self.cursor, slot.column, self.order.by, **how))

    def _know(self) -> None:
        """Recognise the rows that are records already."""
        if "key" in self.given:
            resolve.known_by_key(self.cursor, self.model)
        resolve.known_by_identity(self.cursor, self.model, self.given)
        self.note(resolve.same_twice(self.cursor, self.model, self.given))
        if self.order.mode == "SKIP":
            self.cursor.execute(f"DELETE FROM {bulk.STAGE} WHERE known")
            self.outcome.skipped = self.cursor.rowcount
        self.note(check.known_rows(self.cursor, self))
        bulk.number(self.cursor, self.model)
        bulk.hold(self.cursor, self.model)

    def _round(self) -> bool:
        """Look at the rows and write them; True if rows fell out and it is to be done again."""
        if self.order.is_partial and self.found:
            bulk.drop_rows(self.cursor, self.found.rows)
        before = len(self.found.rows)
        for slot in self.slots:
            if slot.column.kind == "reference" and slot.column.target is self.model:
                self.note(check.own_references(self.cursor, slot.column, self.order.by, self.model))
        actor = self.deed.actor_id
        bulk.freshen(
            self.cursor, self.model, self.given, actor=actor, history=self.order.is_history
        )
        self.note(check.fresh_rows(self.cursor, self))
        if len(self.found.rows) > before:
            return self.order.is_partial
        if not self.found or self.order.is_partial:
            self._write()
        return self.order.is_partial and len(self.found.rows) > before

    def _write(self) -> None:
        """Write and judge; if the judgement finds mistakes, take the writing back."""
        owed = check.owed(self)
        try:
            with transaction.atomic():
                known = set(self.found.rows)
                created, changed = bulk.write(self.cursor, self.model, self.given)
                self.remark(echoes.phones(self.cursor, self.model, self.given))
                written = [(self.model, 1, [*created, *changed])]
                written += [(model, -1, numbers) for model, numbers in kids.write(self)]
                self._follow(set(created) | set(changed))
                self.note(check.written_rows(self, created, written, owed))
                if self.found.rows - known:
                    raise _TakeBack
                later.note(self)
                later.join(self)
        except _TakeBack:
            return
        except IntegrityError as raced:
            self._raced(raced)
            return
        self.outcome.created, self.outcome.changed = len(created), len(changed)

    def _follow(self, numbers: set[int]) -> None:
        """Bring up to date what is kept about the rows and about the records they belong to."""
        door.follow(self.deed, self.model.record_name(), numbers)
        for name in self.model.judges:
            parents = self.model._base_manager.filter(pk__any_of=sorted(numbers))
            found = set(parents.values_list(f"{name}_id", flat=True)) - {None}
            target = self.model._meta.get_field(name).related_model
            door.follow(self.deed, target.record_name(), found)

    def _raced(self, raced: IntegrityError) -> None:
        """Somebody wrote the same meanwhile: look again, so that the rows are named."""
        count = self.found.count
        self.note(check.fresh_rows(self.cursor, self))
        if self.found.count == count:
            said = door.gates.from_database(self.model(), raced)[0].sentence
            raise mistakes.whole(said, "过一会儿再导入一次") from raced

    def remark(self, text: str) -> None:
        """Keep a remark that refuses nothing."""
        if text and text not in self.outcome.notes:
            self.outcome.notes.append(text)

    def note(self, found: Iterable[mistakes.Mistake]) -> None:
        """Keep findings about rows that are not known to be wrong already."""
        wrong = set(self.found.rows)
        fresh = [one for one in found if one.row not in wrong]
        self.found.extend(fresh)
        if self.found.is_full:
            raise mistakes.Unreadable(*self.found)

    @property
    def sees_all(self) -> bool:
        """Whether the rows need no look at who may change what."""
        return self.order.by is None or table.sight(self.order.by).is_admin
