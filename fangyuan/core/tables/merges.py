"""Merged cells: a value spread down is read into every row it covers, one spread across is not."""

from __future__ import annotations

from typing import Final

from fangyuan.core.tables.shape import Raw, Table, TableError, column_letters

_MOST: Final = 20_000
_LISTED: Final = 5


class Merges:
    """The merged ranges of a sheet, (top, bottom, left, right), met in order of their rows."""

    def __init__(self, ranges: list[tuple[int, int, int, int]]) -> None:
        """Take the ranges; raises TableError if there are too many."""
        if len(ranges) > _MOST:
            raise TableError("合并单元格过多，请取消合并后再导入")
        self._ranges = sorted(ranges)
        self._next = 0
        self._open: dict[int, tuple[int, str]] = {}

    def settle(self, table: Table) -> None:
        """Refuse a header of two rows, and note what is filled in below it."""
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
        """Put the value of a cell merged downwards into a row it covers."""
        for column, (bottom, value) in list(self._open.items()):
            if bottom < raw.number:
                del self._open[column]
                continue
            raw.cells.extend([""] * (column + 1 - len(raw.cells)))
            raw.cells[column] = value
        while self._next < len(self._ranges) and self._ranges[self._next][0] <= raw.number:
            top, bottom, left, _ = self._ranges[self._next]
            self._next += 1
            if top == raw.number and bottom > top and left < len(raw.cells) and raw.cells[left]:
                self._open[left] = (bottom, raw.cells[left])
        return raw


def _listed(places: list[str]) -> str:
    more = f" 等 {len(places)} 处" if len(places) > _LISTED else ""
    return "、".join(places[:_LISTED]) + more
