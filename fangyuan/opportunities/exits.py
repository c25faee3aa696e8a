"""What stands between an opportunity and its next stage: the exit conditions of every stage.

They are what the clauses would refuse a step forward for: the gates on `advance` that guard the
stage in which it stands, and what is required of a record from the next stage on.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.db.models import BooleanField, Case, Q, Value, When
from django.utils import timezone

from fangyuan import door
from fangyuan.core import facts, ready, words
from fangyuan.engine import gates
from fangyuan.opportunities.models import Opportunity, Stage

STEP: Final = "advance"
COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "is": operator.eq,
    "in": lambda value, listed: value in listed,
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
}


@dataclass(frozen=True)
class Exit:
    """One condition of leaving a stage, and whether an opportunity meets it."""

    label: str
    clause: str
    title: str  # the clause's short name
    field: str
    is_met: bool
    link: str
    sentence: str


@dataclass(frozen=True)
class Guard:
    """A demand, the stages whose exit it guards, and whom else it concerns."""

    demand: gates.Demand
    stages: tuple[int, ...]
    where: dict[str, Any]


def _fits(wanted: Any, value: Any) -> bool:
    """Whether a stage's own value fits a condition on it."""
    return all(
        COMPARED[word](value, operand) is positive
        for word, positive, operand in words.split(wanted)
    )


def _concerns(where: Mapping[str, Any], after: Stage, left: Stage | None) -> bool:
    """Whether a demand concerns an opportunity in this stage, with the stage that it left."""
    for name, wanted in where.items():
        whose, _, field = name.partition(".")
        stage = {"stage": after, "left": left}.get(whose)
        if field and whose in ("stage", "left"):
            if stage is None or not _fits(wanted, getattr(stage, field)):
                return False
        elif name == "pipeline" and not _fits(wanted, after.pipeline_id.partition(":")[2]):
            return False
    return True


@dataclass(frozen=True)
class Guards:
    """What guards the exits of all stages; the same words are judged by the same query."""

    words: str
    found: tuple[Guard, ...] = field(compare=False, repr=False)


_known: dict[str, Guards] = {}


def _guards(stages: Sequence[Stage]) -> Guards:
    """What guards the exits of these stages; the last of a pipeline has none."""
    demands = [
        one for one in gates.demands(Opportunity, at=timezone.now()) if one.step in ("", STEP)
    ]
    said = f"{[(stage.pk, stage.revision) for stage in stages]} {demands}"
    if said not in _known:
        _known.clear()  # the rulebook or a stage changed
        _known[said] = Guards(said, tuple(_guarding(demands, stages)))
    return _known[said]


def _guarding(demands: Sequence[gates.Demand], stages: Sequence[Stage]) -> Iterator[Guard]:
    nexts = {(s.pipeline_id, s.seq): s for s in stages}
    for demand in demands:
        guarded = []
        for stage in stages:
            after = nexts.get((stage.pipeline_id, stage.seq + 1))
            if after is None or not _concerns(demand.where, after, stage):
                continue
            # What is required of the record already is no condition of the step.
            if demand.step or not _concerns(demand.where, stage, None):
                guarded.append(stage.pk)
        if guarded:
            rest = {n: v for n, v in demand.where.items() if not n.startswith(("stage.", "left."))}
            yield Guard(demand, tuple(guarded), rest)


def all_stages() -> list[Stage]:
    """The stages of every pipeline, in their order."""
    found = Stage.objects.everything("流程人人可读").present().select_related("pipeline")
    return list(found.order_by("pipeline__rank", "pipeline", "seq"))


def of(opportunities: Iterable[Any], every: Sequence[Stage] | None = None) -> dict[int, list[Exit]]:
    """For each opportunity the exit conditions of the stage in which it stands; two queries.

    Conditions that do not concern it (another stage, another tier of customer) are left out.
    `every` are the stages of all pipelines, where they are known already.
    """
    numbers = [one.pk for one in opportunities]
    guards = _guards(every or all_stages())
    return {
        number: [
            _exit(number, guard.demand, is_met)
            for guard, is_met in zip(guards.found, verdicts, strict=True)
            if is_met is not None
        ]
        for number, verdicts in _judged(numbers, guards).items()
    }


def _judged(numbers: Sequence[int], guards: Guards) -> dict[int, tuple[bool | None, ...]]:
    if not guards.found or not numbers:
        return dict.fromkeys(numbers, ())
    asked = _VERDICTS if guards.words else _VERDICTS.once
    return {row[0]: tuple(row[1:]) for row in asked(guards, numbers=sorted(numbers))}


def _verdicts(guards: Guards) -> Any:
    """Whether each of some opportunities meets what guards the stage in which it stands."""
    found = guards.found
    names = {n for g in found for n in (*words.names(g.demand.condition), *words.names(g.where))}
    asked = {f"met_{n}": _verdict(guard) for n, guard in enumerate(found)}
    rows = Opportunity._base_manager.order_by().filter(pk__any_of=ready.Slot("numbers"))
    return facts.annotate(rows, names).annotate(**asked).values_list("pk", *asked)


_VERDICTS = ready.Ready(_verdicts)


def _verdict(guard: Guard) -> Case:
    """True or false where the demand concerns the opportunity, else nothing."""
    met = When(words.where(Opportunity, guard.demand.condition), then=Value(True))
    concerned = Q(stage__in=guard.stages) & words.where(Opportunity, guard.where)
    return Case(
        When(concerned, then=Case(met, default=Value(False))),
        default=Value(None),
        output_field=BooleanField(null=True),
    )


def _exit(number: int, demand: gates.Demand, is_met: bool) -> Exit:
    told = _unmet(number, demand)
    label = facts.label(Opportunity, demand.field)
    return Exit(label, demand.clause, demand.title, demand.field, is_met, told.link, told.sentence)


def _unmet(number: int, demand: gates.Demand, before: str = "") -> door.Unmet:
    said = before + gates.sentence(Opportunity, demand)
    return door.Unmet(said, demand.field, demand.clause, "opportunity", number)


def lacking(opportunity: Any, stages: Iterable[Any]) -> list[door.Unmet]:
    """What the exits of these stages demand of an opportunity and it does not meet; two queries."""
    codes = {stage.pk: stage.code for stage in stages}
    near = [
        (replace(guard, stages=(opportunity.stage_id,)), codes[number])
        for guard in _guards(all_stages()).found
        for number in [one for one in guard.stages if one in codes][:1]
    ]
    guards = Guards("", tuple(guard for guard, _ in near))
    verdicts = _judged([opportunity.pk], guards)[opportunity.pk]
    return [
        _unmet(opportunity.pk, guard.demand, f"{code}：")
        for (guard, code), is_met in zip(near, verdicts, strict=True)
        if is_met is False
    ]
