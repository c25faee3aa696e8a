"""Which requests for approval a draft would have brought about: how many, of whom, for how long.

Both sides are judged on the same acts of the past. Who is asked is resolved once for each person
who acted; superiors and positions are those of now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils import timezone

from fangyuan.core import facts, records, timelines, words
from fangyuan.engine import kinds, rulebook
from fangyuan.engine.kinds import base
from fangyuan.engine.kinds.approval import Approval
from fangyuan.engine.revision import curves, drafts, passes, tried
from fangyuan.org import lines
from fangyuan.org.models import Person

_ACTS: Final = """(SELECT p.*, {recorded_by} AS recorded_by, coalesce({person}, p.person_id) AS whom
          FROM engine_pass p JOIN "{table}" s ON s.id = p.record_id
         WHERE {chosen}) p JOIN engine_verdict v USING (place)"""
_CASES: Final = """
INSERT INTO engine_case
SELECT * FROM (
  SELECT p.record_id, 'pass:' || p.place, p.at, NULL::timestamptz,
         CASE WHEN {was} THEN 'OPEN' END AS was, p.person_id, NULL::timestamptz,
         CASE WHEN {becomes} THEN 'OPEN' END AS becomes, p.person_id, NULL::timestamptz
    FROM {acts}) x
 WHERE was IS NOT NULL OR becomes IS NOT NULL"""
_PAIRS: Final = "SELECT DISTINCT p.person_id, p.whom FROM {acts} WHERE p.person_id IS NOT NULL"
_NUMBER: Final = "SELECT count(*), count(DISTINCT p.person_id) FROM {acts} WHERE {asked}"
_GROUPED: Final = """
SELECT p.whom, ARRAY[{steps}]::boolean[], count(*) FROM {acts} WHERE {asked} GROUP BY 1, 2"""
# How many hours a seat took to answer lately.
_HOURS: Final = """
SELECT percentile_cont(0.5) WITHIN GROUP (
         ORDER BY extract(epoch FROM answered_at - asked_at) / 3600)
  FROM engine_approval
 WHERE state IN ('AGREED', 'OBJECTED') AND removed_at IS NULL AND answered_at > asked_at"""


def run(
    trial: drafts.Trial,
    asked: curves.Asked,
    book: rulebook.Book,
    dry: Callable[[], AbstractContextManager[Any]],
) -> tuple[tried.Found, list[dict[str, Any]]]:
    """The requests of both sides, the seats they take, and how many with other marks."""
    after = trial.rule.params if trial.rule else None
    moved = curves.variants(trial)
    sides = [_side(trial, one) for one in (trial.params_before, after, *(m.params for m in moved))]
    judged = passes.Judged(records.row_types()[trial.record], _placed(sides), book.as_of)
    step = (after or trial.params_before or {})["on"]
    with dry() as cursor:
        span = passes.Span(asked.starts_at, asked.ends_at)
        passes.steps(cursor, judged, step, span, asked=True)
        passes.judge(cursor, judged)
        acts = _acts(judged.model, asked)
        _meet(cursor, [one for one in sides if one is not None], acts)
        was, becomes = (one.asked() if one else "false" for one in sides[:2])
        cursor.execute(_CASES.format(was=was, becomes=becomes, acts=acts))
        found = tried.look(cursor, trial)
        found.loose = judged.loose
        found.seats = _seats(cursor, sides[:2], acts)
        curve = [
            _point(cursor, trial, variant, side, acts)
            for variant, side in zip(moved, sides[2:], strict=True)
            if side is not None
        ]
    return found, curve


@dataclass
class Side:
    """A rule for approval; its conditions stand in the verdicts from a place on."""

    kind: Approval
    place: int = 0
    actors: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)  # who acted, for whom
    _people: dict[tuple[int, int], list[list[int]]] = field(default_factory=dict)

    def steps(self) -> list[str]:
        """Whether each step is asked, as SQL."""
        steps = self.kind.approvers
        held = [self._held(number) for number in range(len(steps))]
        special = [sql for sql, step in zip(held, steps, strict=True) if step.is_conditional]
        others = f" AND NOT ({' OR '.join(special)})" if special else ""
        pairs = zip(held, steps, strict=True)
        return [f"({sql}{others if step.otherwise else ''})" for sql, step in pairs]

    def _held(self, number: int) -> str:
        sql, step = f"v.met[{self.place + 1 + number}]", self.kind.approvers[number]
        if not step.asker:
            return sql
        people = Person._base_manager.filter(pk__in=self.actors)
        rows = facts.annotate(people, words.names(step.asker))
        fitting = list(rows.filter(words.where(Person, step.asker)).values_list("pk", flat=True))
        return f"({sql} AND p.person_id = ANY ({timelines.literal(fitting)}::bigint[]))"

    def asked(self) -> str:
        """Whether a request is filed at all, as SQL."""
        found = f"v.met[{self.place}] AND ({' OR '.join(self.steps())})"
        if self.kind.own_act == "agrees" and len(self.kind.approvers) == 1:
            found += f" AND NOT ({self._agrees_by_acting()})"
        return found

    def _agrees_by_acting(self) -> str:
        """Whoever would be asked takes the step on what somebody else entered."""
        own = ", ".join(
            f"({actor}, {whom})"
            for actor, whom in self.pairs
            if actor != whom and any(actor in group for group in self.people(0, whom))
        )
        if not own:
            return "false"
        return f"p.recorded_by <> p.person_id AND (p.person_id, p.whom) IN ({own})"

    def people(self, number: int, whom: int) -> list[list[int]]:
        """Who is asked in a step for somebody, one group after another; unknown ones are empty."""
        if (key := (number, whom)) not in self._people:
            self._people[key] = list(self._groups(number, whom))
        return self._people[key]

    def _groups(self, number: int, whom: int) -> Iterator[list[int]]:
        step = self.kind.approvers[number]
        if step.who == "superiors":
            yield from ([one] for one in lines.superiors(whom)[: step.levels])
        elif step.who == "person":
            yield lines.named(step.login)
        elif step.who == "chosen" or base.person_field(self.kind.model, step.who) is not None:
            yield []  # the record or the applicant names them
        else:
            found = lines.resolve(step.who, whom, on=timezone.localdate())
            others = [one for one in found if one != whom] or lines.superiors(whom)[:1]
            one_by_one = step.mode in ("in_order", "all")
            yield from ([[one] for one in others] if one_by_one else [others])


def _side(trial: drafts.Trial, params: dict[str, Any] | None) -> Side | None:
    if params is None:
        return None
    kind = kinds.read(trial.kind, trial.record, params)
    assert isinstance(kind, Approval)  # noqa: S101 - the family of requests
    return Side(kind)


def _placed(sides: list[Side | None]) -> list[dict[str, Any]]:
    """The conditions of all sides in one row; each side learns where its own begin."""
    conditions: list[dict[str, Any]] = []
    for side in sides:
        if side is not None:
            side.place = len(conditions) + 1
            conditions += [side.kind.where, *(step.where for step in side.kind.approvers)]
    return conditions


def _acts(model: Any, asked: curves.Asked) -> str:
    names = {f.name for f in model._meta.concrete_fields}
    return _ACTS.format(
        recorded_by="s.recorded_by" if "recorded_by" in names else "0",
        person="s.person_id" if "person" in names else "NULL",
        table=model._meta.db_table,
        chosen=asked.chosen("p.person_id"),
    )


def _meet(cursor: Any, sides: list[Side], acts: str) -> None:
    """Tell the sides who acted, and for whom."""
    cursor.execute(_PAIRS.format(acts=acts))
    pairs = cursor.fetchall()
    for side in sides:
        side.pairs, side.actors = pairs, sorted({actor for actor, _ in pairs})


def _seats(cursor: Any, sides: list[Side | None], acts: str) -> dict[str, Any]:
    """The seats of both sides by level and by approver, and the hours a seat lately took."""
    levels: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    people: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for place, side in enumerate(sides):
        for label, group, number in _taken(cursor, side, acts):
            levels[label][place] += number
            for person in group:  # whoever of several answers first: a part of the work for each
                people[person][place] += number / len(group)
    cursor.execute(_HOURS)
    return {"levels": dict(levels), "people": dict(people), "hours": cursor.fetchone()[0]}


def _taken(cursor: Any, side: Side | None, acts: str) -> Iterator[tuple[str, list[int], int]]:
    if side is None:
        return
    steps, model = side.kind.approvers, side.kind.model
    cursor.execute(_GROUPED.format(steps=", ".join(side.steps()), acts=acts, asked=side.asked()))
    for whom, holds, number in cursor.fetchall():
        places = [place for place, hold in enumerate(holds) if hold]
        for place, group in _chain(side, places, whom):
            yield steps[place].name(model), group, number


def _chain(side: Side, places: list[int], whom: int | None) -> Iterator[tuple[int, list[int]]]:
    """Who is asked in which step; whoever was asked before is spared unless each step asks."""
    seen: set[int] = set()
    for place in places:
        for group in side.people(place, whom) if whom else [[]]:
            if len(group) == 1 and side.kind.repeat == "once":
                if group[0] in seen:
                    continue
                seen.add(group[0])
            yield place, group


def _point(
    cursor: Any, trial: drafts.Trial, variant: curves.Variant, side: Side, acts: str
) -> dict[str, Any]:
    cursor.execute(_NUMBER.format(acts=acts, asked=side.asked()))
    number, people = cursor.fetchone()
    at = (variant.parameter, variant.value, variant.label)
    states = Counter(OPEN=number)
    return curves.point(trial, at, states, people, is_draft=variant.is_draft)
