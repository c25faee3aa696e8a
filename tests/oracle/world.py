"""What the oracle is told: a company, people, records and rules, as plain dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, TypeVar

from tests.oracle.calendar_oracle import Calendar, instant

T = TypeVar("T")
SHIPPED_FROM = instant("2010-01-01 00:00")


@dataclass(frozen=True)
class Span:
    """A value of a tracked fact for a span of time."""

    value: Any
    starts_at: datetime
    ends_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the value holds: tracked values hold on [start, end)."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass
class Record:
    """A business record: its fields as they are now, and the past of the tracked ones."""

    type: str
    key: str
    recorded_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    tracked: dict[str, list[Span]] = field(default_factory=dict)
    removed_at: datetime | None = None
    # When it was brought in as history, with the `recorded_at` of where it comes from.
    imported_at: datetime | None = None

    @cached_property
    def pointer(self) -> str:
        """The record as other records name it, `customer:C1`."""
        return f"{self.type}:{self.key}"


@dataclass
class Team:
    """A team and who leads it now."""

    code: str
    leader: str | None = None
    kind: str = "TEAM"
    parent: str | None = None


@dataclass
class Person:
    """An employee; the superior is that of now."""

    login: str
    manager: str | None = None
    joined_on: date = date(2020, 1, 1)
    left_on: date | None = None


@dataclass
class Membership:
    """A person in a position of a team, from one day up to and with another."""

    person: str
    team: str
    position: str
    starts_on: date
    ends_on: date | None = None
    is_main: bool = True


@dataclass
class Holding:
    """A person answers for a record in a role, for a span of time."""

    subject: str
    person: str
    starts_at: datetime
    ends_at: datetime | None = None
    role: str = "OWNER"


@dataclass
class Leave:
    """An absence with the colleague who stands in."""

    person: str
    starts_at: datetime
    ends_at: datetime
    stand_in: str | None = None
    stage: str = "APPROVED"


@dataclass
class Waiver:
    """An exemption of a record, a person or both from a clause."""

    clause: str
    starts_at: datetime
    ends_at: datetime
    subject: str | None = None
    person: str | None = None


@dataclass
class Adoption:
    """A policy adopted by the whole company for a span of time."""

    policy: str
    starts_at: datetime = SHIPPED_FROM
    ends_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the policy is adopted at an instant."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass
class Rule:
    """One rule of a clause in one version of its policy, in force on [from, to)."""

    clause: str
    params: dict[str, Any]
    line: int = 0
    version: str = "1"
    starts_at: datetime = SHIPPED_FROM
    ends_at: datetime | None = None
    # What becomes of the duties that are open when this version takes over: OLD, NEW or MILD.
    in_flight: str = "OLD"

    @cached_property
    def policy(self) -> str:
        """The policy of the clause, `KA` of `KA-3.3.1a`."""
        return self.clause.split("-")[0]

    @cached_property
    def who(self) -> str:
        """Who answers; the owner unless the rule names another."""
        return str(self.params.get("who", "owner"))

    def in_force(self, at: datetime) -> bool:
        """Whether this version is in force at an instant."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass
class World:
    """A company and its history, as it is known in the end."""

    rules: list[Rule] = field(default_factory=list)
    calendar: Calendar = field(default_factory=Calendar)
    teams: list[Team] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    leaves: list[Leave] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    adoptions: list[Adoption] | None = None
    records: list[Record] = field(default_factory=list)

    def adopted(self, policy: str) -> list[Adoption]:
        """The spans for which the company adopts a policy; as shipped, from 2010 on."""
        if self.adoptions is None:
            return [Adoption(policy)]
        return [one for one in self.adoptions if one.policy == policy]

    def versions(self, clause: str, line: int) -> list[Rule]:
        """The versions of one rule, earliest first."""
        mine = [rule for rule in self.rules if (rule.clause, rule.line) == (clause, line)]
        return sorted(mine, key=lambda rule: rule.starts_at)


def renamed(world: World, prefix: str) -> World:
    """The same world with every key prefixed, so that many can live in one database."""

    def name(key: str | None) -> str | None:
        return None if key is None else prefix + key

    def pointer(text: str) -> str:
        type, _, key = text.partition(":")
        return f"{type}:{prefix}{key}"

    def record(one: Record) -> Record:
        fresh = dict(one.facts)
        for fact in ("person", "reported_by", "asked_by", "customer"):
            if fact in fresh:
                fresh[fact] = name(fresh[fact])
        if "subject" in fresh:
            fresh["subject"] = pointer(fresh["subject"])
        key = prefix + one.key
        return _like(one, key=key, pointer=f"{one.type}:{key}", facts=fresh)

    return replace(
        world,
        teams=[_like(t, code=prefix + t.code, leader=name(t.leader)) for t in world.teams],
        people=[_like(p, login=prefix + p.login, manager=name(p.manager)) for p in world.people],
        memberships=[
            _like(m, person=prefix + m.person, team=prefix + m.team) for m in world.memberships
        ],
        holdings=[
            _like(h, subject=pointer(h.subject), person=prefix + h.person) for h in world.holdings
        ],
        leaves=[
            _like(one, person=prefix + one.person, stand_in=name(one.stand_in))
            for one in world.leaves
        ],
        waivers=[
            _like(w, subject=w.subject and pointer(w.subject), person=name(w.person))
            for w in world.waivers
        ],
        records=[record(one) for one in world.records],
    )


def _like(one: T, **fresh: Any) -> T:
    """What `replace` gives, in a fraction of the time."""
    made = object.__new__(type(one))
    made.__dict__ = {**one.__dict__, **fresh}
    return made


def customer(
    key: str, learned_at: datetime, recorded_at: datetime | None = None, **facts: Any
) -> Record:
    """A customer; pass past values of tracked facts as `tracked={fact: [Span, …]}`."""
    return _record("customer", key, recorded_at or learned_at, {"learned_at": learned_at, **facts})


def activity(key: str, ended_at: datetime | None, recorded_at: datetime, **facts: Any) -> Record:
    """A visit of a customer unless `kind` says otherwise."""
    facts = {"kind": "VISIT", "is_deep": False, "is_incoming": False, "ended_at": ended_at, **facts}
    return _record("activity", key, recorded_at, facts)


def change(key: str, occurred_at: datetime, recorded_at: datetime, **facts: Any) -> Record:
    """Something that happened at a customer; `subject` is written `customer:C1`."""
    return _record("change", key, recorded_at, {"occurred_at": occurred_at, **facts})


def response(key: str, submitted_at: datetime, recorded_at: datetime, **facts: Any) -> Record:
    """A review of a customer unless `kind` says otherwise."""
    facts = {"kind": "REVIEW", "covers": (), "submitted_at": submitted_at, **facts}
    return _record("response", key, recorded_at, facts)


def plan(key: str, submitted_at: datetime | None, recorded_at: datetime, **facts: Any) -> Record:
    """A visit plan of a person; `period` is written as an occurrence, `month:2026-08-01`."""
    facts = {"kind": "VISIT", "items_complete": True, "submitted_at": submitted_at, **facts}
    return _record("plan", key, recorded_at, facts)


def debt(key: str, granted_at: datetime, recorded_at: datetime, **facts: Any) -> Record:
    """A gate that a record passed on credit; `subject` is written `customer:C1`."""
    return _record("debt", key, recorded_at, {"granted_at": granted_at, **facts})


def request(key: str, asked_at: datetime, **facts: Any) -> Record:
    """A request for approval, recorded when it was asked."""
    return _record("request", key, asked_at, {"asked_at": asked_at, **facts})


def _record(type: str, key: str, recorded_at: datetime, facts: dict[str, Any]) -> Record:
    tracked = facts.pop("tracked", {})
    removed_at = facts.pop("removed_at", None)
    return Record(type, key, recorded_at, facts, tracked, removed_at)
