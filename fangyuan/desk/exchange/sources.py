"""Where rows come from: workbooks, separated text, or JSON lines; one shape for all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from fangyuan.core import tables
from fangyuan.desk.exchange import mistakes

_LONGEST_LINE = 2**20


class Row(NamedTuple):
    """One row: its number as the file's reader counts, its cells, what is wrong with which cell."""

    number: int
    cells: list[Any]
    problems: dict[int, str]


class Source(NamedTuple):
    """A header and the rows below it, read once."""

    header: list[str]
    rows: Iterator[Row]
    notes: list[str]


@contextmanager
def opened(path: Path, limits: tables.Limits, name: str = "") -> Iterator[Source]:
    """Open a file by its content (JSON lines by its ending); raises Unreadable."""
    try:
        if (name or path.name).lower().endswith((".jsonl", ".ndjson")):
            header = _keys(path, limits)
            yield Source(header, _objects(path, header), [])
            return
        with tables.read_table(path, limits=limits) as table:
            yield Source(table.header, _rows(table), table.notes)
    except tables.TableError as wrong:
        raise mistakes.whole(str(wrong)) from wrong
    except OSError as wrong:
        raise mistakes.whole(f"打不开文件：{wrong.strerror}", "核对路径和权限") from wrong


def _rows(table: tables.Table) -> Iterator[Row]:
    for row in table:
        yield Row(row.number, list(row.cells), row.problems)


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_LINE + 1), b""), 1):
            if len(line) > _LONGEST_LINE:
                raise mistakes.whole(f"第 {number} 行太长", "一行最多 1 MB")
            if line.strip():
                yield number, _object(number, line)


def _object(number: int, line: bytes) -> Any:
    try:
        found = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as wrong:
        raise mistakes.whole(f"第 {number} 行不是 JSON", "每行写一个 JSON 对象") from wrong
    if not isinstance(found, dict):
        raise mistakes.whole(f"第 {number} 行不是 JSON 对象", '写成 {"name": "…"}')
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _keys(path: Path, limits: tables.Limits) -> list[str]:
    """Every name that any line uses, in the order in which they first come."""
    if path.stat().st_size > limits.unpacked:
        raise mistakes.whole(f"文件超过 {limits.unpacked // 2**20} MB", "拆成几份再导入")
    names: dict[str, None] = {}
    count = 0
    for count, (_, found) in enumerate(_lines(path), 1):
        names.update(dict.fromkeys(found))
        if count > limits.rows:
            raise mistakes.whole(f"行数超过 {limits.rows} 行", "拆成几份再导入")
        if len(names) > limits.columns:
            raise mistakes.whole(f"列数超过 {limits.columns} 列", "核对文件")
    if not count:
        raise mistakes.whole("文件是空的", "核对文件")
    return list(names)


def _objects(path: Path, header: list[str]) -> Iterator[Row]:
    for number, found in _lines(path):
        yield Row(number, [found.get(name) for name in header], {})
