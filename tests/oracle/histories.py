"""Small but nasty worlds: every kind of event of the rulebook, bunched around its boundaries.

One generator serves two sources of choice: seeded dice, for thousands of worlds a minute, and
Hypothesis, which shrinks a world that shows a difference. Many worlds share one `Setting`, since
rules, adoption and calendar are those of the database they are loaded into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.oracle import clauses, generic, world
from tests.oracle.calendar_oracle import DAY, Calendar, day_of, midnight, period_with
from tests.oracle.choices import SECOND, Clock, Dice, Drawn, Pick, Setting, chance, one_of
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
INVENTED = 8
ALERTS = 3
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
    for rule in (*clauses.rules_of(), *invented):
        setting.rules.extend(_versions(pick, clock, rule))
    for _ in range(pick.number(0, 5)):
        day = first + pick.number(0, days + 10) * DAY
        setting.calendar.company[day] = chance(pick, 50)
    for policy in sorted({rule.policy for rule in setting.rules}):
        setting.adoptions.extend(_adoptions(pick, clock, policy))
    last = midnight(first + days * DAY)
    moments = {clock.moment() for _ in range(2)} | {last + timedelta(hours=pick.number(0, 500))}
    while len(moments) < 3:
        moments.add(max(moments) + SECOND)
    setting.as_of = sorted(moments)
    _alerts(setting)
    return setting


def _alerts(setting: Setting) -> None:
    """A few alerts, drawn by dice of their own, so that other choices stay what they were."""
    dice = Dice(int(setting.as_of[-1].timestamp()))
    clock = Clock(dice, setting)
    for number in range(ALERTS):
        setting.rules.extend(_versions(dice, clock, generic.alert(dice, number)))


def _versions(pick: Pick, clock: Clock, rule: Rule) -> list[Rule]:
    if not chance(pick, 20) or "by" in rule.params:
        return [rule]
    since = clock.moment()
    params = dict(rule.params)
    if params["kind"] == "alert":
        params["clear_after"] = one_of(pick, ("2d", "36h"))
    elif "within" in params:
        params["within"] = one_of(pick, ("2wd", "24h", "48h", "0d", "3d", "1wd", "0wd", "1h"))
    elif chance(pick, 50):
        params["at_least"] = 2
    elif "due" not in params:
        params["per"] = one_of(pick, ("week", "biweek", "month", "day"))
    later = Rule(rule.clause, params, rule.line, "2", since)
    return [replace(rule, ends_at=since), later]


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
    _waivers(pick, clock, made)
    _own_holdings(made, setting)
    return made


def _own_holdings(made: World, setting: Setting) -> None:
    """Some changes are held themselves; drawn by dice of their own, as the alerts are."""
    dice = Dice(sum(int(record.recorded_at.timestamp()) for record in made.records))
    clock = Clock(dice, setting)
    for record in made.records:
        if record.type == "change" and chance(dice, 25):
            begins, ends = _spans(dice, clock, 1)[0]
            role = one_of(dice, ("OWNER", "OWNER", "CSM"))
            holder = one_of(dice, REPS)
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


def _waivers(pick: Pick, clock: Clock, made: World) -> None:
    """Most waive a duty that there may be, for a span that begins or ends near its due time."""
    for _ in range(pick.number(3, 7)):
        record = one_of(pick, made.records[: len(made.records) if chance(pick, 60) else 2])
        fitting = [
            clause
            for clause, lines in clauses.BOUND.items()
            if any(params["record"] == record.type for params in lines)
        ]
        began = [
            record.recorded_at,
            *(at for at in record.facts.values() if isinstance(at, datetime)),
        ]
        start = clock.near(one_of(pick, began), 20) if chance(pick, 60) else clock.moment()
        names = one_of(pick, (0, 0, 1, 2))
        made.waivers.append(
            Waiver(
                one_of(pick, fitting or list(clauses.BOUND)),
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


def earlier_setting(setting: Setting) -> Setting:
    """A setting before the company moved a day, published a version or dropped a policy."""
    first = [replace(rule, ends_at=None) for rule in setting.rules if rule.version == "1"]
    return replace(
        setting,
        rules=first,
        calendar=replace(setting.calendar, company={}),
        adoptions=[Adoption(policy) for policy in sorted({rule.policy for rule in first})],
    )


def earlier(pick: Pick, setting: Setting, made: World) -> World:
    """The same world as it stood before somebody added to it and put things right.

    Some records, spans and waivers are not there yet, some instants are wrong or missing, some
    people, stand-ins, superiors and leaders are others.
    """
    clock = Clock(pick, setting)
    people = [replace(p, manager=None) if chance(pick, 15) else p for p in made.people]
    teams = [replace(t, leader="boss") if chance(pick, 15) else t for t in made.teams]
    records = [
        _spoiled(pick, clock, record)
        for record in made.records
        if record.type == "customer" or not chance(pick, 25)
    ]
    return replace(
        made,
        people=people,
        teams=teams,
        records=records,
        holdings=[
            replace(one, person=one_of(pick, REPS)) if chance(pick, 20) else one
            for one in made.holdings
            if not chance(pick, 20)
        ],
        leaves=[
            replace(one, stage="WAITING") if chance(pick, 20) else one
            for one in made.leaves
            if not chance(pick, 20)
        ],
        memberships=[one for one in made.memberships if not chance(pick, 15)],
        waivers=[one for one in made.waivers if not chance(pick, 40)],
    )


def _spoiled(pick: Pick, clock: Clock, record: Record) -> Record:
    """A record with an instant moved or missing, or in the recycle bin, or with less of a past."""
    fresh = replace(record, facts=dict(record.facts), tracked=dict(record.tracked))
    if chance(pick, 10):
        was = record.removed_at
        fresh.removed_at = clock.near(record.recorded_at, 300) if was is None else None
    if record.type == "customer":
        for fact, spans in record.tracked.items():
            if len(spans) > 1 and chance(pick, 20):
                fresh.tracked[fact] = spans[:-1]
        return fresh
    movable = {
        "activity": ("ended_at", "written_at", "is_deep", "person"),
        "change": ("updated_at", "kind"),
        "response": ("submitted_at",),
        "plan": ("submitted_at", "items_complete"),
        "request": ("decided_at",),
    }[record.type]
    if chance(pick, 30):
        name = one_of(pick, movable)
        fresh.facts[name] = _wrong(pick, clock, (record, name))
    return fresh


def _wrong(pick: Pick, clock: Clock, which: tuple[Record, str]) -> Any:
    record, name = which
    if name in ("is_deep", "items_complete"):
        return not record.facts[name]
    if name == "person":
        return one_of(pick, REPS)
    if name == "kind":
        return one_of(pick, CHANGES)
    if name in ("ended_at", "submitted_at"):
        return clock.moment()
    return None


def settings(calendar: Calendar) -> st.SearchStrategy[tuple[Setting, World]]:
    """A setting with one world in it, chosen and shrunk by Hypothesis."""

    @st.composite
    def both(draw: Any) -> tuple[Setting, World]:
        pick = Drawn(draw)
        setting = random_setting(pick, calendar)
        return setting, random_world(pick, setting)

    return both()
