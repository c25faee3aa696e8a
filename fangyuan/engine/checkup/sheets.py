"""What a checkup reads: every clause as a sheet with its rules, as in force or as drafted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from fangyuan.core import spans
from fangyuan.engine import kinds, models
from fangyuan.engine.kinds import base

DUTY_KINDS = ("DEADLINE", "CADENCE", "REQUIRED")


@dataclass(frozen=True)
class Line:
    """A rule of a clause; `was` holds the parameters it had before, the latest last."""

    number: str
    policy: str
    line: int
    kind: str
    record: str
    params: dict[str, Any]
    pk: int = 0
    starts_at: datetime | None = None
    was: tuple[dict[str, Any], ...] = ()

    @property
    def gives_duties(self) -> bool:
        """Whether it gives duties that somebody owes."""
        owes = self.kind != "REQUIRED" or self.params.get("enforce") == "duty"
        return self.kind in DUTY_KINDS and owes

    @property
    def read(self) -> base.Kind | None:
        """The typed rule; None where its parameters do not hold together."""
        try:
            return kinds.read(self.kind, self.record, self.params)
        except kinds.BadRule:
            return None


@dataclass(frozen=True)
class Sheet:
    """A clause with its rules."""

    number: str
    title: str
    text: str
    policy: str
    bindings: tuple[dict[str, Any], ...]
    rules: tuple[Line, ...]
    is_drafted: bool = False


def in_force() -> list[Sheet]:
    """The clauses of every regulation as they read now."""
    now = timezone.now()
    clauses = models.Clause.objects.everything("制度体检").present()
    clauses = clauses.filter(policy__stage="PUBLISHED", policy__starts_on__lte=spans.day_of(now))
    values = clauses.order_by("policy_id", "pk").values_list(
        "pk", "number", "title", "text", "policy__code", "bindings"
    )
    rows = list(values)
    rules = _rules({row[0]: (row[1], row[4]) for row in rows}, now)
    return [
        Sheet(number, title, text, policy, tuple(bindings), tuple(rules.get(pk, ())))
        for pk, number, title, text, policy, bindings in rows
    ]


def _rules(clauses: dict[int, tuple[str, str]], now: datetime) -> dict[int, list[Line]]:
    rows = models.Rule.objects.everything("制度体检").present().filter(is_shadow=False)
    found: dict[int, list[Line]] = defaultdict(list)
    before: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for rule in rows.filter(clause__in=list(clauses), starts_at__lte=now).order_by("starts_at"):
        place = (rule.clause_id, rule.line)
        if rule.ends_at is None or rule.ends_at > now:
            number, policy = clauses[rule.clause_id]
            kept = (rule.line, rule.kind, rule.record, rule.params, rule.pk, rule.starts_at)
            found[rule.clause_id].append(Line(number, policy, *kept, was=tuple(before[place])))
        before[place].append(rule.params)
    return {pk: sorted(rules, key=lambda one: one.line) for pk, rules in found.items()}


def drafted(policy: models.Policy) -> list[Sheet]:
    """The clauses of every regulation as they would read with a draft of one."""
    changes = dict(policy.changes)
    found = []
    for sheet in in_force():
        change = changes.pop(sheet.number, None) if sheet.policy == policy.code else None
        found.append(sheet if change is None else _changed(sheet, change))
    fresh = {number: change for number, change in changes.items() if "new" in change}
    return found + [
        _changed(Sheet(number, "", "", policy.code, (), ()), {**change["new"], **change})
        for number, change in fresh.items()
    ]


def _changed(sheet: Sheet, change: dict[str, Any]) -> Sheet:
    rules = {rule.line: rule for rule in sheet.rules}
    for place, wanted in change.get("rules", {}).items():
        old = rules.pop(int(place), None)
        if wanted is None:
            continue
        fresh = old or Line(sheet.number, sheet.policy, int(place), "", "", {})
        was = (*old.was, old.params) if old else ()
        kept = {name: wanted[name] for name in ("kind", "record", "params")}
        rules[int(place)] = replace(fresh, **kept, was=was)
    return replace(
        sheet,
        title=change.get("title", sheet.title),
        text=change.get("text", sheet.text),
        rules=tuple(rules[place] for place in sorted(rules)),
        is_drafted=True,
    )
