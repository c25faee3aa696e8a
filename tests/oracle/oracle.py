"""`settle`: every duty of a world as of an instant, computed from nothing, as ENGINE.md says it.

Numbers in comments are those of its 「Questions decided」. Where the text can be read in two ways
the literal one is taken, and the function's docstring says so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from tests.oracle import answers, dues, facts, streams
from tests.oracle.calendar_oracle import (
    DAY,
    Period,
    day_of,
    midnight,
    period_with,
    periods_between,
    said,
)
from tests.oracle.facts import View
from tests.oracle.world import Record, Rule, World

SECOND = timedelta(seconds=1)


class Duty(NamedTuple):
    """One obligation as it stands."""

    clause: str
    line: int
    version: str
    record: str
    key: str
    occurrence: str
    person: str | None
    began_on: date
    due_at: datetime
    met_at: datetime | None
    state: str
    told_late: bool = False
    is_provisional: bool = False
    is_imported: bool = False


class Case(NamedTuple):
    """A duty before its state is known: the rule, the record, and what was found out."""

    rule: Rule
    record: Record
    occurrence: str
    began_at: datetime
    due_at: datetime
    is_provisional: bool
    met_at: datetime | None
    left_at: datetime | None
    known_at: datetime
    period: Period | None = None


def settle(world: World, as_of: datetime) -> list[Duty]:
    """Every duty that exists as of an instant, with its state and who answers."""
    return settled(View(world, as_of))


def settled(view: View) -> list[Duty]:
    """The same of a world seen already."""
    return [
        _judged(view, case)
        for rule in view.world.rules
        if (judge := KINDS.get(rule.params["kind"]))  # gates and alerts give no duties
        for case in judge(view, rule)
    ]


def _judged(view: View, case: Case) -> Duty:
    person = _person(view, case)
    state = _state(view, case, person)
    return Duty(
        clause=case.rule.clause,
        line=case.rule.line,
        version=case.rule.version,
        record=case.record.type,
        key=case.record.key,
        occurrence=case.occurrence,
        person=person,
        began_on=day_of(case.began_at),
        due_at=case.due_at,
        met_at=None if state == "void" else case.met_at,
        state=state,
        told_late=case.known_at > case.due_at,
        is_provisional=case.is_provisional,
        is_imported=(case.record.imported_at or case.began_at) >= case.due_at
        and case.record.imported_at is not None,
    )


def _person(view: View, case: Case) -> str | None:
    """6: a cadence asks at its period's end; another at `met_at` if in time, else at `due_at`."""
    if case.period is not None:
        return answers.responsible_for_period(view, case.rule, case.record, case.period)
    in_time = case.met_at is not None and case.met_at <= case.due_at
    return answers.responsible(
        view, case.rule, case.record, case.met_at if in_time and case.met_at else case.due_at
    )


def _state(view: View, case: Case, person: str | None) -> str:
    """15: void (left before it was met) > met > waived > late > breached > open."""
    if case.left_at is not None and not (case.met_at and case.met_at < case.left_at):
        return "void"
    if case.met_at is not None and case.met_at <= case.due_at:
        return "met"
    if _is_waived(view, case, person):
        return "waived"
    if case.met_at is not None:
        return "late"
    # 3: a deadline is breached when now > due_at, a cadence when now >= due_at.
    # 4: a due time that needs an unpublished year is never breached.
    is_past = view.now >= case.due_at if case.period else view.now > case.due_at
    return "breached" if is_past and not case.is_provisional else "open"


def _is_waived(view: View, case: Case, person: str | None) -> bool:
    """15: the clause, the subject and the person (as printed) fit, and start < due_at <= end.

    「It shows at once」 is read as: from its beginning on, before the duty falls due; for 2 says
    that a span that begins later never changes a state before it begins.
    """
    return any(
        waiver.starts_at <= view.now
        and waiver.starts_at < case.due_at <= waiver.ends_at
        and waiver.subject in (None, case.record.pointer)
        and waiver.person in (None, person)
        for waiver in view.waivers.get(case.rule.clause, [])
    )


def _begins_at(view: View, record: Record) -> datetime | None:
    """10: a record enters scope when it occurred or was learned of; None for since ever."""
    if record.type == "customer":
        return record.facts["learned_at"]
    return midnight(view.people[record.key].joined_on) if record.type == "person" else None


class Scope:
    """When a rule binds a record, by now: as at the last edge before an instant, for nothing
    changes between two of them."""

    def __init__(self, view: View, rule: Rule, record: Record) -> None:
        self.edges = _edges(view, rule, record)
        self._asked = view, rule, record
        self._known: list[bool | None] = [None] * (len(self.edges) + 1)

    def holds(self, at: datetime) -> bool:
        """Whether the record is bound at an instant."""
        return self._holds(bisect_right(self.edges, at), at)

    def _holds(self, place: int, at: datetime) -> bool:
        known = self._known[place]
        if known is None:
            since = self.edges[place - 1] if place else at
            known = self._known[place] = is_bound(*self._asked, since)
        return known

    def is_empty(self) -> bool:
        """Whether the record is never bound; before the first edge no policy is adopted."""
        return not any(self._holds(place + 1, at) for place, at in enumerate(self.edges))

    def left_at(self, begun: datetime, due_at: datetime) -> datetime | None:
        """The first instant in [begun, due) at which the record is out of scope."""
        for place in range(bisect_left(self.edges, begun), len(self.edges)):
            at = self.edges[place]
            if at >= due_at:
                return None
            if not self._holds(place + 1, at):
                return at
        return None


def scope(view: View, rule: Rule, record: Record) -> Scope:
    """When a rule binds a record; the versions of a rule look at the same."""
    key = ("scope", rule.policy, id(rule.params.get("where")), record.pointer)
    return view.once(key, lambda: Scope(view, rule, record))


def is_bound(view: View, rule: Rule, record: Record, at: datetime) -> bool:
    """Whether a rule binds a record at an instant; spans of scope hold on [start, end)."""
    begins_at = _begins_at(view, record)
    if begins_at is not None and at < begins_at:
        return False
    if record.removed_at is not None and record.removed_at <= at:
        return False  # 13: removing a record is leaving scope
    if record.type == "person" and (left_on := view.people[record.key].left_on):
        if at >= midnight(left_on + DAY):
            return False
    if not any(one.holds(at) for one in view.adopted(rule.policy)):
        return False  # 13: so is ending the adoption of a policy
    return facts.holds(view, record, rule.params.get("where", {}), at)


def _edges(view: View, rule: Rule, record: Record) -> list[datetime]:
    """Every instant by now at which the record may enter or leave the scope of a rule."""

    def found() -> list[datetime]:
        edges = set(view.edges(record))
        for one in view.adopted(rule.policy):
            edges.update(at for at in (one.starts_at, one.ends_at) if at and at <= view.now)
        return sorted(edges)

    return view.once(("scope edges", rule.policy, record.pointer), found)


# --- deadline


def deadline(view: View, rule: Rule) -> Iterator[Case]:
    """Each time `on` happens to a record in scope, `until` must hold within `within`."""
    for record in view.of_type(rule.params["record"]):
        if not _is_told(view, rule, record):
            continue
        for occurrence, begun, known_at in _triggers(view, rule, record):
            if not rule.in_force(begun):
                continue
            bound = scope(view, rule, record)
            if not bound.holds(begun):
                continue
            met_at = _until(view, rule, record, begun)
            due_at, is_provisional = dues.of_deadline(view, rule, record, (begun, met_at))
            if due_at is None:
                continue
            yield Case(
                rule=rule,
                record=record,
                occurrence=occurrence,
                began_at=begun,
                due_at=due_at,
                is_provisional=is_provisional,
                met_at=met_at,
                left_at=bound.left_at(begun, due_at),
                known_at=known_at,
            )


def _is_told(view: View, rule: Rule, record: Record) -> bool:
    """1: a fact is seen once recorded; a duty to enter a record exists from when it happened."""
    return view.is_known(record) or rule.params.get("until") == "recorded_at"


def _triggers(view: View, rule: Rule, record: Record) -> Iterator[tuple[str, datetime, datetime]]:
    """16: (occurrence, instant, known since): one for a field, one an event for a stream."""
    name = rule.params["on"]
    if name not in streams.STREAMS:
        at = view.fact(record, name, view.now)
        if at is not None:
            yield name, at, record.recorded_at
        return
    known: dict[datetime, datetime] = {}
    for event in streams.events(view, name, record):
        known[event.at] = min(known.get(event.at, event.recorded_at), event.recorded_at)
    for at, recorded_at in known.items():
        yield said(at), at, max(recorded_at, record.recorded_at)


def _until(view: View, rule: Rule, record: Record, begun: datetime) -> datetime | None:
    """When the duty was met: a done mark may lie before the trigger (11), an event lies after it.

    Where `on` is a stream `until` lies strictly later, a field's instant too (16).
    """
    name = rule.params["until"]
    if name in streams.STREAMS:
        later = [e.at for e in streams.events(view, name, record) if e.at > begun]
        return min(later, default=None)
    done = view.fact(record, name, view.now)
    if done is not None and rule.params["on"] in streams.STREAMS and done <= begun:
        return None
    return done


# --- cadence


def cadence(view: View, rule: Rule) -> Iterator[Case]:
    """Each record in scope has at least `at_least` matching events in every `per`."""
    for record in view.of_type(rule.params["record"]):
        if not view.is_known(record) or scope(view, rule, record).is_empty():
            continue
        for period in _periods(view, rule, record):
            case = _period_case(view, rule, record, period)
            if case is not None:
                yield case


def _periods(view: View, rule: Rule, record: Record) -> Sequence[Period]:
    """The periods that begin under this version and have begun by now.

    A duty that is due before its period begins is shown from the start of the period before.
    """
    kind = rule.params["per"]
    since = max(rule.starts_at, _begins_at(view, record) or rule.starts_at)
    until = day_of(view.now)
    if rule.params.get("due") == "last_working_day before":
        until = period_with(kind, until).after
    begun = periods_between(kind, period_with(kind, day_of(since)).first, until)
    found = [period for period in begun if rule.in_force(period.start)]
    if kind == "day" and rule.params.get("days") != "calendar":
        return [period for period in found if view.calendar.is_working(period.first)]
    return found


def _period_case(view: View, rule: Rule, record: Record, period: Period) -> Case | None:
    due_at, is_provisional = view.calendar.period_due(period, rule.params.get("due"))
    if rule.params["per"] == "day" and rule.params.get("days") != "calendar":
        # Whether there is a duty at all rests on the calendar of that day's year.
        is_provisional |= period.first.year not in view.calendar.published
    entered_at = _entered_at(view, rule, record, (period, due_at))
    if entered_at is None:
        return None
    return Case(
        rule=rule,
        record=record,
        occurrence=period.key,
        began_at=period.start,
        due_at=due_at,
        is_provisional=is_provisional,
        met_at=_decided_at(view, rule, record, (period, due_at, entered_at)),
        left_at=scope(view, rule, record).left_at(entered_at, due_at),
        known_at=record.recorded_at,
        period=period,
    )


def _entered_at(
    view: View, rule: Rule, record: Record, asked: tuple[Period, datetime]
) -> datetime | None:
    """Since when the period binds the record, or None if it does not.

    `next`: the record is in scope from the period's first instant. `immediately` and `prorated`:
    or it entered while the period ran. A duty that is due before its period begins binds whoever
    is in scope at the first instant, or was when it fell due; before then, who is in scope now.
    """
    period, due_at = asked
    bound = scope(view, rule, record)
    if bound.holds(min(period.start, view.now)):
        return period.start
    if due_at < period.start and due_at <= view.now and bound.holds(due_at):
        return period.start
    if rule.params.get("first_period", "next") == "next":
        return None
    for at in bound.edges:
        if period.start < at < min(period.end, due_at) and bound.holds(at):
            return at
    return None


def _decided_at(
    view: View, rule: Rule, record: Record, asked: tuple[Period, datetime, datetime]
) -> datetime | None:
    """3: when the deciding event happened, the `at_least`-th of the period.

    An act at the very instant a cadence falls due is too late, for it is breached when now >= due.
    """
    period, due_at, entered_at = asked
    needed = rule.params.get("at_least", 1)
    if rule.params.get("first_period") == "prorated":
        rest, whole = period.end - entered_at, period.end - period.start
        needed = ceil(needed * Fraction(rest // SECOND, whole // SECOND))
    happened = [at for at in _counted(view, rule, record).get(period.key, []) if at < due_at]
    return happened[needed - 1] if len(happened) >= needed else None


def _counted(view: View, rule: Rule, record: Record) -> dict[str, list[datetime]]:
    """When the events that a cadence counts happened, in order, by the period to which they
    belong: that in which they ended, or that which they are about."""

    def ask() -> dict[str, list[datetime]]:
        found: dict[str, list[datetime]] = {}
        for event in streams.counted(view, rule.params, record):
            if rule.params.get("counts_by") == "period":
                key = str(event.record.facts.get("period"))
            else:
                key = period_with(rule.params["per"], day_of(event.at)).key
            found.setdefault(key, []).append(event.at)
        return {key: sorted(instants) for key, instants in found.items()}

    return view.once(("counted", rule.clause, rule.line, rule.version, record.pointer), ask)


# --- required


def required(view: View, rule: Rule) -> Iterator[Case]:
    """`enforce: duty` opens a duty, for each span of scope, to make the record complete.

    The span of scope is that on which `where` holds and `since` has come. A version that begins
    within it opens the duty anew for a record that is incomplete at that instant.
    """
    if rule.params.get("enforce") != "duty":
        return
    for record in view.of_type(rule.params["record"]):
        if not view.is_known(record):
            continue
        for begun in _openings(view, rule, record):
            met_at = _completed_at(view, rule, record, begun)
            due_at, is_provisional = dues.of_span(view, rule, record, (begun, met_at))
            yield Case(
                rule=rule,
                record=record,
                occurrence=said(begun),
                began_at=begun,
                due_at=due_at,
                is_provisional=is_provisional,
                met_at=met_at,
                left_at=scope(view, rule, record).left_at(begun, due_at),
                known_at=record.recorded_at,
            )


def _binds(view: View, rule: Rule, record: Record, at: datetime) -> bool:
    since = view.fact(record, rule.params["since"], at)
    return since is not None and since <= at and scope(view, rule, record).holds(at)


def _is_complete(view: View, rule: Rule, record: Record, at: datetime) -> bool:
    wanted = {name: {"not_empty": True} for name in rule.params.get("fields", [])}
    return facts.holds(view, record, wanted | rule.params.get("holds", {}), at)


def _openings(view: View, rule: Rule, record: Record) -> Iterator[datetime]:
    edges = sorted({*_edges(view, rule, record), rule.starts_at})
    was_bound = False
    for at in edges:
        bound = at <= view.now and _binds(view, rule, record, at)
        fresh = bound and not was_bound
        told_by_version = bound and at == rule.starts_at and was_bound
        if rule.in_force(at) and fresh:
            yield at
        elif told_by_version and not _is_complete(view, rule, record, at):
            yield at
        was_bound = bound


def _completed_at(view: View, rule: Rule, record: Record, begun: datetime) -> datetime | None:
    for at in sorted({*_edges(view, rule, record), begun}):
        if at >= begun and _is_complete(view, rule, record, at):
            return at
    return None


KINDS: dict[str, Callable[[View, Rule], Iterator[Case]]] = {
    "deadline": deadline,
    "cadence": cadence,
    "required": required,
}
