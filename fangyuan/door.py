"""The only way to write: create, change, remove, act. Access → gates → approval → save → checks.

`acting` opens one transaction in one person's name. The write-time rules of the rulebook judge the
records as they stand when the outermost `acting` closes: whatever is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from fangyuan.access import scopes, table
from fangyuan.core import events, records
from fangyuan.engine import approval, gates
from fangyuan.engine.gates import Unmet as Unmet
from fangyuan.refusals import Asked as Asked
from fangyuan.refusals import Denied as Denied
from fangyuan.refusals import Pending
from fangyuan.refusals import Refused as Refused
from fangyuan.refusals import Stale as Stale
from fangyuan.refusals import Waiting as Waiting
from fangyuan.verbs import VERBS as VERBS
from fangyuan.verbs import Verb as Verb
from fangyuan.verbs import follow as follow
from fangyuan.verbs import follows as follows
from fangyuan.verbs import verb as verb

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

    @property
    def actor_id(self) -> int:
        return SYSTEM if self.by is None else int(self.by.pk)

    def touch(self, model: type[records.Record], numbers: Any) -> None:
        """Have the write-time rules judge these records when the deed closes."""
        self.touched.setdefault(model, set()).update(numbers)

    def create(self, model: type[records.Record], values: Mapping[str, Any], **more: Any) -> Any:
        """Write a new record; raises Denied, Refused, and Asked where it wants approval first."""
        values = {**values, **more}
        if not self.is_trusted and not table.may(self.by, model.record_name(), "c"):
            raise Denied(f"你的岗位不能新建{model._meta.verbose_name}")
        fresh = model()
        self._assign(fresh, values)
        self._owe(fresh, parents_only=True)
        self._save(fresh)
        self._await(fresh, values)
        return fresh

    def _await(self, fresh: Any, values: dict[str, Any]) -> None:
        action = f"{fresh.record_name()}.create"
        if self.is_trusted or self.is_history:
            return
        if action not in self.asks:
            self.asks[action] = approval.may_ask(action)
        if self.asks[action]:
            wanted = _wanted(action, fresh, by=self.by, payload={}, chosen=())
            if wanted is not None:
                raise Pending(wanted, values)

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
        and getattr(record, f.name) is not None
    }


_open: ContextVar[Deed | None] = ContextVar("deed", default=None)


@contextmanager
def acting(
    *,
    by: Any,
    action: str = "change",
    reason: str = "",
    channel: str = "PAGE",
    at: datetime | None = None,
    trusted: bool = False,
    history: bool = False,
) -> Iterator[Deed]:
    """Open a deed in the name of `by` (None: the system). Inside another deed it joins that one.

    `trusted` skips the access table (a verb that was agreed to), `history` the write-time rules
    (records of the past come in as they were; their gaps become obligations, not refusals).

    Raises Refused when the write-time rules of the rulebook do not hold at its end.
    """
    outer = _open.get()
    if outer is not None and outer.by == by:
        yield outer
        return
    deed = Deed(by, action, reason, channel, at or timezone.now())
    deed.is_trusted, deed.is_history = trusted or by is None, history
    if outer is not None:
        deed.book = outer.book
    token = _open.set(deed)
    goes_on = connection.in_atomic_block
    try:
        with transaction.atomic():
            _announce(deed)
            yield deed
            for model, numbers in list(deed.touched.items()):
                follow(deed, model.record_name(), numbers)
            _void_outdated(deed)
            _judge(deed)
            if goes_on:  # else the transaction ends here, and what was announced with it
                _announce(outer)
    except Pending as pending:
        if outer is not None:
            raise
        raise _filed(pending, deed) from None
    finally:
        _open.reset(token)


def _announce(deed: Deed | None) -> None:
    """Tell the database in whose name it writes from now on; nobody's when no deed is open."""
    with connection.cursor() as cursor:
        if deed is None:
            events.silence(cursor)
        else:
            deed.now = events.announce(
                cursor,
                actor=deed.actor_id,
                action=deed.action,
                reason=deed.reason,
                channel=deed.channel,
            )


def _judge(deed: Deed) -> None:
    if deed.is_history:
        return
    unmet = [
        one
        for model, numbers in deed.touched.items()
        for one in gates.unmet(model, numbers, steps=deed.steps, at=deed.at, book=deed.book)
        if one.is_gate or one.debt not in deed.debts
    ]
    unmet = gates.settle_debts(unmet, deed.steps, at=deed.at, book=deed.book)
    if unmet:
        raise Refused(unmet)
    for model, numbers in deed.touched.items():
        for debt in gates.paid(model, numbers, at=deed.at, book=deed.book):
            debt.paid_at = deed.at
            deed._save(debt, judged=False)


def create(
    model: type[records.Record],
    values: Mapping[str, Any],
    *,
    by: Any,
    reason: str = "",
    channel: str = "PAGE",
) -> Any:
    """Write one new record."""
    with acting(by=by, action="create", reason=reason, channel=channel) as deed:
        return deed.create(model, values)


def change(
    record: Any,
    values: Mapping[str, Any],
    *,
    by: Any,
    revision: int | None = None,
    reason: str = "",
    channel: str = "PAGE",
) -> Any:
    """Change one record, refusing a stale form."""
    with acting(by=by, action="change", reason=reason, channel=channel) as deed:
        return deed.change(record, values, revision=revision)


def remove(record: Any, *, by: Any, reason: str = "", channel: str = "PAGE") -> Any:
    """Move one record to the recycle bin."""
    with acting(by=by, action="remove", reason=reason, channel=channel) as deed:
        return deed.remove(record)


def restore(record: Any, *, by: Any, reason: str = "", channel: str = "PAGE") -> Any:
    """Bring one record back from the recycle bin."""
    with acting(by=by, action="restore", reason=reason, channel=channel) as deed:
        return deed.restore(record)


def act(
    name: str,
    record: Any,
    *,
    by: Any,
    payload: Mapping[str, Any] | None = None,
    reason: str = "",
    channel: str = "PAGE",
) -> Any:
    """Run the verb `record.name`, or file a request where a clause wants approval first.

    Returns what the verb returns, or `Waiting`. Raises Denied, Stale or Refused.
    """
    chosen = VERBS[name if "." in name else f"{record.record_name()}.{name}"]
    payload = dict(payload or {})
    if by is not None and not table.may_act(by, chosen.full_name):
        if not approval.may_ask(chosen.full_name):
            raise Denied(f"你的岗位不能“{chosen.label}”")
    named = payload.pop("approvers", None) or ()
    people = named if isinstance(named, list | tuple) else [named]
    approvers = [getattr(one, "pk", one) for one in people]
    with acting(by=by, action=chosen.name, reason=reason, channel=channel) as deed:
        wanted = _wanted(chosen.full_name, record, by=by, payload=payload, chosen=approvers)
        if wanted is None:
            return _run(chosen, record, payload, deed)
        if not deed.is_trusted:
            deed._locked(record, "r")
        request = approval.file(wanted, record, payload, by=by, at=deed.at, title=chosen.label)
        if request.asked_by_id != by.pk:
            raise Denied(f"{request.asked_by.name}已提交审批，请到“审批”里处理")
        return Waiting(request)


def _wanted(action: str, record: Any, **asked: Any) -> Any:
    try:
        return approval.wanted(action, record, **asked)
    except approval.Nobody as nobody:
        said = "没有人能批准这件事，请先在人员资料里写明直接上级，或请系统管理员处理"
        raise Denied(said) from nobody
    except approval.ToChoose as missing:
        raise Refused(
            [Unmet("请选由谁审批", "approvers", record=action.split(".")[0])]
        ) from missing


def _filed(pending: Pending, deed: Deed) -> Asked:
    """File what a creation wants; of the record itself nothing is left."""
    label = f"新建{records.row_types()[pending.wanted.action.split('.')[0]]._meta.verbose_name}"
    with transaction.atomic():
        _announce(deed)
        request = approval.file(
            pending.wanted, None, pending.values, by=deed.by, at=deed.at, title=label
        )
    return Asked(request, label)


def _run(chosen: Verb, record: Any, payload: Mapping[str, Any], deed: Deed) -> Any:
    deed.steps.setdefault((record.record_name(), record.pk), set()).add(chosen.name)
    deed.touch(type(record), [record.pk])
    freed = set(chosen.writes) - deed.free
    deed.free |= freed
    try:
        return chosen.run(deed, record, **payload)
    finally:
        deed.free -= freed


def decide(
    request: Any,
    verdict: str,
    *,
    by: Any,
    comment: str = "",
    channel: str = "PAGE",
    **aim: Any,
) -> Any:
    """Do one act about a request; the last agreement runs the verb with the exact payload.

    The request's row lock makes approve, refuse, withdraw and edit collide into one outcome.
    Raises Denied when it is not (or no longer) this person's turn, Refused when rules forbid.
    """
    with acting(by=by, action=verdict.lower(), reason=comment, channel=channel) as deed:
        locked, subject = approval.hold(request)
        if locked.state == "WAITING" and approval.voided(locked, subject):
            _void(locked, subject, deed)
            return locked
        try:
            approval.do(locked, approval.Act(by, verdict, deed.at, comment, **aim), subject)
        except approval.Hindered as problem:
            raise Denied(str(problem)) from problem
        if locked.state == "AGREED":
            with _as_trusted(deed):
                _carry_out(locked, subject, deed)
        elif locked.state != "WAITING" and verdict in ("BACK", "REFUSE", "WITHDRAW"):
            _send_back(locked, subject, comment, deed)
        return locked


def withdraw(request: Any, *, by: Any, channel: str = "PAGE") -> Any:
    """Take back one's own request while it waits."""
    return decide(request, "WITHDRAW", by=by, channel=channel)


def _carry_out(request: Any, subject: Any, deed: Deed) -> None:
    kind, name = request.action.split(".", 1)
    if name == "create":
        request.subject = deed.create(records.record_types()[kind], _payload(request))
        request.save(update_fields=["subject_type", "subject_id"])
    else:
        _run(VERBS[request.action], subject, _payload(request), deed)


def _void_outdated(deed: Deed) -> None:
    """Whoever changes what waits for agreement ends that request: nobody agrees to what is gone."""
    if not deed.is_history:
        for request in approval.outdated(deed.touched):
            _void(request, records.find(request.subject), deed)


def _void(request: Any, subject: Any, deed: Deed) -> None:
    approval.void(request, by=deed.by, at=deed.at)
    _send_back(request, subject, "内容已改，请重新提交", deed)


def _send_back(request: Any, subject: Any, comment: str, deed: Deed) -> None:
    back = VERBS.get(f"{request.subject_type}.{request.action.split('.', 1)[1]}_refused")
    if back is not None and subject is not None:
        with _as_trusted(deed):
            _run(back, subject, {"comment": comment}, deed)


@contextmanager
def _as_trusted(deed: Deed) -> Iterator[None]:
    was, deed.is_trusted = deed.is_trusted, True
    try:
        yield
    finally:
        deed.is_trusted = was


def _payload(request: Any) -> dict[str, Any]:
    return dict(approval.thaw(request.payload))


def _label(record: models.Model, name: str) -> str:
    try:
        return str(record._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return name
