"""The only way to write: create, change, remove, act. Access → gates → approval → save → checks.

`acting` opens one transaction in one person's name. The write-time rules of the rulebook judge the
records as they stand when the outermost `acting` closes: whatever is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from fangyuan import deeds
from fangyuan.access import table
from fangyuan.core import events, records
from fangyuan.deeds import SYSTEM as SYSTEM
from fangyuan.deeds import Deed as Deed
from fangyuan.engine import approval, attempts, gates
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
    gathers: bool = False,
) -> Iterator[Deed]:
    """Open a deed in the name of `by` (None: the system). Inside another deed it joins that one.

    `trusted` skips the access table (a verb that was agreed to), `history` the write-time rules
    (records of the past come in as they were; their gaps become obligations, not refusals).

    `gathers` has a creation that wants approval wait until the deed ends, so that the request keeps
    what was created with it.

    Raises Refused when the write-time rules of the rulebook do not hold at its end.
    """
    outer = _open.get()
    if outer is not None and outer.by == by:
        yield outer
        return
    deed = Deed(by, action, reason, channel, at or timezone.now())
    deed.is_trusted, deed.is_history = trusted or by is None, history
    deed.gathers = gathers
    if outer is not None:
        deed.book, deed.made = outer.book, outer.made
    token = _open.set(deed)
    goes_on = connection.in_atomic_block
    try:
        with transaction.atomic():
            _announce(deed)
            yield deed
            if deed.pending is not None:
                raise deed.pending
            for model, numbers in list(deed.touched.items()):
                follow(deed, model.record_name(), numbers)
            _void_outdated(deed)
            _judge(deed)
            if goes_on:  # else the transaction ends here, and what was announced with it
                _announce(outer)
    except (Pending, Refused, Denied) as stopped:
        if outer is None:
            _stopped(stopped, deed)
        raise
    finally:
        _open.reset(token)


def _stopped(refusal: Pending | Refused | Denied, deed: Deed) -> None:
    """Note what was tried in vain, or file what waits, now that nothing else of it is left."""
    if isinstance(refusal, Pending):
        raise _filed(refusal, deed) from None
    if deed.by is None or isinstance(refusal, Asked) or connection.needs_rollback:
        return
    told, aim = [("", str(refusal))], deed.aim
    if isinstance(refusal, Refused):
        told = [(one.clause, one.sentence) for one in refusal.unmet]
        if aim is None and refusal.unmet:
            aim = (refusal.unmet[0].record, refusal.unmet[0].subject_id)
    attempts.keep(deed.by.pk, deed.action, aim, told, channel=deed.channel, at=deed.at)


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
    named = payload.pop("approvers", None) or ()
    people = named if isinstance(named, list | tuple) else [named]
    approvers = [getattr(one, "pk", one) for one in people]
    with acting(by=by, action=chosen.name, reason=reason, channel=channel) as deed:
        deed.aims(record)
        if by is not None and not table.may_act(by, chosen.full_name):
            if not approval.may_ask(chosen.full_name):
                raise Denied(f"你的岗位不能“{chosen.label}”")
        wanted = deeds.needed(chosen.full_name, record, by=by, payload=payload, chosen=approvers)
        if wanted is None:
            return _run(chosen, record, payload, deed)
        if not deed.is_trusted:
            deed._locked(record, "r")
        request = approval.file(wanted, record, payload, by=by, at=deed.at, title=chosen.label)
        if request.asked_by_id != by.pk:
            raise Denied(f"{request.asked_by.name}已提交审批，请到“审批”里处理")
        return Waiting(request)


def _filed(pending: Pending, deed: Deed) -> Asked:
    """File what a creation wants; of the records themselves nothing is left."""
    label = f"新建{records.row_types()[pending.wanted.action.split('.')[0]]._meta.verbose_name}"
    payload = {**pending.values, **_belonging(pending, deed)}
    with transaction.atomic():
        _announce(deed)
        request = approval.file(pending.wanted, None, payload, by=deed.by, at=deed.at, title=label)
    return Asked(request, label)


def _belonging(pending: Pending, deed: Deed) -> dict[str, Any]:
    """What was created with the record and points at it: kept with what is asked."""
    rows = []
    for made, values in deed.made:
        links = [name for name, value in values.items() if value is pending.fresh]
        if links and made is not pending.fresh:
            rest = {name: value for name, value in values.items() if name not in links}
            kept = {"record": made.record_name(), "links": links, "values": approval.freeze(rest)}
            rows.append(kept)
    return {approval.WITH: rows} if rows else {}


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
        deed.aims(request)
        locked, subject = approval.hold(request)
        if locked.state == "WAITING" and approval.voided(locked, subject):
            _void(locked, subject, deed)
            return locked
        try:
            approval.do(locked, approval.Act(by, verdict, deed.at, comment, **aim), subject)
        except approval.Hindered as problem:
            raise Denied(str(problem)) from problem
        if locked.state == "AGREED":
            with deed.entrusted():
                _carry_out(locked, subject, deed)
        elif locked.state != "WAITING" and verdict in ("BACK", "REFUSE", "WITHDRAW"):
            _send_back(locked, subject, comment, deed)
        return locked


@contextmanager
def rehearsed(request: Any, *, agreed: bool, by: Any) -> Iterator[Deed]:
    """Carry out what a request's end brings, as if it ended now, and undo everything afterwards.

    Raises Denied or Refused as the end itself would. The caller looks at what was written.
    """
    with transaction.atomic():
        try:
            with acting(by=by, action="rehearse") as deed:
                locked, subject = approval.hold(request)
                approval.close(locked, "AGREED" if agreed else "REFUSED", at=deed.at)
                if agreed:
                    with deed.entrusted():
                        _carry_out(locked, subject, deed)
                else:
                    _send_back(locked, subject, "", deed)
            yield deed
        finally:
            transaction.set_rollback(True)


def withdraw(request: Any, *, by: Any, channel: str = "PAGE") -> Any:
    """Take back one's own request while it waits."""
    return decide(request, "WITHDRAW", by=by, channel=channel)


def _carry_out(request: Any, subject: Any, deed: Deed) -> None:
    kind, name = request.action.split(".", 1)
    if name == "create":
        payload, types = _payload(request), records.record_types()
        rows = payload.pop(approval.WITH, ())
        request.subject = fresh = deed.create(types[kind], payload)
        for row in rows:
            links = dict.fromkeys(row["links"], fresh)
            deed.create(types[row["record"]], {**approval.thaw(row["values"]), **links})
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
        with deed.entrusted():
            _run(back, subject, {"comment": comment}, deed)


def _payload(request: Any) -> dict[str, Any]:
    return dict(approval.thaw(request.payload))
