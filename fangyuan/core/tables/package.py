"""The container of a workbook, judged before its cells are read.

A workbook is a zip of XML. Three things can blow up in the memory of whoever opens one: the archive
itself, a far-off cell that makes an empty table enormous, and one long text shared by a million
cells. All three are measured here on the stream, together with what the cell reader would lose:
error values and formulas that were never calculated.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from xml.etree import ElementTree

from fangyuan.core.tables.shape import Clock, Limits, TableError, column_place

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = b"PK\x03\x04"
_CHUNK: Final = 2**20
_MEMBERS: Final = 5_000
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_ROW: Final = re.compile(rb"<(?:\w+:)?row(?=[\s/>])")
_ROW_NUMBER: Final = re.compile(rb"""[^>]*?\sr\s*=\s*["'](\d+)["']""")
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})(\d+)["']""")
_PLAIN_ROW: Final = re.compile(rb'<row [^>]*?\br="(\d+)"')
_PLAIN_PLACE: Final = re.compile(rb'<c r="([A-Z]{1,3})')
# Searched as plain bytes, twenty times quicker than a pattern on sheets of a hundred megabytes.
_NEEDS_CARE: Final = (b't="e"', b"t='e'", b"t = ", b"<f>", b"<f ", b"<f/", b":row", b":c>", b":c ")
_CELL_START: Final = re.compile(rb"<(?:\w+:)?c(?=[\s/>])")
_STRING: Final = re.compile(rb"<(?:\w+:)?si(?=[\s/>])")
_CELL: Final = re.compile(rb"<(?:\w+:)?c(\s[^>]*?)?(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_SHARED: Final = re.compile(rb"""t\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v>\s*(\d+)""")
_IS_ERROR: Final = re.compile(rb"""\st\s*=\s*["']e["']""")
_IS_TEXT: Final = re.compile(rb"""\st\s*=\s*["'](?:str|s|inlineStr)["']""")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]+)<")
# What the archive and XML readers of the standard library raise over damaged or forged files.
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ElementTree.ParseError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    OverflowError,
)
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


@dataclass
class Sheet:
    """What the stream of one worksheet told: its size, and cells whose value would be lost."""

    rows: int = 0
    columns: int = 0
    shared: int = 0
    lost: dict[tuple[int, int], str] = field(default_factory=dict)


def refuse_foreign(source: BinaryIO) -> None:
    """Raise TableError, saying what it is, for a file that is no plain workbook."""
    source.seek(0)
    start = source.read(512)
    if start.startswith(OLE):
        source.seek(0)
        if _ENCRYPTED in source.read():
            raise TableError("工作簿有打开密码，请取消密码后再导入")
        raise TableError("这是旧版 .xls，请用 Excel 另存为 .xlsx 后再导入")
    lowered = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if lowered.startswith((b"<html", b"<!doctype", b"<table", b"<meta", b"<?xml")):
        raise TableError("这是网页或 XML，不是表格，请用 Excel 另存为 .xlsx 后再导入")
    if start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf")):
        raise TableError("这不是表格，请选择 .xlsx 或 .csv")


class Package:
    """An opened workbook archive whose every part has been read through once, within limits."""

    def __init__(self, source: BinaryIO, limits: Limits, clock: Clock) -> None:
        """Open and check the archive; raises TableError for anything but a plain .xlsx."""
        self._limits, self._clock = limits, clock
        try:
            source.seek(0)
            self._archive = zipfile.ZipFile(source)
            self._check_directory()
            self._parts = self._sheet_parts()
            self._sheets = {part: self._scan(part) for part in self._parts.values()}
            self._check_rest()
        except TableError:
            raise
        except _BROKEN as wrong:
            raise TableError("文件已损坏，请用 Excel 打开并另存后再导入") from wrong

    def sheet(self, name: str) -> Sheet:
        """Give what was measured of a worksheet; raises TableError if its text is too much."""
        if name not in self._parts:
            raise TableError(f"工作表「{name}」读不出来，请用 Excel 打开并另存后再导入")
        part = self._parts[name]
        found = self._sheets[part]
        if found.rows > self._limits.rows + 100:
            raise TableError(f"行数超过 {self._limits.rows} 行，请删去多余的空行或拆成几份")
        if found.columns > self._limits.columns:
            raise TableError(f"列数超过 {self._limits.columns} 列，请删去多余的空列")
        if self._text_of(part) > self._limits.text:
            raise TableError("文字总量过大，请拆成几份导入")
        return found

    def _check_directory(self) -> None:
        members = self._archive.infolist()
        names = {member.filename for member in members}
        if any(member.flag_bits & 1 for member in members):
            raise TableError("工作簿有打开密码，请取消密码后再导入")
        if "xl/workbook.bin" in names:
            raise TableError("这是 .xlsb，请用 Excel 另存为 .xlsx 后再导入")
        if any(name.startswith("xl/vbaProject") for name in names):
            raise TableError("工作簿带有宏，请另存为不带宏的 .xlsx 后再导入")
        if "xl/workbook.xml" not in names:
            raise TableError("这不是 Excel 工作簿，请选择 .xlsx 或 .csv")
        unpacked = sum(member.file_size for member in members)
        if len(members) > _MEMBERS or len(names) != len(members):
            raise TableError("文件已损坏，打不开")
        if unpacked > self._limits.unpacked:
            raise TableError(
                f"展开后有 {unpacked // 2**20} MB，超过 {self._limits.unpacked // 2**20} MB"
            )

    def _sheet_parts(self) -> dict[str, str]:
        """Map the names of the worksheets to their parts, in order."""
        relations = {
            relation.get("Id"): relation.get("Target", "")
            for relation in self._tree("xl/_rels/workbook.xml.rels")
        }
        parts = {}
        for element in self._tree("xl/workbook.xml").iter():
            if element.tag.rpartition("}")[2] != "sheet":
                continue
            key = element.get(_RELATION) or element.get(_STRICT_RELATION)
            target = relations.get(key, "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if part.startswith("xl/worksheets/"):
                parts[element.get("name", "")] = part
        return parts

    def _tree(self, part: str) -> ElementTree.Element:
        raw = self._archive.read(part)
        # A document type could define entities that grow without end; workbooks have none.
        if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
            raise TableError("工作簿内容有误：含有文档类型声明")
        return ElementTree.fromstring(raw)  # noqa: S314

    def _check_rest(self) -> None:
        """Read every other part to its end, so that a directory that lies is found out."""
        for member in self._archive.infolist():
            if member.filename not in self._sheets:
                for _ in self._chunks(member.filename):
                    pass

    def _chunks(self, part: str) -> Iterator[bytes]:
        with self._archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                self._clock.check()
                yield chunk

    def _scan(self, part: str) -> Sheet:
        """Measure a worksheet block by block; row by row only where a block calls for it."""
        sheet = Sheet()
        columns: set[bytes] = set()
        for block in self._blocks(part):
            sheet.shared += block.count(b't="s"') + block.count(b"t='s'")
            places = _PLAIN_PLACE.findall(block)
            rows = _PLAIN_ROW.findall(block)
            is_plain = len(places) == block.count(b"<c ") and len(rows) == block.count(b"<row")
            if is_plain and not any(mark in block for mark in _NEEDS_CARE):
                columns.update(places)
                sheet.rows = max(sheet.rows, *map(int, rows), 0) if rows else sheet.rows
                continue
            for piece in _cut(block, _ROW):
                self._scan_row(piece, sheet, columns)
        far = max((column_place(letters.decode()) for letters in columns), default=-1)
        sheet.columns = max(sheet.columns, far + 1)
        return sheet

    def _scan_row(self, piece: bytes, sheet: Sheet, columns: set[bytes]) -> None:
        start = _ROW.match(piece)
        if not start:
            return
        said = _ROW_NUMBER.match(piece, start.end())
        number = int(said[1]) if said else sheet.rows + 1
        places = _PLACE.findall(piece)
        sheet.rows = max(sheet.rows, number, *(int(row) for _, row in places))
        columns.update(letters for letters, _ in places)
        sheet.columns = max(sheet.columns, len(_CELL_START.findall(piece)))
        sheet.lost.update(_lost(piece, number))

    def _blocks(self, part: str) -> Iterator[bytes]:
        """Yield a worksheet in pieces of about a chunk, each cut before a row."""
        rest = b""
        for place, chunk in enumerate(self._chunks(part)):
            if place == 0 and not chunk.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<"):
                raise TableError("工作簿内容有误，请用 Excel 打开并另存后再导入")
            if b"<!DOCTYPE" in chunk:
                raise TableError("工作簿内容有误：含有文档类型声明")
            whole = rest + chunk
            cut = max(whole.rfind(b"<row"), 0)
            if b":row" in whole:
                cut = max((found.start() for found in _ROW.finditer(whole)), default=0)
            yield whole[:cut]
            rest = whole[cut:]
            if len(rest) > 16 * _CHUNK:
                raise TableError("工作簿内容有误：有一行过大")
        yield rest

    def _text_of(self, part: str) -> int:
        """Sum the shared texts of a sheet; exactly only if the cheap bound is too high."""
        strings = "xl/sharedStrings.xml"
        if strings not in self._archive.namelist():
            return 0
        sizes = [len(piece) for piece in _cut(self._archive.read(strings), _STRING)][1:]
        bound = self._sheets[part].shared * max(sizes, default=0)
        if bound <= self._limits.text:
            return bound
        total = 0
        for block in self._blocks(part):
            shared = (int(index) for index in _SHARED.findall(block))
            total += sum(sizes[index] for index in shared if index < len(sizes))
        return total


def _cut(whole: bytes, mark: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield the text before the first mark, then a piece from each mark to the next."""
    previous = 0
    for found in mark.finditer(whole):
        yield whole[previous : found.start()]
        previous = found.start()
    yield whole[previous:]


def _lost(piece: bytes, number: int) -> Iterator[tuple[tuple[int, int], str]]:
    """Find the cells of a row whose value the reader would silently leave empty."""
    for position, found in enumerate(_CELL.finditer(piece)):
        attributes, inside = found[1] or b"", found[2] or b""
        place = _PLACE.search(attributes)
        column = column_place(place[1].decode()) if place else position
        value = _VALUE.search(inside)
        if _IS_ERROR.search(attributes):
            shown = value[1].decode("ascii", "replace") if value else "#N/A"
            yield (number, column), f"单元格是错误值 {shown}，请在 Excel 中改正"
        elif b"f" in inside and not value and not _IS_TEXT.search(attributes):
            if re.search(rb"<(?:\w+:)?f[\s/>]", inside):
                yield (number, column), "公式没有算出值，请用 Excel 打开并保存后再导入"
