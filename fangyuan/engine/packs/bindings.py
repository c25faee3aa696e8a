"""The shapes of what carries a clause: one of the rule kinds, a metric, a page, a record and so on.

One frozen pydantic model per shape; the words are those a pack author writes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fangyuan.engine.kinds import KINDS
from fangyuan.engine.kinds.base import Kind

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Path = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){0,3}$")]


class Shape(BaseModel):
    """Anything a pack may hold: nothing extra, nothing guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Plain(Shape):
    """What carries a clause and is no rule."""

    bind: str


class MetricBinding(Plain):
    """A number that is measured."""

    bind: Literal["metric"]
    metric: Word
    windows: list[str] = []
    by: str | None = None
    slice: Any = None
    facts: list[Path] = []


class Access(Plain):
    """Who may see or do what; carried out by the access table."""

    bind: Literal["access"]
    records: list[Word] = Field(min_length=1)
    effect: str
    role: Word
    facts: list[Path] = []


class RecordBinding(Plain):
    """A record type that has these fields."""

    bind: Literal["record"]
    record: Word
    fields: list[Path] = Field(min_length=1)


class Page(Plain):
    """A page that shows these facts."""

    bind: Literal["page"]
    page: Word
    facts: list[Path] = []


class Principle(Plain):
    """An attitude; a page makes it visible."""

    bind: Literal["principle"]
    page: Word
    facts: list[Path] = []


class Document(Plain):
    """A form, template or document of a record type."""

    bind: Literal["document"]
    record: Word
    form: str
    facts: list[Path] = []


class Notice(Plain):
    """A message that a step sends."""

    bind: Literal["notice"]
    record: Word
    on: Word
    to: list[Word] = Field(min_length=1)
    facts: list[Path] = []


Binding = Plain | Kind
SHAPES: dict[str, type[Plain]] = {
    "metric": MetricBinding,
    "access": Access,
    "record": RecordBinding,
    "page": Page,
    "principle": Principle,
    "document": Document,
    "notice": Notice,
}
RULE_KINDS = ("deadline", "cadence", "required", "alert")
STEP_KINDS = ("gate", "approval")
BINDS = ("rule", *STEP_KINDS, *SHAPES)


def shape_of(raw: Any) -> str:
    """The name of the shape a raw binding claims to be, or an empty string."""
    if not isinstance(raw, dict):
        return ""
    bind = raw.get("bind")
    if bind == "rule":
        kind = raw.get("kind")
        return kind if isinstance(kind, str) and kind in RULE_KINDS else ""
    return bind if isinstance(bind, str) and bind in BINDS else ""


def read(shape: str, raw: dict[str, Any]) -> tuple[type[Plain] | type[Kind], dict[str, Any]]:
    """The model that a shape is read with, and what it reads."""
    if shape in SHAPES:
        return SHAPES[shape], raw
    return KINDS[shape], {name: value for name, value in raw.items() if name != "bind"}
