"""The rows of a list: what its address says as one query for each shape of it, page by page.

A list never counts beyond a thousand and never skips: the next page begins after a cursor.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet

from fangyuan.access import newest, scopes
from fangyuan.core import ready
from fangyuan.desk import columns, declare, filters, searching
from fangyuan.desk.filters import BadQuery

MOST_COUNTED = 1000  # up to so many rows the next duty of each is looked up for sorting
GATHERED = 1500  # holdings of several people that are gathered first to count what they hold
WAYS = ("asc", "desc")
A_MINUTE, NEVER = timedelta(minutes=1), datetime.min.replace(tzinfo=UTC)
_many: dict[tuple[int, str, bool], datetime] = {}  # lists too long to count, and when they were
TURNED = "排序变了，请从头打开列表"
LOST = "翻页的位置认不出，请从头打开列表"


def conditions(desk: declare.Desk, query: Any, actor: Any, now: datetime) -> Q:
    """Recycle bin, picked rows, conditions and words; raises BadQuery."""
    where = Q()
    if desk.is_record:
        where &= Q(removed_at__isnull=not query.is_bin)
    if query.picks:
        where &= Q(pk__any_of=list(query.picks))
    where &= filters.narrowing(desk, query.chosen, actor, now)
    if query.words:
        where &= searching.matching(desk.model, desk.search, query.words, actor)
    return where


def found(desk: declare.Desk, query: Any, actor: Any, now: datetime) -> QuerySet[Any]:
    """The rows of a list in no order, as a queryset: for boards and exports."""
    rows: QuerySet[Any] = desk.model.objects.seen_by(actor)  # type: ignore[attr-defined]
    where = conditions(desk, query, actor, now)
    return rows.filter(where).defer(*_unshown(desk.model)).order_by()


def _unshown(model: Any) -> list[str]:
    """Search columns are long and never shown, unless a column of the list reads them."""
    desk = declare.desk_of(model.record_name())
    read = {name for one in columns.columns(desk) for name in one.fields()}
    silent = set(getattr(model, "unlogged", ())) - read
    return [f.name for f in model._meta.concrete_fields if f.name in silent and not f.editable]


def sortable(desk: declare.Desk, actor: Any) -> set[str]:
    """The names by which this actor may sort the list."""
    names = {"id", desk.default_sort.lstrip("-"), *desk.sorts}
    return names - filters.veiled(actor, desk.name)


def named_sort(desk: declare.Desk, query: Any, actor: Any) -> tuple[str, bool]:
    """By what the list is sorted, and whether downwards; raises BadQuery."""
    sort = query.sort or desk.default_sort
    name = sort.lstrip("-")
    if name not in sortable(desk, actor):
        raise BadQuery(f"{desk.label}列表不能按“{name}”排序")
    return name, sort.startswith("-")


class Rows:
    """The rows that an address means for one actor: to be counted, or fetched page by page."""

    def __init__(self, desk: declare.Desk, query: Any, actor: Any, now: datetime) -> None:
        self.desk, self.query, self.actor, self.now = desk, query, actor, now
        self.name, self.is_down = named_sort(desk, query, actor)
        self.sets = scopes.deciding(actor, desk.model)
        self._where = conditions(desk, query, actor, now)
        # The best way to few rows depends on the words; the way to all of them does not.
        self.is_narrow = bool(query.chosen or query.words or query.picks)
        # Words leave few rows and have an index of their own: of many rows they are asked first.
        self.few = bool(query.words) and newest.is_many(actor, desk.model)
        self._counted: int | None = None

    def page(self, size: int) -> tuple[list[Any], str]:
        """The rows after the cursor, in the order of a column, and the cursor of the next page, if
        any; raises BadQuery."""
        further = _beyond(self.desk, self.name, self.is_down, self.query.after)
        shape = (self.sets, self.name, self.is_down, size + 1, not self.is_narrow, self.few)
        rows = self.ask(_PAGE, *shape, where=further)
        more = cursor(rows[size - 1], self.name) if len(rows) > size else ""
        return rows[:size], more

    def first(self, most: int) -> list[Any]:
        """Some of the rows in no order; fewer than `most` are all there are."""
        found: list[Any] = self.ask(_FIRST, () if self.few else self.sets, most, self.few)
        if len(found) < most:
            self._counted = len(found)
        return found

    def count(self) -> int:
        """How many rows there are, counted no further than one beyond `MOST_COUNTED`."""
        if self._counted is None and self._were_many():
            return MOST_COUNTED + 1
        if self._counted is None:
            people = scopes.people(self.actor, self.desk.model)
            # Of what several people hold a part is often enough to say that there is more.
            for most in (GATHERED, None) if people and len(people) > 1 else (None,):
                shape = (MOST_COUNTED + 1, most, not self.is_narrow, self.few)
                self._counted = int(self.ask(_COUNT, *shape)[0][0])
                if self._counted > MOST_COUNTED:
                    _many[self._key()] = self.now
                    break
        return self._counted or 0

    def _were_many(self) -> bool:
        """Whether this list without conditions was too long to count a minute ago."""
        return not self.is_narrow and self.now - _many.get(self._key(), NEVER) < A_MINUTE

    def _key(self) -> tuple[int, str, bool]:
        if len(_many) > MOST_COUNTED:
            _many.clear()
        return self.actor.pk, self.desk.name, self.query.is_bin

    def numbers(self) -> list[int]:
        """The numbers of the rows, no further than one beyond `MOST_COUNTED`."""
        found = [row[0] for row in self.ask(_NUMBERS, MOST_COUNTED + 1, self.few)]
        self._counted = len(found)
        return found

    def among(self, numbers: list[int]) -> dict[int, Any]:
        """Those of these rows that the address means, by their numbers."""
        rows = self.ask(_AMONG, self.sets, where=Q(pk__any_of=numbers))
        return {row.pk: row for row in rows}

    def ask(self, family: ready.Ready, *shape: Any, where: Q | None = None, **more: Any) -> Any:
        """Ask a family of queries for these rows: with a plan that is kept, where one will do."""
        said = self._where & where if where else self._where
        model, seen = self.desk.model, scopes.reach(self.actor, self.desk.model)
        try:
            form, values = ready.mould(said)
        except ready.Unfit:
            whole = ready.Mould(None, said)
            return family.once(model, seen, whole, *shape, actor=self.actor, **more)
        asked = family.anew if self.is_narrow else family
        return asked(model, seen, form, *shape, actor=self.actor, values=values, **more)


def _meant(model: Any, seen: scopes.Reach, where: ready.Mould, **how: Any) -> Any:
    within = scopes.later(seen, model, **how)
    return model.objects.everything("在范围内").filter(within, where.where).order_by()


def shown(
    model: Any, seen: scopes.Reach, where: ready.Mould, sets: tuple[str, ...], **how: Any
) -> Any:
    """The rows of one shape as a queryset, with what a list needs of them; `how` is a
    `scopes.Way`."""
    rows = _meant(model, seen, where, **how).annotate(**scopes.covering(model, seen, sets))
    return rows.defer(*_unshown(model))


def order(model: Any, name: str, is_down: bool) -> list[Any]:
    """By this column and then by number, what is empty last."""
    way = WAYS[is_down]
    found = [getattr(F("pk"), way)()]
    if name != "id":
        column = columns.field_of(model, name)
        # Said of a column that is never empty, it would only keep its index from being used.
        is_empty = column is None or column.null
        found.insert(0, getattr(F(name), way)(nulls_last=is_empty or None))
    return found


_PAGE = ready.Ready(
    lambda model, seen, where, sets, name, is_down, most, first, few: shown(
        model, seen, where, sets, first=first, few=few
    ).order_by(*order(model, name, is_down))[:most]
)
_FIRST = ready.Ready(
    lambda model, seen, where, sets, most, few: shown(model, seen, where, sets, few=few)[:most]
)
_NUMBERS = ready.Ready(
    lambda model, seen, where, most, few: _meant(model, seen, where, few=few).values_list("pk")[
        :most
    ]
)
_COUNT = ready.Ready(
    lambda model, seen, where, most, gathered, first, few: _meant(
        model, seen, where, most=gathered, first=first, few=few
    ).values_list("pk")[:most],
    is_counted=True,
)
_AMONG = ready.Ready(lambda model, seen, where, sets: shown(model, seen, where, sets, few=True))


def cursor(row: Any, name: str) -> str:
    """Where the next page begins: the sort value and number of the last row shown."""
    value = None if name == "id" else getattr(row, name)
    return packed(name, _said(value), row.pk)


def packed(name: str, value: Any, number: int) -> str:
    """A cursor as it stands in an address."""
    said = json.dumps([name, value, number], ensure_ascii=False)
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def unpacked(after: str) -> tuple[str, Any, int]:
    """Name, value and number of a cursor; raises BadQuery."""
    try:
        said = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        name, raw, number = json.loads(said)
        return str(name), raw, int(number)
    except (ValueError, TypeError, binascii.Error) as wrong:
        raise BadQuery(LOST) from wrong


def _said(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _beyond(desk: declare.Desk, name: str, is_down: bool, after: str) -> Q | None:
    if not after:
        return None
    named, raw, number = unpacked(after)
    if named != name:
        raise BadQuery(TURNED)
    word = "lt" if is_down else "gt"
    further = Q(**{f"pk__{word}": number})
    if name == "id":
        return further
    if raw is None:
        return Q(**{f"{name}__isnull": True}) & further
    try:
        value = columns.field_of(desk.model, name).to_python(raw)
    except (ValidationError, TypeError, ValueError, OverflowError) as wrong:
        raise BadQuery(LOST) from wrong
    beyond = Q(**{f"{name}__{word}": value}) | (Q(**{name: value}) & further)
    return beyond | Q(**{f"{name}__isnull": True})
