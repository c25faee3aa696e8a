"""What a table is once read: limits, faults, rows, and how a header is found above them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from types import TracebackType
from typing import Final, NamedTuple, Self

from fangyuan.core import text

TITLE_ROWS: Final = 10
_ALPHABET: Final = 26
_LONGEST_NAME: Final = 100
_ALLOWED_CONTROLS: Final = "\t\n\r"
_CHECK_EVERY: Final = 500


class TableError(ValueError):
    """A file that is not read at all, with the reason in Chinese."""


@dataclass(frozen=True)
class Limits:
    """How much of an upload is read before it is refused."""

    size: int = 50 * 2**20
    unpacked: int = 400 * 2**20
    text: int = 300 * 2**20
    rows: int = 200_000
    columns: int = 200
    cell: int = 32_767
    seconds: float = 60.0


@dataclass
class Clock:
    """The time left for one file."""

    seconds: float
    _began: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Refuse to go on once the time is used up."""
        if time.monotonic() - self._began > self.seconds:
            raise TableError(f"读取超过 {self.seconds:g} 秒，请把表格拆小后再导入")


class Raw(NamedTuple):
    """One row as the file has it, numbered from 1 as a spreadsheet shows it."""

    number: int
    cells: list[str]
    problems: dict[int, str]


class Row(NamedTuple):
    """One row under the header; `problems` maps a column's place to what is wrong with its cell."""

    number: int
    cells: list[str]
    problems: dict[int, str]


def _nothing() -> None:
    return


class Table:
    """A header and the rows below it, read once from first to last."""

    def __init__(
        self,
        raw: Iterator[Raw],
        limits: Limits,
        *,
        sheet: str = "",
        sheets: tuple[str, ...] = (),
        encoding: str = "",
        close: Callable[[], object] = _nothing,
    ) -> None:
        """Find the header; raises TableError if there is none or it names a column twice."""
        self.sheet, self.sheets, self.encoding = sheet, sheets, encoding
        self.notes: list[str] = []
        self._pending: list[Raw] = []
        self._raw, self._limits, self._close = raw, limits, close
        try:
            self.header_row, self._places, self.header = self._find_header()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        close, self._close = self._close, _nothing
        close()

    def __iter__(self) -> Iterator[Row]:
        clock = Clock(self._limits.seconds)
        count = 0
        for raw in chain(self._pending, self._raw):
            if not any(cell.strip() for cell in raw.cells) and not raw.problems:
                continue
            count += 1
            if count > self._limits.rows:
                raise TableError(f"行数超过 {self._limits.rows} 行，请拆成几份导入")
            if count % _CHECK_EVERY == 0:
                clock.check()
            yield self._row(raw)

    def _find_header(self) -> tuple[int, list[int], list[str]]:
        """Take the first row with several cells; rows of one cell above it are titles."""
        above: list[Raw] = []
        for raw in self._raw:
            filled = sum(1 for cell in raw.cells if cell.strip()) or len(raw.problems)
            if filled > 1:
                if above:
                    skipped = "、".join(f"{row.number}" for row in above)
                    self.notes.append(f"第 {skipped} 行只有一格，当作标题跳过")
                return self._named(raw)
            if filled:
                above.append(raw)
            if len(above) > TITLE_ROWS:
                break
        if not above:
            raise TableError("表格是空的")
        # Every row has one cell: a table of a single column, not titles above nothing.
        self._pending = above[1:]
        return self._named(above[0])

    def _named(self, raw: Raw) -> tuple[int, list[int], list[str]]:
        if raw.problems:
            raise TableError(f"第 {raw.number} 行的表头有误：{next(iter(raw.problems.values()))}")
        named = [(n, name) for n, cell in enumerate(raw.cells) if (name := text.tidy(cell))]
        names = [name for _, name in named]
        if any(len(name) > _LONGEST_NAME for name in names):
            raise TableError(f"表头过长：列名最多 {_LONGEST_NAME} 字")
        if len(names) > self._limits.columns:
            raise TableError(f"列数超过 {self._limits.columns} 列")
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise TableError(f"表头「{twice[0]}」出现了 {names.count(twice[0])} 次，每列名称须不同")
        return raw.number, [place for place, _ in named], names

    def _row(self, raw: Raw) -> Row:
        cells = [raw.cells[n] if n < len(raw.cells) else "" for n in self._places]
        problems = {}
        for place, name in enumerate(self._places):
            if name in raw.problems:
                problems[place] = raw.problems[name]
            elif fault := cell_fault(cells[place], self._limits.cell):
                problems[place] = fault
        if len(raw.cells) > len(self._places):
            self._stray(raw, problems)
        return Row(raw.number, cells, problems)

    def _stray(self, raw: Raw, problems: dict[int, str]) -> None:
        known = set(self._places)
        for n, cell in enumerate(raw.cells):
            if n not in known and cell.strip():
                column = column_letters(n)
                problems[len(self._places)] = f"{column} 列没有表头，内容「{cell[:20]}」未读入"
                return


def cell_fault(cell: str, longest: int) -> str:
    """Say why a text cannot be kept: too long, or with characters no database holds."""
    if len(cell) > longest:
        return f"内容过长：{len(cell)} 字，最多 {longest} 字"
    if cell.isprintable():
        return ""
    for char in cell:
        code = ord(char)
        if (code < 0x20 and char not in _ALLOWED_CONTROLS) or 0x7F <= code < 0xA0:
            return f"含有控制字符 U+{code:04X}，请删除后重新填写"
        if 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE:
            return f"含有无效字符 U+{code:04X}，请删除后重新填写"
    return ""


def column_letters(place: int) -> str:
    """Name a column as a spreadsheet does: 0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, _ALPHABET)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_place(letters: str) -> int:
    """Give the place of a column from its letters: A is 0."""
    place = 0
    for letter in letters:
        place = place * _ALPHABET + ord(letter) - ord("A") + 1
    return place - 1
