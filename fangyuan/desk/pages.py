"""The list as values for templates: what the address says becomes rows and cells."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.utils.html import escape

from fangyuan.access import scopes, table
from fangyuan.core import ready
from fangyuan.desk import columns, declare, filters, rows, urgency
from fangyuan.desk.filters import BadQuery
from fangyuan.desk.models import SavedView

OWN_WORDS = ("q", "sort", "after", "view", "cols", "bin", "add", "pick")
MOST_SAVED = 20  # views in the list's tabs
LONGEST = 18  # digits of a number that a record may have


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
    return ready_made(desk, desk.opens) if desk.opens is not None else Query()


def ready_made(desk: declare.Desk, number: int) -> Query:
    """The query of a ready-made view."""
    view = desk.views[number]
    return Query(chosen=dict(view.filters), sort=view.sort, view=f"p{number}")


def chips(desk: Any, query: Query, actor: Any, path: str) -> list[dict[str, Any]]:
    """The conditions in force, each with the address at `path` without it."""
    known = filters.filters(desk)
    return [
        {
            "name": name,
            "label": known[name].label,
            "value": known[name].said(value, actor),
            "url": query.with_filter(name, None).url(path),
        }
        for name, value in query.chosen.items()
    ]


def _filters(desk: declare.Desk) -> list[filters.Filter]:
    return list(filters.filters(desk).values())


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


_SAVED = ready.Ready(
    lambda: (
        SavedView.objects.everything("自己的和共享的视图")
        .present()
        .filter(Q(owner_id=ready.Slot("person")) | Q(is_shared=True), record=ready.Slot("record"))
        .order_by("id")[:MOST_SAVED]
    )
)


def _place(column: columns.Column, model: Any) -> Place:
    wide = "w" if column.is_wide else "" if column.on_card else "hide-m"
    css = f"{wide} r".strip() if column.is_numeric(model) else wide
    return Place(css, "" if column.is_wide else column.heading(model))


class ListPage:
    """One page of a list for one actor, everything fetched."""

    def __init__(self, desk: declare.Desk, query: Query, actor: Any, now: datetime) -> None:
        self.desk, self.query, self.actor, self.now = desk, query, actor, now
        self.path = f"/{desk.name}/"
        self.found = rows.Rows(desk, query, actor, now)
        fetch = urgency.page if self.found.name == "due" else rows.Rows.page
        self.rows, self.after = fetch(self.found, declare.PAGE_SIZE)
        self.columns = self._columns()
        self.lines = self._lines()

    @property
    def sort(self) -> str:
        """The order in force."""
        return self.query.sort or self.desk.default_sort

    @property
    def total(self) -> str:
        """The number of rows as it is said."""
        is_part = self.after or self.query.after
        count = self.found.count() if is_part else len(self.rows)
        return f"{rows.MOST_COUNTED}+" if count > rows.MOST_COUNTED else str(count)

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
        allowed = rows.sortable(self.desk, self.actor)
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
        return self.query.url(self.path, after=self.after) if self.after else ""

    @cached_property
    def chips(self) -> list[dict[str, Any]]:
        """The conditions in force, each with the address without it."""
        return chips(self.desk, self.query, self.actor, self.path)

    @cached_property
    def addable(self) -> list[dict[str, Any]]:
        """The conditions that may be added, each with the address that opens it."""
        hidden = table.hidden(self.actor, self.desk.name)
        plain = self.query.url(self.path)
        further = f"{plain}add=" if plain.endswith("?") else f"{plain}&add="
        return [
            {"label": one.label, "url": f"{further}{one.name}"}
            for one in _filters(self.desk)
            if one.name not in self.query.chosen and one.name not in hidden and not one.called
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
            url = ready_made(self.desk, number).url(self.path)
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
        return _SAVED(person=self.actor.pk, record=self.desk.name)

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
    def kept_as(self) -> Hashable:
        """All that the bar of conditions depends on where it says the same to many, else None."""
        query, name = self.query, self.desk.name
        if query.chosen or query.words or query.add or query.picks:
            return None
        rights = (table.may(self.actor, name, "u"), table.hidden(self.actor, name))
        return name, rights, query.sort, query.cols, query.view, query.is_bin

    @cached_property
    def choosable(self) -> list[dict[str, Any]]:
        """Columns to show or leave out."""
        every = columns.columns(self.desk)[1:]
        shown = {one.name for one in self.columns}
        return [
            {"name": one.name, "label": one.heading(self.desk.model), "on": one.name in shown}
            for one in every
        ]
