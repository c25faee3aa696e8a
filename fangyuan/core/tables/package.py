"""The container of a workbook: a zip of XML parts, judged before anything in it is believed.

Parts are only ever streamed, never more of one than the directory declares, and what the directory
declares is bounded; so no upload can take more memory than the limits allow.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final
from xml.parsers import expat

from fangyuan.core.tables.shape import Clock, Limits, TableError

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = b"PK\x03\x04"
_CHUNK: Final = 2**18
_MEMBERS: Final = 5_000
_SMALL: Final = 16 * 2**20
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
# What the archive and XML readers of the standard library raise over damaged or forged files.
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    expat.ExpatError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    OverflowError,
)

Start = Callable[[str, dict[str, str]], object]
End = Callable[[str], object]


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


@contextmanager
def readable() -> Iterator[None]:
    """Turn whatever a damaged file raises into a TableError."""
    try:
        yield
    except TableError:
        raise
    except _BROKEN as wrong:
        raise TableError("文件已损坏，请用 Excel 打开并另存后再导入") from wrong


class Package:
    """An opened workbook archive within limits, read part by part."""

    def __init__(self, source: BinaryIO, limits: Limits, clock: Clock) -> None:
        """Open the archive; raises TableError for anything but a plain .xlsx."""
        self._clock = clock
        source.seek(0)
        self._archive = zipfile.ZipFile(source)
        members = self._archive.infolist()
        self._sizes = {member.filename: member.file_size for member in members}
        _refuse_variants(members, self._sizes)
        if len(members) > _MEMBERS or len(self._sizes) != len(members):
            raise TableError("文件已损坏，请用 Excel 打开并另存后再导入")
        unpacked = sum(self._sizes.values())
        if unpacked > limits.unpacked:
            most = limits.unpacked // 2**20
            raise TableError(f"展开后有 {unpacked // 2**20} MB，超过 {most} MB")

    def has(self, part: str) -> bool:
        """Tell whether a part is there."""
        return part in self._sizes

    def chunks(self, part: str) -> Iterator[bytes]:
        """Stream a part."""
        with self._archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                self._clock.check()
                yield chunk

    def parse(self, part: str, start: Start, end: End | None = None, most: int = _SMALL) -> None:
        """Send a part's elements, without their prefixes, to `start` and `end`."""
        if self._sizes.get(part, 0) > most:
            raise TableError(f"工作簿的 {part} 过大，请另存后再导入")
        parser = new_parser(start, end)
        for chunk in self.chunks(part):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)


def new_parser(start: Start, end: End | None = None) -> expat.XMLParserType:
    """Make a parser that knows no document types, whose entities could grow without end."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, given: start(name.rpartition(":")[2], given)
    if end:
        last = end
        parser.EndElementHandler = lambda name: last(name.rpartition(":")[2])
    return parser


def _refuse_doctype(*_: object) -> None:
    raise TableError("工作簿内容有误：含有文档类型声明")


def _refuse_variants(members: list[zipfile.ZipInfo], names: dict[str, int]) -> None:
    if any(member.flag_bits & 1 for member in members):
        raise TableError("工作簿有打开密码，请取消密码后再导入")
    if "xl/workbook.bin" in names:
        raise TableError("这是 .xlsb，请用 Excel 另存为 .xlsx 后再导入")
    if any(name.startswith("xl/vbaProject") for name in names):
        raise TableError("工作簿带有宏，请另存为不带宏的 .xlsx 后再导入")
    if "xl/workbook.xml" not in names:
        raise TableError("这不是 Excel 工作簿，请选择 .xlsx 或 .csv")
