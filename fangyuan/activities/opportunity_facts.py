"""What the talks about an opportunity tell: the last one, how long it has been quiet, its proof."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, Subquery

from fangyuan.activities.models import Activity
from fangyuan.core import facts, measured
from fangyuan.desk.models import is_true
from fangyuan.engine import gates
from fangyuan.opportunities.models import Opportunity

_READS = (("activity", "opportunity"),)


def _talks(**more: Any) -> Any:
    """Talks about the opportunity of the outer query that took place."""
    rows = Activity._base_manager.filter(
        opportunity=OuterRef("pk"), removed_at=None, stage="DONE", **more
    )
    return rows.order_by()


def _called() -> Exists:
    """A call of ours to the lead or about the opportunity."""
    calls = Activity._base_manager.filter(kind="CALL", is_incoming=False, removed_at=None)
    return Exists(
        calls.filter(Q(opportunity=OuterRef("pk")) | Q(lead=OuterRef("lead"), lead__isnull=False))
    )


def _linked() -> Any:
    """Whether what the tag says of the source is borne out by a record (TAG-2.2.1)."""
    referred = Q(lead__referrer__isnull=False) | Q(customer__referrer__isnull=False)
    return is_true(
        Q(tag_source="CAMPAIGN", lead__campaign__isnull=False)
        | (Q(tag_source="REFERRAL") & referred)
        | (Q(tag_source="CALL") & Q(_called()))
        | Q(tag_source="WEB", lead__platform__isnull=False)
        | Q(tag_source="EXPO", lead__campaign__kind="EXPO")
        | Q(tag_source="OTHER")
    )


facts.extend(
    Opportunity,
    {
        "source_linked": facts.Derived(
            "来源已关联佐证", kind="bool", reads=_READS, value=lambda: _linked()
        ),
        "last_activity_at": facts.Derived(
            "最近活动",
            kind="at",
            reads=_READS,
            value=lambda: Subquery(
                _talks().values("opportunity").annotate(last=Max("ended_at")).values("last")
            ),
        ),
        "idle_days": measured.Idle(
            "无记录天数", source="activity", at="ended_at", subject="opportunity"
        ),
    },
)
gates.met_at("opportunity", "source_linked", "/activity/new?kind=CALL&opportunity={id}")
