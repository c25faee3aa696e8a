"""The chain that a record's facts select: which clauses want a word, and whose, in which order.

Nobody to ask never means agreed: the next superior is asked, else the administrator.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, Case, Q, When
from django.utils import timezone

from fangyuan.core import facts, ready, words
from fangyuan.engine import models
from fangyuan.engine.kinds import base
from fangyuan.engine.kinds.approval import Approval, Step
from fangyuan.org import lines
from fangyuan.org.models import Person

_TOLD: Final = ("kind", "record")


class Nobody(Exception):
    """There is nobody who could agree."""


class ToChoose(Exception):
    """The applicant must choose who is asked."""


@dataclass(frozen=True)
class Wanted:
    """An approval that clauses demand for a verb on a record: the chain, step by step."""

    action: str
    clauses: list[str]
    steps: list[dict[str, Any]]
    is_repeated: bool = False
    copies: list[int] = field(default_factory=list)

    @property
    def clause(self) -> str:
        """The first clause that demands it."""
        return self.clauses[0] if self.clauses else ""


# What the product itself wants agreed to, whatever the clauses of a company say.
_standing: dict[str, models.Rule] = {}


def demand(action: str, *approvers: str) -> None:
    """Have these roles agree to an action always, in order, also where no clause asks for it."""
    record, verb = action.split(".", 1)
    params = {"on": verb, "mode": "in_order", "approvers": list(approvers)}
    clause = models.Clause(number="")
    _standing[action] = models.Rule(kind="APPROVAL", record=record, params=params, clause=clause)


def demanded() -> list[str]:
    """The actions that the product itself wants agreed to, as `record.verb`."""
    return sorted(_standing)


def _rules(action: str) -> Any:
    record, verb = action.split(".", 1)
    now = timezone.now()
    return (
        models.Rule.objects.everything("审批规则")
        .present()
        .filter(
            Q(ends_at=None) | Q(ends_at__gt=now),
            kind="APPROVAL",
            record=record,
            params__on=verb,
            starts_at__lte=now,
            is_shadow=False,
        )
        .select_related("clause")
        .order_by("id")
    )


def may_ask(action: str) -> bool:
    """Whether some clause lets a person without the right ask for this action."""
    record, verb = action.split(".", 1)
    given = {"record": record, "verb": verb, "at": timezone.now()}
    return action in _standing or bool(ready.ask(_ASKED_FOR, given))


_ASKED_FOR = """
SELECT 1 FROM engine_rule
 WHERE kind = 'APPROVAL' AND record = %(record)s AND params ->> 'on' = %(verb)s AND NOT is_shadow
   AND removed_at IS NULL AND starts_at <= %(at)s AND (ends_at IS NULL OR ends_at > %(at)s)
 LIMIT 1"""


def lets_choose(action: str) -> bool:
    """Whether the applicant may have to choose who is asked."""
    rules = [_read(rule) for rule in _rules(action)]
    return any(step.who == "chosen" for kind in rules for step in kind.approvers)


def _read(rule: models.Rule) -> Approval:
    return _kind(rule.record, json.dumps(rule.params, sort_keys=True))


@functools.lru_cache(maxsize=256)
def _kind(record: str, params: str) -> Approval:
    said = {name: value for name, value in json.loads(params).items() if name not in _TOLD}
    return Approval(record=record, **said)


def wanted(
    action: str,
    record: Any,
    *,
    by: Any,
    payload: Mapping[str, Any] | None = None,
    chosen: Iterable[int] = (),
) -> Wanted | None:
    """The approval that this actor needs for this action on this record now, if any.

    Conditions are judged on the record as it would be with the payload. Where several clauses
    apply, their chains follow one another. Raises Nobody, and ToChoose where a choice is missing.
    """
    if by is None:
        return None
    rules = [*_rules(action), *([_standing[action]] if action in _standing else [])]
    if not rules:
        return None
    kinds = [_read(rule) for rule in rules]
    asked = _Asked(record, by, payload or {}, tuple(chosen))
    fits = asked.fitting([kind.where for kind in kinds])
    pairs = zip(rules, kinds, fits, strict=True)
    found = _once((r, k) for r, k, fit in pairs if fit and not asked.agrees_by_acting(k))
    chain = [step for rule, kind in found for step in asked.steps(kind, rule.clause.number)]
    if not chain:
        return None
    return Wanted(
        action,
        list(dict.fromkeys(rule.clause.number for rule, _ in found)),
        [{"id": number, **step} for number, step in enumerate(chain, 1)],
        is_repeated=any(kind.repeat == "each" for _, kind in found),
        copies=asked.copied([name for _, kind in found for name in kind.copies]),
    )


def _once(found: Iterable[tuple[models.Rule, Approval]]) -> list[tuple[models.Rule, Approval]]:
    """Without what the product wants in any case where a clause wants the same of the same."""
    pairs = list(found)
    named = {step.who for rule, kind in pairs if rule.clause.number for step in kind.approvers}
    return [
        (rule, kind)
        for rule, kind in pairs
        if rule.clause.number or not {step.who for step in kind.approvers} <= named
    ]


def own(record: Any, asked_by: int) -> set[int]:
    """Those whose own affair a request is: they never decide it."""
    concerned: int | None = getattr(record, "person_id", None)
    return {asked_by} if concerned is None else {asked_by, concerned}


class _Asked:
    """One question for approval: the record as it would be, who asks, whom they chose."""

    def __init__(
        self, record: Any, by: Any, payload: Mapping[str, Any], chosen: tuple[int, ...]
    ) -> None:
        self.record, self.by, self.payload, self.chosen = record, by, payload, chosen
        self.on = timezone.localdate()
        self.own: set[int] = own(record, by.pk)
        # A leave entered for somebody else is a matter for that person's superior.
        self.whom: int = getattr(record, "person_id", None) or by.pk

    def fitting(self, conditions: list[base.Condition]) -> list[bool]:
        """Which of these conditions the record meets; one query."""
        if not any(conditions):
            return [True] * len(conditions)
        if self.record is None:
            return [not condition for condition in conditions]
        model, values = type(self.record), self._values()
        rows = model._base_manager.filter(pk=self.record.pk)
        if not values:
            return _met(rows, conditions)
        point = transaction.savepoint()
        try:
            rows.update(**values)
            return _met(rows, conditions)
        except IntegrityError:
            # What cannot be so is refused when the verb runs; the chain is chosen by what is.
            transaction.savepoint_rollback(point)
            return _met(rows, conditions)
        finally:
            transaction.savepoint_rollback(point)

    def agrees_by_acting(self, kind: Approval) -> bool:
        """Whether the actor is the one approver and acts on what somebody else entered."""
        if kind.own_act == "asks" or len(kind.approvers) > 1 or self.record is None:
            return False
        if self.by.pk in (self.record.recorded_by, getattr(self.record, "person_id", None)):
            return False
        return any(self.by.pk in group for group in self._groups(kind.approvers[0], kind))

    def _values(self) -> dict[str, Any]:
        """What the payload would change; what stands there already need not be written."""
        known = {f.name for f in self.record._meta.concrete_fields if f.editable}
        return {
            name: value
            for name, value in self.payload.items()
            if name in known and getattr(self.record, name) != value
        }

    def steps(self, kind: Approval, clause: str) -> Iterator[dict[str, Any]]:
        """The steps of one rule's chain; parties side by side make one step."""
        people = _met(Person._base_manager.filter(pk=self.by.pk), [s.asker for s in kind.approvers])
        holds = [
            one and other
            for one, other in zip(
                self.fitting([s.where for s in kind.approvers]), people, strict=True
            )
        ]
        is_special = any(
            hold and step.is_conditional for step, hold in zip(kind.approvers, holds, strict=True)
        )
        parties = [
            party
            for step, hold in zip(kind.approvers, holds, strict=True)
            if hold and not (step.otherwise and is_special)
            for party in self._parties(kind, step, clause)
        ]
        if kind.mode == "in_order":
            yield from ({"mode": "all", "parties": [party]} for party in parties)
        elif parties:
            yield {"mode": kind.mode, "parties": parties}

    def _parties(self, kind: Approval, step: Step, clause: str) -> Iterator[dict[str, Any]]:
        terms = {"within": step.within, "overdue": step.overdue, "clause": clause}
        if kind.withdraw != "until_end":
            terms["withdraw"] = kind.withdraw
        label = step.name(kind.model)
        for group in self._groups(step, kind):
            people = [one for one in group if one not in self.own] or self._instead(kind.fallback)
            # One after another within a party is a step for each.
            several = [[one] for one in people] if step.mode == "in_order" else [people]
            mode = "all" if step.mode == "all" else "any"
            for some in several:
                yield {"mode": mode, "label": label, "people": some, **terms}

    def _groups(self, step: Step, kind: Approval) -> list[list[int]]:
        """People who are asked together; levels of superiors follow one another."""
        if step.who == "superiors":
            return [[one] for one in lines.superiors(self.whom)[: step.levels]] or [[]]
        if step.who == "chosen":
            if not self.chosen:
                raise ToChoose
            return [list(self.chosen)]
        if step.who == "person":
            return [lines.named(step.login)]
        if base.person_field(kind.model, step.who) and self.record is not None:
            number = getattr(self.record, f"{step.who}_id")
            return [[number] if number else []]
        return [lines.resolve(step.who, self.whom, on=self.on)]

    def _instead(self, fallback: str) -> list[int]:
        """Whom to ask where nobody is: the next superior, else the administrators."""
        above = lines.superiors(self.whom) if fallback == "superior" else []
        nearest = [one for one in above if one not in self.own][:1]
        people = nearest or [one for one in lines.administrators() if one not in self.own]
        if not people:
            raise Nobody
        return people

    def copied(self, names: list[str]) -> list[int]:
        """Who gets a copy."""
        found = [n for name in names for n in lines.resolve(name, self.whom, on=self.on)]
        return sorted({number for number in found if number != self.by.pk})


def _met(rows: Any, conditions: list[base.Condition]) -> list[bool]:
    """Which of these conditions the one row meets."""
    if not any(conditions):
        return [True] * len(conditions)
    model = rows.model
    asked = {f"fy_{place}": one for place, one in enumerate(conditions) if one}
    names = {name for one in asked.values() for name in words.names(one)}
    cases = {
        name: Case(When(words.where(model, one), then=True), default=False, output_field=BOOL)
        for name, one in asked.items()
    }
    row = facts.annotate(rows.order_by(), names).annotate(**cases).values(*cases).first() or {}
    return [not one or bool(row.get(f"fy_{place}")) for place, one in enumerate(conditions)]


BOOL: Final = BooleanField()
