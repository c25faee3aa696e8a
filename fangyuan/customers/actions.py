"""Verbs on customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fangyuan import door
from fangyuan.customers import holding, pooling
from fangyuan.org.models import Holding, Person


@door.verb("customer", label="调整分级", asks=("grade", "grade_basis"), writes=("grade",))
def regrade(deed: door.Deed, customer: Any, *, grade: str, grade_basis: str) -> Any:
    """Give a customer another grade, with its basis (RES-3.3.2)."""
    return deed.change(customer, grade=grade, grade_basis=grade_basis, graded_at=deed.at)


@door.verb(
    "customer", label="设定KA档", asks=("is_ka", "ka_tier", "ka_basis"), writes=("is_ka", "ka_tier")
)
def set_ka_tier(
    deed: door.Deed, customer: Any, *, is_ka: bool, ka_tier: str | None = None, ka_basis: str = ""
) -> Any:
    """Make a customer a key account of some tier, or end that (KA-3.1)."""
    tier = (ka_tier or None) if is_ka else None
    return deed.change(customer, is_ka=is_ka, ka_tier=tier, ka_basis=ka_basis)


@door.verb("customer", label="转为意向", writes=("prospect_at",))
def become_prospect(deed: door.Deed, customer: Any) -> Any:
    """Note that the customer is interested (RES-2.1.2); its next fields become required."""
    return deed.change(customer, prospect_at=customer.prospect_at or deed.at)


@door.verb("customer", label="确认流失", asks=("reason",), writes=("lost_at",))
def confirm_lost(deed: door.Deed, customer: Any, *, reason: str = "") -> Any:
    """Note that the customer is lost."""
    return deed.change(customer, lost_at=deed.at)


@door.verb("customer", label="转移负责人", asks=("person", "reason"))
def transfer_customer(
    deed: door.Deed, customer: Any, *, person: Person, reason: str = "", at: datetime | None = None
) -> Any:
    """Hand a customer to another owner; the earlier holding ends where the new one begins."""
    if at is not None:
        holding.hand_to(customer, person, at=at, reason=reason)
        return customer
    return pooling.assign(deed, customer, person, reason)


@door.verb("customer", label="加入服务组", asks=("person", "role"))
def add_to_team(deed: door.Deed, customer: Any, *, person: Person, role: str) -> Any:
    """Put a colleague into a customer's service team (RES-3.4.1)."""
    return deed.create(
        Holding, {"subject": customer, "person": person, "role": role, "starts_at": deed.at}
    )


@door.verb("customer", label="标为紧急", asks=("urgent_until",))
def mark_urgent(deed: door.Deed, customer: Any, *, urgent_until: datetime | None) -> Any:
    """Say until when the customer's matter is important or urgent (KA-3.3.3d)."""
    return deed.change(customer, urgent_until=urgent_until)
