"""Seven row sets as one Q per actor and type. A type says in `reach` how its rows belong to people.

`reach` is a mapping of: `people` (fields naming a person), `via` (foreign keys to records that
are held), `held` (the row itself is held), `any` (pointers at held records), `about` (pointers at
people, or at the teams they lead or are in), `pooled` (the row lies in a pool while nobody holds
it), `seats` (child rows that name a person). Nothing else decides.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When
from django.utils import timezone

from fangyuan.access import table
from fangyuan.core import ready, records
from fangyuan.org import models as org

HELD_TYPES = ("customer", "lead", "opportunity")
NOBODY = Q(pk__in=[])
_ANY = Q(pk__isnull=False)
# Turns what is asked of the actor into a value: at once, or when a ready query is asked.
Read = Callable[[Callable[[Any], Any]], Any]


@dataclass(frozen=True)
class Reach:
    """The row sets that an actor's grants give: all that the shape of a query depends on."""

    sets: frozenset[str]
    is_admin: bool = False


def reach(actor: Any, model: Any, operation: str = "r") -> Reach:
    """Which row sets let `actor` do `operation` (c r u d) on rows of `model`."""
    granted = table.grants(actor, model.record_name(), operation)
    return Reach(frozenset(grant.rows for grant in granted), table.sight(actor).is_admin)


def seen(actor: Any, model: type[models.Model]) -> Q:
    """The rows of `model` that `actor` may read."""
    return rows(actor, model, "r")


def rows(actor: Any, model: Any, operation: str) -> Q:
    """The rows of `model` on which `actor` may do `operation` (c r u d)."""
    return _within(reach(actor, model, operation), model, lambda value: value(actor))


@dataclass(frozen=True)
class Way:
    """How a query finds what people hold. As it stands the planner is free, which is best where
    other conditions leave few rows."""

    few: bool = False  # rows at hand are judged one by one
    one: bool = False  # there is one person only, and an index has their rows in order
    first: bool = False  # gathered beforehand, so that an index then gives the rows in its order
    most: int | None = None  # only so much is gathered: enough to say that there are many


FREELY = Way()


def later(found: Reach, model: Any, **how: Any) -> Q:
    """The same for a query that is made ready: whoever has this reach is given as `actor`; `how`
    is a `Way`."""
    return _within(found, model, _slot, Way(**how))


def _slot(value: Callable[[Any], Any]) -> ready.Slot:
    return ready.Slot(lambda given: value(given["actor"]), key=value)


def _within(found: Reach, model: Any, read: Read, way: Way = FREELY) -> Q:
    if "all" in found.sets:
        return _level(found, model, read)
    if not found.sets:
        return NOBODY
    # One set of people instead of one subquery per row set: the planner can then begin with it.
    names = tuple(sorted(found.sets))
    people = read(_people_of(names))
    union = _reaching(people, model, read, way, is_pooled="pool" in found.sets)
    if "region" in found.sets:
        union |= _in_region(model, read)
    return union & _level(found, model, read)


@functools.cache
def _people_of(names: tuple[str, ...]) -> Callable[[Any], list[int]]:
    return functools.partial(_people, names=names)


def _people(actor: Any, names: Iterable[str]) -> list[int]:
    """The people whose rows these row sets name; `region` adds rows by their region besides."""
    sight = table.sight(actor)
    others = {"team": sight.mate_ids, "subtree": sight.below_ids}
    return sorted({actor.pk, *(number for name in names for number in others.get(name, ()))})


def _alone(actor: Any) -> int:
    return int(actor.pk)


def people(actor: Any, model: Any) -> list[int] | None:
    """Whose rows the actor may read, of a type that is reached by people alone; None for all."""
    found = reach(actor, model)
    return None if "all" in found.sets else _people(actor, found.sets) if found.sets else []


def reached(actor: Any, found: Reach) -> list[int]:
    """The people by whom this reach of the actor's goes."""
    return _people(actor, found.sets)


def unheld(found: Reach, model: Any) -> Q:
    """Rows within this reach whoever holds them, for a query that is made ready."""
    rows = NOBODY
    if "pool" in found.sets and getattr(model, "reach", {}).get("pooled"):
        rows |= _in_pool(_slot)
    return rows | _in_region(model, _slot) if "region" in found.sets else rows


def _now(_: Any) -> Any:
    return timezone.now()


def _today(_: Any) -> Any:
    return timezone.localdate()


def _holdings(people: Any, kind: str, read: Read) -> Any:
    now = read(_now)
    return org.Holding.objects.everything("行范围").filter(
        Q(ends_at=None) | Q(ends_at__gt=now),
        person_id__any_of=people,
        subject_type=kind,
        starts_at__lte=now,
        removed_at=None,
    )


def _reaching(people: Any, model: Any, read: Read, way: Way, *, is_pooled: bool) -> Q:
    reach = getattr(model, "reach", {})
    found = NOBODY
    for name in reach.get("people", ()):
        found |= Q(**{name: read(_alone)}) if way.one else Q(**{f"{name}__any_of": people})
    for name in reach.get("seats", ()):
        found |= Q(pk__in=_seated(model._meta.get_field(name), people))
    if reach.get("held"):
        pooled = _in_pool(read) if is_pooled and reach.get("pooled") else None
        others = [_numbers(model, pooled)[: way.most]] if pooled and not way.few else []
        found |= _held("pk", _holdings(people, model.record_name(), read), way, others)
        found |= pooled if pooled and way.few else NOBODY
    for path in reach.get("via", ()):
        found |= _held(path, _holdings(people, _target(model, path).record_name(), read), way)
    for pointer in reach.get("about", ()):
        found |= Q(**{f"{pointer}_type": "person", f"{pointer}_id__any_of": people})
        teams = _teams(people, read).values("pk")
        found |= Q(**{f"{pointer}_type": "team", f"{pointer}_id__in": teams})
    for pointer in reach.get("any", ()):
        for kind in HELD_TYPES:
            held = _held(f"{pointer}_id", _holdings(people, kind, read), way)
            found |= Q(**{f"{pointer}_type": kind}) & held
    return found


def _teams(people: Any, read: Read) -> Any:
    """The teams that these people lead or are in now."""
    today = read(_today)
    posts = org.Membership.objects.everything("行范围").filter(
        Q(ends_on=None) | Q(ends_on__gte=today),
        person_id__any_of=people,
        starts_on__lte=today,
        removed_at=None,
    )
    return (
        org.Team.objects.everything("行范围")
        .filter(Q(leader_id__any_of=people) | Q(pk__in=posts.order_by().values("team")))
        .order_by()
    )


def _seated(children: Any, people: Any) -> Any:
    """The numbers of the rows of which a child names one of these people."""
    rows = children.related_model._base_manager.order_by()
    link = children.field.attname
    return rows.filter(removed_at=None, person_id__any_of=people).values(link)


def _held(path: str, holdings: Any, way: Way, others: Sequence[Any] = ()) -> Q:
    """Rows whose record there these holdings name, or others do."""
    if way.few:
        return Q(Exists(holdings.order_by().filter(subject_id=OuterRef(path))))
    # One set of numbers: `or` between a set and a column would turn off every index.
    numbers = holdings.order_by().values("subject_id")[: way.most]
    numbers = numbers.union(*others, all=True) if others else numbers
    if way.first:
        return Q(**{f"{path}__any_of": ArraySubquery(numbers)})
    return Q(**{f"{path}__in": numbers})


def _numbers(model: Any, where: Q) -> Any:
    return model._base_manager.filter(where).order_by().values("pk")


def _target(model: Any, path: str) -> Any:
    for name in path.split("__"):
        model = model._meta.get_field(name).related_model
    return model


def _in_region(model: Any, read: Read) -> Q:
    if "region" not in {f.name for f in model._meta.get_fields()}:
        return NOBODY
    return Q(region__any_of=read(lambda actor: [f"region:{r}" for r in table.sight(actor).regions]))


def _in_pool(read: Read) -> Q:
    """Rows that lie in a pool open to the actor's teams; nobody answers for them."""
    teams = read(lambda actor: table.sight(actor).above_ids)
    is_open = Q(pool__team=None) | Q(pool__team__any_of=teams)
    return Q(pooled_at__isnull=False, pool__is_active=True) & is_open


def _level(found: Reach, model: Any, read: Read) -> Q:
    """Refusal first: rows marked secret are for their owner, the owner's superiors and readers."""
    reach = getattr(model, "reach", {})
    if not (reach.get("held") or reach.get("via")) or not _has_level(model) or found.is_admin:
        return Q()
    insiders = read(_insiders)
    held = Q(pk__in=[])
    for path in ("pk",) if reach.get("held") else reach["via"]:
        kind = model.record_name() if path == "pk" else _target(model, path).record_name()
        key = path if path == "pk" else f"{path}_id"
        holdings = _holdings(insiders, kind, read).filter(role__in=("OWNER", "READER"))
        # Correlated: an IN here would be charged once per row and turn the planner off every index.
        held |= Q(Exists(holdings.filter(subject_id=OuterRef(key)).order_by()))
    return ~Q(level="SECRET") | held


def _insiders(actor: Any) -> list[int]:
    return [actor.pk, *table.sight(actor).below_ids]


def _has_level(model: Any) -> bool:
    return any(f.name == "level" for f in model._meta.concrete_fields)


def only(name: str, actor: Any, model: Any) -> Q:
    """One of the row sets: own, shared, team, subtree, region, pool, all."""
    found = Reach(frozenset({name}), table.sight(actor).is_admin)
    return _within(found, model, lambda value: value(actor))


SCOPES: dict[str, Callable[[Any, Any], Q]] = {
    name: functools.partial(only, name) for name in table.ROWS
}


_ONE = ready.Ready(
    lambda model, seen, change, sets: (
        model.objects.everything("在范围内")
        .filter(later(seen, model, few=True), pk=ready.Slot("number"))
        .annotate(may_be_changed=_whether(change, model), **covering(model, seen, sets))
        .order_by()
    )
)


def _whether(found: Reach, model: Any) -> Case:
    return Case(When(later(found, model, few=True) & _ANY, then=True), default=False)


def one(actor: Any, kind: str, number: int) -> Any:
    """The record `kind`/`number` if the actor may see it, else None."""
    model = records.row_types().get(kind)
    return found(actor, model, number) if model else None


def found(actor: Any, model: Any, number: int) -> Any:
    """The row of `model` if the actor may see it, else None; it knows if it `may_be_changed`."""
    reaches = (reach(actor, model), reach(actor, model, "u"))
    rows = _ONE(model, *reaches, deciding(actor, model), actor=actor, number=number)
    for row in rows[:1]:  # a row that several people reach is found once for each
        row.may_be_changed = any(one.may_be_changed for one in rows)
        return row
    return None


def deciding(actor: Any, model: Any) -> tuple[str, ...]:
    """The row sets, one for each grant, that decide what is hidden; none if all hide the same."""
    grants = table.grants(actor, model.record_name(), "r")
    return tuple(g.rows for g in grants) if len({g.hide for g in grants}) > 1 else ()


def covering(model: Any, seen: Reach, sets: tuple[str, ...]) -> dict[str, Case]:
    """Columns of a ready query by which `veil` need not ask which of these sets cover a row."""
    reaches = [Reach(frozenset({name}), seen.is_admin) for name in sets]
    return {f"covered_{n}": _whether(one, model) for n, one in enumerate(reaches)}


def veil(actor: Any, found: list[Any]) -> dict[int, frozenset[str]]:
    """For each of these rows of one type, the fields hidden from the actor.

    A field is shown on a row only if a grant that does not hide it covers that row; one query,
    however many rows there are, unless the rows came with what is `covering` them.
    """
    if not found:
        return {}
    model: Any = type(found[0])
    grants = table.grants(actor, model.record_name(), "r")
    sets = deciding(actor, model)
    if not sets:
        only = next(iter(grants)).hide if grants else frozenset()
        return {row.pk: only for row in found}
    names = [f"covered_{place}" for place in range(len(sets))]
    if all(hasattr(row, names[-1]) for row in found):
        rows = [(row.pk, *(getattr(row, name) for name in names)) for row in found]
    else:
        numbers = [row.pk for row in found]
        rows = _COVERS(model, reach(actor, model), sets, actor=actor, numbers=numbers)
    result: dict[int, frozenset[str]] = {}
    for number, *covered in rows:
        hidden = frozenset.union(*(grant.hide for grant in grants))
        for grant, is_covered in zip(grants, covered, strict=True):
            hidden = hidden & grant.hide if is_covered else hidden
        result[number] = hidden & result.get(number, hidden)
    return result


def _covers(model: Any, seen: Reach, sets: tuple[str, ...]) -> Any:
    """Whether each of these row sets covers each of some rows."""
    columns = covering(model, seen, sets)
    rows = model._base_manager.order_by().filter(pk__any_of=ready.Slot("numbers"))
    return rows.annotate(**columns).values_list("pk", *columns)


_COVERS = ready.Ready(_covers)

records.register_scope(seen)
