"""From the rows of a file to the rows of the stage: every cell read, every mistake noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from fangyuan.core import records
from fangyuan.desk.exchange import mistakes, resolve, sources, values
from fangyuan.desk.exchange.columns import Column
from fangyuan.desk.exchange.mistakes import Bad, Mistakes
from fangyuan.desk.exchange.terms import Lookups

_CACHED = 20_000
_TICK = 2_000
Cells = list[str | None]


@dataclass(frozen=True)
class Slot:
    """A column of the file with its reader and the stage's columns that it fills."""

    place: int
    column: Column
    names: tuple[str, ...]
    read: Callable[[Any], Cells]


def slots(columns: Sequence[Column | None], lookups: Lookups) -> list[Slot]:
    """A slot for every column that is not left out; reads the vocabularies they need."""
    for column in columns:
        if domain := getattr(getattr(column, "field", None), "domain", ""):
            lookups.load(domain)  # while rows are being copied no query can run
    return [
        Slot(place, column, _stage_names(column), _remembered(_reader(column, lookups)))
        for place, column in enumerate(columns)
        if column is not None
    ]


def _stage_names(column: Column) -> tuple[str, ...]:
    said = resolve.reference_column(column)
    if column.kind == "reference":
        return (said,)
    return (f"{column.name}_type", said) if column.kind == "pointer" else (column.stored,)


def stage_columns(slots: Sequence[Slot], model: Any, indexed: Sequence[str]) -> dict[str, str]:
    """Name and type of every column of the stage."""
    found: dict[str, str] = {}
    for slot in slots:
        column = slot.column
        if column.kind in ("reference", "pointer"):
            found |= dict.fromkeys(slot.names, "text") | {column.stored: "bigint"}
        else:
            found[column.stored] = column.field.db_type(connection)
    for name in indexed:
        found[name] = model._meta.get_field(name).db_type(connection)
    return found


def given(slots: Sequence[Slot], indexed: Sequence[str]) -> set[str]:
    """The table's columns that the file says something about."""
    found = {slot.column.stored for slot in slots if slot.column.kind != "child"} | set(indexed)
    return found | {f"{s.column.name}_type" for s in slots if s.column.kind == "pointer"}


def _reader(column: Column, lookups: Lookups) -> Callable[[Any], Cells]:
    if column.kind == "pointer":
        return lambda cell: _pointed(column, cell)
    if column.kind == "reference":
        return lambda cell: [_referred(column, cell)]
    if column.kind == "key":
        return lambda cell: [values.plain(cell).strip() or None]
    read = values.reader(column.field, lookups)
    if column.kind in ("recorded", "child"):
        return lambda cell: [read(cell) if values.plain(cell).strip() else None]
    return lambda cell: [read(cell)]


def _referred(column: Column, cell: Any) -> str | None:
    text = values.plain(cell).strip()
    if not text and not column.field.null:
        raise Bad("不能为空", "这一列必填")
    return text or None


def _pointed(column: Column, cell: Any) -> Cells:
    text = values.plain(cell).strip()
    if not text:
        if not column.field.null:
            raise Bad("不能为空", "这一列必填，写成 类型:编号")
        return [None, None]
    kind, colon, key = text.replace("\uff1a", ":", 1).partition(":")
    if not colon or not key.strip():
        raise Bad("没有写明类型", "写成 类型:编号，如 customer:C001")
    known = records.record_types()
    labels = {str(model._meta.verbose_name): name for name, model in known.items()}
    name = kind.strip() if kind.strip() in known else labels.get(kind.strip())
    if name is None:
        raise Bad(f"没有“{kind.strip()}”这种记录", "写成 customer:C001 或 客户:C001")
    return [name, key.strip()]


def _remembered(read: Callable[[Any], Cells]) -> Callable[[Any], Cells]:
    """The same reader, which reads a text that comes again only once."""
    known: dict[str, Cells] = {}

    def reading(cell: Any) -> Cells:
        if not isinstance(cell, str):
            return read(cell)
        found = known.get(cell)
        if found is None:
            found = read(cell)
            if len(known) < _CACHED:
                known[cell] = found
        return found

    return reading


class Indexing:
    """The search columns of a type, computed for rows that are not records yet."""

    def __init__(self, model: Any, slots: Sequence[Slot]) -> None:
        self._model = model
        self._sources: dict[str, int] = {}
        place = 1
        for slot in slots:
            if slot.column.kind == "value":
                self._sources[slot.column.name] = place
            place += len(slot.names)
        self.names = self._probe()

    def _probe(self) -> list[str]:
        row = self._model.__new__(self._model)
        row.__dict__.update(dict.fromkeys(self._sources, ""))
        before = dict(row.__dict__)
        try:
            row.index()
        except (AttributeError, TypeError, ValueError):
            return []  # the file does not have what the search columns are made of
        return [name for name in row.__dict__ if name not in before]

    def cells(self, staged: Cells) -> Cells:
        """The search columns of one staged row."""
        row = self._model.__new__(self._model)
        row.__dict__.update({name: staged[place] or "" for name, place in self._sources.items()})
        row.index()
        made = (row.__dict__[name] for name in self.names)
        return [values.array(value) if isinstance(value, list) else value for value in made]


def staged(
    source: sources.Source,
    slots: Sequence[Slot],
    indexing: Indexing,
    found: Mistakes,
    tick: Callable[[int], None],
) -> Iterator[Cells]:
    """Rows for the stage; a cell with a mistake is left empty and its mistake noted."""
    if not slots:
        raise mistakes.whole("没有可以导入的列", "核对表头")
    for count, row in enumerate(source.rows, 1):
        staged_row = _staged(row, slots, found)
        if len(source.header) in row.problems:
            bad = Bad(row.problems[len(source.header)], "给它加上列名或删掉")
            found.add(row.number, "", "", bad)
        if found.is_full:
            raise mistakes.Unreadable(*found)
        if count % _TICK == 0:
            tick(count)
        yield staged_row + indexing.cells(staged_row) if indexing.names else staged_row


def _staged(row: sources.Row, slots: Sequence[Slot], found: Mistakes) -> Cells:
    cells: Cells = [str(row.number)]
    for slot in slots:
        try:
            if slot.place in row.problems:
                raise Bad(row.problems[slot.place], "")
            cells += slot.read(row.cells[slot.place])
        except Bad as bad:
            cells += [None] * len(slot.names)
            found.add(row.number, slot.column.label, row.cells[slot.place], bad)
    return cells
