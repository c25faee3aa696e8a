"""What the talks with a lead tell: first contact, first formal talk, how long it has been quiet."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Exists, Min, OuterRef, Q, Subquery, When

from fangyuan.activities.models import Activity
from fangyuan.core import facts, measured
from fangyuan.customers import pool_facts
from fangyuan.customers.models import Lead, Touch
from fangyuan.desk.models import is_true
from fangyuan.org.models import Holding

_READS = (("activity", "lead"),)


def _talks(**more: Any) -> Any:
    """Talks that we began and ended with the lead of the outer query."""
    rows = Activity._base_manager.filter(
        lead=OuterRef("pk"), removed_at=None, stage="DONE", is_incoming=False, **more
    )
    return rows.order_by()


def _first(label: str, **more: Any) -> facts.Derived:
    def value() -> Subquery:
        return Subquery(
            _talks(**more).values("lead").annotate(first=Min("ended_at")).values("first")
        )

    return facts.Derived(label, kind="at", reads=_READS, value=value)


def _history() -> Q:
    touched = Touch._base_manager.filter(lead=OuterRef("pk"), removed_at=None)
    return Q(Exists(touched)) | Q(Exists(_talks()))


facts.extend(
    Lead,
    {
        "first_contact_at": _first("首次联系"),
        "outbound_call_at": _first("呼出电话", kind="CALL"),
        "met_at": _first("首次正式沟通", purpose="FORMAL"),
        "deep_talk_at": _first("深度沟通", is_deep=True),
        "has_history": facts.Derived(
            "有互动历史",
            kind="bool",
            reads=(*_READS, ("touch", "lead")),
            value=lambda: is_true(_history()),
        ),
        "idle_days": measured.Idle("无跟进天数", source="activity", at="ended_at", subject="lead"),
    },
)


def _last_talk() -> Any:
    """Our last talk with the customer or lead that is held."""
    rows = Activity._base_manager.filter(removed_at=None, stage="DONE", is_incoming=False)
    found = {
        name: Subquery(
            rows.filter(**{name: OuterRef("subject_id"), "ended_at__isnull": False})
            .order_by("-ended_at")
            .values("ended_at")[:1]
        )
        for name in ("customer", "lead")
    }
    return Case(*(When(subject_type=name, then=talk) for name, talk in found.items()))


facts.extend(
    Holding,
    {
        "kept_since": facts.Derived(
            "最近联系或取得",
            kind="at",
            reads=(
                *pool_facts.READS,
                ("activity", "customer", "subject"),
                ("activity", "lead", "subject"),
            ),
            value=lambda: pool_facts.since(_last_talk()),
        ),
    },
)
facts.declare_streams(
    Lead,
    {
        "lead.contacted": facts.Stream(
            "activity", "ended_at", "lead", {"is_incoming": False, "stage": "DONE"}
        )
    },
)
