"""Reading .xlsx: typed cells become text without loss, and what would be lost is reported.

Streamed by our own reader. The quick readers tried end the whole process over a forged count, and
give an error value as an empty cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from fangyuan.core.tables import cells, formats
from fangyuan.core.tables.merges import Merges
from fangyuan.core.tables.package import Package, new_parser, readable
from fangyuan.core.tables.shape import Clock, Limits, Raw, Table, TableError, column_place

_STRINGS: Final = "xl/sharedStrings.xml"
_STYLES: Final = "xl/styles.xml"
_MERGE: Final = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']"""
)
_MERGE_BYTES: Final = 4 * 2**20


class _Sheet(NamedTuple):
    name: str
    part: str
    is_visible: bool


class _Book:
    """A workbook: its sheets, and the parts they rest on."""

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        self.limits = limits
        self.package = Package(source, limits, Clock(limits.seconds))
        self.is_1904 = False
        self.sheets = self._find_sheets()

    def contents(self) -> cells.Book:
        """Read what the cells refer to."""
        strings = _Strings()
        if self.package.has(_STRINGS):
            for chunk in self.package.chunks(_STRINGS):
                strings.feed(chunk)
            strings.feed(b"")
        return cells.Book(self.limits.columns, self.is_1904, self._read_styles(), strings.found)

    def choose(self, name: str) -> _Sheet:
        """Pick the sheet of that name, or the first that shows."""
        shown = [sheet for sheet in self.sheets if sheet.is_visible]
        if name:
            shown = [sheet for sheet in shown if sheet.name == name]
        if not shown:
            raise TableError(f"没有名为「{name}」的工作表" if name else "工作簿里没有可见的工作表")
        if not self.package.has(shown[0].part):
            raise TableError(f"工作表「{shown[0].name}」读不出来，请用 Excel 打开并另存后再导入")
        return shown[0]

    def _find_sheets(self) -> list[_Sheet]:
        targets: dict[str, str] = {}
        found: list[_Sheet] = []

        def relation(name: str, given: dict[str, str]) -> None:
            if name == "Relationship" and given.get("Type", "").endswith("/worksheet"):
                target = given.get("Target", "")
                part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                targets[given.get("Id", "")] = part

        def sheet(name: str, given: dict[str, str]) -> None:
            if name == "workbookPr":
                self.is_1904 = given.get("date1904", "0") in ("1", "true")
            elif name == "sheet":
                key = next((v for k, v in given.items() if k.rpartition(":")[2] == "id"), "")
                if key in targets:
                    is_visible = given.get("state", "visible") == "visible"
                    found.append(_Sheet(given.get("name", ""), targets[key], is_visible))

        self.package.parse("xl/_rels/workbook.xml.rels", relation)
        self.package.parse("xl/workbook.xml", sheet)
        return found

    def _read_styles(self) -> list[formats.Shown]:
        """List, for each style a cell may name, what its number format shows."""
        written: dict[str, formats.Shown] = {}
        styles: list[formats.Shown] = []
        inside = ""

        def start(name: str, given: dict[str, str]) -> None:
            nonlocal inside
            if name == "numFmt":
                written[given.get("numFmtId", "")] = formats.shown_by(given.get("formatCode", ""))
            elif name in ("cellXfs", "cellStyleXfs", "dxfs"):
                inside = name
            elif name == "xf" and inside == "cellXfs":
                key = given.get("numFmtId", "0")
                styles.append(written.get(key) or formats.built_in(int(key)))

        if self.package.has(_STYLES):
            self.package.parse(_STYLES, start)
        return styles


class _Strings:
    """The shared texts of a workbook; phonetic guides in them are left out."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._is_phonetic = False
        self._parser = new_parser(self._start, self._end)

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the part."""
        self._parser.Parse(chunk, not chunk)

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._is_phonetic = True
        elif name == "t" and not self._is_phonetic:
            self._parser.CharacterDataHandler = self._parts.append

    def _end(self, name: str) -> None:
        if name == "t":
            self._parser.CharacterDataHandler = None
        elif name == "rPh":
            self._is_phonetic = False
        elif name == "si":
            self.found.append(formats.unescaped("".join(self._parts)))


def read_xlsx(source: BinaryIO, limits: Limits, *, sheet: str = "", owned: bool) -> Table:
    """Read one worksheet, the first visible one unless named."""

    def close() -> None:
        if owned:
            source.close()

    try:
        with readable():
            book = _Book(source, limits)
            chosen = book.choose(sheet)
            merges = Merges(_merged(book.package, chosen.part))
            rows = map(merges.fill, _rows(book.package, chosen.part, book.contents()))
    except BaseException:
        close()
        raise
    names = tuple(found.name for found in book.sheets if found.is_visible)
    table = Table(rows, limits, sheet=chosen.name, sheets=names, close=close)
    merges.settle(table)
    return table


def _rows(package: Package, part: str, book: cells.Book) -> Iterator[Raw]:
    reader = cells.RowReader(book)
    with readable():
        for chunk in package.chunks(part):
            yield from reader.feed(chunk)
        yield from reader.feed(b"")


def _merged(package: Package, part: str) -> list[tuple[int, int, int, int]]:
    """Find the merged ranges, which a worksheet lists only after its rows."""
    tail = b""
    is_found = False
    for chunk in package.chunks(part):
        tail += chunk
        if not is_found:
            place = tail.find(b"mergeCells")
            is_found = place >= 0
            tail = tail[place:] if is_found else tail[-16:]
        if len(tail) > _MERGE_BYTES:
            raise TableError("合并单元格过多，请取消合并后再导入")
    return [
        (int(top), int(bottom), column_place(left.decode()), column_place(right.decode()))
        for left, top, right, bottom in _MERGE.findall(tail)
    ]
