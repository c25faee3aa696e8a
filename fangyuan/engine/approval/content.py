"""What exactly is agreed to: the payload as JSON and the fingerprint of what it would replace."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models as db
from django.utils import dateparse

from fangyuan.core import ready, records
from fangyuan.engine.requests import Request

# Under this name a request to create keeps what is created with it, row by row.
WITH: Final = "+"


def digest(record: Any, payload: dict[str, Any]) -> str:
    """Fingerprint of what is agreed to: the payload and the values it would replace; without a
    payload the whole record with the child records that belong to its content."""
    if record is None:
        content: Any = None
    elif payload:
        content = {name: _value(record, name) for name in sorted(payload)}
    else:
        content = [_content(record)]
        for name in parts(type(record)):
            children = getattr(record, name).everything("审批内容").present().order_by("pk")
            content += [_content(child) for child in children]
    text = json.dumps([payload, content], cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def parts(model: Any) -> tuple[str, ...]:
    """Reverse names of the child records that are part of what an agreement agrees to."""
    said = getattr(model, "content", ())
    # A type may have a field of this name instead.
    return said if isinstance(said, tuple) else ()


def _value(record: Any, name: str) -> Any:
    return getattr(record, f"{name}_id", getattr(record, name, None))


def _content(record: Any) -> dict[str, Any]:
    return {
        f.attname: getattr(record, f.attname) for f in record._meta.concrete_fields if f.editable
    }


def freeze(payload: Mapping[str, Any]) -> dict[str, Any]:
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


def thaw(payload: Mapping[str, Any]) -> dict[str, Any]:
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


def voided(request: Request, subject: Any) -> bool:
    """Whether the content is no longer the one that was sent for approval."""
    if request.subject_id is None:
        return False
    return subject is None or digest(subject, request.payload) != request.digest


def hold(request: Any) -> tuple[Request, Any]:
    """The request and its subject, held against everybody else until the transaction ends.

    The subject first, as whoever edits it does: two who meet here wait, neither is thrown out.
    A trace is only added: nobody may change it, so nobody may hold it either.
    """
    subject = records.find(request.subject)
    if isinstance(subject, records.Record):
        held = type(subject)._base_manager.select_for_update(of=("self",))
        subject = held.filter(pk=subject.pk).first()
    locked = Request._base_manager.select_for_update(of=("self",)).get(pk=request.pk)
    return locked, subject


def outdated(touched: Mapping[Any, Iterable[int]]) -> list[Request]:
    """Waiting requests, held, whose content these changed records no longer give."""
    about: dict[str, set[int]] = {}
    for model, numbers in touched.items():
        about.setdefault(model.record_name(), set()).update(numbers)
        for parent, link in _wholes(model):
            rows = model._base_manager.filter(pk__any_of=sorted(numbers))
            about.setdefault(parent, set()).update(rows.values_list(link, flat=True))
    if not about:
        return []
    pairs = sorted((name, number) for name, numbers in about.items() for number in numbers)
    met = ready.ask(_WAITING, [[name for name, _ in pairs], [number for _, number in pairs]])
    if not met:  # as nearly always: nothing to hold
        return []
    waiting = Request._base_manager.select_for_update(of=("self",)).order_by("pk")
    found = waiting.filter(pk__any_of=[row[0] for row in met], state="WAITING", removed_at=None)
    return [one for one in found if voided(one, records.find(one.subject))]


_WAITING: Final = """
SELECT r.id FROM unnest(%s::text[], %s::bigint[]) AS s (kind, number)
  JOIN engine_request r ON r.subject_type = s.kind AND r.subject_id = s.number
 WHERE r.state = 'WAITING' AND r.removed_at IS NULL"""


@functools.cache
def _wholes(model: Any) -> list[tuple[str, str]]:
    """The types of which this one is part of the content, and the link to them."""
    found = []
    for field in model._meta.concrete_fields:
        whole = getattr(field, "related_model", None)
        reverse = field.remote_field.get_accessor_name() if whole else None
        if whole and reverse in parts(whole):
            found.append((whole.record_name(), field.attname))
    return found
