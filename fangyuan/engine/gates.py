"""Write-time judgement: required fields and gates, on records as they stand after the write.

One query per record type tells every unmet condition of every rule; each comes with a sentence,
the clause that demands it and the field where it is met.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import BooleanField, Case, Value, When

from fangyuan.core import facts, ready, words
from fangyuan.engine import debts, models

# The verbs being taken on a record, by its type and number: one may take another along.
Steps = Mapping[tuple[str, int], set[str]]
TOLD: Final = "told"  # the constraint named by a trigger that says in Chinese what it refuses
_places: dict[tuple[str, str], str] = {}


def met_at(record: str, field: str, place: str) -> None:
    """Say where a condition on a derived fact is met, e.g. `/visits/new?customer={id}`."""
    _places[record, field] = place


@dataclass(frozen=True)
class Unmet:
    """One condition that does not hold: what is missing, where, by which clause."""

    sentence: str
    field: str = ""
    clause: str = ""
    record: str = ""
    subject_id: int | None = None
    rule_id: int | None = None
    is_gate: bool = False

    @property
    def link(self) -> str:
        """Where it is put right: the field of the form, or the place told by the fact's room."""
        place = _places.get((self.record, self.field), "/{record}/{id}/edit#{field}")
        if not self.subject_id:
            return ""
        return place.format(record=self.record, id=self.subject_id, field=self.field)

    @property
    def debt(self) -> tuple[int | None, str, int | None]:
        """What makes two findings the same."""
        return (self.rule_id, self.field, self.subject_id)


@dataclass(frozen=True)
class Demand:
    """One condition of one rule in force."""

    rule_id: int
    clause: str
    title: str
    field: str
    condition: dict[str, Any]
    where: dict[str, Any]
    step: str
    starts_at: datetime
    ends_at: datetime | None


class Book:
    """The rulebook as one deed sees it: whether it changed is asked once, not for every record."""

    def __init__(self) -> None:
        self._stamp: tuple[datetime | None, int] | None = None

    def known(self, record: str) -> list[Demand]:
        """Every write-time condition on a record type, whenever in force."""
        if self._stamp is None:
            self._stamp = ready.ask(_STAMP, [])[0]
        return _known(record, *self._stamp)


_STAMP = """
SELECT greatest(max(changed_at), (SELECT max(changed_at) FROM engine_clause)), count(*)
  FROM engine_rule
"""


def demands(model: Any, *, at: datetime, book: Book | None = None) -> list[Demand]:
    """Every write-time condition on this record type in force at an instant."""
    known = (book or Book()).known(model.record_name())
    return [d for d in known if d.starts_at <= at and (d.ends_at is None or at < d.ends_at)]


@functools.lru_cache(maxsize=64)
def _known(record: str, last: datetime | None, count: int) -> list[Demand]:
    """The write-time conditions of a record type for one state of the rulebook."""
    rules = (
        models.Rule.objects.everything("写入校验")
        .present()
        .filter(record=record, kind__in=["REQUIRED", "GATE"], is_shadow=False)
        .select_related("clause")
        .order_by("id")
    )
    found: list[Demand] = []
    for rule in rules:
        params = rule.params
        if rule.kind == "REQUIRED" and params.get("enforce") != "write":
            continue
        step = params.get("on", "") if rule.kind == "GATE" else ""
        for field, condition in _conditions(params):
            where = params.get("where") or {}
            named, span = (rule.clause.number, rule.clause.title), (rule.starts_at, rule.ends_at)
            found.append(Demand(rule.pk, *named, field, condition, where, step, *span))
    return found


def _conditions(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    named = [(f, {f: {"not_empty": True}}) for f in params.get("fields") or ()]
    held = params.get("holds") or {}
    for name, condition in held.items():
        first = next(iter(condition[0])) if name == "any" else name
        named.append((first, {name: condition}))
    if either := params.get("holds_any") or params.get("any"):
        named.append((next(iter(either[0])), {"any": either}))
    return named


def unmet(
    model: Any,
    numbers: Iterable[int],
    *,
    steps: Steps | None = None,
    at: datetime,
    book: Book | None = None,
) -> list[Unmet]:
    """The conditions that these records do not meet; `steps` names verbs being taken on them."""
    kind = model.record_name()
    taken = {number: verbs for (record, number), verbs in (steps or {}).items() if record == kind}
    steps_now = set().union(*taken.values()) | {""}
    wanted = [d for d in demands(model, at=at, book=book) if d.step in steps_now]
    numbers = list(numbers)
    if not wanted or not numbers:
        return []
    # Several clauses demand the same of a record; it is looked at once.
    said = [json.dumps([d.condition, d.where], sort_keys=True) for d in wanted]
    rows = _judged(model, dict(zip(said, wanted, strict=True)), numbers)
    return [
        _unmet(model, demand, row["pk"])
        for row in rows
        for demand, same in zip(wanted, said, strict=True)
        if not row[same] and (not demand.step or demand.step in taken.get(row["pk"], ()))
    ]


def _judged(model: Any, wanted: dict[str, Demand], numbers: list[int]) -> list[dict[str, Any]]:
    sql, params = _question(model, tuple(wanted))
    with connection.cursor() as cursor:
        cursor.execute(sql, [numbers if one == _NUMBERS else one for one in params])
        return [dict(zip(("pk", *wanted), row, strict=True)) for row in cursor.fetchall()]


_NUMBERS: Final = [-1]  # stands in a question for the numbers of the records asked about


@functools.lru_cache(maxsize=256)
def _question(model: Any, said: tuple[str, ...]) -> tuple[str, tuple[Any, ...]]:
    """The statement that judges these conditions; making it costs more than asking it."""
    pairs = [json.loads(one) for one in said]
    names = {name for pair in pairs for condition in pair for name in words.names(condition)}
    rows = model._base_manager.order_by().filter(pk__any_of=_NUMBERS, removed_at=None)
    verdicts = {f"met_{place}": _holds(model, *pair) for place, pair in enumerate(pairs)}
    asked = facts.annotate(rows, names).annotate(**verdicts).values_list("pk", *verdicts)
    sql, params = asked.query.sql_with_params()
    return sql, tuple(params)


def _holds(model: Any, condition: dict[str, Any], where: dict[str, Any]) -> Case:
    met = words.where(model, condition)
    if not where:
        return Case(When(met, then=Value(True)), default=Value(False), output_field=BooleanField())
    return Case(
        When(words.where(model, where), then=Case(When(met, then=True), default=False)),
        default=Value(True),
        output_field=BooleanField(),
    )


def _unmet(model: Any, demand: Demand, number: int) -> Unmet:
    return Unmet(
        sentence=sentence(model, demand),
        field=demand.field,
        clause=demand.clause,
        record=model.record_name(),
        subject_id=number,
        rule_id=demand.rule_id,
        is_gate=bool(demand.step),
    )


def sentence(model: Any, demand: Demand) -> str:
    """What is missing and what to do, e.g. 还缺“地址”，请补上（RES-3.1.2a）."""
    label = facts.label(model, demand.field)
    plain = demand.condition.get(demand.field)
    if plain in ({"not_empty": True}, True):
        return f"还缺“{label}”，请补上（{demand.clause}）"
    return f"要求{words.sentence(model, demand.condition)}（{demand.clause}）"


def settle_debts(found: list[Unmet], steps: Steps, *, at: datetime, book: Book) -> list[Unmet]:
    """What remains unmet: a debt that is not due stands in; an overdue one closes every gate."""
    gated = {
        (record, number): verbs
        for (record, number), verbs in steps.items()
        if any(one.step in verbs for one in book.known(record))
    }
    if not gated:
        return found
    owed = debts.of(gated)
    kept = [
        one for one in found if not (one.is_gate and any(debts.covers(d, one, at) for d in owed))
    ]
    return [*kept, *(_overdue(debt) for debt in owed if debt.due_at <= at)]


def _overdue(debt: models.Debt) -> Unmet:
    number = debt.rule.clause.number
    return Unmet(
        sentence=f"上一道门槛的欠账已经逾期，请先补齐（{number}）",
        clause=number,
        record=debts.RECORD,
        subject_id=debt.pk,
        rule_id=debt.rule_id,
        is_gate=True,
    )


def paid(model: Any, numbers: Iterable[int], *, at: datetime, book: Book) -> list[models.Debt]:
    """Debts of these records whose gate would open now."""
    record = model.record_name()
    wanted = [one for one in demands(model, at=at, book=book) if one.step]
    if not wanted:
        return []
    owed = debts.of((record, number) for number in numbers)
    met = []
    for debt in owed:
        step = next((one.step for one in wanted if one.rule_id == debt.rule_id), "")
        taken = {(record, debt.subject_id): {step}}
        lacking = unmet(model, [debt.subject_id], steps=taken, at=at, book=book)
        if not any(one.rule_id == debt.rule_id for one in lacking):
            met.append(debt)
    return met


def from_validation(record: Any, wrong: ValidationError) -> list[Unmet]:
    """Field errors of the model as unmet conditions."""
    kind = record.record_name()
    if not hasattr(wrong, "error_dict"):
        return [Unmet(sentence=text, record=kind) for text in wrong.messages]
    return [
        Unmet(sentence=_plain(record, field, one), field=_field(field), record=kind)
        for field, found in wrong.error_dict.items()
        for one in found
    ]


def _field(name: str) -> str:
    return "" if name == "__all__" else name


def _plain(record: Any, field: str, wrong: ValidationError) -> str:
    text = str(wrong.messages[0])
    if field == "__all__":
        return text
    label = facts.label(type(record), field)
    if wrong.code in ("null", "blank"):
        return f"还缺“{label}”，请补上"
    return text if label in text else f"“{label}”：{text}"


def from_database(record: Any, wrong: IntegrityError) -> list[Unmet]:
    """What the database refused, in the words of the model: all of it, not only the first."""
    number, record.pk = record.pk, None if record._state.adding else record.pk
    try:
        record.full_clean(exclude=["password"])
    except ValidationError as said:
        return from_validation(record, said)
    finally:
        record.pk = number
    diag = getattr(wrong.__cause__, "diag", None)
    name = getattr(diag, "constraint_name", "") or ""
    if diag is not None and name == TOLD:
        return [Unmet(sentence=str(diag.message_primary), record=record.record_name())]
    for constraint in record._meta.constraints:
        if constraint.name == name:
            told = str(constraint.get_violation_error_message())
            return [Unmet(sentence=told, record=record.record_name())]
    told = f"{record._meta.verbose_name}和已有的记录冲突，请刷新后核对"
    return [Unmet(sentence=told, record=record.record_name())]
