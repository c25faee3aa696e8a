"""The shapes of what carries a clause: a rule, a gate, an approval, a metric, a page and so on.

One frozen pydantic model per shape; the words are those a pack author writes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Path = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){0,3}$")]
Span = Annotated[str, Field(pattern=r"^\d{1,4}(h|d|wd)$")]
Due = Annotated[str, Field(pattern=r"^((start\+)?\d{1,4}w?d|last_working_day before)$")]
Who = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}( ?, ?[a-z][a-z0-9_]{0,39}){0,4}$")]
Conditions = dict[str, Any]
Period = Literal["day", "week", "biweek", "month", "quarter", "half-year", "year"]


class Shape(BaseModel):
    """Anything a pack may hold: nothing extra, nothing guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Binding(Shape):
    """What carries a clause."""

    bind: str


class RuleBinding(Binding):
    """A rule that opens duties, warns or refuses."""

    bind: Literal["rule"]
    record: Word
    where: Conditions = {}
    who: Who = "owner"


class Deadline(RuleBinding):
    """Each time `on` happens, `until` within a span or by an instant of the record itself."""

    kind: Literal["deadline"]
    on: Path
    until: Path
    within: Span | None = None
    by: Path | None = None
    on_leave: Literal["delegate", "extend", "none"] = "delegate"

    @model_validator(mode="after")
    def _one_end(self) -> Deadline:
        if (self.within is None) == (self.by is None):
            raise ValueError("期限要写 within(多久内)或 by(到哪个时刻)之一")
        return self


class Cadence(RuleBinding):
    """At least so many events in every period."""

    kind: Literal["cadence"]
    event: Path
    via: Path
    per: Period
    at_least: int = Field(1, ge=1, le=1000)
    when: Conditions = {}
    counts_by: Literal["occurred", "period"] = "occurred"
    due: Due | None = None
    days: Literal["working", "calendar"] = "working"
    first_period: Literal["next", "immediately", "prorated"] = "next"
    on_leave: Literal["delegate", "extend", "none"] = "delegate"


class Required(RuleBinding):
    """A record has these fields, in this form: refused at entry, or a duty to complete."""

    kind: Literal["required"]
    fields: list[Path] = []
    holds: Conditions = {}
    enforce: Literal["write", "duty"]
    since: Path | None = None
    within: Span | None = None

    @model_validator(mode="after")
    def _something(self) -> Required:
        if not self.fields and not self.holds:
            raise ValueError("必填要写 fields(哪几项)或 holds(须成立什么)")
        if self.enforce == "duty" and (self.since is None or self.within is None):
            raise ValueError("enforce: duty 要写 since(从何时起)和 within(多久内)")
        return self


class Alert(RuleBinding):
    """A warning while a condition over measured facts is true."""

    kind: Literal["alert"]
    when: Conditions = Field(min_length=1)
    clear_after: Span


class Gate(Binding):
    """A step that is refused while a condition is unmet."""

    bind: Literal["gate"]
    record: Word
    on: Word
    holds: Conditions = Field(min_length=1)
    where: Conditions = {}


class Approval(Binding):
    """A step that waits until the people named have agreed."""

    bind: Literal["approval"]
    record: Word
    on: Word
    approvers: list[Word] = Field(min_length=1, max_length=9)
    mode: Literal["in_order", "all"] = "in_order"
    where: Conditions = {}


class MetricBinding(Binding):
    """A number that is measured."""

    bind: Literal["metric"]
    metric: Word
    windows: list[str] = []
    by: str | None = None
    slice: Any = None
    facts: list[Path] = []


class Access(Binding):
    """Who may see or do what; carried out by the access table."""

    bind: Literal["access"]
    records: list[Word] = Field(min_length=1)
    effect: str
    role: Word
    facts: list[Path] = []


class RecordBinding(Binding):
    """A record type that has these fields."""

    bind: Literal["record"]
    record: Word
    fields: list[Path] = Field(min_length=1)


class Page(Binding):
    """A page that shows these facts."""

    bind: Literal["page"]
    page: Word
    facts: list[Path] = []


class Principle(Binding):
    """An attitude; a page makes it visible."""

    bind: Literal["principle"]
    page: Word
    facts: list[Path] = []


class Document(Binding):
    """A form, template or document of a record type."""

    bind: Literal["document"]
    record: Word
    form: str
    facts: list[Path] = []


class Notice(Binding):
    """A message that a step sends."""

    bind: Literal["notice"]
    record: Word
    on: Word
    to: list[Word] = Field(min_length=1)
    facts: list[Path] = []


SHAPES: dict[str, type[Binding]] = {
    "deadline": Deadline,
    "cadence": Cadence,
    "required": Required,
    "alert": Alert,
    "gate": Gate,
    "approval": Approval,
    "metric": MetricBinding,
    "access": Access,
    "record": RecordBinding,
    "page": Page,
    "principle": Principle,
    "document": Document,
    "notice": Notice,
}
RULE_KINDS = ("deadline", "cadence", "required", "alert")


def shape_of(raw: Any) -> str:
    """The name of the shape a raw binding claims to be, or an empty string."""
    if not isinstance(raw, dict):
        return ""
    bind = raw.get("bind")
    name = raw.get("kind") if bind == "rule" else bind
    allowed = RULE_KINDS if bind == "rule" else tuple(n for n in SHAPES if n not in RULE_KINDS)
    return name if isinstance(name, str) and name in allowed else ""
