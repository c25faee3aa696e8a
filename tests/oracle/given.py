"""Short ways to set up a small world for the hand-computed examples."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.oracle import clauses, world
from tests.oracle.calendar_oracle import Calendar, instant
from tests.oracle.oracle import Duty, settle
from tests.oracle.world import Record, Rule, World

BORN = instant("2026-01-05 00:00")  # a Monday; customers here are known since then

# The State Council's days around the examples of 2026.
HOLIDAYS_2026 = {
    **{date(2026, 10, day): False for day in range(1, 8)},
    date(2026, 9, 20): True,
    date(2026, 10, 10): True,
    date(2026, 1, 1): False,
}


def published(*years: int) -> Calendar:
    """The calendar with the holidays of 2026, published for the given years."""
    return Calendar(dict(HOLIDAYS_2026), set(years or (2025, 2026)))


def ka(**facts: Any) -> Record:
    """A key account of tier 1, grade B, known since the first Monday of 2026."""
    facts = {"is_ka": True, "ka_tier": "TIER1", "grade": "B", **facts}
    return world.customer("C", facts.pop("learned_at", BORN), **facts)


def visit(ended: str, recorded: str | None = None, key: str = "V", **facts: Any) -> Record:
    """A visit of that customer by 小李, recorded when it ended unless said otherwise."""
    for name in ("written_at",):
        if name in facts:
            facts[name] = instant(facts[name])
    facts = {"customer": "C", "person": "li", **facts}
    return world.activity(key, instant(ended), instant(recorded or ended), **facts)


def change(occurred: str, recorded: str | None = None, **facts: Any) -> Record:
    """A change of owner (major) at that customer."""
    for name in ("updated_at", "known_at"):
        if name in facts:
            facts[name] = instant(facts[name])
    facts = {"kind": "OWNERSHIP", "subject": "customer:C", "reported_by": "li", **facts}
    return world.change("X", instant(occurred), instant(recorded or occurred), **facts)


def company(*records: Record, rules: list[Rule] | None = None, **parts: Any) -> World:
    """小李 and 小赵 under 王总 (KA manager and leader of the team); 小李 holds the customer."""
    made = World(
        rules=clauses.rules_of() if rules is None else rules,
        calendar=parts.pop("calendar", published()),
        teams=[world.Team("ka_team", leader="wang")],
        people=[
            world.Person("wang"),
            world.Person("li", manager="wang"),
            world.Person("zhao", manager="wang"),
        ],
        memberships=[
            world.Membership("wang", "ka_team", "ka_manager", date(2020, 1, 1)),
            world.Membership("li", "ka_team", "ka_rep", date(2020, 1, 1)),
            world.Membership("zhao", "ka_team", "ka_rep", date(2020, 1, 1)),
        ],
        holdings=[world.Holding("customer:C", "li", BORN)],
        records=list(records),
    )
    for name, value in parts.items():
        setattr(made, name, value)
    return made


def duties(made: World, as_of: str, clause: str) -> dict[str, Duty]:
    """The duties of a clause by occurrence."""
    found = [duty for duty in settle(made, instant(as_of)) if duty.clause == clause]
    assert len({(d.line, d.record, d.key, d.occurrence) for d in found}) == len(found)
    return {duty.occurrence: duty for duty in found}


def only(made: World, as_of: str, clause: str) -> Duty:
    """The one duty of a clause."""
    (duty,) = duties(made, as_of, clause).values()
    return duty


def state(made: World, as_of: str, clause: str) -> str:
    """The state of the one duty of a clause."""
    return only(made, as_of, clause).state


def rule(clause: str = "KA-9.9", **params: Any) -> Rule:
    """A rule of its own, for a clause that no pack has."""
    return Rule(clause, params)


def deadline(within: str, **more: Any) -> Rule:
    """A deadline from the occurrence of a change to its assessment."""
    return rule(
        kind="deadline",
        record="change",
        on="occurred_at",
        until="updated_at",
        **({"within": within} | more),
    )


def visits(per: str, **more: Any) -> Rule:
    """A cadence of visits of key accounts."""
    params = {"where": {"is_ka": True}, "at_least": 1, "when": {"kind": "VISIT"}} | more
    return rule(
        kind="cadence",
        record="customer",
        event="activity.ended_at",
        via="subject_customer",
        per=per,
        **params,
    )
