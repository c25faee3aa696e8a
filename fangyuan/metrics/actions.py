"""The verb on targets: a target is never rewritten, its next version takes its place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fangyuan import door
from fangyuan.metrics.models import Target

SAME = ("metric", "subject", "period", "category", "tier")


@door.verb("target", label="调整目标", asks=("value", "basis"), writes=("value",))
def adjust_target(deed: door.Deed, target: Any, *, value: Decimal, basis: str = "") -> Any:
    """Set the target anew, with the reason; the version before stays to be read (RES-6.4.1b)."""
    held = deed.held(target)
    if not basis.strip():
        raise door.Refused([door.Unmet("写明为什么调整", "basis", record="target")])
    newest = _newest(held)
    if newest.pk != held.pk:
        raise door.Denied(f"这是第 {held.version} 版，请在第 {newest.version} 版上调整")
    if value == held.value:
        raise door.Refused([door.Unmet("新的值和原来一样", "value", record="target")])
    values = {name: getattr(held, name) for name in SAME}
    return deed.create(Target, {**values, "value": value, "basis": basis}, version=held.version + 1)


def _newest(held: Any) -> Any:
    kept = {name: getattr(held, name) for name in ("metric", "period", "category", "tier")}
    rows = (
        Target.objects.everything("目标的版本")
        .present()
        .filter(subject_type=held.subject_type, subject_id=held.subject_id, **kept)
    )
    return rows.order_by("-version").first() or held
