"""The rows of a worksheet: from the stream of its XML to rows of text.

Nearly every worksheet is written in one plain form, which a pattern reads three times as fast as an
XML parser. The first block that is not wholly of that form, and all after it, go to the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from fangyuan.core.tables import formats
from fangyuan.core.tables.package import new_parser
from fangyuan.core.tables.shape import Raw, TableError, column_letters, column_place

_ROW: Final = re.compile(r'<row r="(\d{1,7})"[^>]*?(?:/>|>(.*?)</row>)', re.DOTALL)
_CELL: Final = re.compile(
    r'<c r="([A-Z]{1,3})\d{1,7}"(?: s="(\d{1,6})")?(?: t="([a-zA-Z]{1,9})")?(?:/>|>'
    r"(<f(?: [^>]*)?(?:/>|>[^<]*</f>))?"
    r'(?:(?:<is><t(?: xml:space="preserve")?>|<v>)([^<]*)(?:</t></is>|</v>)|<v ?/>)?</c>)'
)
_ENTITY: Final = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_DIGITS: Final = "0123456789"
_LONGEST_ROW: Final = 16 * 2**20


@dataclass
class Book:
    """What the cells of a workbook refer to."""

    columns: int
    is_1904: bool = False
    styles: list[formats.Shown] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)

    def text_of(self, kind: str, style: str, raw: str) -> tuple[str, str]:
        """Give the text of a cell, or what is wrong with it."""
        if kind == "s":
            return self._shared(raw)
        if kind in ("inlineStr", "str"):
            return formats.unescaped(raw), ""
        if kind == "e":
            return "", f"单元格是错误值 {raw[:20]}，请在 Excel 中改正"
        if not raw:
            return "", "公式没有算出值，请用 Excel 打开并保存后再导入"
        if kind == "b":
            return ("是" if raw.strip() == "1" else "否"), ""
        return (raw.replace("T", " "), "") if kind == "d" else self._number(style, float(raw))

    def _shared(self, raw: str) -> tuple[str, str]:
        index = int(raw or -1)
        if 0 <= index < len(self.strings):
            return self.strings[index], ""
        return "", "内容读不出来，请重新填写"

    def _number(self, style: str, value: float) -> tuple[str, str]:
        place = int(style) if style else 0
        shown = self.styles[place] if 0 <= place < len(self.styles) else formats.Shown.NUMBER
        if shown is formats.Shown.NUMBER:
            return formats.number_text(value)
        return formats.moment_text(value, shown, is_1904=self.is_1904)


class RowReader:
    """Turns the chunks of one worksheet into rows."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._rest = b""
        self._head: bytes | None = None
        self._parsed: _ParsedRows | None = None
        self._places: dict[str, int] = {}

    def feed(self, chunk: bytes) -> Iterator[Raw]:
        """Take the next chunk, an empty one at the end, and give the rows it completes."""
        if self._parsed:
            yield from self._parsed.feed(chunk)
            return
        whole = self._rest + chunk
        first = whole.find(b"<row") if self._head is None else 0
        cut = whole.rfind(b"<row") if chunk else whole.rfind(b"</row>") + len(b"</row>")
        if chunk and cut <= first and len(whole) < _LONGEST_ROW:
            self._rest = whole
            return
        if self._head is None and first >= 0:
            self._head, whole, cut = whole[:first], whole[first:], cut - first
        rows = None if first < 0 or cut <= 0 else self._plain(whole[:cut])
        if rows is None:
            self._parsed = _ParsedRows(self._book)
            yield from self._parsed.feed((self._head or b"") + whole)
            if not chunk:
                yield from self._parsed.feed(b"")
        else:
            self._rest = whole[cut:]
            yield from rows

    def _plain(self, block: bytes) -> list[Raw] | None:
        """Read a block of whole rows by pattern, or nothing unless every byte of it is plain."""
        if b"<!" in block or b"<?" in block or not self._is_utf8():
            return None
        try:
            written = block.decode()
        except UnicodeDecodeError:
            return None
        found = _ROW.findall(written)
        if len(found) != written.count("<row"):
            return None
        rows = []
        for number, inside in found:
            cells = _CELL.findall(inside)
            if len(cells) != inside.count("<c"):
                return None
            if cells and (row := self._row(int(number), cells)):
                rows.append(row)
        return rows

    def _is_utf8(self) -> bool:
        declared = re.search(rb"""encoding\s*=\s*["']([^"']+)""", (self._head or b"")[:200])
        return not declared or declared[1].lower() == b"utf-8"

    def _row(self, number: int, found: list[tuple[str, str, str, str, str]]) -> Raw | None:
        cells: dict[int, str] = {}
        problems: dict[int, str] = {}
        for letters, style, kind, formula, raw in found:
            if not raw and not formula:
                continue
            place = self._places.get(letters)
            if place is None:
                place = self._places[letters] = column_place(letters)
            if "&" in raw or "\r" in raw:
                raw = _plain_text(raw)
            text, fault = self._book.text_of(kind, style, raw)
            if text:
                cells[place] = text
            if fault:
                problems[place] = fault
        return whole_row(number, cells, problems, self._book.columns)


def whole_row(
    number: int, cells: dict[int, str], problems: dict[int, str], columns: int
) -> Raw | None:
    """Lay out a row from its filled cells; nothing if it is blank."""
    if not cells and not problems:
        return None
    last = max((*cells, *problems))
    if last >= columns:
        raise TableError(f"{column_letters(last)} 列有内容，超过 {columns} 列的上限")
    return Raw(number, [cells.get(place, "") for place in range(last + 1)], problems)


def _plain_text(raw: str) -> str:
    """Read character references and line ends as an XML parser does."""
    return _ENTITY.sub(_character, raw.replace("\r\n", "\n").replace("\r", "\n"))


def _character(found: re.Match[str]) -> str:
    decimal, hexadecimal, named = found.groups()
    return _NAMED[named] if named else chr(int(decimal or hexadecimal, 10 if decimal else 16))


class _ParsedRows:
    """The rows of a worksheet as an XML parser hands over its elements."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._parser = new_parser(self._start, self._end)
        self._rows: list[Raw] = []
        self._number = 0
        self._cells: dict[int, str] = {}
        self._problems: dict[int, str] = {}
        self._place = -1
        self._kind = self._style = ""
        self._is_formula = self._is_phonetic = False
        self._texts: list[str] = []

    def feed(self, chunk: bytes) -> list[Raw]:
        """Take a piece of the part and give the rows that it completes."""
        self._rows = []
        self._parser.Parse(chunk, not chunk)
        return self._rows

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == "c":
            letters = given.get("r", "").rstrip(_DIGITS)
            self._place = column_place(letters) if letters else self._place + 1
            self._kind, self._style = given.get("t", ""), given.get("s", "")
            self._is_formula = False
            self._texts = []
        elif name in ("v", "t"):
            if not self._is_phonetic:
                self._parser.CharacterDataHandler = self._texts.append
        elif name == "row":
            self._number = int(given.get("r", self._number + 1))
            self._place, self._cells, self._problems = -1, {}, {}
        elif name == "f":
            self._is_formula = True
        elif name == "rPh":
            self._is_phonetic = True

    def _end(self, name: str) -> None:
        if name in ("v", "t"):
            self._parser.CharacterDataHandler = None
        elif name == "c":
            self._keep("".join(self._texts))
        elif name == "row":
            row = whole_row(self._number, self._cells, self._problems, self._book.columns)
            self._rows += [row] if row else []
        elif name == "rPh":
            self._is_phonetic = False

    def _keep(self, raw: str) -> None:
        if not raw and not self._is_formula:
            return
        text, fault = self._book.text_of(self._kind, self._style, raw)
        if text:
            self._cells[self._place] = text
        if fault:
            self._problems[self._place] = fault
