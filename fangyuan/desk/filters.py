"""What narrows a list: conditions from the address. Nothing unknown is ignored.

A condition is one name and one value (`grade=A,B`, `revenue=10000..50000`, `owner=me`, `x=none`);
it is refused in Chinese when the name or the value means nothing, or the field is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from fangyuan.access import scopes, table
from fangyuan.core import fields, records
from fangyuan.core.models import Term
from fangyuan.desk import columns, declare, owed
from fangyuan.desk.columns import field_of
from fangyuan.org.models import Holding, Person

NONE = "none"
ME = "me"
NEVER = Q(pk__in=[])
LIST_MOST = 40  # a vocabulary longer than this is typed, not picked
EARLIEST, LATEST = 1900, 2200
DAYS = {
    "today": "今天",
    "yesterday": "昨天",
    "week": "本周",
    "month": "本月",
    "quarter": "本季",
    "year": "今年",
    "-7d": "近 7 天",
    "-30d": "近 30 天",
    "-90d": "近 90 天",
}


class BadQuery(Exception):
    """The address of a list says something that means nothing; the message says what."""


@dataclass
class Filter:
    """A condition on one field; the class for text, which others refine."""

    name: str
    label: str = ""
    model: Any = field(default=None, repr=False)
    control = "text"
    suggests = ""  # where values are suggested while one types
    called = ""  # the name of a condition that every list understands

    def bind(self, model: Any) -> Filter:
        """Attach the filter to the record type it narrows."""
        self.model = model
        self.label = self.label or columns.label_of(model, self.name)
        return self

    def options(self, actor: Any) -> list[tuple[str, str]]:
        """Values to pick from, with their names; empty where one types."""
        return []

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        """The rows for which the value holds; raises BadQuery."""
        if value == NONE:
            return Q(**{self.name: ""}) | (self._null() if self._nullable() else NEVER)
        return Q(**{f"{self.name}__icontains": value})

    def said(self, value: str, actor: Any) -> str:
        """The value in words, for the chip."""
        return "空" if value == NONE else value

    def refuse(self, value: str) -> BadQuery:
        """The refusal of a value that means nothing here."""
        return BadQuery(f"“{self.label}”没有“{value}”这个值")

    def _null(self) -> Q:
        return Q(**{f"{self.name}__isnull": True})

    def _nullable(self) -> bool:
        return bool(getattr(field_of(self.model, self.name), "null", False))


class ChoiceFilter(Filter):
    """A closed vocabulary: several codes mean any of them."""

    control = "links"

    def _said(self) -> dict[str, str]:
        if words := declare.words(self.model, self.name):
            return dict(words)
        found = field_of(self.model, self.name)
        pairs = getattr(found, "vocabulary", None) or found.flatchoices
        return {str(code): str(label) for code, label in pairs}

    def options(self, actor: Any) -> list[tuple[str, str]]:
        empty = [(NONE, "空")] if self._nullable() else []
        named = [(c, f"{c} {said}" if len(c) == 1 else said) for c, said in self._said().items()]
        return [*named, *empty]

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        codes, said = value.split(","), self._said()
        if unknown := [code for code in codes if code not in said and code != NONE]:
            raise self.refuse(unknown[0])
        chosen = [code for code in codes if code != NONE]
        is_set = isinstance(field_of(self.model, self.name), fields.ChoiceSet)
        empty = Q(**{self.name: []}) if is_set else self._null()
        found = Q(**{f"{self.name}__{'overlap' if is_set else 'in'}": chosen})
        return found | empty if NONE in codes else found

    def said(self, value: str, actor: Any) -> str:
        said = self._said() | {NONE: "空"}
        return "、".join(said.get(code, code) for code in value.split(","))


class BoolFilter(Filter):
    """Yes or no."""

    control = "links"
    words = {"1": "是", "0": "否"}

    def options(self, actor: Any) -> list[tuple[str, str]]:
        return list(self.words.items())

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        if value not in self.words:
            raise self.refuse(value)
        return Q(**{self.name: value == "1"})

    def said(self, value: str, actor: Any) -> str:
        return self.words.get(value, value)


class TermFilter(Filter):
    """An open vocabulary, with what lies below an entry: 江苏 contains 苏州."""

    def bind(self, model: Any) -> Filter:
        super().bind(model)
        self.domain = field_of(model, self.name).domain
        self.suggests = f"/term/choices?domain={self.domain}"
        return self

    @property
    def control(self) -> str:  # type: ignore[override]
        return "text" if self.domain in ("region", "industry") else "links"

    def _terms(self) -> Any:
        return Term.objects.everything("字典供筛选").present().filter(domain=self.domain)

    def options(self, actor: Any) -> list[tuple[str, str]]:
        found = self._terms().filter(active=True).values_list("code", "label")[:LIST_MOST]
        return [*found, (NONE, "空")] if self._nullable() else list(found)

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        words = value.split(",")
        parts = {part for word in words for part in (word, *word.split())}
        wanted = Q(code__in=parts) | Q(label__in=parts)
        tops = list(self._terms().filter(wanted).values_list("id", flat=True))
        if not tops and value != NONE:
            raise self.refuse(value)
        below = Q(id__in=tops)
        for path in ("parent", "parent__parent", "parent__parent__parent"):
            below |= Q(**{f"{path}__in": tops})
        found = Q(**{f"{self.name}__in": self._terms().filter(below).values("key")})
        return self._null() | (found if tops else NEVER) if NONE in words else found

    def said(self, value: str, actor: Any) -> str:
        codes = [word.split()[-1] for word in value.split(",")]
        named = dict(self._terms().filter(code__in=codes).values_list("code", "label"))
        return "、".join({**named, NONE: "空"}.get(word, word) for word in codes)


class RefFilter(Filter):
    """A reference to another record: its number, its name, or `me` for the actor."""

    def bind(self, model: Any) -> Filter:
        super().bind(model)
        found = field_of(model, self.name)
        self.target = getattr(found, "related_model", None) or Person
        self.suggests = f"/{self.target.record_name()}/choices"
        return self

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        if value == NONE:
            return self._null()
        return Q(**{f"{self.name}__in": self.keys(value, actor)})

    def keys(self, value: str, actor: Any) -> list[int]:
        """The numbers of the records meant, among those the actor may see."""
        if value == ME and self.target is Person:
            return [actor.pk]
        seen = self.target.objects.seen_by(actor)
        if number := re.fullmatch(r"(?:.*#)?(\d+)", value):
            found = seen.filter(pk=int(number[1]))
        else:
            found = seen.filter(**{f"{name_field(self.target)}": value})
        keys = list(found.values_list("pk", flat=True)[:LIST_MOST])
        if not keys:
            raise self.refuse(value)
        return keys

    def said(self, value: str, actor: Any) -> str:
        if value in (ME, NONE):
            return {ME: "我", NONE: "空"}[value]
        found = self.target.objects.seen_by(actor).filter(pk__in=self.keys(value, actor)).first()
        return str(found or value)

    def options(self, actor: Any) -> list[tuple[str, str]]:
        return [(ME, "我")] if self.target is Person else []


class OwnerFilter(RefFilter):
    """Who answers for the record now, from the holdings."""

    def bind(self, model: Any) -> Filter:
        self.model, self.target, self.label = model, Person, self.label or "负责人"
        self.suggests = "/person/choices"
        return self

    def options(self, actor: Any) -> list[tuple[str, str]]:
        return [(ME, "我"), (NONE, "没有负责人")]

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        held = Holding.objects.everything("按负责人筛选").filter(
            subject_type=self.model.record_name(), role="OWNER", ends_at=None, removed_at=None
        )
        if value == NONE:
            return ~Q(pk__in=held.values("subject_id"))
        mine = held.filter(person_id__in=self.keys(value, actor))
        return Q(pk__in=mine.values("subject_id"))


class DayFilter(Filter):
    """A day or instant: a named span or `2026-01-01..2026-03-31`, either end open."""

    control = "days"

    def options(self, actor: Any) -> list[tuple[str, str]]:
        return [*DAYS.items(), *([(NONE, "空")] if self._nullable() else [])]

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        if value == NONE:
            return self._null()
        first, last = self._span(value, timezone.localdate(now))
        is_instant = isinstance(field_of(self.model, self.name), models.DateTimeField)
        found = Q()
        if first:
            found &= Q(**{f"{self.name}__gte": _midnight(first) if is_instant else first})
        if last and is_instant:
            found &= Q(**{f"{self.name}__lt": _midnight(last + timedelta(days=1))})
        elif last:
            found &= Q(**{f"{self.name}__lte": last})
        return found

    def _span(self, value: str, today: date) -> tuple[date | None, date | None]:
        if value in DAYS:
            return _named_span(value, today)
        ends = value.split("..") if ".." in value else [value, value]
        try:
            first, last = (date.fromisoformat(end) if end else None for end in ends)
        except ValueError as wrong:
            raise self.refuse(value) from wrong
        if any(day and not EARLIEST <= day.year <= LATEST for day in (first, last)):
            raise self.refuse(value)
        return first, last

    def said(self, value: str, actor: Any) -> str:
        return "空" if value == NONE else DAYS.get(value) or value.replace("..", " 至 ")


class NumberFilter(Filter):
    """An amount or number between two ends: `10000..50000`, either end open."""

    control = "range"

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        if value == NONE:
            return self._null()
        ends = value.split("..") if ".." in value else [value, value]
        try:
            low, high = (Decimal(end) if end else None for end in ends)
        except (ValueError, InvalidOperation) as wrong:
            raise self.refuse(value) from wrong
        if any(end is not None and not end.is_finite() for end in (low, high)):
            raise self.refuse(value)
        found = Q() if low is None else Q(**{f"{self.name}__gte": low})
        return found if high is None else found & Q(**{f"{self.name}__lte": high})

    def said(self, value: str, actor: Any) -> str:
        low, _, high = value.partition("..")
        if ".." not in value:
            return "空" if value == NONE else value
        return f"{low} 至 {high}" if low and high else (f"{low} 以上" if low else f"{high} 以下")


class DueFilter(Filter):
    """Whether something is still to be done about the record, and how soon."""

    control = "links"
    words = {"overdue": "已逾期", "today": "今天到期", "week": "7 天内到期", "open": "有未结义务"}

    def bind(self, model: Any) -> Filter:
        self.model, self.label = model, self.label or "义务"
        return self

    def options(self, actor: Any) -> list[tuple[str, str]]:
        return list(self.words.items())

    def where(self, value: str, actor: Any, now: datetime) -> Q:
        if value not in self.words:
            raise self.refuse(value)
        tomorrow = _midnight(timezone.localdate(now) + timedelta(days=1))
        limits = {"overdue": now, "today": tomorrow, "week": now + timedelta(days=7)}
        found = NEVER
        for part in owed.family_duties(self.model, actor, now):
            soon = part.filter(due_at__lt=limits[value]) if value in limits else part
            found |= Q(pk__in=soon.order_by().values("parent"))
        return found

    def said(self, value: str, actor: Any) -> str:
        return self.words.get(value, value)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _named_span(name: str, today: date) -> tuple[date, date]:
    if name.startswith("-"):
        return today - timedelta(days=int(name[1:-1])), today
    quarter = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    starts = {
        "today": today,
        "yesterday": today - timedelta(days=1),
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": quarter,
        "year": today.replace(month=1, day=1),
    }
    ends = {
        "today": today,
        "yesterday": today - timedelta(days=1),
        "week": starts["week"] + timedelta(days=6),
        "month": (starts["month"] + timedelta(days=32)).replace(day=1) - timedelta(days=1),
        "quarter": (quarter + timedelta(days=95)).replace(day=1) - timedelta(days=1),
        "year": today.replace(month=12, day=31),
    }
    return starts[name], ends[name]


class TypeFilter(ChoiceFilter):
    """The name of a record type."""

    def _said(self) -> dict[str, str]:
        types = records.record_types()
        return {name: str(model._meta.verbose_name) for name, model in types.items()}


SPECIAL: dict[str, type[Filter]] = {"owner": OwnerFilter, "due": DueFilter}
_everywhere: list[type[Filter]] = []


def everywhere(kind: type[Filter]) -> None:
    """A room above adds a condition that every list understands; it is not offered to be picked."""
    _everywhere.append(kind)


def _class_for(model: Any, name: str) -> type[Filter]:
    found = field_of(model, name)
    if found is None:
        return SPECIAL.get(name, Filter)
    if name in ("record", "subject_type"):
        return TypeFilter
    if name in columns.STAMPS:
        return RefFilter
    kinds: list[tuple[Any, type[Filter]]] = [
        (fields.TermField, TermFilter),
        (models.ForeignKey, RefFilter),
        (models.BooleanField, BoolFilter),
        (models.DateField, DayFilter),
        ((models.DecimalField, models.IntegerField), NumberFilter),
    ]
    is_coded = isinstance(found, fields.ChoiceSet) or declare.words(model, name)
    if getattr(found, "choices", None) or is_coded:
        return ChoiceFilter
    return next((kind for base, kind in kinds if isinstance(found, base)), Filter)


def filters(desk: Any) -> dict[str, Filter]:
    """The desk's filters by name; made anew only when a room has added to them."""
    declared, known = _known.get(desk.name, (None, {}))
    if declared is not desk.filters:
        found = [
            one if isinstance(one, Filter) else _class_for(desk.model, one)(one)
            for one in desk.filters
        ]
        found += [kind(kind.called) for kind in _everywhere]
        known = {one.name: one.bind(desk.model) for one in found}
        _known[desk.name] = desk.filters, known
    return known


_known: dict[str, tuple[Any, dict[str, Filter]]] = {}


def veiled(actor: Any, record: str) -> frozenset[str]:
    """Fields hidden from the actor on at least some rows: sorting by them would tell."""
    return frozenset().union(*(grant.hide for grant in table.grants(actor, record, "r")))


def narrowing(desk: Any, chosen: Mapping[str, str], actor: Any, now: datetime) -> Q:
    """Holds for the rows that meet every chosen condition; raises BadQuery."""
    known, hidden = filters(desk), table.hidden(actor, desk.name)
    partly, where = veiled(actor, desk.name), Q()
    for name, value in chosen.items():
        if name not in known:
            raise BadQuery(f"{desk.label}不能按“{name}”筛选")
        if name in hidden:
            raise BadQuery(f"“{known[name].label}”不在你的权限内，不能用来筛选")
        if name in partly:
            where &= showing(actor, desk.model, name)
        where &= known[name].where(value, actor, now)
    return where


def showing(actor: Any, model: Any, name: str) -> Q:
    """The rows on which the actor is shown this field."""
    found = NEVER
    for grant in table.grants(actor, model.record_name(), "r"):
        if name not in grant.hide:
            found |= scopes.SCOPES[grant.rows](actor, model)
    return found


def name_field(model: Any) -> str:
    """The text field that names records of this type."""
    texts = [f.name for f in model._meta.concrete_fields if isinstance(f, fields.Text)]
    preferred = ("name", "label", "title", "company", "number", "code")
    return next((name for name in preferred if name in texts), texts[0] if texts else "pk")
