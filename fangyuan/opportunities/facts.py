"""What rules may know of needs."""

from __future__ import annotations

from fangyuan.core import facts
from fangyuan.opportunities.models import Need

facts.extend(
    Need,
    {
        "is_key": facts.Via("重点客户", "bool", link="customer", to="customer", of="is_key"),
        "is_ka": facts.Via("KA客户", "bool", link="customer", to="customer", of="is_ka"),
    },
)
