"""Numbers that no room declares: counts of activities, so that every way of measuring is drawn."""

from __future__ import annotations

from fangyuan.core import facts, measured
from fangyuan.customers.models import Customer
from fangyuan.org.models import Person


def _counted(label: str, subject: str, per: str, kinds: list[str]) -> measured.Counted:
    return measured.Counted(
        label, source="activity", at="ended_at", subject=subject, when={"kind": kinds}, per=per
    )


BOTH = ["VISIT", "CALL"]


def declare() -> None:
    """Have customers and people measured by their activities."""
    facts.extend(Customer, {"talks": _counted("本周联系次数", "customer", "week", BOTH)})
    facts.extend(
        Person,
        {
            "talks_per_hour": _counted("一小时联系次数", "person", "hour", BOTH),
            "visits_per_day": _counted("当日拜访次数", "person", "day", ["VISIT"]),
            "calls_in_a_row": measured.Run(
                "连续电话次数",
                source="activity",
                at="ended_at",
                subject="person",
                when={"kind": "CALL"},
                broken_by={"kind": "VISIT"},
            ),
        },
    )
