"""What rules may know of needs."""

from __future__ import annotations

from django.db.models import Q

from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.opportunities.models import Need

facts.extend(
    Need,
    {
        "is_key": facts.Via("重点客户", "bool", link="customer", to="customer", of="is_key"),
        "is_ka": facts.Via("KA客户", "bool", link="customer", to="customer", of="is_ka"),
        "days_to_need": facts.DaysTo("距预计需求天数", day="expected_on"),
        "adopted": facts.Derived(
            "被采纳", kind="bool", value=lambda: is_true(Q(adopted_at__isnull=False))
        ),
    },
)
