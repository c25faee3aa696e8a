"""What campaigns cost and what intelligence and materials were used for, told by what was done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import F, Func, IntegerField, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from fangyuan.activities.models import Activity, ResourceUsage
from fangyuan.core import facts
from fangyuan.library.facts import USED, traces
from fangyuan.library.models import Material
from fangyuan.marketing.facts import AMOUNT, spent_on_ads, unspent_pct
from fangyuan.marketing.models import Campaign, Intel


def _spent() -> Any:
    """What was entered as used for the campaign, and what its advertising cost."""
    rows = ResourceUsage._base_manager.filter(campaign=OuterRef("pk"), removed_at=None).order_by()
    total = rows.values("campaign").annotate(fy_sum=Sum("amount")).values("fy_sum")
    entered = Coalesce(Subquery(total, output_field=AMOUNT), Value(Decimal(0), AMOUNT))
    return entered + spent_on_ads()


def _used_in(column: str) -> Func:
    """In how many talks the record of the outer query was used."""
    return Func(
        F("pk"),
        template=f"(SELECT count(*) FROM {Activity._meta.db_table} a"  # noqa: S608 - own names
        f" WHERE a.{column} @> ARRAY[%(expressions)s] AND a.removed_at IS NULL)",
        output_field=IntegerField(),
    )


_COSTS = (("resource_usage", "campaign"), ("reading", "subject"))
facts.extend(
    Campaign,
    {
        "spent": facts.Derived("实际花费", kind="number", reads=_COSTS, value=_spent),
        "unspent_pct": facts.Derived(
            "未用预算占比", kind="number", reads=_COSTS, value=lambda: unspent_pct(_spent())
        ),
    },
)
facts.extend(
    Intel,
    {
        "use_count": facts.Derived(
            "被引用次数", kind="int", reads=(("activity", ""),), value=lambda: _used_in("intel")
        )
    },
)
facts.extend(
    Material,
    {
        "use_count": facts.Derived(
            "使用次数",
            kind="int",
            reads=(("access_log", "subject"), ("activity", "")),
            value=lambda: traces(*USED) + _used_in("materials"),
        )
    },
)
