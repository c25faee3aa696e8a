"""Uploaded tables read safely into text, and tables written so that they read back the same.

`read_table` takes .xlsx and .csv, judges a file by its content and never guesses silently: what
cannot be kept is refused with a reason in Chinese, or reported at its cell.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

from fangyuan.core.tables.package import ZIP, refuse_foreign
from fangyuan.core.tables.separated import read_csv
from fangyuan.core.tables.shape import Limits, Row, Table, TableError
from fangyuan.core.tables.workbooks import read_xlsx
from fangyuan.core.tables.writing import Value, plain, write_csv, write_xlsx

DEFAULT: Final = Limits()

__all__ = [
    "DEFAULT",
    "Limits",
    "Row",
    "Table",
    "TableError",
    "Value",
    "plain",
    "read_table",
    "write_csv",
    "write_xlsx",
]


def read_table(
    source: str | Path | BinaryIO, *, sheet: str = "", limits: Limits = DEFAULT
) -> Table:
    """Open a table by path or as a seekable binary file; raises TableError if it is refused."""
    owned = isinstance(source, str | Path)
    opened = Path(source).open("rb") if isinstance(source, str | Path) else source
    try:
        size = opened.seek(0, 2)
        if size > limits.size:
            raise TableError(f"文件有 {size // 2**20} MB，超过 {limits.size // 2**20} MB")
        if not size:
            raise TableError("文件是空的")
        refuse_foreign(opened)
        opened.seek(0)
        is_workbook = opened.read(len(ZIP)) == ZIP
    except BaseException:
        if owned:
            opened.close()
        raise
    if is_workbook:
        return read_xlsx(opened, limits, sheet=sheet, owned=owned)
    return read_csv(opened, limits, owned=owned)
