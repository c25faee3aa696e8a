"""Facts that are numbers made of events of another type: counted, summed, waited for, in a row.

Only an alert asks when such a number was over a mark, so how it may ask is said here as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, floor
from typing import Any, Final

from django.db import models
from django.db.models import Count, F, Func, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Now, Trunc

from fangyuan.core import facts, records, spans, timelines, words

# Besides the four words that compare: a fall against the record's own past.
FALL: Final = "drop_at_least"
WINDOWS: Final = ("day", "week", "biweek", "month", "quarter", "half-year", "year")
MEAN: Final = "mean_"


@dataclass(frozen=True)
class Measured(facts.Fact):
    """A number known as of any instant.

    `subject` is the events' foreign key or pointer to the record; `when` names plain columns.
    """

    kind: str = "int"
    source: str = ""
    at: str = ""
    subject: str = ""
    when: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", ((self.source, self.subject),))

    @property
    def is_temporal(self) -> bool:
        return True

    @property
    def events(self) -> Any:
        """The record type that is measured."""
        return records.row_types()[self.source]

    def happened(self, when: dict[str, Any], whose: str = "pk") -> Any:
        """The events up to now that fit, of the record that the outer query names."""
        rows = matching(self.events, when).filter(**{f"{self.at}__lte": Now()})
        if self.subject in getattr(self.events, "any_fields", {}):
            rows = rows.filter(**{f"{self.subject}_type": self.model.record_name()})
        return rows.filter(**{f"{self.subject}_id": OuterRef(whose)})

    def _total(self, rows: Any, total: Any) -> Coalesce:
        found = rows.order_by().values(f"{self.subject}_id").annotate(fy_n=total)
        return Coalesce(Subquery(found.values("fy_n")), Value(0))


@dataclass(frozen=True)
class Counted(Measured):
    """How many events there were in the hour, day or other period that is running, or their sum."""

    per: str = "day"
    value: str = ""

    def now(self) -> Coalesce:
        since = Trunc(Now(), self.per, tzinfo=spans.SHANGHAI)
        rows = self.happened(self.when).filter(**{f"{self.at}__gte": since})
        return self._total(rows, Sum(self.value) if self.value else Count("pk"))


@dataclass(frozen=True)
class Idle(Measured):
    """Whole days since the last event, or since the record began."""

    def now(self) -> Func:
        last = self.happened(self.when).order_by(f"-{self.at}").values(self.at)[:1]
        return Func(
            Coalesce(Subquery(last), F(self.model.begins)),
            template="floor(extract(epoch FROM now() - %(expressions)s) / 86400)::integer",
            output_field=models.IntegerField(),
        )


@dataclass(frozen=True)
class Run(Measured):
    """How many events came in a row, with none that breaks it between or after them."""

    broken_by: dict[str, Any] = field(default_factory=dict, hash=False)

    def now(self) -> Coalesce:
        ends = self.happened(self.broken_by, f"{self.subject}_id")
        never = Value(datetime.min.replace(tzinfo=UTC), output_field=models.DateTimeField())
        last = Coalesce(Subquery(ends.order_by(f"-{self.at}").values(self.at)[:1]), never)
        rows = self.happened(self.when).annotate(fy_end=last)
        return self._total(rows.filter(**{f"{self.at}__gt": F("fy_end")}), Count("pk"))


def matching(model: Any, when: Mapping[str, Any]) -> Any:
    """The present rows of a type whose plain columns have these values."""
    rows = model._base_manager.order_by().filter(**plain(when))
    return rows.filter(removed_at=None) if has_bin(model) else rows


def plain(when: Mapping[str, Any]) -> dict[str, Any]:
    """Conditions on plain columns as keywords of a filter."""
    return {f"{n}__in" if isinstance(v, list) else n: v for n, v in when.items()}


def has_bin(model: Any) -> bool:
    """Whether rows have an entry time and a recycle bin of their own."""
    return any(f.name == "removed_at" for f in model._meta.concrete_fields)


# --- how an alert asks


def atoms(fact: Any, wanted: Any) -> list[timelines.Atom]:
    """A condition on a measured fact as atoms that must all hold: at least so many, or a fall."""
    if FALL in wanted:
        return [timelines.Atom(fact, FALL, wanted, False)]
    found = []
    for word, positive, operand in words.split(wanted):
        is_upper = word in ("at_most", "below")
        over = {"at_most": "above", "below": "at_least"}.get(word, word)
        found.append(timelines.Atom(fact, over, operand, positive == is_upper))
    return found


def whole(atom: timelines.Atom) -> int:
    """The least whole number that fits `at_least` or `above`."""
    return ceil(atom.operand) if atom.word == "at_least" else floor(atom.operand) + 1


def is_measured(model: Any, name: str) -> bool:
    """Whether this names a measured fact of the record type."""
    try:
        return isinstance(facts.find(model, name), Measured)
    except facts.UnknownFact:
        return False


def faults(model: Any, name: str, wanted: Any) -> Iterator[str]:
    """What is wrong with a condition on a measured fact, in Chinese."""
    label = facts.label(model, name)
    if not isinstance(wanted, Mapping):
        yield f"{label}是量出来的数，要写成 {{at_least: 60}} 这样的比较"
    elif FALL in wanted:
        yield from _fall_faults(facts.find(model, name), wanted)
    else:
        for word, _, operand in words.split(wanted):
            if word not in words.ORDERED:
                yield f"{label}是量出来的数，只能用 {'、'.join(words.ORDERED)}，不能用 {word}"
            elif isinstance(operand, bool) or not isinstance(operand, int | float):
                yield f"{label}只能和数字比，不能和“{operand}”比"


def _fall_faults(fact: Any, wanted: Mapping[str, Any]) -> Iterator[str]:
    number = str(wanted.get("against", "")).removeprefix(MEAN)
    if set(wanted) != {FALL, "over", "against"}:
        yield f"{fact.label}的下降要写 drop_at_least、over 和 against 三项"
    elif not isinstance(fact, Counted):
        yield f"{fact.label}不是计数，不能看下降"
    elif wanted["over"] not in WINDOWS:
        yield f"over 只能是 {'、'.join(WINDOWS)}"
    elif not (number.isdigit() and 1 <= int(number) <= 24):
        yield "against 要写成 mean_4，即此前 4 期的平均"
    elif isinstance(wanted[FALL], bool) or not 0 < wanted[FALL] <= 100:
        yield "drop_at_least 是百分数，要在 0 到 100 之间"


def sentence(model: Any, name: str, wanted: Mapping[str, Any]) -> str:
    """A condition on a measured fact in Chinese."""
    label = facts.label(model, name)
    if FALL not in wanted:
        return "且".join(
            f"“{label}”{_SAID[word if yes else _OPPOSITE[word]]} {operand}"
            for word, yes, operand in words.split(wanted)
        )
    per = spans.PeriodKind(wanted["over"]).label
    before = wanted["against"].removeprefix(MEAN)
    unit = per if per in ("日", "周", "年") else f"个{per}"
    return f"“{label}”上{unit}比此前 {before} {unit}的平均下降 {wanted[FALL]}% 以上"


_SAID: Final = {"at_least": "达到", "above": "超过", "at_most": "不超过", "below": "低于"}
_OPPOSITE: Final = {
    "at_least": "below",
    "below": "at_least",
    "above": "at_most",
    "at_most": "above",
}
