"""The rules in force as the engine needs them: read, checked, with adoption and calendar."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from fangyuan.core import timelines, workdays
from fangyuan.engine import compile as compiler
from fangyuan.engine import kinds, models
from fangyuan.engine.asked import Asked
from fangyuan.engine.kinds import base
from fangyuan.engine.scope import Pick
from fangyuan.org.models import Team

DUTY_KINDS = ("DEADLINE", "CADENCE", "REQUIRED")


@dataclass(frozen=True)
class Book:
    """Everything that all rules share at one sweep."""

    as_of: datetime
    calendar: workdays.WorkCalendar
    teams: dict[str, int | None]
    carried: dict[int, tuple[compiler.Carried, ...]] = field(default_factory=dict)
    # Where alerts note the instants at which they must be judged again.
    ahead: str = "engine_wake"
    asked: Asked = field(default_factory=Asked)

    def adopted(self, policy: str) -> Adopted:
        """When the company adopts a policy."""
        told = self.asked.once("adoptions", adoptions)
        return self.asked.once(("adopted", policy), lambda: adopted(policy, told))

    def terms(self, rule: models.Rule, pick: Pick | None = None) -> compiler.Terms:
        """The terms on which one rule is compiled."""
        adopted = self.adopted(rule.clause.policy.code)
        return compiler.Terms(
            as_of=self.as_of,
            calendar=self.calendar,
            starts_at=rule.starts_at,
            ends_at=rule.ends_at,
            adopted=adopted.sql,
            adopted_since=adopted.since,
            pick=pick or Pick(),
            teams=self.teams,
            carried=self.carried.get(rule.pk, ()),
            asked=self.asked,
        )

    def carried_since(self, since: datetime | None) -> set[int]:
        """The rules whose open duties a newer version took over since an instant."""
        return {
            number
            for number, later in self.carried.items()
            if any(since is None or since < one.at <= self.as_of for one in later)
        }


def open_book(as_of: datetime, calendar: workdays.WorkCalendar) -> Book:
    """What the rules share: the instant, the calendar, who leads the named departments."""
    teams = Team.objects.everything("部门负责人").present().values_list("code", "leader_id")
    return Book(as_of, calendar, dict(teams), _carried())


def _carried() -> dict[int, tuple[compiler.Carried, ...]]:
    """By the number of a rule that ends: what each one after it does with duties still open."""
    rows = models.Rule.objects.everything("规则扫描").present()
    rows = rows.filter(is_shadow=False, follows__isnull=False)
    after = {rule.follows_id: rule for rule in rows}
    return {number: tuple(_following(after, number)) for number in after}


def _following(
    after: dict[int | None, models.Rule], number: int | None
) -> Iterator[compiler.Carried]:
    while (rule := after.get(number)) is not None:
        if rule.in_flight != "OLD" and rule.params.get("within"):
            yield compiler.Carried(rule.starts_at, rule.in_flight, rule.params["within"])
        number = rule.pk


def duties() -> list[models.Rule]:
    """Every rule, of any version, that gives duties."""
    return standing()[1]


def alerts() -> list[models.Rule]:
    """Every rule, of any version, that raises alerts."""
    return standing()[0]


def standing() -> tuple[list[models.Rule], list[models.Rule]]:
    """Every rule, of any version, that the sweep settles: those that warn, those that bind."""
    rows = models.Rule.objects.everything("规则扫描").present().filter(is_shadow=False)
    binds = Q(kind__in=("DEADLINE", "CADENCE")) | Q(kind="REQUIRED", params__enforce="duty")
    rows = rows.filter(Q(kind="ALERT") | binds).select_related("clause__policy", "policy")
    found = list(rows.order_by("id"))
    return [r for r in found if r.kind == "ALERT"], [r for r in found if r.kind != "ALERT"]


def kind_of(rule: models.Rule) -> base.Owed:
    """The rule's typed parameters; raises kinds.BadRule when they do not hold together."""
    return kind_said(*words_of(rule))


def words_of(rule: models.Rule) -> tuple[str, str, str]:
    """What a rule says, by which anything worked out of it can be remembered."""
    return rule.kind, rule.record, json.dumps(rule.params, sort_keys=True)


@functools.lru_cache(maxsize=1024)
def kind_said(kind: str, record: str, params: str) -> base.Owed:
    """The typed parameters of such words; raises kinds.BadRule."""
    found = kinds.read(kind, record, json.loads(params))
    if wrong := found.faults():
        raise kinds.BadRule("; ".join(wrong))
    return found  # type: ignore[return-value]


_ADOPTIONS = """
SELECT value, CASE WHEN row_number() OVER w > 1 THEN starts_at END,
       least(ends_at, lead(starts_at) OVER w)
  FROM core_tracked
 WHERE subject_type = 'team' AND subject_id = %s AND fact = 'policies' AND removed_at IS NULL
WINDOW w AS (ORDER BY starts_at)
"""
# The codes adopted (none: every policy), since when and until when.
Adoption = tuple[list[str], datetime | None, datetime | None]


@dataclass(frozen=True)
class Adopted:
    """The spans in which a policy is adopted as SQL, and when the first begins, if one does."""

    sql: str
    since: datetime | None = None


def adoptions() -> list[Adoption]:
    """What the whole company adopts; with nothing said, everything always."""
    companies = Team.objects.everything("采用的制度").present().filter(kind=Team.Kind.COMPANY)
    company: Any = companies.order_by("id").first()
    if company is None:
        return [([], None, None)]
    with connection.cursor() as cursor:
        cursor.execute(_ADOPTIONS, [company.pk])
        told = cursor.fetchall()
    if not told:
        return [(company.policies, None, None)]
    return [(json.loads(codes), begins, ends) for codes, begins, ends in told if codes]


def adopted(policy: str, told: list[Adoption]) -> Adopted:
    """When the company adopts a policy, by what was told of it."""
    spans = [(begins, ends) for codes, begins, ends in told if not codes or policy in codes]
    spans = [(a, b) for a, b in spans if a is None or b is None or a < b]
    if not spans:
        return Adopted(timelines.NEVER)
    if (None, None) in spans:
        return Adopted(timelines.EVER)
    said = ",".join(f"[{_iso(begins)},{_iso(ends)})" for begins, ends in spans)
    since = None if spans[0][0] is None else min(begins for begins, _ in spans if begins)
    return Adopted(f"{timelines.literal('{' + said + '}')}::tstzmultirange", since)


def _iso(at: datetime | None) -> str:
    return "" if at is None else f'"{at.isoformat()}"'


def named(clauses: Iterable[str] | None) -> list[models.Rule]:
    """The duty rules of some clauses, of all of them if none is named."""
    wanted = set(clauses or ())
    return [r for r in duties() if not wanted or r.clause.number in wanted]
