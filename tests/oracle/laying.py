"""Bringing a setting into the product: calendar, policies with their versions, adoption."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection

from fangyuan.core import events
from fangyuan.core.models import CalendarDay, Tracked
from fangyuan.engine.models import Clause, Policy, Rule
from fangyuan.org.models import Team
from tests.oracle import world
from tests.oracle.calendar_oracle import day_of
from tests.oracle.choices import Setting
from tests.oracle.loading import Load, Tables, Values, change, copy
from tests.oracle.world import SHIPPED_FROM

COMPANY = "team:oracle-company"


def lay(setting: Setting) -> tuple[Load, dict[int, world.Rule]]:
    """Write a setting; returns its numbers, and the oracle's rule for each of the product's."""
    made = Load(SHIPPED_FROM, first=500_000)
    rules: dict[int, world.Rule] = {}
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="import", reason="随机历史", channel="IMPORT")
        for model, rows in _tables(made, setting, rules).items():
            copy(cursor, made, model, rows.values())
    return made, rules


def relay(made: Load, before: Setting, after: Setting) -> dict[int, world.Rule]:
    """Turn a setting into another: company days, versions and adoptions told later."""
    rules: dict[int, world.Rule] = {}
    change(made, _tables(made, before, {}), _tables(made, after, rules))
    return rules


def _tables(made: Load, setting: Setting, rules: dict[int, world.Rule]) -> Tables:
    written = (
        (CalendarDay, _days(made, setting)),
        (Policy, _policies(made, setting)),
        (Clause, _clauses(made, setting)),
        (Rule, _rules(made, setting, rules)),
        (Team, [_company(made)]),
        (Tracked, _adoptions(made, setting)),
    )
    return {model: {row["id"]: row for row in rows} for model, rows in written}


def _days(made: Load, setting: Setting) -> Iterator[Values]:
    public, company = setting.calendar.public, setting.calendar.company
    for version, days in (("public", public), ("company", company)):
        for day, is_working in days.items():
            yield {
                "id": made.number(f"calendar_day:{version}/{day}"),
                "on": day,
                "is_working": is_working,
                "calendar_version": version,
                "is_published": version == "company" or day.year in setting.calendar.published,
            }


def _policies(made: Load, setting: Setting) -> Iterator[Values]:
    for code, version in sorted({(rule.policy, rule.version) for rule in setting.rules}):
        yield {
            "id": made.number(f"policy:{code}/{version}"),
            "code": code,
            "version": version,
            "title": code,
            "stage": "PUBLISHED",
            "starts_on": day_of(SHIPPED_FROM),
            "published_at": SHIPPED_FROM,
        }


def _clauses(made: Load, setting: Setting) -> Iterator[Values]:
    """A clause keeps all its rules, of every version, one after the other."""
    for number in sorted({rule.clause for rule in setting.rules}):
        yield {
            "id": made.number(f"clause:{number}"),
            "policy_id": made.number(f"policy:{number.split('-')[0]}/1"),
            "number": number,
            "text": number,
            "area": "",
            "kind": "",
        }


def _rules(made: Load, setting: Setting, rules: dict[int, world.Rule]) -> Iterator[Values]:
    # What is written once a deed is kept by when the rulebook changed: no two settings alike.
    changed_at = SHIPPED_FROM + timedelta(seconds=setting.number)
    for rule in setting.rules:
        name = f"rule:{rule.clause}/{rule.line}/"
        number = made.number(name + rule.version)
        rules[number] = rule
        followed = made.number(name + str(int(rule.version) - 1)) if rule.version > "1" else None
        params = {k: v for k, v in rule.params.items() if k not in ("kind", "record")}
        yield {
            "id": number,
            "clause_id": made.number(f"clause:{rule.clause}"),
            "policy_id": made.number(f"policy:{rule.policy}/{rule.version}"),
            "follows_id": followed,
            "in_flight": rule.in_flight,
            "changed_at": changed_at,
            "line": rule.line,
            "kind": str(rule.params["kind"]).upper(),
            "record": rule.params["record"],
            "params": params,
            "starts_at": rule.starts_at,
            "ends_at": rule.ends_at,
        }


def _company(made: Load) -> Values:
    """The present set never changes here: a write would tell the log of a change as of now."""
    return {
        "id": made.number(COMPANY),
        "code": "oracle-company",
        "name": "公司",
        "kind": "COMPANY",
        "policies": ["OTHER"],
    }


def _adoptions(made: Load, setting: Setting) -> Iterator[Values]:
    """What the company adopted, as the past values of one set: a value from edge to edge."""
    edges = {SHIPPED_FROM} | {one.starts_at for one in setting.adoptions}
    edges |= {one.ends_at for one in setting.adoptions if one.ends_at is not None}
    listed = sorted(edges)
    following: list[datetime | None] = [*listed[1:], None]
    for start, end in zip(listed, following, strict=True):
        # An empty set would say that nobody chose, and then every policy is adopted.
        adopted = sorted(
            {"OTHER"}
            | {
                one.policy
                for one in setting.adoptions
                if one.starts_at <= start and (one.ends_at is None or start < one.ends_at)
            }
        )
        yield {
            "id": made.number(f"tracked:policies/{start}"),
            **made.any("subject", COMPANY),
            "fact": "policies",
            "value": json.dumps(adopted),
            "starts_at": start,
            "ends_at": end,
        }
