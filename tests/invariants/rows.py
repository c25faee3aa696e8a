"""One plausible row of every record type, made from the model alone, for tests of all types."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from fangyuan.core import events, fields
from fangyuan.core.models import Term
from fangyuan.desk import declare
from fangyuan.org.models import Person

# What a constraint wants and no single field tells.
DEADLINE = {"on": "learned_at", "until": "graded_at", "within": "24h"}
PARTICULARS: dict[str, dict[str, Any]] = {
    "contact": {"phone": "13800138000"},
    "acknowledgement": {"reason": "样例"},
    "meeting": {"kinds": ["WEEKLY"]},
    "membership": {"is_main": False},
    "person": {"login": None, "manager": None},
    "event": {"record": "customer", "record_id": 1, "xid": 1, "op": "U", "diff": {}},
    "rule": {"is_shadow": True, "record": "customer", "params": DEADLINE},
    "move": {"obligation_id": 1, "was": "OPEN", "became": "MET"},
    "target": {"period": "2026-07"},
    "holding": {"role": "READER"},  # the company's customer may well be number 1
}
WANTS_PERSON = (
    *("plan", "participant", "response", "waiver", "decision", "preference"),
    "adjustment",
)
WANTS = {"touch": "lead", "participant": "activity"}
# Of which only one may be there for the same parent: each row gets a parent of its own.
WANTS_FRESH = {"price": "product", "rivalry": "opportunity", "solution": "opportunity"}


class Rows:
    """Rows of every type for one person; a foreign key leads to the first row of its type."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.first: dict[type[models.Model], Any] = {Person: person}

    def every(self) -> dict[str, Any]:
        """One row of each type that has a desk, by the type's name."""
        return {desk.name: self.one(desk.model) for desk in declare.desks()}

    def one(self, model: Any) -> Any:
        """The first row of a type, made when it is first asked for."""
        if model not in self.first:
            self.first[model] = self.make(model, 0)
        return self.first[model]

    def other(self, model: Any, number: int) -> Any:
        """A row of a type that no lower number was given: one that is there, else a new one."""
        others = model._base_manager.exclude(pk=self.one(model).pk).order_by("pk")
        there = others.count()
        return others[number - 1] if there >= number else self.make(model, there + 2)

    def make(self, model: Any, number: int) -> Any:
        """A further row of a type; texts carry its number."""
        name = model.record_name()
        values = {f.name: self._value(f, number) for f in model._meta.concrete_fields if _needed(f)}
        values |= PARTICULARS.get(name, {})
        if name in WANTS_PERSON:
            values["person"] = self._value(model._meta.get_field("person"), number)
        if wanted := WANTS.get(name):
            values[wanted] = self.one(model._meta.get_field(wanted).related_model)
        if name == "inlet":
            values["code"] = f"sample-{number}"  # part of an address
        if number and name in WANTS_FRESH:
            parent = model._meta.get_field(WANTS_FRESH[name]).related_model
            values[WANTS_FRESH[name]] = self.make(parent, number)
        row = model(**{key: value for key, value in values.items() if value is not None})
        for pointer in getattr(model, "any_fields", {}):
            setattr(row, pointer, ("customer", number + 1))
        if hasattr(row, "index"):
            row.index()
        with transaction.atomic(), connection.cursor() as cursor:
            events.announce(cursor, actor=0, action="test", reason="", channel="JOB")
            row.save(force_insert=True)
        return model._base_manager.get(pk=row.pk)

    def _value(self, field: Any, number: int) -> Any:
        if isinstance(field, fields.TermField):
            key = {"domain": field.domain, "code": "SAMPLE"}
            return Term._base_manager.filter(**key).first() or self._term(key)
        if isinstance(field, models.ForeignKey):
            single = number and field.name in _unrepeated(field.model)
            related = field.related_model
            return self.other(related, number) if single else self.one(related)
        if field.choices:
            return field.flatchoices[0][0]
        makers: list[tuple[Any, Any]] = [
            (models.DateTimeField, timezone.now() + timedelta(days=number)),
            (models.DateField, timezone.localdate() + timedelta(days=number)),
            (models.DecimalField, Decimal(1)),
            (models.IntegerField, number + 1),
            (models.BooleanField, False),
            (models.JSONField, {}),
            ((models.TextField, models.CharField), f"样例{number}"),
        ]
        return next((value for base, value in makers if isinstance(field, base)), None)

    def _term(self, key: dict[str, str]) -> Term:
        with transaction.atomic(), connection.cursor() as cursor:
            events.announce(cursor, actor=0, action="test", reason="", channel="JOB")
            made = Term(**key, key=f"{key['domain']}:{key['code']}", label="样例")
            made.save()
            return made


def _unrepeated(model: Any) -> set[str]:
    """Foreign keys that have to lead elsewhere in every row, alone or as the last of several."""
    single = {f.name for f in model._meta.concrete_fields if f.remote_field and f.unique}
    for constraint in model._meta.constraints:
        names = list(getattr(constraint, "fields", ()))
        if names and all(model._meta.get_field(name).remote_field for name in names):
            single.add(names[-1])
    return single


def _needed(field: Any) -> bool:
    generated = field.primary_key or field.generated or field.db_default is not models.NOT_PROVIDED
    is_pointer = field.name.endswith(("_type", "_id")) and not isinstance(field, models.ForeignKey)
    return not (generated or field.null or field.has_default() or is_pointer)
