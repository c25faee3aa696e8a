"""Small but nasty worlds: every kind of event of the rulebook, bunched around its boundaries.

One generator serves two sources of choice: seeded dice, for thousands of worlds a minute, and
Hypothesis (`drawn`), which shrinks a world that shows a difference. Many worlds share one
`Setting`, since rules, adoption and calendar are those of the database they are loaded into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from tests.oracle import clauses, generic, world
from tests.oracle.calendar_oracle import DAY, Calendar, day_of, midnight, period_with
from tests.oracle.choices import SECOND, Clock, Pick, Setting, chance, one_of
from tests.oracle.world import (
    SHIPPED_FROM,
    Adoption,
    Holding,
    Leave,
    Membership,
    Person,
    Record,
    Rule,
    Span,
    Team,
    Waiver,
    World,
)

T = TypeVar("T")
# Windows that hold a spring festival, a half-year's end, national day, a year's end without a
# published calendar, and an ordinary autumn.
WINDOWS = (
    (date(2026, 1, 19), 75),
    (date(2026, 6, 8), 60),
    (date(2026, 9, 7), 75),
    (date(2026, 11, 23), 70),
    (date(2026, 10, 26), 40),
)
SHIPPED_UNTIL = 2026  # the last year of which the product knows the holidays
# Few rules for each setting, for many settings are drawn.
SHIPPED, INVENTED, ALERTS, GATES = 3, 4, 1, 2
WAYS = ("OLD", "NEW", "MILD")
CHANGES = ("NAME", "OWNERSHIP", "CONTACT", "FINANCE", "NEED", "PEOPLE", "PROGRESS", "RIVAL")
PEOPLE = ("boss", "mia", "ken", "li", "zhao", "sun")
REPS = ("li", "zhao", "sun")
COVERS = (
    (),
    tuple(clauses.COVERS_DAILY),
    tuple(clauses.COVERS_TAGS),
    (*clauses.COVERS_DAILY, *clauses.COVERS_TAGS),
)


def random_setting(pick: Pick, calendar: Calendar) -> Setting:
    """Rules in one or two versions, a policy that comes or goes, days that the company moves."""
    first, days = one_of(pick, WINDOWS)
    setting = Setting(first, days, [], replace(calendar, company={}), [])
    clock = Clock(pick, setting)
    invented = [generic.rule(pick, number) for number in range(INVENTED)]
    shipped = clauses.rules_of(*_some(pick, list(clauses.BOUND), SHIPPED))
    alerts = [generic.alert(pick, number) for number in range(ALERTS)]
    gates = [rule for number in range(GATES) for rule in generic.gate(pick, number)]
    for rule in (*shipped, *invented, *alerts, *gates):
        setting.rules.extend(_versions(pick, clock, rule))
    _days(pick, setting)
    for policy in sorted({rule.policy for rule in setting.rules}):
        setting.adoptions.extend(_adoptions(pick, clock, policy))
    last = midnight(first + days * DAY)
    moments = {clock.moment() for _ in range(2)} | {last + timedelta(hours=pick.number(0, 500))}
    while len(moments) < 3:
        moments.add(max(moments) + SECOND)
    setting.as_of = sorted(moments)
    return setting


def _some(pick: Pick, options: list[T], number: int) -> list[T]:
    """So many different ones."""
    return [options.pop(pick.number(0, len(options) - 1)) for _ in range(number)]


def _days(pick: Pick, setting: Setting) -> None:
    """Days that the company moves; a year without holidays so far may have been published."""
    first, days, calendar = setting.first, setting.days, setting.calendar
    for _ in range(pick.number(0, 5)):
        calendar.company[first + pick.number(0, days + 10) * DAY] = chance(pick, 50)
    after = max(calendar.published) + 1
    if (first + (days + 30) * DAY).year >= after and chance(pick, 50):
        calendar.published = {*calendar.published, after}
        off = {date(after, 1, 1) + pick.number(0, 60) * DAY: chance(pick, 20) for _ in range(5)}
        calendar.public = {**calendar.public, **off}


def _versions(pick: Pick, clock: Clock, rule: Rule) -> list[Rule]:
    """The rule in one to three versions, each with what becomes of the duties in flight."""
    listed = [rule]
    while chance(pick, 40) and "by" not in rule.params and rule.params["kind"] != "gate":
        # A third version comes soon after the second, while duties are still open.
        since = clock.moment() if len(listed) == 1 else clock.near(listed[-1].starts_at, 100)
        if since <= listed[-1].starts_at or len(listed) == 3:
            break
        fresh = Rule(rule.clause, _revised(pick, rule), rule.line, str(len(listed) + 1), since)
        fresh.in_flight = one_of(pick, WAYS)
        listed = [*listed[:-1], replace(listed[-1], ends_at=since), fresh]
    return listed


def _revised(pick: Pick, rule: Rule) -> dict[str, Any]:
    params = dict(rule.params)
    if params["kind"] == "alert":
        params["clear_after"] = one_of(pick, ("2d", "36h"))
    elif "within" in params:
        params["within"] = one_of(pick, ("2wd", "24h", "48h", "0d", "3d", "1wd", "0wd", "1h"))
    elif chance(pick, 50):
        params["at_least"] = 2
    elif "due" not in params:
        params["per"] = one_of(pick, ("week", "biweek", "month", "day"))
    return params


def _adoptions(pick: Pick, clock: Clock, policy: str) -> list[Adoption]:
    if not chance(pick, 20):
        return [Adoption(policy)]
    first, second = sorted((clock.moment(), clock.moment()))
    if first == second:
        return [Adoption(policy, first)]
    return one_of(
        pick,
        (
            [Adoption(policy, SHIPPED_FROM, first)],
            [Adoption(policy, first)],
            [Adoption(policy, SHIPPED_FROM, first), Adoption(policy, second)],
        ),
    )


def random_world(pick: Pick, setting: Setting) -> World:
    """A company with a few people, two or three customers and some dozens of events."""
    clock = Clock(pick, setting)
    made = World(rules=setting.rules, calendar=setting.calendar, adoptions=setting.adoptions)
    _organisation(pick, clock, made)
    for number in range(pick.number(2, 3)):
        _customer(pick, clock, made, f"C{number}")
    _absences(pick, clock, made)
    for number in range(pick.number(12, 18)):
        made.records.append(_activity(pick, clock, made, f"A{number}"))
    for number in range(pick.number(4, 8)):
        made.records.append(_change(pick, clock, made, f"X{number}"))
    for number in range(pick.number(3, 6)):
        made.records.append(_response(pick, clock, made, f"Q{number}"))
    _plans(pick, clock, made)
    for number in range(pick.number(1, 3)):
        made.records.append(_request(pick, clock, f"R{number}"))
    _debts(pick, clock, made)
    _waivers(pick, clock, made)
    _own_holdings(pick, clock, made)
    for record in made.records:
        if chance(pick, 15):
            record.imported_at = clock.near(record.recorded_at, 400)
    return made


def _own_holdings(pick: Pick, clock: Clock, made: World) -> None:
    """Some changes are held themselves."""
    for record in made.records:
        if record.type == "change" and chance(pick, 25):
            begins, ends = _spans(pick, clock, 1)[0]
            role = one_of(pick, ("OWNER", "OWNER", "CSM"))
            holder = one_of(pick, REPS)
            made.holdings.append(Holding(record.pointer, holder, begins, ends, role))


def _spans(pick: Pick, clock: Clock, most: int) -> list[tuple[datetime, datetime | None]]:
    """Spans that do not overlap, some of them touching, the last often without an end."""
    edges = sorted({clock.moment() for _ in range(pick.number(1, most * 2))})
    found: list[tuple[datetime, datetime | None]] = []
    place = 0
    while place < len(edges):
        end = edges[place + 1] if place + 1 < len(edges) else None
        found.append((edges[place], end))
        place += 1 if chance(pick, 70) else 2
    return found


def _organisation(pick: Pick, clock: Clock, made: World) -> None:
    made.teams = [Team("T0", "boss"), Team("T1", one_of(pick, ("mia", "ken", "li"))), Team("T2")]
    hired = day_of(clock.moment()) - pick.number(10, 70) * DAY
    made.people = [
        Person("boss", None, hired),
        Person("mia", "boss", hired),
        Person("ken", one_of(pick, ("mia", "boss")), hired),
        *(Person(rep, one_of(pick, ("ken", "mia", "boss")), hired) for rep in REPS),
    ]
    positions = ("ka_manager", "sales_manager", "sales_director")
    for person in PEOPLE:
        if person in REPS:
            _career(pick, clock, made, (person, hired))
        else:
            position = one_of(pick, positions)
            made.memberships.append(Membership(person, "T0", position, hired))


def _career(pick: Pick, clock: Clock, made: World, hired: tuple[str, date]) -> None:
    """A rep comes, goes, comes back, changes team or position; days, not instants."""
    person, day = hired
    for _ in range(pick.number(1, 3)):
        last = day_of(clock.moment()) if chance(pick, 50) else None
        if last is not None and last < day:
            last = None
        made.memberships.append(
            Membership(
                person,
                one_of(pick, ("T1", "T0", "T2")),
                one_of(pick, ("ka_rep", "ka_rep", "sales_rep")),
                day,
                last,
            )
        )
        if last is None:
            return
        day = last + pick.number(1, 12) * DAY


def _customer(pick: Pick, clock: Clock, made: World, key: str) -> None:
    learned_at = clock.moment()
    if chance(pick, 60):
        learned_at -= pick.number(20, 90) * DAY
    known = world.customer(key, learned_at, clock.near(learned_at, 90))
    _grades(pick, clock, known)
    _ka(pick, clock, known)
    if chance(pick, 30):
        known.tracked["is_urgent"] = [
            Span(True, start, end or start + 9 * DAY) for start, end in _spans(pick, clock, 2)[:1]
        ]
    if chance(pick, 20):
        known.facts["lost_at"] = clock.moment()
    if chance(pick, 15):
        known.removed_at = clock.near(known.recorded_at, 900)
    made.records.append(known)
    start: datetime | None = learned_at if chance(pick, 70) else None
    for begins, ends in _spans(pick, clock, 3):
        person = one_of(pick, REPS)
        made.holdings.append(Holding(known.pointer, person, min(start or begins, begins), ends))
        start = None
    for role in ("TECHNICAL", "AFTERSALES", "CSM"):
        begins, ends = one_of(pick, _spans(pick, clock, 2))
        made.holdings.append(Holding(known.pointer, one_of(pick, REPS), begins, ends, role))


def _track(pick: Pick, clock: Clock, record: Record, values: Sequence[T]) -> list[tuple[T, Span]]:
    """Values that follow on each other from when the customer was learned of."""
    starts = sorted({record.facts["learned_at"], *(clock.moment() for _ in range(3))})
    starts = [at for at in starts if at >= record.facts["learned_at"]]
    ends: list[datetime | None] = [*starts[1:], None]
    return [
        (value, Span(value, start, end))
        for start, end in zip(starts, ends, strict=True)
        for value in [one_of(pick, values)]
    ]


def _grades(pick: Pick, clock: Clock, record: Record) -> None:
    if chance(pick, 30):
        record.facts["grade"] = one_of(pick, "ABCD")
        return
    spans = _track(pick, clock, record, "AABCD")
    record.tracked["grade"] = [span for _, span in spans]
    record.facts["grade"] = spans[-1][0]


def _ka(pick: Pick, clock: Clock, record: Record) -> None:
    options = [("TIER1", True), ("TIER2", True), ("TIER3", True), (None, False), (None, True)]
    if chance(pick, 30):
        record.facts["ka_tier"], record.facts["is_ka"] = one_of(pick, options)
        return
    spans = _track(pick, clock, record, options)
    record.tracked["ka_tier"] = [replace(span, value=tier) for (tier, _), span in spans]
    record.tracked["is_ka"] = [replace(span, value=is_ka) for (_, is_ka), span in spans]
    record.facts["ka_tier"], record.facts["is_ka"] = spans[-1][0]


def _absences(pick: Pick, clock: Clock, made: World) -> None:
    for person in ("li", "zhao", "sun", "ken", "mia"):
        for start, end in _spans(pick, clock, 2):
            if chance(pick, 50):
                continue
            others = [other for other in PEOPLE if other != person]
            made.leaves.append(
                Leave(
                    person,
                    start,
                    end or start + 5 * DAY,
                    one_of(pick, [*others, None]),
                    one_of(pick, ("APPROVED", "APPROVED", "APPROVED", "WAITING", "CANCELLED")),
                )
            )


def _customers(made: World) -> list[Record]:
    return [record for record in made.records if record.type == "customer"]


def _recorded(pick: Pick, clock: Clock, at: datetime) -> datetime:
    """When something was entered: at once, late, or ahead because it was planned."""
    if chance(pick, 45):
        return at
    return at - timedelta(hours=30) if chance(pick, 10) else clock.near(at, 240)


def _activity(pick: Pick, clock: Clock, made: World, key: str) -> Record:
    ended_at = clock.moment()
    record = world.activity(
        key,
        ended_at,
        _recorded(pick, clock, ended_at),
        customer=one_of(pick, _customers(made)).key,
        person=one_of(pick, REPS),
        kind=one_of(pick, ("VISIT", "VISIT", "CALL")),
        is_deep=chance(pick, 40),
        is_incoming=chance(pick, 30),
        written_at=clock.near(ended_at, 40) if chance(pick, 70) else None,
    )
    if chance(pick, 10):
        record.removed_at = clock.near(record.recorded_at, 300)
    return record


def _change(pick: Pick, clock: Clock, made: World, key: str) -> Record:
    occurred_at = clock.moment()
    known_at = clock.near(occurred_at, 60) if chance(pick, 50) else None
    if known_at is not None and known_at < occurred_at:
        known_at = None
    told_at = max(occurred_at, known_at or occurred_at)
    record = world.change(
        key,
        occurred_at,
        _recorded(pick, clock, told_at),
        subject=one_of(pick, _customers(made)).pointer,
        kind=one_of(pick, CHANGES),
        known_at=known_at,
        known_proof="邮件" if chance(pick, 60) else "",
        updated_at=clock.near(told_at, 60) if chance(pick, 70) else None,
        reported_by=one_of(pick, REPS),
    )
    if chance(pick, 10):
        record.removed_at = clock.near(record.recorded_at, 300)
    return record


def _response(pick: Pick, clock: Clock, made: World, key: str) -> Record:
    submitted_at = clock.moment()
    record = world.response(
        key,
        submitted_at,
        _recorded(pick, clock, submitted_at),
        subject=one_of(pick, _customers(made)).pointer,
        person=one_of(pick, REPS),
        covers=one_of(pick, COVERS),
        kind=one_of(pick, ("REVIEW", "REVIEW", "HEALTH")),
    )
    if chance(pick, 10):
        record.removed_at = clock.near(record.recorded_at, 300)
    return record


def _plans(pick: Pick, clock: Clock, made: World) -> None:
    """At most one visit plan of a person and month."""
    for person in REPS:
        months = {period_with("month", day_of(clock.moment())).key for _ in range(2)}
        for number, period in enumerate(sorted(months)):
            submitted_at = clock.moment()
            made.records.append(
                world.plan(
                    f"P{person}{number}",
                    submitted_at if chance(pick, 85) else None,
                    _recorded(pick, clock, submitted_at),
                    person=person,
                    period=period,
                    items_complete=chance(pick, 80),
                    kind=one_of(pick, ("VISIT", "VISIT", "VISIT", "SALES")),
                )
            )


def _request(pick: Pick, clock: Clock, key: str) -> Record:
    asked_at = clock.moment()
    decided_at = clock.near(asked_at, 120) if chance(pick, 70) else None
    return world.request(
        key,
        asked_at,
        action="plan.approve_plan",
        asked_by=one_of(pick, REPS),
        decided_at=None if decided_at is None else max(decided_at, asked_at),
    )


def _debts(pick: Pick, clock: Clock, made: World) -> None:
    """Gates passed on credit; a record owes for one gate but once at a time, here once at all."""
    gates = [rule.clause for rule in made.rules if rule.params["kind"] == "gate"]
    for clause in gates:
        for number, record in enumerate(_customers(made)):
            if not chance(pick, 50):
                continue
            granted_at = clock.moment()
            owed = world.debt(
                f"D{number}{clause}",
                granted_at,
                _recorded(pick, clock, granted_at),
                clause=clause,
                subject=record.pointer,
                person=one_of(pick, REPS),
                due_at=max(clock.near(granted_at, 300), granted_at + SECOND),
                paid_at=clock.near(granted_at, 400) if chance(pick, 60) else None,
            )
            if chance(pick, 10):
                owed.removed_at = clock.near(owed.recorded_at, 300)
            made.records.append(owed)


def _waivers(pick: Pick, clock: Clock, made: World) -> None:
    """Most waive a duty that there may be, for a span that begins or ends near its due time."""
    for _ in range(pick.number(3, 7)):
        record = one_of(pick, made.records[: len(made.records) if chance(pick, 60) else 2])
        fitting = sorted(
            {rule.clause for rule in made.rules if rule.params["record"] == record.type}
        )
        began = [
            record.recorded_at,
            *(at for at in record.facts.values() if isinstance(at, datetime)),
        ]
        start = clock.near(one_of(pick, began), 20) if chance(pick, 60) else clock.moment()
        names = one_of(pick, (0, 0, 1, 2))
        made.waivers.append(
            Waiver(
                one_of(pick, fitting or [made.rules[0].clause]),
                start,
                start + max(clock.near(start, 1500) - start, SECOND),
                record.pointer if names != 1 else None,
                one_of(pick, REPS) if names != 0 else None,
            )
        )


def under(made: World, setting: Setting) -> World:
    """A world under another setting."""
    return replace(
        made, rules=setting.rules, calendar=setting.calendar, adoptions=setting.adoptions
    )
