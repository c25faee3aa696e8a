"""Reading .xlsx: typed cells become text without loss, and what would be lost is reported."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Final

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from fangyuan.core.tables.package import Package
from fangyuan.core.tables.shape import Clock, Limits, Raw, Table, TableError, column_letters

_EXACT: Final = 10**15
_MERGES: Final = 20_000
_LISTED: Final = 5


def read_xlsx(source: BinaryIO, limits: Limits, *, sheet: str = "", owned: bool) -> Table:
    """Read one worksheet, the first visible one unless named."""

    def close() -> None:
        if owned:
            source.close()

    try:
        package = Package(source, limits, Clock(limits.seconds))
        source.seek(0)
        book = CalamineWorkbook.from_object(source)
        names = _worksheets(book)
        chosen = _choose(names, sheet, book)
        measured = package.sheet(chosen)
        cells = book.get_sheet_by_name(chosen)
    except CalamineError as wrong:
        close()
        raise TableError("工作簿内容有误，请用 Excel 打开并另存后再导入") from wrong
    except BaseException:
        close()
        raise
    if cells.start is None:
        close()
        raise TableError(f"工作表「{chosen}」是空的")
    offset = cells.start[1]
    merges = _Merges(cells, offset)
    rows = _rows(cells, offset, measured.lost, merges)
    table = Table(rows, limits, sheet=chosen, sheets=names, offset=offset, close=close)
    merges.settle(table)
    return table


def _worksheets(book: CalamineWorkbook) -> tuple[str, ...]:
    return tuple(
        found.name
        for found in book.sheets_metadata
        if found.typ == SheetTypeEnum.WorkSheet and found.visible == SheetVisibleEnum.Visible
    )


def _choose(names: tuple[str, ...], sheet: str, book: CalamineWorkbook) -> str:
    if sheet:
        if sheet not in names:
            raise TableError(f"没有名为「{sheet}」的工作表")
        return sheet
    if not names:
        raise TableError("工作簿里没有可见的工作表")
    return names[0]


class _Merges:
    """The merged cells of a sheet: a value spread down is filled in, one spread across is not."""

    def __init__(self, cells: CalamineSheet, offset: int) -> None:
        ranges = sorted(cells.merged_cell_ranges or [])
        if len(ranges) > _MERGES:
            raise TableError("合并单元格过多，请取消合并后再导入")
        self._ranges = [
            (top + 1, bottom + 1, left - offset, right - offset)
            for (top, left), (bottom, right) in ranges
        ]
        self._next = 0
        self._open: dict[int, tuple[int, str]] = {}

    def settle(self, table: Table) -> None:
        """Refuse a header of two rows, and note what was filled in below it."""
        below = [found for found in self._ranges if found[1] > table.header_row]
        if any(top <= table.header_row for top, *_ in below):
            table.close()
            raise TableError("表头占了两行以上，请改成一行，并取消合并单元格")
        tall = [f"{column_letters(left)}{top}" for top, bottom, left, _ in below if bottom > top]
        wide = [f"{column_letters(left)}{top}" for top, _, left, right in below if right > left]
        if tall:
            table.notes.append(f"{_listed(tall)} 是上下合并的单元格，各行已按同一内容读入")
        if wide:
            table.notes.append(f"{_listed(wide)} 是左右合并的单元格，只读入最左一列")

    def fill(self, raw: Raw) -> Raw:
        """Put the value of a cell merged downwards into the rows it covers."""
        if self._next < len(self._ranges) or self._open:
            self._fill(raw)
        return raw

    def _fill(self, raw: Raw) -> None:
        is_blank = not any(raw.cells)
        for column, (bottom, value) in list(self._open.items()):
            if bottom < raw.number:
                del self._open[column]
            elif not is_blank and column < len(raw.cells):
                raw.cells[column] = value
        while self._next < len(self._ranges) and self._ranges[self._next][0] <= raw.number:
            top, bottom, left, _ = self._ranges[self._next]
            self._next += 1
            if top == raw.number and bottom > top and 0 <= left < len(raw.cells):
                self._open[left] = (bottom, raw.cells[left])


def _listed(places: list[str]) -> str:
    more = f" 等 {len(places)} 处" if len(places) > _LISTED else ""
    return "、".join(places[:_LISTED]) + more


def _rows(
    cells: CalamineSheet, offset: int, lost: dict[tuple[int, int], str], merges: _Merges
) -> Iterator[Raw]:
    for number, values in enumerate(cells.iter_rows(), start=1):
        problems: dict[int, str] = {}
        texts = []
        for place, value in enumerate(values):
            if isinstance(value, str):
                texts.append(value)
                continue
            shown, fault = cell_text(value)
            texts.append(shown)
            if fault:
                problems[place] = fault
        if lost:
            for place in range(len(values)):
                if fault := lost.get((number, place + offset), ""):
                    problems[place] = fault
        yield merges.fill(Raw(number, texts, problems))


def cell_text(value: Any) -> tuple[str, str]:
    """Give the text of a typed cell, and what is wrong if digits were lost before we saw it."""
    if isinstance(value, bool):
        return ("是" if value else "否"), ""
    if isinstance(value, int | float):
        return _number_text(float(value))
    if isinstance(value, datetime):
        # Spreadsheets keep times as fractions of a day; the nearest second is what was typed.
        nearest = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        return nearest.isoformat(" "), ""
    if isinstance(value, date | time):
        return value.isoformat(), ""
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}", ""
    return str(value), ""


def _number_text(value: float) -> tuple[str, str]:
    if not math.isfinite(value):
        return "", "不是有效的数字，请改正"
    if value == int(value) and abs(value) < _EXACT:
        return str(int(value)), ""
    shown = format(Decimal(format(value, ".15g")), "f")
    if abs(value) >= _EXACT:
        return shown[:40], "数字超过 15 位，Excel 已丢失末尾几位，请把该列设为文本后重填"
    return shown, ""
