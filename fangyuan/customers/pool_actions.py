"""Verbs on what lies in pools: claim, assign, return, protect, extend, recycle.

Customers and leads share them; a lead that is taken counts as assigned, one returned as ripe.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.customers import holding, lead_actions, pooling
from fangyuan.customers.models import Lead, Pool
from fangyuan.org.models import Person

WRITES = ("pool", "pooled_at", "pool_reason", "stage", "assigned_at")


def _on_both(label: str, **more: Any) -> Callable[[Any], Any]:
    """Register a verb on customers and on leads."""

    def keep(run: Any) -> Any:
        for record in ("customer", "lead"):
            door.verb(record, label=label, writes=WRITES, **more)(run)
        return run

    return keep


@_on_both("领取")
def claim(deed: door.Deed, record: Any) -> Any:
    """Take what nobody answers for, within the limits of its pool (POOL-2.1)."""
    taken = pooling.take(deed, record, deed.by)
    return lead_actions.given(deed, taken) if isinstance(taken, Lead) else taken


@door.verb("customer", label="分配", asks=("person", "reason"), writes=WRITES)
def assign_customer(deed: door.Deed, customer: Any, *, person: Person, reason: str = "") -> Any:
    """Give a customer that nobody answers for to a rep."""
    if holding.held(customer) is not None:
        raise door.Denied("这家客户已有负责人，请用“转移负责人”")
    return pooling.assign(deed, customer, person, reason or "分配")


@_on_both("退回公海", asks=("why", "pool"), like={"why": "term:return_reason"})
def release_to_pool(
    deed: door.Deed, record: Any, *, why: str | None = None, pool: Pool | None = None
) -> Any:
    """Lay a record back into a pool, with the reason; unless one is named, the fitting one."""
    if not why:
        raise door.Refused([door.Unmet("请选退回原因", "why", record=record.record_name())])
    said = Term.objects.everything("退回原因").get(key=why).label
    return _released(deed, record, pool, f"退回：{said}")


def _released(deed: door.Deed, record: Any, pool: Pool | None, reason: str) -> Any:
    is_back = isinstance(record, Lead) and record.stage == Lead.Stage.ASSIGNED
    more = {"stage": Lead.Stage.MQL} if is_back else {}
    return pooling.release(deed, record, pool=pool, reason=reason, **more)


@door.verb("customer", label="保护", asks=("locked_until",), writes=("locked_until",))
def lock_customer(deed: door.Deed, customer: Any, *, locked_until: datetime | None) -> Any:
    """Keep a customer from being recycled until an instant; empty ends the protection."""
    if locked_until is not None and locked_until <= deed.at:
        raise door.Refused([door.Unmet("保护至要晚于现在", "locked_until", record="customer")])
    return deed.change(customer, locked_until=locked_until)


@_on_both("申请延期", asks=("note",))
def extend_hold(deed: door.Deed, record: Any, *, note: str = "") -> Any:
    """Start the clock of recycling anew, once in a holding, when the superior agrees (POOL-4.1)."""
    current = holding.held(record, locked=True)
    if current is None:
        raise door.Denied("没有人负责它，不用延期")
    if current.extended_at is not None:
        raise door.Denied("这次归属已延期过一次，请尽快联系或退回")
    with door.acting(by=None, action="extend_hold", reason=note or "延期获批") as system:
        system.change(current, extended_at=deed.at)
    return record


@_on_both("回收", asks=("reason",))
def recycle(deed: door.Deed, record: Any, *, reason: str = "") -> Any:
    """Lay a record into a pool because its holder missed what a clause demands."""
    return _released(deed, record, None, reason)
