"""Reading CSV: which encoding, which separator, and the guard against formulas taken off again."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from fangyuan.core.tables.shape import Clock, Limits, Raw, Table, TableError

_CHUNK: Final = 2**20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS: Final = ",\t;|"
_LEADING: Final = re.compile(r"['\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_HARMLESS: Final = re.compile(r"[+-]?\d[\d ]*(\.\d+)?%?|-{1,3}")


def is_risky(cell: str) -> bool:
    """Tell whether a spreadsheet might take a text for a formula."""
    return bool(_LEADING.match(cell)) and not _HARMLESS.fullmatch(cell)


def guarded(cell: str) -> str:
    """Put an apostrophe before a text that a spreadsheet might run."""
    return f"'{cell}" if is_risky(cell) else cell


def unguarded(cell: str) -> str:
    """Take off the apostrophe that `guarded` put there."""
    return cell[1:] if cell.startswith("'") and is_risky(cell[1:]) else cell


def read_csv(source: BinaryIO, limits: Limits, *, owned: bool) -> Table:
    """Read separated text; the source is closed with the table only if it is `owned`."""
    try:
        encoding = _encoding(source, Clock(limits.seconds))
    except BaseException:
        if owned:
            source.close()
        raise
    source.seek(0)
    start = codecs.getincrementaldecoder(encoding)().decode(source.read(_CHUNK // 16))
    source.seek(0)
    lines = io.TextIOWrapper(source, encoding, newline="")
    close = lines.close if owned else lines.detach
    return Table(_rows(lines, _separator(start), limits), limits, encoding=encoding, close=close)


def _encoding(source: BinaryIO, clock: Clock) -> str:
    """Choose by rule, never by likelihood: BOM, else strict UTF-8, else strict GB18030."""
    source.seek(0)
    start = source.read(4)
    for bom, name in _BOMS:
        if start.startswith(bom):
            return _strict(source, name, clock) or _refuse()
    return _strict(source, "utf-8", clock) or _strict(source, "gb18030", clock) or _refuse()


def _refuse() -> str:
    raise TableError("文件编码既不是 UTF-8 也不是 GBK，请用 Excel 另存为「CSV UTF-8」")


def _strict(source: BinaryIO, encoding: str, clock: Clock) -> str:
    source.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while chunk := source.read(_CHUNK):
            clock.check()
            if "\0" in decoder.decode(chunk):
                raise TableError("这不是文本文件，请选择 .csv 或 .xlsx")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return ""
    return encoding


def _separator(start: str) -> str:
    """Take the separator that the first filled line has most of, outside quotes."""
    line = next((line for line in start.splitlines() if line.strip()), "")
    plain = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=plain.count)


def _rows(lines: io.TextIOWrapper, separator: str, limits: Limits) -> Iterator[Raw]:
    csv.field_size_limit(max(limits.cell * 4, csv.field_size_limit()))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as wrong:
            raise TableError(f"第 {number} 行的引号不成对，或一格过长") from wrong
        if cells is None:
            return
        yield Raw(number, [unguarded(cell) for cell in cells], {})
