"""What is still to be met about records of one type and about their children: the next of each.

A list asks it for the rows of one page, or walks along the duties in their order to find its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Greatest

from fangyuan.access import scopes
from fangyuan.core import ready, records
from fangyuan.desk import declare
from fangyuan.engine import known
from fangyuan.engine.models import Obligation, Rule

OPEN_STATES = ("OPEN", "BREACHED")
# A period that was missed cannot be made good; after this long it no longer leads a list.
MISSED_FOR = timedelta(days=30)
MANY = 2000  # duties that are looked through one by one
FEW = 20  # people whose duties are sorted rather than met along the index of all
SHOWN = ("rule", "began_at", "due_at", "state")  # what a list says of a next duty
Step = tuple[datetime, int, int]  # when a duty is due, its number and that of the record


def open_duties(actor: Any, now: datetime) -> Any:
    """Duties still to be met that the actor may see; long-missed periods are left out."""
    seen = _still_owed(Obligation.objects.seen_by(actor), now - MISSED_FOR)
    return seen.select_related("rule__clause").order_by("due_at", "id")


def _still_owed(rows: Any, stale: Any) -> Any:
    missed = Q(state="BREACHED", rule__kind=Rule.Kind.CADENCE, due_at__lt=stale)
    return rows.filter(state__in=OPEN_STATES, rule__is_shadow=False).exclude(missed)


def family_duties(model: Any, actor: Any, now: datetime) -> list[Any]:
    """Open duties about records of a type, then about each kind of children that count; every
    duty knows its `parent`, the number of the record."""
    mine, *theirs = _of_family(model, open_duties(actor, now))
    return [mine, *(rows.filter(parent__isnull=False) for rows in theirs)]


def next_duties(rows: Sequence[Any], actor: Any, now: datetime) -> dict[int, Any]:
    """The earliest open duty about each of these rows of one type, or about a child that counts."""
    if not rows:
        return {}
    duties = _asked(_NEXT, type(rows[0]), actor, now, numbers=[row.pk for row in rows])
    found: dict[int, Any] = {}
    for duty in sorted(duties, key=lambda duty: (duty.due_at, duty.pk)):
        found.setdefault(duty.parent, duty)
    known.named(found.values())
    return found


def first_steps(model: Any, numbers: list[int], actor: Any, now: datetime) -> dict[int, Step]:
    """The earliest open duty of each of these records, as a step of the walk."""
    found: dict[int, Step] = {}
    for step in sorted(_asked(_FIRST, model, actor, now, numbers=numbers)):
        found.setdefault(step[2], step)
    return found


def walk(
    model: Any, actor: Any, now: datetime, is_down: bool, *, after: Step | None, most: int
) -> list[Any]:
    """The next open duties in their order, each with its `parent`; fewer than `most` are the
    last ones."""
    given = {"due": after[0], "number": after[1]} if after else {}
    shape = (is_down, after is not None, _number(actor), most)
    return _asked(_WALK, model, actor, now, *shape, **given)


def passed(
    model: Any, actor: Any, now: datetime, until: Step | None = None
) -> set[int | None] | None:
    """The numbers of the records that have an open duty up to this one, or any; None where they
    are too many to be looked through."""
    if not of_few(actor):
        return None
    given = {"due": until[0], "number": until[1]} if until else {}
    shape = (until is not None, _number(actor), MANY)
    found = _asked(_PASSED, model, actor, now, *shape, **given)
    return {row[0] for row in found} if len(found) < MANY else None


def of_few(actor: Any) -> bool:
    """Whether the actor sees the duties of few people only."""
    number = _number(actor)
    return number is not None and number <= FEW


def _number(actor: Any) -> int | None:
    """Of how many people the actor sees the duties, counted no further than a few; None of all."""
    people = scopes.people(actor, Obligation)
    return None if people is None else min(len(people), FEW + 1)


def nothing(model: Any, seen: scopes.Reach) -> Q:
    """Holds for records without an open duty that whoever has this reach would see; `stale` is
    given."""
    mine, *theirs = _family(model, seen)
    found = ~Q(Exists(mine.filter(subject_id=OuterRef("pk")).order_by()))
    for rows, (child, back, of_type) in zip(theirs, _children(model), strict=True):
        own = child._base_manager.filter(**of_type, **{back: OuterRef(OuterRef("pk"))})
        found &= ~Q(Exists(rows.filter(subject_id__in=own.order_by().values("pk")).order_by()))
    return found


def _asked(
    family: ready.Ready, model: Any, actor: Any, now: datetime, *shape: Any, **more: Any
) -> list[Any]:
    seen = scopes.reach(actor, Obligation)
    return family(model, seen, *shape, actor=actor, stale=now - MISSED_FOR, **more)


def _of_family(model: Any, duties: Any) -> list[Any]:
    mine = duties.filter(subject_type=model.record_name())
    parts = [mine.annotate(parent=F("subject_id"))]
    for child, back, of_type in _children(model):
        children = child._base_manager.filter(**of_type).order_by()
        parent = children.filter(pk=OuterRef("subject_id")).values(back)[:1]
        theirs = duties.filter(subject_type=child.record_name())
        parts.append(theirs.annotate(parent=Subquery(parent)))
    return parts


def _children(model: Any) -> list[tuple[Any, str, dict[str, str]]]:
    return [child_of(model, name) for name in declare.desk_of(model.record_name()).through]


def _family(model: Any, seen: scopes.Reach) -> list[Any]:
    return _of_family(model, _all_owed(seen))


def _all_owed(seen: scopes.Reach, *, one: bool = False) -> Any:
    rows = Obligation.objects.everything("在范围内").filter(
        scopes.later(seen, Obligation, few=True, one=one)
    )
    return _still_owed(rows, ready.Slot("stale"))


def _parent(model: Any) -> Case:
    """The number of the record, for duties about it and about its children at once."""
    found = [When(subject_type=model.record_name(), then=F("subject_id"))]
    for child, back, of_type in _children(model):
        children = child._base_manager.filter(**of_type, pk=OuterRef("subject_id")).order_by()
        parent = Subquery(children.values(back)[:1])
        found.append(When(subject_type=child.record_name(), then=parent))
    return Case(*found, output_field=BigIntegerField())


def _first_of_each(model: Any, seen: scopes.Reach) -> list[Any]:
    numbers = ready.Slot("numbers")
    mine, *theirs = _family(model, seen)
    parts = [mine.filter(subject_id__any_of=numbers)]
    for rows, (child, back, of_type) in zip(theirs, _children(model), strict=True):
        children = child._base_manager.filter(**of_type, **{f"{back}__any_of": numbers}).order_by()
        parts.append(rows.filter(subject_id__in=children.values("pk")))
    return [rows.order_by("parent", "due_at", "id").distinct("parent") for rows in parts]


def _together(parts: list[Any]) -> Any:
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _steps(parts: list[Any]) -> Any:
    return _together([rows.values_list("due_at", "id", "parent") for rows in parts])


def _along(model: Any, seen: scopes.Reach, of: int | None) -> Any:
    """Duties about records and their children at once, with the `parent` of each."""
    rows = _all_owed(seen, one=of == 1).annotate(parent=_parent(model))
    kinds = [model.record_name(), *(child.record_name() for child, _, _ in _children(model))]
    return rows.filter(subject_type__in=kinds)


def _walked(
    model: Any, seen: scopes.Reach, is_down: bool, is_further: bool, of: int | None, most: int
) -> Any:
    word, way = ("lt", "desc") if is_down else ("gt", "asc")
    due, number = ready.Slot("due"), ready.Slot("number")
    rows = _along(model, seen, of)
    if is_further:
        beyond = Q(**{f"due_at__{word}": due}) | Q(**{f"id__{word}": number})
        rows = rows.filter(beyond, **{f"due_at__{word}e": due})
    # One person's duties stand in order in an index. Those of few people are gathered and sorted:
    # said plainly, the order would tempt the planner to read everybody's duties along their index
    # until those people's turn up.
    is_few = of is not None and 1 < of <= FEW
    first = Greatest("due_at", "due_at") if is_few else F("due_at")
    order = [getattr(first, way)(), getattr(F("id"), way)()]
    return rows.only(*SHOWN).order_by(*order)[:most]


def _passed(model: Any, seen: scopes.Reach, is_until: bool, of: int | None, most: int) -> Any:
    rows = _along(model, seen, of)
    if is_until:
        due, number = ready.Slot("due"), ready.Slot("number")
        rows = rows.filter(Q(due_at__lt=due) | Q(due_at=due, id__lte=number), due_at__lte=due)
    return rows.order_by().values_list("parent")[:most]


_NEXT = ready.Ready(
    lambda model, seen: _together([rows.only(*SHOWN) for rows in _first_of_each(model, seen)])
)
_FIRST = ready.Ready(lambda model, seen: _steps(_first_of_each(model, seen)))
_WALK = ready.Ready(_walked)
_PASSED = ready.Ready(_passed)


def child_of(model: Any, name: str) -> tuple[Any, str, dict[str, str]]:
    """The child type, its column with the parent's number and what else tells the parent's type,
    for `record.field`; the field is a foreign key or a pointer at any record."""
    kind, _, by = name.partition(".")
    child = records.row_types()[kind]
    is_pointer = by in getattr(child, "any_fields", {})
    return child, f"{by}_id", {f"{by}_type": model.record_name()} if is_pointer else {}
