"""The list as values for templates: what the address says becomes rows and cells.

A list never counts beyond a thousand and never skips: the next page begins after a cursor.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import json
import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import F, Min, Q, QuerySet
from django.utils.html import escape

from fangyuan.access import scopes, table
from fangyuan.desk import columns, declare, filters
from fangyuan.desk.filters import BadQuery
from fangyuan.desk.models import SavedView

MOST_COUNTED = 1000  # also the rows up to which the next duty of each is looked up for sorting
OWN_WORDS = ("q", "sort", "after", "view", "cols", "bin", "add", "pick")
LONGEST = 18  # digits of a number that a record may have
WAYS = ("asc", "desc")


@dataclass(frozen=True)
class Query:
    """What the address of a list says."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    sort: str = ""
    after: str = ""
    view: str = ""
    cols: tuple[str, ...] = ()
    is_bin: bool = False
    add: str = ""
    picks: tuple[int, ...] = ()

    def url(self, path: str = "", **changed: Any) -> str:
        """The address of this list with something changed."""
        one = replace(self, **{"after": "", "add": "", **changed})
        parts = {
            **one.chosen,
            "q": one.words,
            "sort": one.sort,
            "view": one.view,
            "cols": ",".join(one.cols),
            "bin": "1" if one.is_bin else "",
            "pick": ",".join(map(str, one.picks)),
            "add": one.add,
            "after": one.after,
        }
        return f"{path}?{urlencode({name: value for name, value in parts.items() if value})}"

    def with_filter(self, name: str, value: str | None) -> Query:
        """The query with one condition set or taken away."""
        chosen = {known: said for known, said in self.chosen.items() if known != name}
        return replace(self, chosen={**chosen, name: value} if value else chosen)


def read(given: Any, desk: declare.Desk) -> Query:
    """Read a list's address; raises BadQuery for whatever the list does not know."""
    ticked = given.getlist("cols") if hasattr(given, "getlist") else [given.get("cols", "")]
    known = {one.name for one in _filters(desk)}
    chosen: dict[str, str] = {}
    for name, value in given.items():
        plain, _, end = name.partition(".")
        if name in OWN_WORDS or not value:
            continue
        if plain not in known or end not in ("", "from", "to"):
            raise BadQuery(f"{desk.label}列表不认识条件“{name}”")
        if end:
            low, _, high = chosen.get(plain, "..").partition("..")
            value = f"{value}..{high}" if end == "from" else f"{low}..{value}"
        chosen[plain] = value
    cols = tuple(filter(None, ",".join(ticked).split(",")))
    names = {one.name for one in columns.columns(desk)}
    if unknown := [name for name in cols if name not in names]:
        raise BadQuery(f"{desk.label}列表没有列“{unknown[0]}”")
    picks = [number for number in given.get("pick", "").split(",") if number]
    if not all(number.isdecimal() and len(number) <= LONGEST for number in picks):
        raise BadQuery("勾选的行认不出，请从头打开列表")
    return Query(
        picks=tuple(map(int, picks)),
        chosen=chosen,
        words=given.get("q", "").strip(),
        sort=given.get("sort", ""),
        after=given.get("after", ""),
        view=given.get("view", ""),
        cols=cols,
        is_bin=given.get("bin") == "1",
        add=given.get("add", ""),
    )


def opening(desk: declare.Desk) -> Query:
    """What a list shows when its address says nothing."""
    return ready(desk, desk.opens) if desk.opens is not None else Query()


def ready(desk: declare.Desk, number: int) -> Query:
    """The query of a ready-made view."""
    view = desk.views[number]
    return Query(chosen=dict(view.filters), sort=view.sort, view=f"p{number}")


def _filters(desk: declare.Desk) -> list[filters.Filter]:
    return list(filters.filters(desk).values())


def found(desk: declare.Desk, query: Query, actor: Any, now: datetime) -> QuerySet[Any]:
    """The rows of a list in no order: scope, recycle bin, conditions, words. Export uses it too."""
    rows: QuerySet[Any] = desk.model.objects.seen_by(actor)  # type: ignore[attr-defined]
    if desk.is_record:
        rows = rows.exclude(removed_at=None) if query.is_bin else rows.present()
    if query.picks:
        rows = rows.filter(pk__in=query.picks)
    rows = filters.narrow(rows.defer(*_unshown(desk)), desk, query.chosen, actor, now)
    if query.words:
        rows = rows.filter(filters.matching(desk.model, desk.search, query.words, actor))
    return rows.order_by()


def _unshown(desk: declare.Desk) -> list[str]:
    """Search columns are long and never shown."""
    silent = getattr(desk.model, "unlogged", ())
    return [f.name for f in desk.model._meta.concrete_fields if f.name in silent and not f.editable]


def sortable(desk: declare.Desk, actor: Any) -> set[str]:
    """The names by which this actor may sort the list."""
    names = {"id", desk.default_sort.lstrip("-"), *desk.sorts}
    return names - filters.veiled(actor, desk.name)


def counted(rows: QuerySet[Any], most: int = MOST_COUNTED) -> int:
    """How many rows there are, counted no further than one beyond `most`."""
    return int(rows[: most + 1].count())


def ordered(desk: declare.Desk, rows: QuerySet[Any], query: Query, actor: Any) -> QuerySet[Any]:
    """The rows in order, beginning after the query's cursor; raises BadQuery."""
    name, is_down = named_sort(desk, query, actor)
    way = WAYS[is_down]
    order = [getattr(F("pk"), way)()]
    if name != "id":
        column = columns.field_of(desk.model, name)
        # Said of a column that is never empty, it would only keep its index from being used.
        is_empty = column is None or column.null
        order.insert(0, getattr(F(name), way)(nulls_last=is_empty or None))
    if query.after:
        rows = rows.filter(_beyond(desk, name, is_down, query.after))
    return rows.order_by(*order)


def named_sort(desk: declare.Desk, query: Query, actor: Any) -> tuple[str, bool]:
    """By what the list is sorted, and whether downwards; raises BadQuery."""
    sort = query.sort or desk.default_sort
    name = sort.lstrip("-")
    if name not in sortable(desk, actor):
        raise BadQuery(f"{desk.label}列表不能按“{name}”排序")
    return name, sort.startswith("-")


def by_due(
    desk: declare.Desk, numbers: list[int], query: Query, actor: Any, now: datetime
) -> tuple[list[Any], bool]:
    """A page of these rows by their next duty, rows that owe nothing last, and whether more come.

    The duties live in many partitions: they are grouped once rather than looked up row by row.
    """
    dues: dict[int, float] = {}
    for part in columns.family_duties(desk.model, actor, now, numbers):
        grouped = part.select_related(None).order_by().values_list("parent")
        for pk, due in grouped.annotate(due=Min("due_at")):
            dues[pk] = min(due.timestamp(), dues.get(pk, math.inf))
    sign = -1 if (query.sort or desk.default_sort).startswith("-") else 1
    keys = sorted((pk not in dues, sign * dues.get(pk, 0.0), -pk) for pk in numbers)
    begin = 0
    if query.after:
        named, raw, pk = _unpacked(query.after)
        if named != "due" or not (isinstance(raw, list) and len(raw) == 2):
            raise BadQuery("排序变了，请从头打开列表")
        begin = bisect.bisect_right(keys, (raw[0] is True, _number(raw[1]), -pk))
    page = keys[begin : begin + declare.PAGE_SIZE]
    shown = desk.model._base_manager.defer(*_unshown(desk))
    found = shown.in_bulk([-key[2] for key in page])
    rows: list[Any] = [found[-key[2]] for key in page if -key[2] in found]
    for row, key in zip(rows, page, strict=False):
        row.due = [key[0], key[1]]
    return rows, begin + declare.PAGE_SIZE < len(keys)


def cursor(row: Any, name: str) -> str:
    """Where the next page begins: the sort value and number of the last row shown."""
    value = None if name == "id" else getattr(row, name)
    said = json.dumps([name, _said(value), row.pk], ensure_ascii=False)
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _said(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _unpacked(after: str) -> tuple[str, Any, int]:
    try:
        packed = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        name, raw, number = json.loads(packed)
        return str(name), raw, int(number)
    except (ValueError, TypeError, binascii.Error) as wrong:
        raise BadQuery("翻页的位置认不出，请从头打开列表") from wrong


def _number(raw: Any) -> float:
    return float(raw) if isinstance(raw, (int, float)) else 0.0


def _beyond(desk: declare.Desk, name: str, is_down: bool, after: str) -> Q:
    named, raw, number = _unpacked(after)
    if named != name:
        raise BadQuery("排序变了，请从头打开列表")
    word = "lt" if is_down else "gt"
    further = Q(**{f"pk__{word}": number})
    if name == "id":
        return further
    if raw is None:
        return Q(**{name: None}) & further
    try:
        value = columns.field_of(desk.model, name).to_python(raw)
    except (ValidationError, TypeError, ValueError, OverflowError) as wrong:
        raise BadQuery("翻页的位置认不出，请从头打开列表") from wrong
    beyond = Q(**{f"{name}__{word}": value}) | (Q(**{name: value}) & further)
    return beyond | Q(**{f"{name}__isnull": True})


@dataclass
class Heading:
    """The head of a column."""

    label: str
    url: str = ""
    way: str = ""
    is_numeric: bool = False


@dataclass
class Line:
    """A row of a list."""

    pk: int
    url: str  # under which its cells are changed
    page: str
    name: str
    cells: list[columns.Cell]
    editable: Set[str]  # fields that the actor may change where they stand


@dataclass(frozen=True)
class Place:
    """How the cells of a column stand in a row, and on a phone's card."""

    css: str
    label: str = ""

    @property
    def attributes(self) -> str:
        """What the cell's element says of itself."""
        label = f' data-l="{escape(self.label)}"' if self.label else ""
        return f' class="{self.css}"{label}' if self.css else label


def _place(column: columns.Column, model: Any) -> Place:
    wide = "w" if column.is_wide else "" if column.on_card else "hide-m"
    css = f"{wide} r".strip() if column.is_numeric(model) else wide
    return Place(css, "" if column.is_wide else column.heading(model))


class ListPage:
    """One page of a list for one actor, everything fetched."""

    def __init__(self, desk: declare.Desk, query: Query, actor: Any, now: datetime) -> None:
        self.desk, self.query, self.actor, self.now = desk, query, actor, now
        self.path = f"/{desk.name}/"
        self.rows, self.has_more, self.count = self._fetched(found(desk, query, actor, now))
        self.columns = self._columns()
        self.lines = self._lines()

    def _fetched(self, rows: Any) -> tuple[list[Any], bool, int]:
        """The page's rows, whether more come, and how many there are (0 on a further page)."""
        desk, query = self.desk, self.query
        (name, _), count = named_sort(desk, query, self.actor), 0
        if name == "due":
            numbers = list(rows.values_list("pk", flat=True)[: MOST_COUNTED + 1])
            count = len(numbers)
            if count <= MOST_COUNTED:
                page, has_more = by_due(desk, numbers, query, self.actor, self.now)
                return page, has_more, count
            if query.sort:
                raise BadQuery("这个列表太长，按下一义务排序前请先加条件")
            self.query = replace(query, sort="-id")  # too long for its usual order: newest first
        elif not query.after:
            count = counted(rows)
        page = list(ordered(desk, rows, self.query, self.actor)[: declare.PAGE_SIZE + 1])
        return page[: declare.PAGE_SIZE], len(page) > declare.PAGE_SIZE, count

    @property
    def sort(self) -> str:
        """The order in force."""
        return self.query.sort or self.desk.default_sort

    @property
    def total(self) -> str:
        """The number of rows as it is said."""
        return f"{MOST_COUNTED}+" if self.count > MOST_COUNTED else str(self.count)

    def _columns(self) -> list[columns.Column]:
        every = columns.columns(self.desk)
        shown = [one for one in every if not self.query.cols or one.name in self.query.cols]
        return [every[0], *(one for one in shown if one is not every[0])]

    def _lines(self) -> list[Line]:
        hidden = scopes.veil(self.actor, self.rows)
        facade = columns.Facade(self.rows, self.actor, hidden)
        for column in self.columns:
            facade.ask(self.rows, column.fields())
            column.load(self.rows, facade, self.now)
        facade.labels.load()
        may = table.may(self.actor, self.desk.name, "u")
        editable = set(self.desk.inline) if may else set()
        return [self._line(row, facade, editable) for row in self.rows]

    def _line(self, row: Any, facade: columns.Facade, editable: set[str]) -> Line:
        cells = [column.cell(row, facade) for column in self.columns]
        secret = {cell.field for cell in cells if cell.kind == "hidden"} if editable else set()
        url, page = f"/{self.desk.name}/{row.pk}", declare.address(row)
        return Line(row.pk, url, page, cells[0].text or str(row.pk), cells, editable - secret)

    @cached_property
    def places(self) -> list[Place]:
        """How each column stands in the rows."""
        model = self.desk.model
        first = Place("grow")
        return [first, *(_place(column, model) for column in self.columns[1:])]

    @cached_property
    def headings(self) -> list[Heading]:
        """The heads of the columns, linked where the list may be sorted by them."""
        allowed = sortable(self.desk, self.actor)
        now_by, is_down = self.sort.lstrip("-"), self.sort.startswith("-")
        heads = []
        for column in self.columns:
            head = Heading(column.heading(self.desk.model))
            head.is_numeric = column.is_numeric(self.desk.model)
            if column.name in allowed:
                is_now = column.name == now_by
                head.way = ("descending" if is_down else "ascending") if is_now else ""
                turned = f"-{column.name}" if is_now and not is_down else column.name
                head.url = self.query.url(self.path, sort=turned)
            heads.append(head)
        return heads

    @property
    def export_url(self) -> str:
        """Where the list as it stands is exported."""
        return self.query.url(f"{self.path}export")

    @property
    def bin_url(self) -> str:
        """The recycle bin, or from there the list."""
        return self.query.url(self.path, is_bin=not self.query.is_bin)

    @property
    def save_url(self) -> str:
        """Where the list as it stands is kept under a name."""
        return self.query.url(f"{self.path}views")

    @property
    def more_url(self) -> str:
        """The address of the next page, or nothing."""
        if not self.has_more:
            return ""
        name = self.sort.lstrip("-")
        return self.query.url(self.path, after=cursor(self.rows[-1], name))

    @cached_property
    def chips(self) -> list[dict[str, Any]]:
        """The conditions in force, each with the address without it."""
        known = filters.filters(self.desk)
        return [
            {
                "name": name,
                "label": known[name].label,
                "value": known[name].said(value, self.actor),
                "url": self.query.with_filter(name, None).url(self.path),
            }
            for name, value in self.query.chosen.items()
        ]

    @cached_property
    def addable(self) -> list[dict[str, Any]]:
        """The conditions that may be added, each with the address that opens it."""
        hidden = table.hidden(self.actor, self.desk.name)
        return [
            {"label": one.label, "url": self.query.url(self.path, add=one.name)}
            for one in _filters(self.desk)
            if one.name not in self.query.chosen and one.name not in hidden
        ]

    @cached_property
    def adding(self) -> dict[str, Any] | None:
        """The condition being added: its control and its values."""
        if not self.query.add:
            return None
        one = filters.filters(self.desk).get(self.query.add)
        if one is None:
            raise BadQuery(f"{self.desk.label}列表不认识条件“{self.query.add}”")
        links = [
            {"label": label, "url": self.query.with_filter(one.name, code).url(self.path)}
            for code, label in one.options(self.actor)
        ]
        return {"filter": one, "links": links}

    @cached_property
    def tabs(self) -> list[dict[str, Any]]:
        """Ready-made views, then the actor's own and shared ones."""
        is_all = self.query.view in ("", "all")
        everything = self.path if self.desk.opens is None else f"{self.path}?view=all"
        tabs = [{"label": "全部", "url": everything, "current": is_all}]
        for number, view in enumerate(self.desk.views):
            current = self.query.view == f"p{number}"
            url = ready(self.desk, number).url(self.path)
            tabs.append({"label": view.name, "url": url, "current": current})
        for saved in self._saved():
            try:
                kept = read({k: str(v) for k, v in saved.filter.items()}, self.desk)
            except BadQuery:  # a view from before a condition was renamed
                continue
            kept = replace(kept, view=str(saved.pk), cols=tuple(saved.columns))
            current = self.query.view == str(saved.pk)
            tabs.append({"label": saved.name, "url": kept.url(self.path), "current": current})
        return tabs

    def _saved(self) -> list[SavedView]:
        mine = SavedView.objects.everything("自己的和共享的视图").present()
        mine = mine.filter(Q(owner=self.actor) | Q(is_shared=True), record=self.desk.name)
        return list(mine.order_by("id")[:20])

    @cached_property
    def hidden_inputs(self) -> list[tuple[str, str]]:
        """The query as form fields, for the search box and the conditions' small forms."""
        parts = {
            **self.query.chosen,
            "q": self.query.words,
            "sort": self.query.sort,
            "cols": ",".join(self.query.cols),
            "bin": "1" if self.query.is_bin else "",
        }
        return [(name, value) for name, value in parts.items() if value]

    @cached_property
    def choosable(self) -> list[dict[str, Any]]:
        """Columns to show or leave out."""
        every = columns.columns(self.desk)[1:]
        shown = {one.name for one in self.columns}
        return [
            {"name": one.name, "label": one.heading(self.desk.model), "on": one.name in shown}
            for one in every
        ]
