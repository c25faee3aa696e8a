"""What rules may know of campaigns and intelligence."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import add

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import (
    Case,
    ExpressionWrapper,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now, TruncDate

from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.marketing.models import Campaign, Intel
from fangyuan.marketing.models.campaign import BUDGET

AMOUNT = models.DecimalField(max_digits=18, decimal_places=2)
WARNED = "RES-4.3.3f"


def budget() -> Case:
    """The sum of the budget's items; nothing where none was thought of."""
    items = [Coalesce(F(name), Value(Decimal(0))) for name in BUDGET]
    total = ExpressionWrapper(reduce(add, items), AMOUNT)
    none = Q(**{f"{name}__isnull": True for name in BUDGET})
    return Case(When(none, then=Value(None, AMOUNT)), default=total, output_field=AMOUNT)


def _items() -> Func:
    """The items that were thought of, by their names; 0 counts."""
    text = models.TextField()
    named = [
        Case(When(**{f"{name}__isnull": False}, then=Value(label)), output_field=text)
        for name, label in BUDGET.items()
    ]
    listed = Func(*named, template="ARRAY[%(expressions)s]", output_field=ArrayField(text))
    return Func(
        listed, template="array_remove(%(expressions)s, NULL)", output_field=ArrayField(text)
    )


def _intel_made() -> Subquery:
    rows = Intel._base_manager.filter(campaign=OuterRef("pk"), removed_at=None).order_by()
    return Subquery(rows.values("campaign").annotate(at=Min("recorded_at")).values("at"))


facts.extend(
    Campaign,
    {
        "is_ad": facts.Among("广告投放", of="kind", values=("AD",)),
        "budget": facts.Derived("预算额", kind="number", value=budget),
        "budget_items": facts.Derived("预算科目", kind="set", value=_items),
        "intel_made_at": facts.Derived(
            "产出情报", kind="at", reads=(("intel", "campaign"),), value=_intel_made
        ),
    },
)
facts.extend(
    Intel,
    {
        "is_valid": facts.Derived(
            "有效期内",
            kind="bool",
            value=lambda: is_true(Q(valid_until=None) | Q(valid_until__gte=TruncDate(Now()))),
        )
    },
)
facts.declare_streams(
    Campaign,
    {
        "campaign.ended": facts.Stream("campaign", "ended_at"),
        "campaign.strategy_changed": facts.Stream("campaign", "strategy_changed_at"),
        "ad.warned": facts.Stream("alert", "raised_at", "subject", {"rule.clause.number": WARNED}),
    },
)
