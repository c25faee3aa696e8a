"""The panel that says who keeps a record, until when, what moves that day, who kept it before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fangyuan.access import scopes, table
from fangyuan.core import ready
from fangyuan.customers import limits
from fangyuan.desk import duties
from fangyuan.desk.panels import Panel, Scene
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Holding

BEFORE = 5
TALKED = "secured_at"  # what a rule waits for whose clock every talk starts anew


@dataclass
class Keeping(Panel):
    """Owner or pool: days left under which clause, the act that resets them, the owners before."""

    name: str = "keeping"
    title: str = "归属与回收"
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        found = _KEPT(kind=scene.desk.name, number=scene.record.pk)
        now = next((one for one in found if one.ends_at is None), None)
        rules = self._rules(scene, now) if now else []
        record = scene.record
        is_free = now is None and record.pooled_at is not None
        return {
            "now": now,
            "before": [one for one in found if one is not now][:BEFORE],
            "duties": duties.describe(rules, scene.actor),
            "is_reset": any(one.rule.params.get("until") == TALKED for one in rules),
            "may_extend": bool(rules) and now is not None and now.extended_at is None
            and now.person_id == scene.actor.pk,
            "protected": getattr(record, "locked_until", None),
            "pool": record.pool if is_free else None,
            "why_not": limits.against(record, scene.actor, scene.now) if is_free else [],
            "may_claim": table.may_act(scene.actor, f"{scene.desk.name}.claim"),
            "url": scene.url(),
        }  # fmt: skip

    def _rules(self, scene: Scene, now: Holding) -> list[Any]:
        seen = scopes.reach(scene.actor, Obligation)
        return _OWED(seen, actor=scene.actor, number=now.pk)


_KEPT = ready.Ready(
    lambda: (
        Holding.objects.everything("所属记录在范围内")
        .present()
        .filter(subject_type=ready.Slot("kind"), subject_id=ready.Slot("number"), role="OWNER")
        .select_related("person")
        .order_by("-starts_at")[: BEFORE + 1]
    )
)
_OWED = ready.Ready(
    lambda seen: (
        Obligation.objects.everything("在范围内")
        .filter(
            scopes.later(seen, Obligation, few=True),
            subject_type="holding",
            subject_id=ready.Slot("number"),
            state__in=("OPEN", "BREACHED"),
            rule__is_shadow=False,
        )
        .select_related("rule__clause", "person")
        .order_by("due_at", "id")
    )
)
