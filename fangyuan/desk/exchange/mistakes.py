"""What is wrong with a cell, a row or a file: where, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MOST = 10_000  # beyond this many the file is of the wrong kind, and listing more helps nobody
_SHOWN = 60


class Bad(ValueError):
    """A value that cannot be taken, with reason and remedy in Chinese."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}，{remedy}")
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Mistake:
    """One finding: row (0 is the file as a whole), column label, value as given."""

    row: int
    column: str
    value: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = f"第 {self.row} 行" if self.row else "整个文件"
        column = f"“{self.column}”" if self.column else ""
        value = f"的值“{shown(self.value)}”" if self.value else ""
        return f"{place}{column}{value}：{self.said}"

    @property
    def said(self) -> str:
        """Reason and remedy without the place."""
        return f"{self.reason}。{self.remedy}" if self.remedy else self.reason


def shown(value: Any) -> str:
    """A value as a message can carry it: one line, not endless, nothing invisible."""
    text = "" if value is None else str(value)
    plain = "".join(c if c.isprintable() else "·" for c in text[: _SHOWN + 1])
    return plain if len(text) <= _SHOWN else plain[:_SHOWN] + "…"


class Mistakes:
    """The findings of one import, by row."""

    def __init__(self) -> None:
        self._found: dict[int, list[Mistake]] = {}
        self.count = 0

    def __iter__(self) -> Iterator[Mistake]:
        for row in sorted(self._found):
            yield from self._found[row]

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def rows(self) -> set[int]:
        """Numbers of the rows in which something is wrong."""
        return set(self._found)

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that looking further is of no use."""
        return len(self._found) >= MOST

    def of(self, row: int) -> list[Mistake]:
        """The findings of one row."""
        return self._found.get(row, [])

    def add(self, row: int, column: str, value: Any, bad: Bad) -> None:
        """Note a finding."""
        mistake = Mistake(row, column, shown(value), bad.reason, bad.remedy)
        known = self._found.setdefault(row, [])
        if mistake not in known:
            known.append(mistake)
            self.count += 1

    def extend(self, mistakes: Iterable[Mistake]) -> None:
        """Note several findings."""
        for one in mistakes:
            self.add(one.row, one.column, one.value, Bad(one.reason, one.remedy))


class Unreadable(Exception):
    """The file as a whole cannot be imported; carries the findings."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def whole(reason: str, remedy: str = "", *, column: str = "", value: str = "") -> Unreadable:
    """A refusal of the whole file."""
    return Unreadable(Mistake(0, column, value, reason, remedy))
