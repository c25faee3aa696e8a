"""What stands between an opportunity and its next stage: the exit conditions of every stage.

They are the conditions of the clauses' gates on `advance`, read for a stage that is not left yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import BooleanField, Case, Value, When
from django.utils import timezone

from fangyuan import door
from fangyuan.core import facts, words
from fangyuan.engine import gates
from fangyuan.engine.models import Clause
from fangyuan.opportunities.models import Opportunity

STEP: Final = "advance"
LEFT: Final = "left.code"


@dataclass(frozen=True)
class Exit:
    """One condition of leaving a stage, and whether an opportunity meets it."""

    label: str
    clause: str
    field: str
    is_met: bool
    link: str
    sentence: str


def _guarding(pipeline: str, code: str, at: Any) -> list[gates.Demand]:
    """The demands in force on leaving a stage."""
    found = [d for d in gates.demands(Opportunity, at=at) if d.step == STEP]
    return [d for d in found if _is_of(d.where, pipeline, code)]


def _is_of(where: Mapping[str, Any], pipeline: str, code: str) -> bool:
    told = where.get(LEFT)
    named = told if isinstance(told, list) else [told]
    own = where.get("pipeline")
    lines = own if isinstance(own, list) else [own]
    return (told is None or code in named) and (own is None or pipeline.partition(":")[2] in lines)


def of(opportunities: Iterable[Any]) -> dict[int, list[Exit]]:
    """For each opportunity the exit conditions of the stage in which it stands; one query.

    Conditions that do not concern it (another stage, another tier of customer) are left out.
    """
    numbers = [one.pk for one in opportunities if one.stage_id is not None]
    wanted = [d for d in gates.demands(Opportunity, at=timezone.now()) if d.step == STEP]
    told = _judged(numbers, [(d, _standing(d.where)) for d in wanted])
    return {
        number: [
            _exit(number, d, met)
            for d, met in zip(wanted, verdicts, strict=True)
            if met is not None
        ]
        for number, verdicts in told.items()
    }


def _standing(where: Mapping[str, Any]) -> dict[str, Any]:
    """Whom a demand concerns while the stage is not left yet."""
    return {"stage.code" if name == LEFT else name: value for name, value in where.items()}


def _judged(
    numbers: Sequence[int], wanted: Sequence[tuple[gates.Demand, dict[str, Any]]]
) -> dict[int, tuple[bool | None, ...]]:
    if not wanted or not numbers:
        return dict.fromkeys(numbers, ())
    names = {n for d, where in wanted for n in (*words.names(d.condition), *words.names(where))}
    asked = {f"met_{n}": _holds(*pair) for n, pair in enumerate(wanted)}
    rows = Opportunity._base_manager.order_by().filter(pk__any_of=sorted(numbers))
    told = facts.annotate(rows, names).annotate(**asked).values_list("pk", *asked)
    return {row[0]: tuple(row[1:]) for row in told}


def _aside(where: Mapping[str, Any]) -> dict[str, Any]:
    """Whom a demand concerns besides its stage, which was looked at before."""
    return {name: value for name, value in where.items() if name != LEFT}


def _holds(demand: gates.Demand, where: dict[str, Any]) -> Case:
    met = Case(
        When(words.where(Opportunity, demand.condition), then=Value(True)), default=Value(False)
    )
    if not where:
        return met
    concerned = When(words.where(Opportunity, where), then=met)
    return Case(concerned, default=Value(None), output_field=BooleanField(null=True))


def _exit(number: int, demand: gates.Demand, is_met: bool) -> Exit:
    told = door.Unmet(
        gates.sentence(Opportunity, demand), demand.field, demand.clause, "opportunity", number
    )
    label = facts.label(Opportunity, demand.field)
    return Exit(label, demand.clause, demand.field, is_met, told.link, told.sentence)


def lacking(opportunity: Any, stages: Iterable[Any]) -> list[door.Unmet]:
    """What the exits of these stages demand of an opportunity and it does not meet."""
    found = []
    for stage in stages:
        wanted = _guarding(stage.pipeline_id, stage.code, timezone.now())
        asked = [(d, _aside(d.where)) for d in wanted]
        verdicts = _judged([opportunity.pk], asked).get(opportunity.pk, ())
        for demand, met in zip(wanted, verdicts, strict=True):
            if met is False:
                said = f"{stage.code}：{gates.sentence(Opportunity, demand)}"
                place = ("opportunity", opportunity.pk)
                found.append(door.Unmet(said, demand.field, demand.clause, *place))
    return found


def titles(clauses: Iterable[str]) -> dict[str, str]:
    """The short names of clauses."""
    rows = Clause.objects.everything("条款人人可读").filter(number__in=set(clauses))
    return dict(rows.values_list("number", "title"))
