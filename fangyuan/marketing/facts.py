"""What rules may know of campaigns and intelligence."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any

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
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now, NullIf, TruncDate

from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.forms.models import Response
from fangyuan.marketing.models import Campaign, Intel
from fangyuan.marketing.models.campaign import BUDGET
from fangyuan.metrics.models import Reading

AMOUNT = models.DecimalField(max_digits=18, decimal_places=2)
SHARE = models.DecimalField(max_digits=9, decimal_places=2)
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


def spent_on_ads() -> Coalesce:
    """What was spent on advertising, as it was read from outside."""
    rows = Reading._base_manager.filter(
        series="AD_SPEND", subject_type="campaign", subject_id=OuterRef("pk"), removed_at=None
    ).order_by()
    total = rows.values("subject_id").annotate(sum=Sum("value")).values("sum")
    return Coalesce(Subquery(total, output_field=AMOUNT), Value(Decimal(0)), output_field=AMOUNT)


def unspent_pct(spent: Any) -> Any:
    """How much of the budget is left, of a hundred; nothing where there is no budget."""
    whole = NullIf(budget(), Value(Decimal(0), AMOUNT))
    return ExpressionWrapper((whole - spent) * 100 / whole, SHARE)


def _last_reading() -> Subquery:
    rows = Reading._base_manager.filter(
        subject_type="campaign", subject_id=OuterRef("pk"), removed_at=None
    ).order_by("-at")
    return Subquery(rows.values("at")[:1])


def _intel_made() -> Subquery:
    rows = Intel._base_manager.filter(campaign=OuterRef("pk"), removed_at=None).order_by()
    return Subquery(rows.values("campaign").annotate(at=Min("recorded_at")).values("at"))


facts.extend(
    Campaign,
    {
        "is_ad": facts.Among("广告投放", of="kind", values=("AD",)),
        "budget": facts.Derived("预算额", kind="number", value=budget),
        "budget_items": facts.Derived("预算科目", kind="set", value=_items),
        "spent": facts.Derived(
            "实际花费", kind="number", reads=(("reading", "subject"),), value=spent_on_ads
        ),
        "unspent_pct": facts.Derived(
            "未用预算占比",
            kind="number",
            reads=(("reading", "subject"),),
            value=lambda: unspent_pct(spent_on_ads()),
        ),
        "last_reading_at": facts.Derived(
            "最近投放数据", kind="at", reads=(("reading", "subject"),), value=_last_reading
        ),
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


def _used_later() -> Coalesce:
    """How many later campaigns took up what an evaluation said."""
    counted = Func(
        F("pk"),
        template="(SELECT count(*) FROM marketing_campaign c WHERE c.removed_at IS NULL"
        " AND %(expressions)s = ANY (c.learned_from))",
        output_field=models.IntegerField(),
    )
    return Coalesce(counted, Value(0))


facts.extend(
    Response,
    {
        "used_later": facts.Derived(
            "被后来采纳", kind="int", reads=(("campaign", ""),), value=lambda: _used_later()
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
