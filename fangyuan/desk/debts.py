"""Passing a gate on credit: who is entitled lets one record through, by a date and for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.utils import timezone

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.core import records
from fangyuan.engine.kinds import base
from fangyuan.engine.models import Debt, Rule
from fangyuan.org import lines
from fangyuan.org.models import Holding, Person

USUALLY: Final = timedelta(days=3)  # how long somebody is first given to make up for it


def grant(deed: door.Deed, values: Mapping[str, Any]) -> Debt:
    """Let a record through a gate for now; whoever owes it pays by the due date.

    Raises Refused where no gate, record, reason or later date is named, Denied for one's own duty.
    """
    kept = {**values, "granted_at": deed.at, "granted_by": deed.by}
    rule = kept.get("rule") or Rule._base_manager.filter(pk=kept.get("rule_id")).first()
    subject = kept.get("subject")
    pointer = subject if isinstance(subject, tuple) or subject is None else (
        subject.record_name(), subject.pk
    )  # fmt: skip
    unmet = []
    if rule is None or rule.kind != "GATE":
        unmet.append(door.Unmet("请选一道门槛", "rule", record="debt"))
    if pointer is None or (rule is not None and pointer[0] != rule.record):
        unmet.append(door.Unmet("请选这道门槛所管的一条记录", "subject", record="debt"))
    if not str(kept.get("reason", "")).strip():
        unmet.append(door.Unmet("放行要写明理由", "reason", record="debt"))
    if unmet:
        raise door.Refused(unmet)
    _look(deed, kept, pointer)
    return deed.create(Debt, kept)  # type: ignore[no-any-return]


def offers(unmet: Iterable[door.Unmet], actor: Any) -> list[dict[str, Any]]:
    """How each gate that refused may be passed on credit: by the actor here, or by whom to ask.

    Nobody lets themselves through; who owes it is whoever answers for the record.
    """
    closed = {one.rule_id: one for one in unmet if one.is_gate and one.record != "debt"}
    found = []
    for rule, one in closed.items():
        if rule is None or one.subject_id is None:
            continue
        owing = _answers(one.record, one.subject_id) or actor.pk
        offer: dict[str, Any] = {"clause": one.clause}
        if table.may(actor, "debt", "c") and owing != actor.pk:
            given = {"rule": rule, "subject": f"{one.record}:{one.subject_id}", "person": owing}
            given["due_at"] = f"{timezone.localtime() + USUALLY:%Y-%m-%dT18:00}"
            offer["url"] = f"/debt/new?{urlencode(given)}"
        else:
            offer["who"] = _who_may(actor)
        found.append(offer)
    return [one for one in found if one.get("url") or one.get("who")]


def _answers(record: str, number: int) -> int | None:
    """Who answers for a record: the person it names, else whoever holds it."""
    model = records.row_types()[record]
    named = base.person_field(model, model.owned_by)
    if named is not None:
        row = model._base_manager.filter(pk=number).values_list(named.attname, flat=True)
        return row.first()  # type: ignore[no-any-return]
    held = Holding.objects.everything("谁来补齐").present().filter(role="OWNER", ends_at=None)
    held = held.filter(subject_type=record, subject_id=number)
    return held.values_list("person_id", flat=True).first()  # type: ignore[no-any-return]


def _who_may(actor: Any) -> str:
    """The nearest superior who may let others through, by name."""
    above = Person.objects.everything("谁能放行").in_bulk(lines.superiors(actor.pk))
    for number in lines.superiors(actor.pk):
        if number in above and table.may(above[number], "debt", "c"):
            return str(above[number].name)
    return ""


def _look(deed: door.Deed, kept: Mapping[str, Any], pointer: Any) -> None:
    if deed.is_trusted:
        return
    person = kept.get("person")
    number = person.pk if person is not None else kept.get("person_id")
    if number == deed.actor_id:
        raise door.Denied("不能给自己放行，请由上级放行")
    if scopes.one(deed.by, *pointer) is None:
        raise door.Denied(f"你看不到这条{records.row_types()[pointer[0]]._meta.verbose_name}")
