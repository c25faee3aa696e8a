"""A paper: what is printed, kept or sent, as a frame (title, number, stamp) around a few blocks.

It is content only. The page in the browser, the PDF and the digest are all made of the same value,
so none of them can say what another does not. Every text is plain: nothing in it is ever markup.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Strong:
    """A run of text that stands out."""

    text: str


Runs = str | Sequence[str | Strong]


@dataclass(frozen=True)
class Block:
    """One part of a paper; `kind` names its fragment of HTML and its function for the PDF."""

    kind: ClassVar[str] = ""

    @property
    def fragment(self) -> str:
        """The template that draws it on the screen."""
        return f"desk/paper/{self.kind}.html"

    def told(self) -> dict[str, Any]:
        """The block as plain values."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class Text(Block):
    """A paragraph: its first line indented, unless it addresses somebody."""

    kind: ClassVar[str] = "text"
    runs: Runs
    is_indented: bool = True

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The runs: each text, and whether it stands out."""
        given = [self.runs] if isinstance(self.runs, str) else self.runs
        return [(one.text, True) if isinstance(one, Strong) else (one, False) for one in given]

    def told(self) -> dict[str, Any]:
        """The paragraph as plain values."""
        runs = [{"text": text, "strong": strong} for text, strong in self.parts]
        return {"kind": self.kind, "runs": runs, "is_indented": self.is_indented}


@dataclass(frozen=True)
class Heading(Block):
    """The heading of a part."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Items(Block):
    """A numbered list."""

    kind: ClassVar[str] = "items"
    items: Sequence[str]


@dataclass(frozen=True)
class Pairs(Block):
    """Names and values, one pair a line."""

    kind: ClassVar[str] = "pairs"
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, its share of the width, whether it holds figures."""

    head: str
    share: float = 1
    is_figure: bool = False


@dataclass(frozen=True)
class Table(Block):
    """Rows under heads; on paper the heads stand again on every page."""

    kind: ClassVar[str] = "table"
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    closing: Sequence[str] = ()  # the last row, such as a sum

    @property
    def lines(self) -> list[list[tuple[Column, str]]]:
        """The rows; each text beside its column."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    @property
    def last(self) -> list[tuple[Column, str]]:
        """The closing row; each text beside its column."""
        return list(zip(self.columns, self.closing, strict=False))


@dataclass(frozen=True)
class Blanks(Block):
    """Lines to be filled in by hand: who received it, when."""

    kind: ClassVar[str] = "blanks"
    labels: Sequence[str]


@dataclass(frozen=True)
class Party:
    """Who signs: the name, what is written below it, and the words in the seal once it is there."""

    name: str
    lines: Sequence[str] = ()
    seal: Sequence[str] = ()


@dataclass(frozen=True)
class Seal(Block):
    """Where the parties sign and seal; one stands on the right, two beside each other."""

    kind: ClassVar[str] = "seal"
    parties: Sequence[Party]


@dataclass(frozen=True)
class Note(Block):
    """Small print."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True)
class Paper:
    """What is printed: a title, what stands below it, and blocks; `stamp` lies across a draft."""

    title: str
    number: str = ""
    blocks: Sequence[Block] = field(default_factory=tuple)
    stamp: str = ""

    def told(self) -> dict[str, Any]:
        """The whole paper as plain values."""
        frame = {"title": self.title, "number": self.number, "stamp": self.stamp}
        return {**frame, "blocks": [block.told() for block in self.blocks]}

    def written(self) -> str:
        """The paper as text that is the same for the same content (JSON)."""
        return json.dumps(self.told(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """The SHA-256 of what the paper says."""
        return hashlib.sha256(self.written().encode()).hexdigest()

    @property
    def rows(self) -> int:
        """How many lines of tables and lists it has: by that one knows how long it takes."""
        return sum(map(_length, self.blocks))


def _length(block: Block) -> int:
    if isinstance(block, Table):
        return len(block.rows)
    return len(block.items) if isinstance(block, Items) else 1


def paragraphs(text: str) -> Iterable[Text]:
    """The paragraphs of a text that people typed."""
    return (Text(line.strip()) for line in text.splitlines() if line.strip())
