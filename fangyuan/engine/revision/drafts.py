"""A draft: a version of a regulation that holds only what it would change, clause by clause.

`Policy.changes` is `{number: {"title"?, "text"?, "new"?, "rules"?: {line: rule}}}`, each rule with
`kind`, `record` and `params`; null in place of a rule ends it. `new` holds what a clause says of
itself that is not in force yet. Nothing here writes; the verbs on policies do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from fangyuan.engine import kinds, models

Stage = models.Policy.Stage
FAMILIES: Final = {
    "DEADLINE": "DUTIES", "CADENCE": "DUTIES", "GATE": "REFUSALS", "APPROVAL": "REQUESTS",
    "ALERT": "ALERTS",
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One rule of a draft beside the rules in force at the same place."""

    number: str
    line: int
    kind: str
    record: str
    rule: models.Rule | None  # never saved
    params_before: dict[str, Any] | None
    standing: list[int]

    @property
    def family(self) -> str:
        """What it brings about: duties, refusals, requests for approval, or alerts."""
        if self.kind == "REQUIRED":
            params = self.rule.params if self.rule else self.params_before or {}
            return "DUTIES" if params.get("enforce") == "duty" else "REFUSALS"
        return FAMILIES[self.kind]


@dataclass(frozen=True)
class Difference:
    """One clause as it is and as the draft would have it."""

    clause: models.Clause
    title: tuple[str, str]
    text: tuple[str, str]
    rules: list[tuple[int, models.Rule | None, dict[str, Any] | None]]
    is_new: bool = False


def in_force(code: str, *, at: datetime | None = None) -> models.Policy | None:
    """The version of a regulation in force on a day; before the first one, the first."""
    day = timezone.localdate(at or timezone.now())
    versions = (
        models.Policy.objects.everything("现行制度")
        .present()
        .filter(code=code, stage__in=[Stage.PUBLISHED, Stage.SUPERSEDED])
    )
    begun = versions.filter(starts_on__lte=day).order_by("-starts_on", "-pk").first()
    found: models.Policy | None = begun or versions.order_by("starts_on").first()
    return found


def clauses(code: str) -> dict[str, models.Clause]:
    """The clauses of a regulation by number, as they read now."""
    policy = in_force(code)
    rows = models.Clause.objects.everything("制度条款").present().filter(policy=policy)
    return {clause.number: clause for clause in rows.order_by("pk")}


def clauses_with(policy: models.Policy) -> dict[str, models.Clause]:
    """The clauses as the draft would have them: those in force and, never saved, its new ones."""
    known = clauses(policy.code)
    for number, change in policy.changes.items():
        if number not in known and "new" in change:
            known[number] = models.Clause(policy=policy, number=number, **change["new"])
    return known


def standing(numbers: Any, *, at: datetime | None = None) -> dict[tuple[str, int], models.Rule]:
    """The rules in force of some clauses by number and line; one that is to come counts as well."""
    at = at or timezone.now()
    rows = (
        models.Rule.objects.everything("现行规则")
        .present()
        .filter(Q(ends_at=None) | Q(ends_at__gt=at), clause__number__in=list(numbers))
        .filter(is_shadow=False)
        .select_related("clause__policy", "policy")
        .order_by("starts_at")
    )
    found: dict[tuple[str, int], models.Rule] = {}
    for rule in rows:
        found.setdefault((rule.clause.number, rule.line), rule)
    return found


def seal(policy: models.Policy) -> str:
    """A fingerprint of what a draft would change."""
    text = json.dumps(policy.changes, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def fresh(policy: models.Policy) -> models.Replay | None:
    """The latest finished replay of the draft as it reads now."""
    found: models.Replay | None = (
        models.Replay.objects.everything("草稿的试算")
        .filter(policy=policy, seal=seal(policy), stage="DONE", is_shadow=False)
        .first()
    )
    return found


def differences(policy: models.Policy) -> list[Difference]:
    """Clause by clause what a draft, or a version that was one, changes."""
    known = clauses_with(policy)
    rules = standing(policy.changes)
    found = []
    for number, change in policy.changes.items():
        clause = known.get(number)
        if clause is None:
            continue
        was = change.get("was") or ({"title": "", "text": ""} if "new" in change else {})
        change = {**change.get("new", {}), **change}
        pairs = [
            (int(line), rules.get((number, int(line))), wanted)
            for line, wanted in sorted(change.get("rules", {}).items(), key=lambda x: int(x[0]))
        ]
        title, text = was.get("title", clause.title), was.get("text", clause.text)
        found.append(
            Difference(
                clause,
                (title, change.get("title", title)),
                (text, change.get("text", text)),
                pairs,
                is_new="new" in change,
            )
        )
    return found


def trials(policy: models.Policy) -> list[Trial]:
    """The rules of a draft, each with what it would replace."""
    known, rules = clauses_with(policy), standing(policy.changes)
    versions = _versions(policy.changes)
    found = []
    for number, line, wanted in lines(policy):
        old, clause = rules.get((number, line)), known.get(number)
        shape = wanted or (old and plain(old))
        if clause is None or not shape:
            continue
        rule = _rule(clause, line, wanted, old) if wanted else None
        before = old.params if old and _compares(old, shape) else None
        places = versions.get((number, line), [])
        found.append(Trial(number, line, shape["kind"], shape["record"], rule, before, places))
    return found


def lines(policy: models.Policy) -> Iterator[tuple[str, int, dict[str, Any] | None]]:
    """Every rule that a draft would write or end: number, line, content."""
    for number, change in policy.changes.items():
        for line, wanted in change.get("rules", {}).items():
            yield number, int(line), wanted


def plain(rule: models.Rule) -> dict[str, Any]:
    """A rule as a draft would hold it."""
    return {"kind": rule.kind, "record": rule.record, "params": rule.params}


def _versions(numbers: Any) -> dict[tuple[str, int], list[int]]:
    """Every saved rule, of whatever version, at the places of these clauses."""
    rows = models.Rule.objects.everything("试算").present().filter(is_shadow=False)
    found: dict[tuple[str, int], list[int]] = {}
    for number, line, pk in rows.filter(clause__number__in=list(numbers)).values_list(
        "clause__number", "line", "pk"
    ):
        found.setdefault((number, line), []).append(pk)
    return found


def _compares(old: models.Rule, shape: dict[str, Any]) -> bool:
    """Whether both rules bring about the same: a duty to complete is no refusal."""
    ways = (old.params.get("enforce"), shape["params"].get("enforce"))
    return bool(old.kind == shape["kind"] and (old.kind != "REQUIRED" or ways[0] == ways[1]))


def _rule(clause: Any, line: int, wanted: dict[str, Any], old: models.Rule | None) -> models.Rule:
    return models.Rule(
        pk=old.pk if old else 0,
        clause=clause,
        line=line,
        kind=wanted["kind"],
        record=wanted["record"],
        params=wanted["params"],
        starts_at=old.starts_at if old else timezone.now(),
    )


def faults(policy: models.Policy) -> dict[tuple[str, int], list[str]]:
    """What is wrong with the rules of a draft, in Chinese, by number and line."""
    found = {}
    for number, line, wanted in lines(policy):
        if wanted and (wrong := rule_faults(wanted)):
            found[(number, line)] = wrong
    return found


def rule_faults(wanted: dict[str, Any]) -> list[str]:
    """What is wrong with one rule, in Chinese."""
    try:
        return kinds.read(wanted["kind"], wanted["record"], wanted["params"]).faults()
    except kinds.BadRule as wrong:
        return [str(wrong)]
