"""One `Desk` value per record type says how it is listed, shown, entered and acted upon.

Declarations are data: names are plain strings, checked when the system starts (see `checks`).
A room above may add to a desk below with `extend`; nothing reaches downwards any other way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from fangyuan.desk import usual

PAGE_SIZE = 40


class UnknownDesk(LookupError):
    """No record type of this name has a desk."""


def _names(given: Any) -> tuple[Any, ...]:
    return tuple(given.split()) if isinstance(given, str) else tuple(given)


@dataclass(frozen=True)
class Section:
    """A titled group of form fields.

    With `of` the fields belong to the first child record (a reverse name such as `contacts`), which
    is entered together with a new record; `fixed` are values that the child gets besides.
    """

    title: str
    fields: Any
    of: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    is_more: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", _names(self.fields))


@dataclass(frozen=True)
class View:
    """A list that everybody finds ready-made: its name, filters and sort."""

    name: str
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""


@dataclass(frozen=True)
class Link:
    """A way from a record's page to where something about it is done."""

    label: str
    to: str  # an address; `{id}` is the record's number
    record: str  # the type that is entered there: only for those who may
    icon: str = "edit"


@dataclass
class Desk:
    """The face of one record type; what it leaves empty follows from the model (see `usual`)."""

    model: type[models.Model]
    columns: Sequence[Any] = ()  # names of fields, or Column objects
    filters: Sequence[Any] = ()  # names of fields, or Filter objects
    search: Sequence[str] = ()  # fields in which typed words are looked for
    sorts: Sequence[str] = ()  # fields by which the list may be sorted, besides `id`
    default_sort: str = ""
    form: Sequence[Section] = ()
    page: Sequence[Any] = ()  # panels of the record page
    head: Sequence[Any] = ()  # key values under the record's name
    badges: Sequence[Any] = ()  # short states beside the record's name
    links: Sequence[Link] = ()  # ways to special forms, before the verbs
    board: str = ""  # choice field whose values are the lanes
    actions: Sequence[str] = ()  # verbs offered on the page, by name
    inline: Sequence[str] = ()  # fields changed in a list cell
    bulk: Sequence[str] = ()  # fields set on many rows at once
    bulk_actions: Sequence[str] = ()  # verbs used on many rows at once
    # Pages that take the picked rows: (label, address, record and verb whose right it needs).
    bulk_pages: Sequence[tuple[str, str, str]] = ()
    views: Sequence[View] = ()
    opens: int | None = None  # the view shown when the address says nothing; None for all rows
    through: Sequence[str] = ()  # `record.field` of children whose duties count as one's own
    timeline: Sequence[Any] = ()  # further sources of the record's timeline
    create: Callable[[Any, dict[str, Any]], Any] | None = None  # (deed, values) -> record
    named: Callable[[Any, Any], str] | None = None  # (record, actor) -> name
    # Words for codes in plain columns: a table, or (value, record) -> words; see `said`.
    said: Mapping[str, Any] = field(default_factory=dict)
    address: Callable[[Any], str] | None = None  # record -> its page, where that is a special one
    # Further records that a person may act on although they are not within their rows.
    besides: Callable[[Any], Any] | None = None
    is_new: bool = True  # whether a new record is entered through the form
    is_edited: bool = True  # whether a record is changed through the form
    title: str = ""
    icon: str = "file"

    def __post_init__(self) -> None:
        for name in (
            *("columns", "filters", "search", "sorts", "form", "page", "head", "badges"),
            *("actions", "inline", "bulk", "bulk_actions", "views"),
            *("through", "timeline"),
        ):
            setattr(self, name, _names(getattr(self, name)))
        self._complete()

    def _complete(self) -> None:
        """Derive what the declaration left empty."""
        if not self.sorts and not self.default_sort:
            self.sorts = usual.sorts(self.model)
            self.default_sort = f"-{self.sorts[0]}" if self.sorts else ""
        self.default_sort = self.default_sort or "-id"
        self.columns = self.columns or usual.columns(self.model)
        self.filters = self.filters or usual.filters(self.model)
        self.search = self.search or usual.search(self.model)
        self.form = self.form or [Section(self.label, usual.form(self.model))]
        stage = getattr(self.model, "stage_field", None)
        self.badges = self.badges or ([stage] if stage else [])
        self.page = self.page or usual.page(self)
        self.is_new, self.is_edited = (
            self.is_record and one for one in (self.is_new, self.is_edited)
        )

    @property
    def name(self) -> str:
        """The type's name in addresses and rules."""
        return str(self.model.record_name())  # type: ignore[attr-defined]

    @property
    def label(self) -> str:
        """The type's Chinese name."""
        return self.title or str(self.model._meta.verbose_name)

    @property
    def is_record(self) -> bool:
        """Whether rows are versioned and can be changed at all."""
        return any(f.name == "revision" for f in self.model._meta.concrete_fields)

    @property
    def finds_doubles(self) -> bool:
        """Whether names already there are looked up while one types."""
        return any(f.name == "grams" for f in self.model._meta.concrete_fields)

    def fields(self) -> list[str]:
        """The fields a person may write through the form, in its order."""
        return [name for section in self.form if not section.of for name in section.fields]

    def panel(self, name: str) -> Any:
        """The page's panel of this name, or None."""
        return next((panel for panel in self.page if panel.name == name), None)


_registry: dict[str, Desk] = {}


def register(desk: Desk) -> Desk:
    """Put a desk up; a type has one."""
    if desk.name in _registry:
        raise ValueError(f"{desk.name} has a desk already")
    _registry[desk.name] = desk
    return desk


def extend(model: type[models.Model], **more: Sequence[Any]) -> None:
    """Add columns, filters, panels, actions … to the desk of a type of a room below."""
    desk = _registry[model.record_name()]  # type: ignore[attr-defined]
    for name, values in more.items():
        setattr(desk, name, (*getattr(desk, name), *_names(values)))


def desk_of(name: str) -> Desk:
    """The desk of the record type `name`; raises UnknownDesk."""
    try:
        return _registry[name]
    except KeyError as unknown:
        raise UnknownDesk(name) from unknown


def address(record: Any) -> str:
    """Where a record's page is."""
    name = record.record_name()
    desk = _registry.get(name)
    return desk.address(record) if desk and desk.address else f"/{name}/{record.pk}"


def said(model: Any, name: str) -> Callable[[Any, Any], Any] | None:
    """What puts a code of this field into words, where the type's desk has words for it."""
    if table := words(model, name):
        return lambda value, row: table.get(value, value)
    desk = _registry.get(model.record_name())
    return desk.said.get(name) if desk else None


def words(model: Any, name: str) -> Mapping[str, str]:
    """The table of words for the codes of this field, where the type's desk has one."""
    desk = _registry.get(model.record_name())
    found = desk.said.get(name) if desk else None
    return found if isinstance(found, Mapping) else {}


def desks() -> list[Desk]:
    """Every desk, in the order of registration."""
    return list(_registry.values())
