"""The words of the examples: which record a word means, and what a value means in a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from fangyuan.core import fields, records
from fangyuan.desk.exchange import mistakes, terms, values
from fangyuan.engine.packs.names import nearest
from fangyuan.site.proof.stories import Cast, Confused

# What a reference may be called by, besides its name in the example.
CALLED_BY = ("code", "login", "key", "number")


@dataclass
class Vocabulary:
    """The words of the cast and the labels of the models, and the names an example has given."""

    cast: Cast
    lookups: terms.Lookups = field(default_factory=terms.Lookups)
    named: dict[str, Any] = field(default_factory=dict)

    def record(self, word: str) -> tuple[Any, dict[str, Any]]:
        """The record type a word means, and the values that go without saying."""
        known = self.cast.words
        if word not in known:
            raise Confused(f"没有“{word}”这个词{nearest(word, known)}；可用：{'、'.join(known)}")
        preset = dict(known[word])
        return records.row_types()[preset.pop("record")], preset

    def find(self, name: str) -> Any:
        """The record an example calls by this name, as it stands."""
        if name not in self.named:
            raise Confused(f"例子里没有“{name}”{nearest(name, self.named)}")
        known = self.named[name]
        return type(known)._base_manager.get(pk=known.pk)

    def field(self, model: Any, label: str) -> str:
        """The field that a label means."""
        own = self.cast.labels.get(model.record_name(), {})
        known = {str(f.verbose_name): f.name for f in model._meta.concrete_fields}
        known |= {p.verbose_name: n for n, p in getattr(model, "any_fields", {}).items()}
        names = {f.name for f in model._meta.concrete_fields}
        names |= set(getattr(model, "any_fields", {}))
        if label in own:
            return own[label]
        if label in known:
            return str(known[label])
        if label in names:
            return label
        said = model._meta.verbose_name
        raise Confused(f"{said}没有“{label}”这一项{nearest(label, [*known, *own])}")

    def assignments(self, model: Any, details: Mapping[str, Any]) -> dict[str, Any]:
        """What to set on a record, by field name; an open vocabulary's entry by its column."""
        found: dict[str, Any] = {}
        columns = {f.name: f for f in model._meta.concrete_fields}
        for label, raw in details.items():
            name = self.field(model, label)
            value = self.value(model, name, raw)
            column = columns.get(name)
            is_key = column is not None and column.is_relation and isinstance(value, str)
            found[column.attname if column is not None and is_key else name] = value
        return found

    def value(self, model: Any, name: str, raw: Any) -> Any:
        """What a value of an example means in a field."""
        if name in getattr(model, "any_fields", {}):
            return None if raw is None else self.find(str(raw))
        column = model._meta.get_field(name)
        try:
            return self._value(column, raw)
        except mistakes.Bad as bad:
            raise Confused(f"“{column.verbose_name}”的“{raw}”：{bad}") from bad

    def _value(self, column: Any, raw: Any) -> Any:
        if raw is None:
            return None
        if isinstance(column, fields.TermField):
            return self.lookups.key(column.domain, str(raw))
        if isinstance(column, models.ForeignKey):
            return self._reference(column, raw)
        if isinstance(column, ArrayField):
            return [self._item(column, item) for item in raw] if isinstance(raw, list) else [raw]
        is_blank = raw == "" and isinstance(column, models.TextField)
        if is_blank or isinstance(
            column, models.JSONField | fields.Phone | fields.Email | fields.Uscc
        ):
            return raw  # an empty or malformed one is for the product to refuse
        text = values.reader(column, self.lookups)(raw)
        return text == "true" if isinstance(column, models.BooleanField) else column.to_python(text)

    def _item(self, column: Any, raw: Any) -> Any:
        if isinstance(column, fields.TermSet):
            return self.lookups.code(column.domain, str(raw))
        if isinstance(column, fields.RefSet):
            return self.find(str(raw)).pk
        if not isinstance(column, fields.ChoiceSet):
            return str(raw)
        known = {str(said): code for code, said in column.vocabulary}
        codes = {str(code): code for code, _ in column.vocabulary}
        if (found := known.get(str(raw)) or codes.get(str(raw))) is None:
            said = f"“{column.verbose_name}”没有“{raw}”这一项{nearest(str(raw), known)}"
            raise Confused(said)
        return found

    def _reference(self, column: Any, raw: Any) -> Any:
        if isinstance(raw, str) and raw in self.named:
            return self.named[raw]
        target = column.related_model
        for name in CALLED_BY:
            if name in {f.name for f in target._meta.concrete_fields}:
                found = target._base_manager.filter(**{name: raw}).order_by("-pk").first()
                if found is not None:
                    return found
        raise Confused(f"“{column.verbose_name}”要写例子里的名字，没有“{raw}”")
