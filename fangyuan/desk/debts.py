"""Passing a gate on credit: who is entitled lets one record through, by a date and for a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fangyuan import door
from fangyuan.access import scopes
from fangyuan.core import records
from fangyuan.engine.models import Debt, Rule


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


def _look(deed: door.Deed, kept: Mapping[str, Any], pointer: Any) -> None:
    if deed.is_trusted:
        return
    person = kept.get("person")
    number = person.pk if person is not None else kept.get("person_id")
    if number == deed.actor_id:
        raise door.Denied("不能给自己放行，请由上级放行")
    if scopes.one(deed.by, *pointer) is None:
        raise door.Denied(f"你看不到这条{records.row_types()[pointer[0]]._meta.verbose_name}")
