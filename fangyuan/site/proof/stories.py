"""Reading worked examples: given these records, when somebody does this, then that holds.

The files are written for the people who write the regulations; every mistake names its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from fangyuan.engine.packs import FOLDER, reading
from fangyuan.engine.packs.bindings import Shape
from fangyuan.engine.packs.phrases import phrase

AnyShape = TypeVar("AnyShape", bound=Shape)
CASES = FOLDER / "cases"
CAST = CASES / "cast.yaml"


class Confused(Exception):
    """An example that cannot be understood or does not hold; says where and why."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.line = line


class Told(Shape):
    """One example as its file writes it."""

    clause: str
    title: Annotated[str, Field(min_length=2, max_length=80)]
    given: list[dict[str, Any]] = []
    when: list[dict[str, Any]] = []
    then: list[dict[str, Any]] = []


class Book(Shape):
    """The examples of one policy."""

    policy: str
    cases: list[Any]


class Cast(Shape):
    """Who and what every example may take for granted, and the words of the examples."""

    words: dict[str, dict[str, Any]]
    labels: dict[str, dict[str, str]] = {}
    given: list[dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """One example of one clause."""

    file: str
    line: int
    told: Told
    lines: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def clause(self) -> str:
        return self.told.clause

    @property
    def name(self) -> str:
        return f"{self.told.clause} {self.told.title}"

    def line_of(self, part: str, at: int) -> int:
        """The line on which a step stands."""
        return self.lines.get((part, at), self.line)


def books() -> list[Path]:
    """The files of examples."""
    return sorted(path for path in CASES.glob("*.yaml") if path != CAST)


def cast() -> Cast:
    """The cast of all examples; raises Confused."""
    source = _read(CAST)
    return _shaped(Cast, source.value, source, ())


def stories(path: Path) -> list[Story]:
    """The examples of one file; raises Confused at the first that cannot be understood."""
    source = _read(path)
    book = _shaped(Book, source.value, source, ())
    return list(_stories(path, book, source))


def _stories(path: Path, book: Book, source: reading.Source) -> Iterator[Story]:
    for at, raw in enumerate(book.cases):
        here = ("cases", at)
        told = _shaped(Told, raw, source, here)
        lines = {
            (part, step): source.line((*here, part, step))
            for part in ("given", "when", "then")
            for step in range(len(getattr(told, part)))
        }
        yield Story(path.name, source.line(here), told, lines)


def _read(path: Path) -> reading.Source:
    try:
        source = reading.read_file(path)
    except reading.Unreadable as wrong:
        raise Confused(f"{path.name}:{wrong.line} {wrong.sentence}", wrong.line) from wrong
    if source.repeated:
        spot, line = source.repeated[0]
        raise Confused(f"{path.name}:{line} “{spot[-1]}”写了两次，请删掉一处", line)
    return source


def _shaped(
    shape: type[AnyShape], raw: Any, source: reading.Source, path: reading.Path_
) -> AnyShape:
    line = source.line(path)
    if not isinstance(raw, dict):
        raise Confused(f"第 {line} 行：例子要写成名称和值", line)
    try:
        return shape.model_validate(raw)
    except ValidationError as wrong:
        error = wrong.errors(include_url=False)[0]
        line = source.line((*path, *error["loc"]))
        raise Confused(f"第 {line} 行：{phrase(dict(error), shape)}", line) from wrong
