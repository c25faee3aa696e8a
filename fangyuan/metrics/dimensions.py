"""What numbers can be told apart by: who answered then, in which team, from where, when.

Person and team are those of the moment that a row counts for: the holder by the spans of holding
(`(start, end]`), the team by their main post of that day. Other dimensions are facts of the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    Case,
    DateField,
    DateTimeField,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Now, TruncDate, TruncMonth, TruncQuarter, TruncYear

from fangyuan.access.scopes import HELD_TYPES
from fangyuan.core import facts, records, spans, words
from fangyuan.metrics import periods
from fangyuan.metrics.declare import Balance, Dimension, Metric, parts
from fangyuan.org.models import Holding, Membership, Person, Team

LABELS: Final = {
    "person": "人员",
    "team": "团队",
    "department": "上级团队",
    "source": "来源",
    "region": "地域",
    "industry": "行业",
    "customer": "客户",
    "product": "产品",
    "campaign": "市场活动",
    "pipeline": "流水线",
    "stage": "阶段",
    "loss_reason": "输单原因",
    "month": "月份",
    "quarter": "季度",
    "year": "年份",
}
TIMES: Final[dict[str, Any]] = {
    "month": TruncMonth,
    "quarter": TruncQuarter,
    "year": TruncYear,
}
PEOPLE: Final = ("person", "team", "department")


@dataclass(frozen=True)
class Along:
    """A dimension of a record type: where it is found, and what its keys name."""

    path: str
    names: Any = None  # the record type that the keys number
    expression: Callable[[], Any] | None = field(default=None, hash=False)


_along: dict[Any, dict[str, Along]] = {}
_holders: dict[Any, dict[str, Callable[[], Any]]] = {}


def tell_apart(model: Any, **by: str) -> None:
    """Say by what the numbers of a record type can be told apart: dimension and path."""
    _along.setdefault(model, {}).update({name: Along(path) for name, path in by.items()})


def held_by(model: Any, **of: Callable[[], Any]) -> None:
    """Say whose a row is where that does not follow from its owner: `person`, `team`."""
    _holders.setdefault(model, {}).update(of)


def of(model: Any) -> list[str]:
    """By what the numbers of a record type can be told apart."""
    own = set(_along.get(model, {}))
    if _owned(model) or model in _holders:
        own |= set(PEOPLE)
    return [name for name in LABELS if name in own or name in TIMES]


def common(metric: Any) -> list[str]:
    """By what a metric can be told apart: all that each of its sums can."""
    found = [set(of(one.of)) for _, one in parts(metric)]
    shared = set.intersection(*found) if found else set()
    if any(isinstance(one, Balance) for _, one in parts(metric)):
        shared -= set(TIMES)
    return [name for name in LABELS if name in shared]


def names(model: Any, dimension: str) -> Any:
    """The record type that the keys of a dimension number; None where they are codes or days."""
    if dimension in PEOPLE:
        return Person if dimension == "person" else Team
    path = _along.get(model, {}).get(dimension)
    if path is None:
        return None
    fact = facts.find(model, path.path.replace("__", "."))
    return facts_target(model, path.path) if fact.kind == "record" else None


def code_label(dimension: str, key: Any) -> str:
    """What a key that numbers no record names: a day of its period, an entry of a vocabulary."""
    if dimension in TIMES:
        day = key if isinstance(key, date) else date.fromisoformat(str(key))
        return periods.say(spans.period_of(dimension, day))
    return words.term_label(str(key))


def facts_target(model: Any, path: str) -> Any:
    """The type of the record at the end of a path of foreign keys, or of a fact of that name."""
    for name in path.split("__"):
        found = {f.name: f for f in model._meta.get_fields()}.get(name)
        if found is None or found.related_model is None:
            return records.row_types().get(name.removeprefix("main_"))
        model = found.related_model
    return model


def grouped(rows: Any, part: Metric | Balance, by: Any, moment: datetime | None) -> tuple[Any, str]:
    """The rows with one more annotation to group by, and its name."""
    if isinstance(by, Dimension):
        rows, name = rows.annotate(**{f"by_{by.name}": by.expression}), f"by_{by.name}"
        return rows, name
    if by in TIMES and isinstance(part, Metric):
        at = facts.find(part.of, part.at).path
        return rows.annotate(**{f"by_{by}": TIMES[by](at, output_field=DateField())}), f"by_{by}"
    if by in PEOPLE and by in of(part.of):
        return _people(rows, part, by, moment)
    path = _along.get(part.of, {}).get(by)
    if path is None:
        return rows.annotate(**{f"by_{by}": F(by)}), f"by_{by}"
    fact = facts.find(part.of, path.path.replace("__", "."))
    rows = facts.annotate(rows, [fact.name]) if fact.now() is not None else rows
    return rows.annotate(**{f"by_{by}": F(fact.path)}), f"by_{by}"


def _people(rows: Any, part: Metric | Balance, by: str, moment: datetime | None) -> tuple[Any, str]:
    own = _holders.get(part.of, {})
    if "by_person" not in rows.query.annotations:
        at = _instant(part, moment)
        person = own["person"] if "person" in own else lambda: _person(part.of)
        rows = rows.annotate(by_at=at, by_day=TruncDate(at)).annotate(by_person=person())
    if by == "person":
        return rows, "by_person"
    if "by_team" not in rows.query.annotations:
        team: Any = Subquery(_posts().values("team_id")[:1])
        if "team" in own:
            team = Case(
                When(by_person=None, then=own["team"]()),
                default=team,
                output_field=BigIntegerField(),
            )
        rows = rows.annotate(by_team=team)
    if by == "department":
        above = Team._base_manager.filter(pk=OuterRef("by_team")).values("parent_id")
        rows = rows.annotate(by_department=Subquery(above[:1]))
    return rows, f"by_{by}"


def _posts() -> Any:
    """The main post, on `by_day`, of the person in `by_person`."""
    return Membership._base_manager.filter(
        Q(ends_on=None) | Q(ends_on__gte=OuterRef("by_day")),
        person_id=OuterRef("by_person"),
        is_main=True,
        removed_at=None,
        starts_on__lte=OuterRef("by_day"),
    ).order_by()


def _instant(part: Metric | Balance, moment: datetime | None) -> Any:
    """The moment for which a row counts: that of a day is its end."""
    if isinstance(part, Balance):
        return Value(moment, output_field=DateTimeField()) if moment else Now()
    fact = facts.find(part.of, part.at)
    if fact.kind == "at":
        return F(fact.path)
    template = "((%(expressions)s + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')"
    return Func(F(fact.path), template=template, output_field=DateTimeField())


def _owned(model: Any) -> str:
    """By which column of a type its rows belong to somebody; empty where to nobody."""
    if getattr(model, "owned_by", ""):
        return str(model.owned_by)
    if model.record_name() in HELD_TYPES:
        return "pk"
    if any(f.name == "person" for f in model._meta.concrete_fields):
        return "person"
    return "subject" if "subject" in getattr(model, "any_fields", {}) else ""


def _person(model: Any) -> Any:
    """Whoever answered for a row at `by_at`."""
    owned, path = _owned(model), ""
    while True:
        if owned == "pk":
            return _holder(Value(model.record_name()), f"{path}pk")
        if owned == "id":
            return F(f"{path}id")
        if owned in getattr(model, "any_fields", {}):
            return _holder(F(f"{path}{owned}_type"), f"{path}{owned}_id")
        model = model._meta.get_field(owned).related_model
        if model is Person:
            return F(f"{path}{owned}_id")
        path, owned = f"{path}{owned}__", _owned(model)


def _holder(kind: Any, number: str) -> Subquery:
    """Whose the record was at `by_at`: at a handover still the earlier one's."""
    told = kind.value if isinstance(kind, Value) else OuterRef(kind.name)
    held = Holding._base_manager.filter(
        Q(ends_at=None) | Q(ends_at__gte=OuterRef("by_at")),
        subject_type=told,
        subject_id=Cast(OuterRef(number), BigIntegerField()),
        role=Holding.Role.OWNER,
        removed_at=None,
        starts_at__lte=OuterRef("by_at"),
    )
    return Subquery(held.order_by("starts_at").values("person_id")[:1])
