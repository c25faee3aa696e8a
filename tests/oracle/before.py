"""Worlds and settings as they stood before somebody added to them and put things right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.oracle.choices import Clock, Pick, Setting, chance, one_of
from tests.oracle.histories import CHANGES, REPS, SHIPPED_UNTIL
from tests.oracle.world import Adoption, Record, World


def earlier_setting(pick: Pick, setting: Setting) -> Setting:
    """A setting before the company moved days, published versions or dropped a policy, and before
    the last year's holidays were known."""
    last = str(pick.number(1, 2))
    known = [rule for rule in setting.rules if rule.version <= last]
    follows = {(rule.clause, rule.line, rule.starts_at) for rule in known}
    rules = [
        rule if (rule.clause, rule.line, rule.ends_at) in follows else replace(rule, ends_at=None)
        for rule in known
    ]
    calendar = setting.calendar
    company = {
        day: is_working if chance(pick, 50) else not is_working
        for day, is_working in calendar.company.items()
        if chance(pick, 50)
    }
    year = max(calendar.published)
    published = calendar.published - {year} if year > SHIPPED_UNTIL else calendar.published
    public = {
        day: is_working for day, is_working in calendar.public.items() if day.year <= max(published)
    }
    return replace(
        setting,
        rules=rules,
        calendar=replace(calendar, company=company, published=published, public=public),
        adoptions=[Adoption(policy) for policy in sorted({rule.policy for rule in rules})],
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
        "debt": ("paid_at", "person"),
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
