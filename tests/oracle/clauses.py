"""The rules of the clauses bound first, written down a second time from their text.

The comparison with the engine thereby also finds a slip in a pack.
"""

from __future__ import annotations

from typing import Any

from tests.oracle.world import Rule


def _deadline(record: str, on: str, until: str, within: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "deadline",
        "record": record,
        "on": on,
        "until": until,
        "within": within,
        **more,
    }


def _visits(per: str, where: dict[str, Any], **when: Any) -> dict[str, Any]:
    return {
        "kind": "cadence",
        "record": "customer",
        "event": "activity.ended_at",
        "via": "subject_customer",
        "when": when,
        "per": per,
        "at_least": 1,
        "where": where,
    }


def _reviews(per: str, where: dict[str, Any], **when: Any) -> dict[str, Any]:
    return {
        "kind": "cadence",
        "record": "customer",
        "event": "response.submitted_at",
        "via": "subject",
        "when": {"kind": "REVIEW", **when},
        "per": per,
        "at_least": 1,
        "where": where,
    }


NOT_LOST = {"status": {"not": "LOST"}}
COVERS_DAILY = ["size", "business_scope", "buying_habits"]
COVERS_TAGS = ["基本信息", "行业", "规模", "需求", "购买意向", "合作历史", "信用"]

BOUND: dict[str, list[dict[str, Any]]] = {
    "RES-3.2.1a": [_deadline("customer", "learned_at", "recorded_at", "24h")],
    "RES-3.2.2a": [
        _reviews("month", {"grade": "A"}),
        _reviews("quarter", {"grade": "B"}),
        _reviews("half-year", {"grade": "C"}),
        _reviews("year", {"grade": "D"}),
    ],
    "RES-3.2.2b": [
        _deadline(
            "change",
            "occurred_at",
            "recorded_at",
            "24h",
            where={"kind": ["NEED", "PEOPLE", "PROGRESS"]},
        )
    ],
    "RES-3.4.1": [
        {
            "kind": "required",
            "record": "customer",
            "enforce": "duty",
            "since": "key_since",
            "within": "5wd",
            "holds": {"team_roles": {"has": ["OWNER", "TECHNICAL", "AFTERSALES"]}},
            "where": {"is_key": True},
            "who": "sales_manager",
        }
    ],
    "RES-3.4.2a": [_visits("month", {"is_key": True}, is_deep=True)],
    "RES-3.4.2b": [_visits("quarter", {"is_key": True}, kind="VISIT")],
    "KA-3.2.1b": [
        _deadline("customer", "learned_at", "recorded_at", "24h", where={"is_ka": True}),
        _deadline("change", "clock_at", "recorded_at", "24h", where={"is_ka": True}),
    ],
    "KA-3.2.2a": [_reviews("month", {"is_ka": True})],
    "KA-3.2.2b": [
        _deadline(
            "change", "clock_at", "updated_at", "24h", where={"is_ka": True, "is_major": True}
        )
    ],
    "KA-3.3.1a": [
        {
            "kind": "cadence",
            "record": "person",
            "event": "plan.submitted_at",
            "via": "person",
            "when": {"kind": "VISIT", "items_complete": True},
            "per": "month",
            "at_least": 1,
            "due": "last_working_day before",
            "counts_by": "period",
            "where": {"roles": {"has": ["ka_rep"]}},
            "who": "self",
        }
    ],
    "KA-3.3.1c": [
        _deadline(
            "request",
            "asked_at",
            "decided_at",
            "2wd",
            where={"action": "plan.approve_plan"},
            who="ka_manager",
        )
    ],
    "KA-3.3.2b": [
        _deadline(
            "activity", "ended_at", "written_at", "24h", where={"kind": "VISIT", "is_ka": True}
        )
    ],
    "KA-3.3.3a": [_visits("week", {"ka_tier": "TIER1"}, kind="VISIT")],
    "KA-3.3.3b": [_visits("biweek", {"ka_tier": "TIER2"}, kind="VISIT")],
    "KA-3.3.3c": [_visits("month", {"ka_tier": "TIER3"}, kind="VISIT")],
    "KA-3.3.3d": [
        _visits("day", {"is_ka": True, "is_urgent": True}),
        _deadline(
            "customer",
            "activity.incoming",
            "activity.outgoing",
            "4h",
            where={"is_ka": True, "is_urgent": True},
        ),
    ],
    "DAY-3.1.2": [_reviews("quarter", NOT_LOST, covers={"has": COVERS_DAILY})],
    "TAG-4.1.1a": [_reviews("month", NOT_LOST, covers={"has": COVERS_TAGS})],
    "TAG-4.1.1c": [
        _deadline(
            "change",
            "occurred_at",
            "updated_at",
            "1wd",
            where={"is_major": True, "subject_kind": "customer"},
        )
    ],
}


def rules_of(*clauses: str) -> list[Rule]:
    """The shipped rules of some clauses, of all of them if none is named."""
    return [
        Rule(clause, params, line=line)
        for clause, lines in BOUND.items()
        for line, params in enumerate(lines)
        if not clauses or clause in clauses
    ]
