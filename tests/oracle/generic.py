"""Rules that no clause has: every parameter in combination, over the facts of the drawn worlds."""

from __future__ import annotations

from typing import Any

from tests.oracle.choices import Pick, chance, one_of
from tests.oracle.world import Rule

SPANS = ("0d", "0wd", "1h", "4h", "24h", "48h", "1d", "3d", "7d", "1wd", "2wd", "3wd", "7wd")
PERIODS = ("day", "week", "biweek", "month", "quarter", "half-year", "year")
FIRST_PERIODS = ("next", "next", "immediately", "prorated")
ON_LEAVE = ("delegate", "delegate", "none")
MOVED = ("delegate", "none", "extend")
WHO = ("owner", "owner", "csm", "sales_manager", "ka_manager", "sales_director")
DUES = (None, "2wd", "5wd", "3d", "start+10d", "start+31d", "start+5wd", "last_working_day before")
OWED = 91
DEMANDS: tuple[dict[str, Any], ...] = (
    {"grade": ["A", "B"]},
    {"is_ka": True, "ka_tier": {"not_empty": True}},
    {"any": [{"grade": "A"}, {"ka_tier": "TIER1"}], "lost_at": {"empty": True}},
)
STREAMS = (
    "customer.owner_changed",
    "customer.changed",
    "customer.major_changed",
    "customer.reviewed",
    "customer.talked",
    "customer.visited",
    "customer.deep_talked",
    "activity.incoming",
    "activity.outgoing",
)
# Conditions on a customer, each with a past.
SCOPES: tuple[dict[str, Any], ...] = (
    {},
    {"is_ka": True},
    {"is_ka": False},
    {"is_key": False},
    {"grade": ["A", "B"]},
    {"grade": {"not_in": ["C", "D"]}},
    {"grade": {"not": "A"}, "is_ka": True},
    {"ka_tier": {"not_empty": True}},
    {"ka_tier": {"empty": True}},
    {"status": "LOST"},
    {"is_urgent": True, "status": {"not": "LOST"}},
    {"team_roles": {"has": ["TECHNICAL", "AFTERSALES"]}},
    {"team_roles": {"not_has": ["TECHNICAL"]}},
    {"any": [{"ka_tier": "TIER1"}, {"grade": "A"}, {"is_urgent": True}]},
    {"any": [{"is_ka": True, "grade": "A"}, {"ka_tier": "TIER3"}], "status": "POTENTIAL"},
)
EVENTS: tuple[dict[str, Any], ...] = (
    {},
    {"kind": "VISIT"},
    {"kind": {"not": "VISIT"}},
    {"is_deep": True},
    {"any": [{"is_incoming": True}, {"kind": ["VISIT", "MAIL"]}]},
)
COMPLETE: tuple[dict[str, Any], ...] = (
    {"team_roles": {"has": ["OWNER", "AFTERSALES"]}},
    {"grade": ["A", "B"]},
    {"grade": {"not": "D"}, "team_roles": {"has": ["TECHNICAL"]}},
    {"ka_tier": {"not_empty": True}},
    {"any": [{"ka_tier": "TIER1"}, {"team_roles": {"has": ["TECHNICAL"]}}]},
)


def rule(pick: Pick, number: int) -> Rule:
    """A rule of any kind that gives duties."""
    make = one_of(pick, (_fields, _streams, _field_then_stream, _visits, _plans, _required))
    return Rule(f"GEN-{number}", make(pick), line=0)


def gate(pick: Pick, number: int) -> list[Rule]:
    """A gate, and the duty to pay what it was passed on credit for."""
    clause = f"GEN-G{number}"
    demand = {
        "kind": "gate",
        "record": "customer",
        "on": "step",
        "holds": one_of(pick, DEMANDS),
        "where": one_of(pick, ({}, {"is_ka": True})),
    }
    owed = {
        "kind": "deadline",
        "record": "debt",
        "on": "granted_at",
        "until": "paid_at",
        "by": "due_at",
        "where": {"clause": clause},
        "who": "person",
        "on_leave": one_of(pick, ON_LEAVE),
    }
    return [Rule(clause, demand, line=0), Rule(clause, owed, line=OWED)]


def alert(pick: Pick, number: int) -> Rule:
    """A rule that raises alerts; the numbers it reads are declared in `measured`."""
    make = one_of(pick, (_idle, _fallen, _busy))
    params = make(pick)
    params["clear_after"] = one_of(pick, ("7d", "1d", "0d", "30h", "12h", "3d"))
    return Rule(f"GEN-A{number}", {"kind": "alert", **params}, line=0)


def _idle(pick: Pick) -> dict[str, Any]:
    quiet = {"idle_days": {one_of(pick, ("at_least", "above")): pick.number(2, 12)}}
    when = one_of(
        pick,
        (
            quiet,
            {"any": [quiet, {"talks": {"at_least": 3}}]},
            {"idle_days": {"below": 3}, "grade": ["A", "B"]},
            {**quiet, "any": [{"is_ka": True}, {"talks": {"at_most": 0}}]},
        ),
    )
    return {"record": "customer", "when": when, **_told(pick)}


def _fallen(pick: Pick) -> dict[str, Any]:
    fall = {
        "drop_at_least": one_of(pick, (30, 50, 100)),
        "over": one_of(pick, ("week", "week", "day", "month", "biweek")),
        "against": one_of(pick, ("mean_1", "mean_2", "mean_4")),
    }
    when = one_of(pick, ({"talks": fall}, {"any": [{"talks": fall}, {"talks": {"above": 2}}]}))
    return {"record": "customer", "when": when, **_told(pick)}


def _told(pick: Pick) -> dict[str, Any]:
    who = one_of(pick, ("owner", "owner,sales_manager", "csm,ka_manager", "ka_manager"))
    return {"where": one_of(pick, SCOPES), "who": who, "on_leave": one_of(pick, ON_LEAVE)}


def _busy(pick: Pick) -> dict[str, Any]:
    when = one_of(
        pick,
        (
            {"talks_per_hour": {"above": 1}},
            {"visits_per_day": {"at_least": 2}},
            {"calls_in_a_row": {"at_least": 2}},
            {"any": [{"talks_per_hour": {"at_least": 2}}, {"calls_in_a_row": {"above": 1}}]},
        ),
    )
    where = one_of(pick, ({}, {"roles": {"has": ["ka_rep"]}}))
    who = one_of(pick, ("self", "self,ka_manager"))
    return {"record": "person", "when": when, "where": where, "who": who}


def _span(pick: Pick) -> str:
    return one_of(pick, SPANS)


def _fields(pick: Pick) -> dict[str, Any]:
    """From one instant of a record to another."""
    record, on, until, where = one_of(
        pick,
        (
            ("change", "occurred_at", "updated_at", {"is_ka": True}),
            ("change", "clock_at", "updated_at", {"is_ka": False}),
            ("change", "clock_at", "recorded_at", {"kind": {"not_in": ["NEED"]}}),
            ("activity", "ended_at", "written_at", {"is_key": True}),
            ("activity", "ended_at", "recorded_at", {"is_ka": True, "kind": ["VISIT", "CALL"]}),
            ("customer", "learned_at", "recorded_at", {"grade": ["A", "B", "C"]}),
            ("response", "submitted_at", "recorded_at", {"kind": "REVIEW"}),
        ),
    )
    # Nothing says who is the customer's 「客户成功」 of an activity, so nobody is asked that.
    people = {"change": (*WHO, "reported_by"), "customer": WHO}
    who = people.get(record, ("owner", "person", "self", "sales_manager", "ka_manager"))
    return {
        "kind": "deadline",
        "record": record,
        "on": on,
        "until": until,
        "within": _span(pick),
        "where": where,
        "who": one_of(pick, who),
        "on_leave": one_of(pick, MOVED),
    }


def _streams(pick: Pick) -> dict[str, Any]:
    """From one event of a customer to the next of another stream."""
    return {
        "kind": "deadline",
        "record": "customer",
        "on": one_of(pick, STREAMS),
        "until": one_of(pick, STREAMS),
        "within": _span(pick),
        "where": one_of(pick, SCOPES),
        "who": one_of(pick, WHO),
        "on_leave": one_of(pick, MOVED),
    }


def _field_then_stream(pick: Pick) -> dict[str, Any]:
    return {**_streams(pick), "on": "learned_at"}


def _visits(pick: Pick) -> dict[str, Any]:
    params: dict[str, Any] = {
        "kind": "cadence",
        "record": "customer",
        "event": "activity.ended_at",
        "via": "subject_customer",
        "when": one_of(pick, EVENTS),
        "per": one_of(pick, PERIODS),
        "at_least": pick.number(1, 3),
        "where": one_of(pick, SCOPES),
        "who": one_of(pick, WHO),
        "on_leave": one_of(pick, ON_LEAVE),
        "first_period": one_of(pick, FIRST_PERIODS),
    }
    if chance(pick, 30):
        params["days"] = "calendar"
    if chance(pick, 30):
        params["due"] = one_of(pick, DUES[1:4])
    return params


def _plans(pick: Pick) -> dict[str, Any]:
    params: dict[str, Any] = {
        "kind": "cadence",
        "record": "person",
        "event": "plan.submitted_at",
        "via": "person",
        "when": one_of(pick, ({}, {"items_complete": True}, {"kind": "VISIT"})),
        "per": "month",
        "at_least": 1,
        "counts_by": "period",
        "where": one_of(pick, ({"roles": {"has": ["ka_rep"]}}, {"roles": {"not_has": ["ka_rep"]}})),
        "who": one_of(pick, ("self", "sales_manager", "ka_manager")),
    }
    due = one_of(pick, DUES)
    if due is not None:
        params["due"] = due
    return params


def _required(pick: Pick) -> dict[str, Any]:
    since, where = one_of(
        pick,
        (
            ("key_since", {"is_key": True}),
            ("ka_since", {"is_ka": True}),
            ("learned_at", {}),
            ("learned_at", {"status": {"not": "LOST"}}),
            ("learned_at", {"grade": {"not": "D"}}),
        ),
    )
    return {
        "kind": "required",
        "record": "customer",
        "enforce": "duty",
        "since": since,
        "within": _span(pick),
        "holds": one_of(pick, COMPLETE),
        "where": where,
        "who": one_of(pick, WHO),
        "on_leave": one_of(pick, MOVED),
    }
