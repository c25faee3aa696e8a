"""The rows to correct, as a workbook: the columns of the file and one more that says what is wrong.

Corrected, it comes back as it is: the extra column is known and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fangyuan.core import tables
from fangyuan.desk.exchange import sources
from fangyuan.desk.exchange.columns import ERRORS
from fangyuan.desk.exchange.mistakes import Mistake, Mistakes


def write(target: Path, file: Path, name: str, found: Mistakes, limits: tables.Limits) -> None:
    """Write the rows of a file in which something is wrong."""
    with sources.opened(file, limits, name) as source:
        header = [head for head in source.header if head != ERRORS]
        places = [n for n, head in enumerate(source.header) if head != ERRORS]
        tables.write_xlsx(target, [*header, ERRORS], _rows(source, places, found), sheet="待改的行")


def _rows(source: sources.Source, places: list[int], found: Mistakes) -> Iterator[list[str]]:
    wrong = found.rows
    for row in source.rows:
        if row.number in wrong:
            cells = [_shown(row.cells[place]) for place in places]
            yield [*cells, "；".join(_said(one) for one in found.of(row.number))]


def _shown(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return "".join(c for c in text if c.isprintable() or c in "\n\t")[:32_000]


def _said(mistake: Mistake) -> str:
    return f"{mistake.column}：{mistake.said}" if mistake.column else mistake.said
