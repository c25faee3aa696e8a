"""What the oracle can know of a record at an instant, and the ten words over it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.oracle.calendar_oracle import DAY, midnight
from tests.oracle.world import Adoption, Holding, Membership, Record, Span, World

R = TypeVar("R")
T = TypeVar("T")
MAJOR = ("NAME", "OWNERSHIP", "DECIDER", "CONTACT", "SCOPE", "FINANCE")
FORMATS = {
    "phone": r"(\+?86)?1[3-9]\d{9}|(0\d{2,3}-?)?\d{7,8}",
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "uscc": r"[0-9A-HJ-NPQRTUWXY]{18}",
}


def grouped(rows: Iterable[R], by: Callable[[R], Any]) -> dict[Any, list[R]]:
    """Rows by what a function says of them, in their order."""
    found: dict[Any, list[R]] = {}
    for row in rows:
        found.setdefault(by(row), []).append(row)
    return found


class View:
    """A world as it is known at an instant, `now`.

    Facts are those recorded by then, and instants those that have come; spans (holding,
    membership, leave, waiver, tracked value) are all known, whatever their beginning.
    """

    def __init__(self, world: World, now: datetime) -> None:
        self.world = world
        self.now = now
        self.calendar = world.calendar
        self.people = {person.login: person for person in world.people}
        self.teams = {team.code: team for team in world.teams}
        self._by_pointer = {record.pointer: record for record in world.records}
        self._by_type = grouped(world.records, lambda one: one.type)
        self._by_type["person"] = [
            Record("person", one.login, midnight(one.joined_on)) for one in world.people
        ]
        self._held = grouped(world.holdings, lambda one: (one.subject, one.role))
        self.held = grouped(world.holdings, lambda one: one.subject)
        self.seats = grouped(world.memberships, lambda one: one.person)
        self.leaves = grouped(world.leaves, lambda one: one.person)
        self.waivers = grouped(world.waivers, lambda one: one.clause)
        # What was worked out once about this world at this instant.
        self._known: dict[Any, Any] = {}

    def once(self, key: Any, ask: Callable[[], T]) -> T:
        """What a question gives, asked once: nothing changes in a view."""
        if key not in self._known:
            self._known[key] = ask()
        found: T = self._known[key]
        return found

    def of_type(self, type: str) -> list[Record]:
        """Every record of a type, known by now or not; people are records too."""
        return self._by_type.get(type, [])

    def is_known(self, record: Record) -> bool:
        """Whether the record was entered by now."""
        return record.recorded_at <= self.now

    def is_removed(self, record: Record) -> bool:
        """Whether the record lies in the recycle bin by now."""
        return record.removed_at is not None and record.removed_at <= self.now

    def customer_of(self, record: Record) -> Record | None:
        """The customer whom a record concerns."""
        if record.type == "customer":
            return record
        pointer = str(record.facts.get("subject") or "")
        if record.facts.get("customer"):
            pointer = f"customer:{record.facts['customer']}"
        found = self._by_pointer.get(pointer)
        if found is None or found.type == "customer":
            return found
        return self.customer_of(found)

    def holdings(self, subject: str, role: str) -> list[Holding]:
        """Who held a record in a role, in any order."""
        return self._held.get((subject, role), [])

    def fact(self, record: Record, name: str, at: datetime) -> Any:
        """The value of a fact at an instant; instants that have not come are unknown."""
        if name in record.tracked:
            return next((s.value for s in record.tracked[name] if s.holds(at)), None)
        if (record.type, name) in DERIVED:
            return DERIVED[record.type, name](self, record, at)
        value = record.recorded_at if name == "recorded_at" else record.facts.get(name)
        if isinstance(value, datetime):
            return value if value <= min(at, self.now) else None
        return value

    def adopted(self, policy: str) -> list[Adoption]:
        """The spans for which the company adopts a policy."""
        return self.once(("adopted", policy), lambda: self.world.adopted(policy))

    def edges(self, record: Record) -> list[datetime]:
        """Every instant by now at which any fact of the record may take another value."""
        return self.once(("edges", record.pointer), lambda: self._edges(record))

    def _edges(self, record: Record) -> list[datetime]:
        found = set(_own_edges(record))
        concerned = self.customer_of(record)
        if concerned is not None and concerned is not record:
            found.update(self.edges(concerned))
        for one in self.held.get(record.pointer, []) if concerned is record else ():
            found.update(_ends(one.starts_at, one.ends_at))
        if record.type == "person":
            found.update(self._person_edges(record.key))
        return sorted(at for at in found if at <= self.now)

    def _person_edges(self, login: str) -> Iterator[datetime]:
        person = self.people[login]
        yield midnight(person.joined_on)
        if person.left_on:
            yield midnight(person.left_on + DAY)
        for one in self.seats.get(login, []):
            yield from _ends(*membership_span(one))


def membership_span(one: Membership) -> tuple[datetime, datetime | None]:
    """The instants at which a membership begins and ends; its last day belongs to it."""
    ends_at = None if one.ends_on is None else midnight(one.ends_on + DAY)
    return midnight(one.starts_on), ends_at


def _ends(starts_at: datetime, ends_at: datetime | None) -> list[datetime]:
    return [starts_at] if ends_at is None else [starts_at, ends_at]


def _own_edges(record: Record) -> Iterator[datetime]:
    if record.removed_at is not None:
        yield record.removed_at
    yield from (value for value in record.facts.values() if isinstance(value, datetime))
    for spans in record.tracked.values():
        for span in spans:
            yield from _ends(span.starts_at, span.ends_at)


def _of_customer(name: str) -> Any:
    """A yes or no of the customer concerned; no where there is none, or nothing was said yet."""

    def value(view: View, record: Record, at: datetime) -> bool:
        concerned = view.customer_of(record)
        return concerned is not None and bool(view.fact(concerned, name, at))

    return value


def _present(name: str) -> Any:
    """Without past values the present one holds since the customer was learned of."""

    def value(view: View, record: Record, at: datetime) -> Any:
        return record.facts.get(name) if record.facts["learned_at"] <= at else None

    return value


def _since(fact: str, value: Any) -> Any:
    """Since when a fact has had a value without a break."""

    def since(view: View, record: Record, at: datetime) -> datetime | None:
        spans = record.tracked.get(fact) or [
            Span(record.facts.get(fact), record.facts["learned_at"])
        ]
        mine = [span for span in spans if span.value == value]
        starts = [span.starts_at for span in mine if span.holds(at)]
        while starts:
            before = [span.starts_at for span in mine if span.ends_at == starts[-1]]
            if not before:
                break
            starts.append(before[0])
        return starts[-1] if starts else None

    return since


def _team_roles(view: View, record: Record, at: datetime) -> set[str]:
    return {
        one.role
        for one in view.held.get(record.pointer, [])
        if Span(one.role, one.starts_at, one.ends_at).holds(at)
    }


def _status(view: View, record: Record, at: datetime) -> str:
    for status, fact in (("LOST", "lost_at"), ("WON", "won_at"), ("PROSPECT", "prospect_at")):
        reached = record.facts.get(fact)
        if reached is not None and reached <= at:
            return status
    return "POTENTIAL"


def _clock_at(view: View, record: Record, at: datetime) -> datetime | None:
    known, proof = record.facts.get("known_at"), record.facts.get("known_proof")
    clock = known if known and proof else record.facts["occurred_at"]
    return clock if clock <= min(at, view.now) else None


def _roles(view: View, record: Record, at: datetime) -> set[str]:
    spans = [Span(one.position, *membership_span(one)) for one in view.seats.get(record.key, [])]
    return {span.value for span in spans if span.holds(at)}


DERIVED: dict[tuple[str, str], Any] = {
    ("customer", "grade"): _present("grade"),
    ("customer", "is_ka"): _present("is_ka"),
    ("customer", "ka_tier"): _present("ka_tier"),
    ("customer", "is_urgent"): _present("is_urgent"),
    ("customer", "is_key"): lambda view, record, at: view.fact(record, "grade", at) == "A",
    ("customer", "key_since"): _since("grade", "A"),
    ("customer", "ka_since"): _since("is_ka", True),
    ("customer", "team_roles"): _team_roles,
    ("customer", "status"): _status,
    ("activity", "is_ka"): _of_customer("is_ka"),
    ("activity", "is_key"): _of_customer("is_key"),
    ("activity", "stage"): lambda view, record, at: (
        "DONE" if view.fact(record, "ended_at", at) else "PLANNED"
    ),
    ("change", "is_ka"): _of_customer("is_ka"),
    ("change", "clock_at"): _clock_at,
    ("change", "is_major"): lambda view, record, at: record.facts["kind"] in MAJOR,
    ("change", "subject_kind"): lambda view, record, at: record.facts["subject"].split(":")[0],
    ("person", "roles"): _roles,
}


def holds(view: View, record: Record, conditions: dict[str, Any], at: datetime) -> bool:
    """Whether every condition on a record is true at an instant."""
    for name, wanted in conditions.items():
        if name == "any":
            if not any(holds(view, record, group, at) for group in wanted):
                return False
        elif not _fits(view, record, (view.fact(record, name, at), wanted), at):
            return False
    return True


def _fits(view: View, record: Record, pair: tuple[Any, Any], at: datetime) -> bool:
    value, wanted = pair
    if isinstance(wanted, list):
        wanted = {"in": wanted}
    if not isinstance(wanted, dict):
        wanted = {"is": wanted}
    for word, operand in wanted.items():
        if word == "same_as" or word == "not_same_as":
            operand = view.fact(record, operand, at)
        if not says(value, word, operand):
            return False
    return True


def says(value: Any, word: str, operand: Any) -> bool:
    """One of the ten words, or its negation: `not_` reverses, and `not` alone is `not_is`."""
    if word == "not":
        return not says(value, "in" if isinstance(operand, list) else "is", operand)
    if word.startswith("not_"):
        return not says(value, word.removeprefix("not_"), operand)
    if word == "empty":
        return (value is None or value in ("", [], (), set())) == operand
    if value is None:
        return word == "is" and operand is None
    return WORDS[word](value, operand)


WORDS: dict[str, Any] = {
    "is": lambda value, operand: value == operand,
    "in": lambda value, operand: value in operand,
    "at_least": lambda value, operand: value >= operand,
    "at_most": lambda value, operand: value <= operand,
    "above": lambda value, operand: value > operand,
    "below": lambda value, operand: value < operand,
    "has": lambda value, operand: set(operand) <= set(value),
    "same_as": lambda value, operand: value == operand,
    "valid": lambda value, operand: re.fullmatch(FORMATS[operand], value) is not None,
}


def overlap(a: tuple[datetime, datetime], b: tuple[datetime, datetime]) -> timedelta:
    """How long two spans run together."""
    return max(min(a[1], b[1]) - max(a[0], b[0]), timedelta(0))
