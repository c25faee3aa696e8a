"""What the talks about a contract tell: when its performance was last looked after."""

from __future__ import annotations

from django.db.models import Max, OuterRef, Subquery

from fangyuan.activities.models import Activity
from fangyuan.contracts.models import Contract
from fangyuan.core import facts


def _last() -> Subquery:
    rows = Activity._base_manager.filter(contract=OuterRef("pk"), removed_at=None, stage="DONE")
    return Subquery(rows.order_by().values("contract").annotate(at=Max("ended_at")).values("at"))


facts.extend(
    Contract,
    {
        "last_follow_at": facts.Derived(
            "最近执行跟进", kind="at", reads=(("activity", "contract"),), value=lambda: _last()
        )
    },
)
