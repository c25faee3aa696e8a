"""Approvals around verbs: who must agree, to exactly what, and what each word does.

Steps in order, or all at once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models as db
from django.db.models import Q
from django.utils import dateparse, timezone

from fangyuan.core import facts, records, words
from fangyuan.engine import models
from fangyuan.org import lines


@dataclass(frozen=True)
class Wanted:
    """An approval that a clause demands for a verb on a record."""

    rule: models.Rule
    action: str
    steps: list[list[int]]


def _rules(action: str) -> Any:
    record, verb = action.split(".", 1)
    now = timezone.now()
    return (
        models.Rule.objects.everything("审批规则")
        .present()
        .filter(
            Q(ends_at=None) | Q(ends_at__gt=now),
            kind="APPROVAL",
            record=record,
            params__on=verb,
            starts_at__lte=now,
            is_shadow=False,
        )
        .select_related("clause")
        .order_by("id")
    )


# What the product itself wants agreed to, whatever the clauses of a company say.
_standing: dict[str, models.Rule] = {}


def demand(action: str, *approvers: str) -> None:
    """Have these roles agree to an action always, in order, also where no clause asks for it."""
    record, verb = action.split(".", 1)
    params = {"on": verb, "mode": "in_order", "approvers": list(approvers)}
    clause = models.Clause(number="")
    _standing[action] = models.Rule(kind="APPROVAL", record=record, params=params, clause=clause)


def may_ask(action: str) -> bool:
    """Whether some clause lets a person without the right ask for this action."""
    return action in _standing or bool(_rules(action).exists())


def wanted(action: str, record: Any, *, by: Any) -> Wanted | None:
    """The approval that this actor needs for this action on this record now, if any."""
    if by is None:
        return None
    standing = [_standing[action]] if action in _standing else []
    for rule in [*_rules(action), *standing]:
        if not _applies(rule, record):
            continue
        steps = _steps(rule.params, by.pk)
        if steps:
            return Wanted(rule, action, steps)
    return None


def _applies(rule: models.Rule, record: Any) -> bool:
    where = rule.params.get("where") or {}
    if not where:
        return True
    model = type(record)
    rows = facts.annotate(model._base_manager.filter(pk=record.pk), words.names(where))
    return bool(rows.filter(words.where(model, where)).exists())


def _steps(params: dict[str, Any], asker: int) -> list[list[int]]:
    today = timezone.localdate()
    asked = [lines.resolve(role, asker, on=today) for role in params.get("approvers") or ()]
    steps = [people for people in asked if people]
    if params.get("mode") == "all":
        return [sorted({person for people in steps for person in people})] if steps else []
    unique: list[list[int]] = []
    for people in steps:
        if people not in unique:
            unique.append(people)
    return unique


def file(want: Wanted, record: Any, payload: dict[str, Any], *, by: Any, at: datetime) -> Any:
    """Store the request with its digest and seats. An equal one that waits already is returned."""
    waiting = models.Request.objects.everything("同一申请").filter(
        action=want.action, subject_type=record.record_name(), subject_id=record.pk, state="WAITING"
    )
    if (same := waiting.first()) is not None:
        return same
    request = models.Request(
        action=want.action,
        payload=freeze(payload),
        clause=want.rule.clause.number,
        asked_by=by,
        asked_at=at,
        chain=[{"people": people, "mode": want.rule.params.get("mode")} for people in want.steps],
    )
    request.subject = record
    request.digest = digest(record, request.payload)
    request.save()
    models.Approval._base_manager.bulk_create(
        models.Approval(request=request, step=number, person_id=person)
        for number, people in enumerate(want.steps, 1)
        for person in people
    )
    return request


def digest(record: Any, payload: dict[str, Any]) -> str:
    """Fingerprint of what is agreed to: the payload and the values it would replace; without a
    payload the whole record with the child records that belong to its content."""
    if payload:
        content: Any = {name: _value(record, name) for name in sorted(payload)}
    else:
        content = [_content(record)]
        for name in getattr(type(record), "content", ()):
            children = getattr(record, name).everything("审批内容").present().order_by("pk")
            content += [_content(child) for child in children]
    text = json.dumps([payload, content], cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _value(record: Any, name: str) -> Any:
    return getattr(record, f"{name}_id", getattr(record, name, None))


def _content(record: Any) -> dict[str, Any]:
    return {
        f.attname: getattr(record, f.attname) for f in record._meta.concrete_fields if f.editable
    }


def freeze(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as JSON that remembers instants, days, amounts and records."""
    return {name: _frozen(value) for name, value in payload.items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    if isinstance(value, Decimal):
        return {"amount": str(value)}
    if isinstance(value, db.Model):
        return {"record": [value.record_name(), value.pk]}  # type: ignore[attr-defined]
    return value


def thaw(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as values again."""
    return {name: _thawed(value) for name, value in payload.items()}


def _thawed(value: Any) -> Any:
    if not (isinstance(value, dict) and len(value) == 1):
        return value
    [(kind, inner)] = value.items()
    readers: dict[str, Any] = {
        "at": dateparse.parse_datetime,
        "on": dateparse.parse_date,
        "amount": Decimal,
        "record": lambda pointer: records.find(tuple(pointer)),
    }
    return readers[kind](inner) if kind in readers else value


def lock(request: Any) -> models.Request:
    """The request, held against everybody else until the transaction ends."""
    held: models.Request = models.Request._base_manager.select_for_update(of=("self",)).get(
        pk=request.pk
    )
    return held


def step_of(request: models.Request, decisions: Iterable[models.Decision] | None = None) -> int:
    """The step that is asked now, from 1; `decisions` on it may be at hand already."""
    said = request.decisions.everything("当前节点") if decisions is None else decisions
    agreed = Counter(decision.step for decision in said if decision.verdict == "AGREE")
    for number, step in enumerate(request.chain, 1):
        if agreed[number] < (len(step["people"]) if step["mode"] == "all" else 1):
            return number
    return len(request.chain) + 1


def hindrance(request: models.Request, *, by: Any) -> str:
    """Why this person may not decide now; empty if they may."""
    if request.state != "WAITING":
        return f"这份申请已{request.get_state_display()}，不用再处理"
    if by is None or by.pk == request.asked_by_id:
        return "不能审批自己的申请"
    decisions = list(request.decisions.everything("审批"))
    now_at = step_of(request, decisions)
    seats = models.Approval.objects.everything("席位").filter(
        request=request, step=now_at, person=by
    )
    if not seats.exists():
        return "现在不轮到你审批这份申请"
    if any(d.step == now_at and d.person_id == by.pk for d in decisions):
        return "你已经表过态了"
    return ""


def voided(request: models.Request, subject: Any) -> bool:
    """Whether the content is no longer the one that was sent for approval."""
    return subject is None or digest(subject, request.payload) != request.digest


def record(
    request: models.Request, verdict: str, *, by: Any, comment: str, at: datetime
) -> models.Request:
    """Write down one person's word and close the request when it decides."""
    models.Decision(
        request=request, person=by, step=step_of(request), verdict=verdict, at=at, comment=comment
    ).save()
    if verdict in ("REFUSE", "BACK"):
        close(request, "REFUSED", at=at)
    elif step_of(request) > len(request.chain):
        close(request, "AGREED", at=at)
    return request


def close(request: models.Request, state: str, *, at: datetime) -> None:
    """Give the request its final state."""
    request.state, request.decided_at = state, at
    request.save(update_fields=["state", "decided_at"])


def inbox(person: Any) -> list[models.Request]:
    """Requests that wait for this person's word now; three queries, however many there are."""
    seats = models.Approval.objects.everything("待我审").filter(
        person=person, request__state="WAITING"
    )
    steps: dict[int, set[int]] = defaultdict(set)
    for request_id, step in seats.values_list("request_id", "step"):
        steps[request_id].add(step)
    decisions: dict[int, list[models.Decision]] = defaultdict(list)
    for decision in models.Decision.objects.everything("待我审").filter(request__in=list(steps)):
        decisions[decision.request_id].append(decision)
    waiting = models.Request.objects.everything("待我审").filter(pk__in=list(steps))
    return [
        one
        for one in waiting.exclude(asked_by=person).select_related("asked_by")
        if step_of(one, decisions[one.pk]) in steps[one.pk]
        and not any(
            d.person_id == person.pk and d.step == step_of(one, decisions[one.pk])
            for d in decisions[one.pk]
        )
    ]
