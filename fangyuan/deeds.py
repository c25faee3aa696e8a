"""A deed: one transaction in one person's name, and the writes that it may make.

Opened by the door alone. Each write looks at the access table, leaves governed fields to their
verbs, and notes what the write-time rules must judge when the deed closes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import IntegrityError, connection, models, transaction

from fangyuan.access import scopes, table
from fangyuan.core import records
from fangyuan.engine import approval, gates
from fangyuan.engine.gates import Unmet
from fangyuan.refusals import Denied, Pending, Refused, Stale
from fangyuan.verbs import VERBS

SYSTEM = 0  # the number under which the system itself writes


@dataclass
class Deed:
    """One transaction in one person's name."""

    by: Any
    action: str
    reason: str
    channel: str
    at: datetime
    now: Any = None  # the database's instant of this transaction, which it writes as recorded_at
    touched: dict[type[records.Record], set[int]] = field(default_factory=dict)
    steps: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    debts: set[Any] = field(default_factory=set)
    book: gates.Book = field(default_factory=gates.Book)
    is_trusted: bool = False
    is_history: bool = False
    asks: dict[str, bool] = field(default_factory=dict)
    gathers: bool = False
    pending: Pending | None = None
    made: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    aim: tuple[str, int | None] | None = None  # what it is about: the first record it turns to

    @property
    def actor_id(self) -> int:
        return SYSTEM if self.by is None else int(self.by.pk)

    def aims(self, record: Any) -> None:
        """Note what the deed is about, if that is not known yet."""
        self.aim = self.aim or (record.record_name(), record.pk)

    @contextmanager
    def entrusted(self) -> Iterator[None]:
        """Write without grants: what was agreed to, or what a verb has looked into itself."""
        was, self.is_trusted = self.is_trusted, True
        try:
            yield
        finally:
            self.is_trusted = was

    def touch(self, model: type[records.Record], numbers: Any) -> None:
        """Have the write-time rules judge these records when the deed closes."""
        self.touched.setdefault(model, set()).update(numbers)

    def create(self, model: type[records.Record], values: Mapping[str, Any], **more: Any) -> Any:
        """Write a new record; raises Denied, Refused, and Asked where it wants approval first."""
        values = {**values, **more}
        self.aim = self.aim or (model.record_name(), None)
        if not self.is_trusted and not table.may(self.by, model.record_name(), "c"):
            raise Denied(f"你的岗位不能新建{model._meta.verbose_name}")
        fresh = model()
        self._assign(fresh, values)
        self._owe(fresh, parents_only=True)
        self._save(fresh)
        self.made.append((fresh, values))
        self._await(fresh, values)
        return fresh

    def _await(self, fresh: Any, values: dict[str, Any]) -> None:
        action = f"{fresh.record_name()}.create"
        if self.is_trusted or self.is_history:
            return
        if action not in self.asks:
            self.asks[action] = approval.may_ask(action)
        if self.asks[action]:
            wanted = needed(action, fresh, by=self.by, payload={}, chosen=())
            if wanted is not None:
                self._ask(Pending(wanted, values, fresh))

    def _ask(self, pending: Pending) -> None:
        """End here, or where the deed gathers what belongs together, when it is whole."""
        if not self.gathers:
            raise pending
        self.pending = self.pending or pending

    def change(
        self,
        record: Any,
        values: Mapping[str, Any] | None = None,
        *,
        revision: int | None = None,
        since: datetime | None = None,
        **more: Any,
    ) -> Any:
        """Change a record; `revision` is the one the form was opened with, `since` from when the
        new values hold. Raises Denied, Stale or Refused."""
        values = {**(values or {}), **more}
        current = self._locked(record, "u")
        if revision is not None and current.revision != revision:
            raise Stale(current)
        self._guard_fields(current, values)
        before = {name: getattr(current, name, None) for name in values}
        self._assign(current, values)
        if all(getattr(current, name, None) == was for name, was in before.items()):
            return current
        if since is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('fangyuan.since', %s, true)", [since.isoformat()])
        self._save(current)
        return current

    def held(self, record: Any) -> Any:
        """The record as it is now, kept from everybody else until the deed ends."""
        return type(record)._base_manager.select_for_update(of=("self",)).get(pk=record.pk)

    def move(self, record: Any, stage: str, **more: Any) -> Any:
        """Move a record to another of its stages; raises Denied where none of its moves leads."""
        held = self.held(record)
        field = held.stage_field
        if stage not in held.moves.get(getattr(held, field), ()):
            said = getattr(held, f"get_{field}_display")()
            raise Denied(f"{held}现在是“{said}”，不能这样办")
        return self.change(held, {field: stage}, **more)

    def remove(self, record: Any) -> Any:
        """Put a record into the recycle bin."""
        current = self._locked(record, "d" if self._removes_freely(record) else "u")
        current.removed_at = self.at
        self._save(current, judged=False)
        return current

    def restore(self, record: Any) -> Any:
        """Take a record out of the recycle bin."""
        current = self._locked(record, "u")
        current.removed_at = None
        self._save(current)
        return current

    def _removes_freely(self, record: Any) -> bool:
        return table.may(self.by, record.record_name(), "d") if self.by is not None else True

    def _locked(self, record: Any, operation: str) -> Any:
        self.aims(record)
        model = type(record)
        held = model._base_manager.select_for_update(of=("self",)).filter(pk=record.pk)
        if not self.is_trusted:
            held = held.filter(scopes.rows(self.by, model, operation))
        found = held.first()
        if found is None:
            raise Denied(f"你不能改这条{model._meta.verbose_name}，可以找它的负责人")
        if operation != "r":
            self._owe(found)
        return found

    def _owe(self, record: Any, *, parents_only: bool = False) -> None:
        """Remember what was unmet before this deed: only what it breaks itself is refused."""
        kept = [] if parents_only else [(type(record), record.pk)]
        for name in type(record).judges:
            if parent := getattr(record, f"{name}_id"):
                kept.append((type(record)._meta.get_field(name).related_model, parent))
        for model, number in kept:
            if number not in self.touched.get(model, ()):
                found = gates.unmet(model, [number], at=self.at, book=self.book)
                self.debts.update(one.debt for one in found)
                self.touch(model, [number])

    def _guard_fields(self, record: Any, values: Mapping[str, Any]) -> None:
        kind = record.record_name()
        hidden = frozenset() if self.is_trusted else scopes.veil(self.by, [record])[record.pk]
        for name in values:
            plain = name.removesuffix("_id")
            owner_verb = type(record).governed.get(plain)
            if owner_verb and plain not in self.free and getattr(record, name) != values[name]:
                label = VERBS.get(f"{kind}.{owner_verb}")
                said = label.label if label else owner_verb
                raise Denied(f"“{_label(record, plain)}”只能通过“{said}”来改")
            if plain in hidden:
                raise Denied(f"“{_label(record, plain)}”不在你的权限内")

    def _assign(self, record: Any, values: Mapping[str, Any]) -> None:
        known = {f.name for f in record._meta.concrete_fields if f.editable}
        known |= {f.attname for f in record._meta.concrete_fields if f.editable}
        known |= set(getattr(type(record), "any_fields", {})) | {"key", "password"}
        for name, value in values.items():
            if name not in known:
                raise Denied(f"{record._meta.verbose_name}没有可写的“{name}”")
            setattr(record, name, value)

    def _save(self, record: Any, *, judged: bool = True) -> None:
        record.index()
        if record.pk is None:
            record.recorded_at = record.changed_at = self.now
            record.recorded_by, record.revision = self.actor_id, 1
        else:
            record.revision, record.changed_at = record.revision + 1, self.now
        try:
            # What only the database can decide is left to it; it is asked in words if it refuses.
            record.clean_fields(exclude=_known_references(record))
            record.clean()
            with transaction.atomic():
                record.save()
        except ValidationError as wrong:
            raise Refused(gates.from_validation(record, wrong)) from wrong
        except IntegrityError as wrong:
            raise Refused(gates.from_database(record, wrong)) from wrong
        if judged:
            self.touch(type(record), [record.pk])
            for name in type(record).judges:
                if parent := getattr(record, f"{name}_id"):
                    self.touch(type(record)._meta.get_field(name).related_model, [parent])


def _known_references(record: models.Model) -> set[str]:
    """Foreign keys whose record is at hand: it exists, no need to ask for it. And the password,
    which a person may do without until they sign in."""
    return {"password"} | {
        f.name
        for f in record._meta.concrete_fields
        if isinstance(f, models.ForeignKey)
        and f.is_cached(record)
        and getattr(record, f.attname) is not None
    }


def needed(action: str, record: Any, **asked: Any) -> Any:
    """The approval that clauses want of an action; raises Denied where nobody could agree."""
    try:
        return approval.wanted(action, record, **asked)
    except approval.Nobody as nobody:
        said = "没有人能批准这件事，请先在人员资料里写明直接上级，或请系统管理员处理"
        raise Denied(said) from nobody
    except approval.ToChoose as missing:
        raise Refused(
            [Unmet("请选由谁审批", "approvers", record=action.split(".")[0])]
        ) from missing


def _label(record: models.Model, name: str) -> str:
    try:
        return str(record._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return name
