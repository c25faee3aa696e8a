"""Six row sets as one Q per actor and type. A type says in `reach` how its rows belong to people.

`reach` is a mapping of: `people` (fields naming a person), `via` (foreign keys to records that
are held), `held` (the row itself is held), `any` (pointers at held records). Nothing else decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When
from django.utils import timezone

from fangyuan.access import table
from fangyuan.core import records
from fangyuan.org import models as org

HELD_TYPES = ("customer", "lead", "opportunity")
NOBODY = Q(pk__in=[])


def seen(actor: Any, model: type[models.Model]) -> Q:
    """The rows of `model` that `actor` may read."""
    return rows(actor, model, "r")


def rows(actor: Any, model: Any, operation: str) -> Q:
    """The rows of `model` on which `actor` may do `operation` (c r u d)."""
    reach = {grant.rows for grant in table.grants(actor, model.record_name(), operation)}
    if "all" in reach:
        return _level(actor, model)
    if not reach:
        return NOBODY
    # One set of people instead of one subquery per row set: the planner can then begin with it.
    people = sorted({number for name in reach for number in _people(actor, name)})
    union = _reaching(people, model)
    if "region" in reach:
        union |= region(actor, model)
    return union & _level(actor, model)


def _people(actor: Any, name: str) -> list[int]:
    """The people whose rows a row set names; `region` adds rows by their region besides."""
    sight = table.sight(actor)
    others = {"team": sight.mate_ids, "subtree": sight.below_ids}.get(name, [])
    return [*others, actor.pk]


def _holdings(people: Any, kind: str) -> Any:
    now = timezone.now()
    return org.Holding.objects.everything("行范围").filter(
        Q(ends_at=None) | Q(ends_at__gt=now),
        person_id__in=people,
        subject_type=kind,
        starts_at__lte=now,
        removed_at=None,
    )


def _held(people: Any, kind: str) -> Any:
    return _holdings(people, kind).order_by().values("subject_id")


def _reaching(people: list[int], model: Any) -> Q:
    reach = getattr(model, "reach", {})
    found = NOBODY
    for name in reach.get("people", ()):
        found |= Q(**{f"{name}__in": people})
    if reach.get("held"):
        found |= Q(pk__in=_held(people, model.record_name()))
    for path in reach.get("via", ()):
        kind = _target(model, path).record_name()
        found |= Q(**{f"{path}__in": _held(people, kind)})
    for pointer in reach.get("any", ()):
        for kind in HELD_TYPES:
            held = _held(people, kind)
            found |= Q(**{f"{pointer}_type": kind, f"{pointer}_id__in": held})
    return found


def _target(model: Any, path: str) -> Any:
    for name in path.split("__"):
        model = model._meta.get_field(name).related_model
    return model


def own(actor: Any, model: Any) -> Q:
    """Rows the actor answers for or entered in their own name."""
    return _reaching([actor.pk], model)


def team(actor: Any, model: Any) -> Q:
    """Rows of the people in the actor's teams."""
    return _reaching(_people(actor, "team"), model)


def subtree(actor: Any, model: Any) -> Q:
    """Rows of everyone in the teams the actor leads, and below."""
    return _reaching(_people(actor, "subtree"), model)


def region(actor: Any, model: Any) -> Q:
    """Rows whose region lies in the regions of the actor's teams."""
    codes = [f"region:{code}" for code in table.sight(actor).regions]
    names = {f.name for f in model._meta.get_fields()}
    return (Q(region__in=codes) if "region" in names else NOBODY) | own(actor, model)


def shared(actor: Any, model: Any) -> Q:
    """Rows in which the actor has any part: collaborator, service team, reader, named person."""
    return _reaching([actor.pk], model)


def everywhere(actor: Any, model: Any) -> Q:
    """All rows; secrecy levels still apply."""
    return _level(actor, model)


def _level(actor: Any, model: Any) -> Q:
    """Refusal first: rows marked secret are for their owner, the owner's superiors and readers."""
    reach = getattr(model, "reach", {})
    if not (reach.get("held") or reach.get("via")) or not _has_level(model):
        return Q()
    if table.sight(actor).is_admin:
        return Q()
    insiders = [actor.pk, *table.sight(actor).below_ids]
    held = Q(pk__in=[])
    for path in ("pk",) if reach.get("held") else reach["via"]:
        kind = model.record_name() if path == "pk" else _target(model, path).record_name()
        key = path if path == "pk" else f"{path}_id"
        holdings = _holdings(insiders, kind).filter(role__in=("OWNER", "READER"))
        # Correlated: an IN here would be charged once per row and turn the planner off every index.
        held |= Q(Exists(holdings.filter(subject_id=OuterRef(key)).order_by()))
    return ~Q(level="SECRET") | held


def _has_level(model: Any) -> bool:
    return any(f.name == "level" for f in model._meta.concrete_fields)


SCOPES: dict[str, Callable[[Any, Any], Q]] = {
    "own": own,
    "team": team,
    "subtree": subtree,
    "region": region,
    "shared": shared,
    "all": everywhere,
}


def one(actor: Any, kind: str, number: int) -> Any:
    """The record `kind`/`number` if the actor may see it, else None."""
    model = records.row_types().get(kind)
    return model.objects.seen_by(actor).filter(pk=number).first() if model else None


def veil(actor: Any, found: list[Any]) -> dict[int, frozenset[str]]:
    """For each of these rows of one type, the fields hidden from the actor.

    A field is shown on a row only if a grant that does not hide it covers that row; one query,
    however many rows there are.
    """
    if not found:
        return {}
    model = type(found[0])
    grants = table.grants(actor, model.record_name(), "r")
    hides = {grant.hide for grant in grants}
    if len(hides) <= 1:
        only = next(iter(hides), frozenset())
        return {row.pk: only for row in found}
    covers = {
        f"covered_{place}": Case(
            When(SCOPES[grant.rows](actor, model) & Q(pk__isnull=False), then=True), default=False
        )
        for place, grant in enumerate(grants)
    }
    rows = model._base_manager.order_by().filter(pk__in=[row.pk for row in found])
    result = {}
    for row in rows.values("pk", **covers):
        hidden = frozenset.union(*hides)
        for place, grant in enumerate(grants):
            hidden = hidden & grant.hide if row[f"covered_{place}"] else hidden
        result[row["pk"]] = hidden
    return result


records.register_scope(seen)
