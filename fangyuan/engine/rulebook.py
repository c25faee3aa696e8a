"""The rules in force as the engine needs them: read, checked, with adoption and calendar."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from fangyuan.core import timelines, workdays
from fangyuan.engine import compile as compiler
from fangyuan.engine import kinds, models
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
    adoptions: dict[str, str] = field(default_factory=dict)

    def adopted(self, policy: str) -> str:
        """When the company adopts a policy; asked of the database once."""
        if policy not in self.adoptions:
            self.adoptions[policy] = adopted(policy)
        return self.adoptions[policy]

    def terms(self, rule: models.Rule, pick: Pick | None = None) -> compiler.Terms:
        """The terms on which one rule is compiled."""
        return compiler.Terms(
            as_of=self.as_of,
            calendar=self.calendar,
            starts_at=rule.starts_at,
            ends_at=rule.ends_at,
            adopted=self.adopted(rule.clause.policy.code),
            pick=pick or Pick(),
            teams=self.teams,
            carried=self.carried.get(rule.pk, ()),
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
    rows = _standing(DUTY_KINDS)
    return [r for r in rows if r.kind != "REQUIRED" or r.params.get("enforce") == "duty"]


def alerts() -> list[models.Rule]:
    """Every rule, of any version, that raises alerts."""
    return _standing(("ALERT",))


def _standing(wanted: tuple[str, ...]) -> list[models.Rule]:
    rows = models.Rule.objects.everything("规则扫描").present()
    rows = rows.filter(kind__in=wanted, is_shadow=False).select_related("clause__policy", "policy")
    return list(rows.order_by("id"))


def kind_of(rule: models.Rule) -> base.Owed:
    """The rule's typed parameters; raises kinds.BadRule when they do not hold together."""
    return _kind(rule.kind, rule.record, json.dumps(rule.params, sort_keys=True))


@functools.lru_cache(maxsize=1024)
def _kind(kind: str, record: str, params: str) -> base.Owed:
    found = kinds.read(kind, record, json.loads(params))
    if wrong := found.faults():
        raise kinds.BadRule("; ".join(wrong))
    return found  # type: ignore[return-value]


_ADOPTED = """
SELECT range_agg(tstzrange(CASE WHEN k.nth = 1 THEN NULL ELSE k.starts_at END, k.ends_at))
  FROM (SELECT value::jsonb AS codes, starts_at,
               least(ends_at, lead(starts_at) OVER w) AS ends_at, row_number() OVER w AS nth
          FROM core_tracked
         WHERE subject_type = 'team' AND subject_id = %s AND fact = 'policies'
           AND removed_at IS NULL
        WINDOW w AS (ORDER BY starts_at)) k
 WHERE k.codes = '[]' OR k.codes ? %s
"""


def adopted(policy: str) -> str:
    """When the whole company adopts a policy, as a multirange; with nothing said, always."""
    companies = Team.objects.everything("采用的制度").present().filter(kind=Team.Kind.COMPANY)
    company: Any = companies.order_by("id").first()
    if company is None:
        return timelines.EVER
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM core_tracked WHERE subject_type = 'team' AND subject_id = %s"
            " AND fact = 'policies' AND removed_at IS NULL",
            [company.pk],
        )
        if not cursor.fetchone()[0]:
            says = not company.policies or policy in company.policies
            return timelines.EVER if says else timelines.NEVER
        cursor.execute(_ADOPTED, [company.pk, policy])
        found = cursor.fetchone()[0]
    if not found:
        return timelines.NEVER
    return f"{timelines.literal(found)}::tstzmultirange"


def named(clauses: Iterable[str] | None) -> list[models.Rule]:
    """The duty rules of some clauses, of all of them if none is named."""
    wanted = set(clauses or ())
    return [r for r in duties() if not wanted or r.clause.number in wanted]
