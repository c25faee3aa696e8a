"""Writing tables that read back the same: text stays text, whatever a spreadsheet makes of it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from rustpy_xlsxwriter import write_worksheet

from fangyuan.core import spans
from fangyuan.core.tables.separated import guarded
from fangyuan.core.tables.shape import TableError

Value = str | int | float | Decimal | bool | date | datetime | timedelta | None
_LONGEST: Final = 32_767
_EXACT: Final = 10**15  # beyond fifteen digits a spreadsheet rounds


def plain(value: Value, zone: ZoneInfo = spans.SHANGHAI) -> str:
    """Give the text of a value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        local = value.astimezone(zone) if value.tzinfo else value
        return local.replace(tzinfo=None).isoformat(" ", "seconds")
    if isinstance(value, float | Decimal):
        return format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def write_xlsx(
    target: str | Path | BinaryIO,
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    sheet: str = "数据",
    numbers: Collection[str] = (),
    zone: ZoneInfo = spans.SHANGHAI,
) -> None:
    """Stream rows into a workbook; columns named in `numbers` are numbers, all others text."""
    where = str(target) if isinstance(target, Path) else target
    places = frozenset(n for n, name in enumerate(header) if name in numbers)
    write_worksheet(
        _records(header, rows, places, zone),
        where,
        sheet_name=sheet,
        freeze_row=1,
        autofilter=True,
        bold_headers=True,
        column_width=16.0,
    )


def _records(
    header: Sequence[str], rows: Iterable[Sequence[Value]], numbers: Collection[int], zone: ZoneInfo
) -> Iterator[dict[str, Any]]:
    if len(set(header)) != len(header):
        raise TableError("表头有重名的列")
    empty = True
    for number, row in enumerate(rows, start=2):
        cells = [
            _number(value) if n in numbers else plain(value, zone) for n, value in enumerate(row)
        ]
        for cell in cells:
            if isinstance(cell, str) and len(cell) > _LONGEST:
                raise TableError(f"第 {number} 行有一格超过 {_LONGEST} 字，写不进 Excel")
        empty = False
        # An empty text is written as no cell, so that a filter for blanks finds it.
        yield dict(zip(header, [None if cell == "" else cell for cell in cells], strict=True))
    if empty:
        # The header comes from the first record, so a table without rows still needs one.
        yield dict.fromkeys(header)


def _number(value: Value) -> str | float:
    """Keep a number a number only where a spreadsheet keeps all its digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return plain(value)
    near = float(value)
    if not math.isfinite(near) or math.fabs(near) >= _EXACT:
        return plain(value)
    return near if Decimal(repr(near)) == Decimal(str(value)) else plain(value)


def write_csv(
    target: str | Path | BinaryIO,
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    zone: ZoneInfo = spans.SHANGHAI,
) -> None:
    """Write UTF-8 with a BOM, as Excel wants it; texts like formulas get an apostrophe."""
    if isinstance(target, str | Path):
        with Path(target).open("wb") as opened:
            write_csv(opened, header, rows, zone=zone)
        return
    lines = io.TextIOWrapper(target, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(lines)
    writer.writerow([guarded(name) for name in header])
    for row in rows:
        writer.writerow([_csv_cell(value, zone) for value in row])
    lines.detach()


def _csv_cell(value: Value, zone: ZoneInfo) -> str:
    shown = plain(value, zone)
    return guarded(shown) if isinstance(value, str) else shown
