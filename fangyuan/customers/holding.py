"""Who answers for a customer or lead: handing it on and letting it go, in one place.

The system writes the holdings; whoever acts was asked before whether they may.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fangyuan import door
from fangyuan.org.models import Holding, Person


def held(record: Any, *, locked: bool = False) -> Any:
    """The holding of who answers for the record now, or None."""
    rows = (
        Holding._base_manager.select_for_update(of=("self",)) if locked else Holding._base_manager
    )
    return rows.filter(
        subject_type=record.record_name(),
        subject_id=record.pk,
        role="OWNER",
        ends_at=None,
        removed_at=None,
    ).first()


def hand_to(
    record: Any, person: Person, *, at: datetime, reason: str = "", from_pool: bool = False
) -> None:
    """Make a person answer for the record from an instant; the earlier holding ends there."""
    current = held(record, locked=True)
    if current is not None and current.person_id == person.pk:
        return
    with door.acting(by=None, action="hand_to", reason=reason) as system:
        if current is not None:
            system.change(current, ends_at=at)
        values = {"subject": record, "person": person, "role": "OWNER", "starts_at": at}
        system.create(Holding, values, reason=reason, from_pool=from_pool)


def let_go(record: Any, *, at: datetime, reason: str = "") -> Any:
    """End the holding of who answers for the record; gives that holding, None if nobody did."""
    current = held(record, locked=True)
    if current is not None:
        with door.acting(by=None, action="let_go", reason=reason) as system:
            system.change(current, ends_at=at)
    return current
