"""Form fields for the field types of the domain model; references are typed, not picked.

A reference reads `名称 #12`, a pointer `名称 #customer:12`; a bare name works when it is the only
one that the actor may see. Everything works without script; with it the browser suggests.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from fangyuan.core import fields, ready, records
from fangyuan.core.models import Term
from fangyuan.desk import declare, filters
from fangyuan.org.models import Team

PICKED = (Team,)  # types with few rows are picked from a list
TYPED_DOMAINS = ("region", "industry")
POINTED = ("customer", "lead", "person", "activity", "contact", "team")
_SPLIT = re.compile(r"[、,,;;\s]+")
_LISTED = re.compile(r"[、；;\n]+")
_NUMBER = re.compile(r".*#(\d+)\s*|(\d+)")
_POINTER = re.compile(r"(?:.*#)?([a-z_]+):(\d+)\s*")


def said(record: Any) -> str:
    """How a referred-to record reads in an input."""
    return f"{record} #{record.pk}"


class Reference(forms.CharField):
    """A record of one type that the actor may see."""

    def __init__(self, model: Any, actor: Any, **options: Any) -> None:
        self.model, self.actor = model, actor
        super().__init__(**options)
        self.widget.attrs.update(_suggesting(f"/{model.record_name()}/choices"))

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int):
            found = self.model.objects.seen_by(self.actor).filter(pk=value).first()
            return said(found) if found else ""
        return value

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        seen = self.model.objects.seen_by(self.actor)
        if number := _NUMBER.fullmatch(text):
            found = list(seen.filter(pk=int(number[1] or number[2])).values_list("pk", flat=True))
        else:
            name = filters.name_field(self.model)
            found = list(seen.filter(**{name: text}).values_list("pk", flat=True)[:2])
        if len(found) == 1:
            return int(found[0])
        label = self.model._meta.verbose_name
        if found:
            raise ValidationError(f"有不止一个叫“{text}”的{label}，请从提示里选一个")
        raise ValidationError(f"没找到{label}“{text}”，请从提示里选一个")

    def clean(self, value: Any) -> Any:
        found = self.to_python(value)
        self.validate(found)
        return found

    def validate(self, value: Any) -> None:
        if self.required and value is None:
            raise ValidationError(self.error_messages["required"], code="required")


class References(forms.CharField):
    """Several records of one type in one line: `名称 #12、名称 #13`."""

    def __init__(self, model: Any, actor: Any, **options: Any) -> None:
        self.one = Reference(model, actor, required=False)
        super().__init__(**options)
        self.widget.attrs["placeholder"] = "#编号或全名，用“、”隔开"

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        seen = self.one.model.objects.seen_by(self.one.actor)
        return "、".join(said(record) for record in seen.filter(pk__in=value).order_by("pk"))

    def to_python(self, value: Any) -> list[int]:
        parts = value if isinstance(value, list) else _LISTED.split(str(value or ""))
        found = [self.one.to_python(part) for part in parts]
        return list(dict.fromkeys(number for number in found if number is not None))


class Pointer(forms.CharField):
    """A record of any type that the actor may see."""

    def __init__(self, actor: Any, **options: Any) -> None:
        self.actor = actor
        super().__init__(**options)
        self.widget.attrs.update(_suggesting("/choices"))

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, tuple):
            found = self._find(*value)
            return f"{found} #{value[0]}:{value[1]}" if found else ""
        return value

    def _find(self, kind: str, number: Any) -> Any:
        model = records.row_types().get(kind)
        seen = model.objects.seen_by(self.actor) if model else None
        return seen.filter(pk=int(number)).first() if seen is not None else None

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        pointer = _POINTER.fullmatch(text)
        if pointer is None or self._find(pointer[1], pointer[2]) is None:
            raise ValidationError(f"没找到“{text}”，请从提示里选一个")
        return pointer[1], int(pointer[2])

    def clean(self, value: Any) -> Any:
        found = self.to_python(value)
        if self.required and found is None:
            raise ValidationError(self.error_messages["required"], code="required")
        return found


class TypedTerm(forms.CharField):
    """An entry of a long vocabulary, typed by its name or code."""

    def __init__(self, domain: str, **options: Any) -> None:
        self.domain = domain
        super().__init__(**options)
        self.widget.attrs.update(_suggesting(f"/term/choices?domain={domain}"))

    def prepare_value(self, value: Any) -> Any:
        if str(value or "").startswith(f"{self.domain}:"):
            found = self._terms().filter(key=value).first()
            return f"{found.label} {found.code}" if found else ""
        return value

    def _terms(self) -> Any:
        return Term.objects.everything("字典供选择").present().filter(domain=self.domain)

    def to_python(self, value: Any) -> str | None:
        text = str(value or "").strip()
        if not text:
            return None
        parts = [text, *text.split()]
        found = self._terms().filter(models.Q(code__in=parts[-1:]) | models.Q(label__in=parts))
        keys = list(found.order_by("-code").values_list("key", "label")[:20])
        if len(keys) > 1:
            keys = [pair for pair in keys if pair[0] == f"{self.domain}:{parts[-1]}"] or keys
        if len(keys) == 1:
            return str(keys[0][0])
        if keys:
            raise ValidationError(f"有不止一个“{text}”，请从提示里选一个")
        raise ValidationError(f"字典里没有“{text}”，请从提示里选一个")

    def clean(self, value: Any) -> Any:
        found = self.to_python(value)
        if self.required and found is None:
            raise ValidationError(self.error_messages["required"], code="required")
        return found


class Texts(forms.CharField):
    """Several short texts in one line; with a vocabulary they are its names or codes."""

    def __init__(self, domain: str = "", **options: Any) -> None:
        self.domain = domain
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        if self.domain and value:
            named = dict(self._terms().filter(code__in=value).values_list("code", "label"))
            value = [named.get(code, code) for code in value]
        return "、".join(value)

    def _terms(self) -> Any:
        return Term.objects.everything("字典供选择").present().filter(domain=self.domain)

    def to_python(self, value: Any) -> Any:
        parts = value if isinstance(value, list) else _SPLIT.split(str(value or ""))
        parts = [part for part in parts if part]
        if not (self.domain and parts):
            return parts
        rows = self._terms().filter(models.Q(label__in=parts) | models.Q(code__in=parts))
        pairs = list(rows.values_list("code", "label"))
        known = {label: code for code, label in pairs} | {code: code for code, _ in pairs}
        if unknown := [part for part in parts if part not in known]:
            raise ValidationError(f"字典里没有“{'、'.join(unknown)}”")
        return [known[part] for part in parts]


class Moment(forms.DateTimeField):
    """An instant, entered in the company's zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **options)


class Day(forms.DateField):
    """A day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), **options)


def _suggesting(url: str) -> dict[str, str]:
    return {"data-suggest": url, "autocomplete": "off"}


def _choices(field: Any, options: dict[str, Any]) -> forms.Field:
    blank = [] if options["required"] and field.has_default() else [("", "–")]
    choices = [*blank, *[(code, label) for code, label in field.flatchoices if code != ""]]
    empty = None if field.null else ""
    return forms.TypedChoiceField(choices=choices, coerce=str, empty_value=empty, **options)


_TERMS = ready.Ready(
    lambda: (
        Term.objects.everything("字典供选择")
        .present()
        .filter(domain=ready.Slot("domain"), active=True)
        .values_list("key", "label")
    )
)


def _terms(field: Any, options: dict[str, Any]) -> forms.Field:
    if field.domain in TYPED_DOMAINS:
        return TypedTerm(field.domain, **options)

    # Asked when first looked at: what is left empty needs no choices to be checked.
    @functools.cache
    def choices() -> list[tuple[str, str]]:
        return [("", "–"), *_TERMS(domain=field.domain)]

    return forms.TypedChoiceField(choices=choices, coerce=str, empty_value=None, **options)


def _reference(field: Any, actor: Any, options: dict[str, Any]) -> forms.Field:
    target = field.related_model
    if target not in PICKED:
        return Reference(target, actor, **options)
    rows = target.objects.seen_by(actor).present()
    choices = [("", "–"), *((str(row.pk), str(row)) for row in rows)]
    return forms.TypedChoiceField(choices=choices, coerce=int, empty_value=None, **options)


def _references(field: Any, actor: Any, options: dict[str, Any]) -> forms.Field | None:
    target = records.row_types().get(field.to)
    return References(target, actor, **options) if target else None


def _number(field: Any, options: dict[str, Any]) -> forms.Field:
    if isinstance(field, models.DecimalField):
        digits = {"max_digits": field.max_digits, "decimal_places": field.decimal_places}
        return forms.DecimalField(**digits, **options)
    return forms.IntegerField(**options)


def _boolean(field: Any, options: dict[str, Any]) -> forms.Field:
    if field.null:
        choices = [("", "–"), ("1", "是"), ("0", "否")]
        read = {"1": True, "0": False, "True": True, "False": False}
        return forms.TypedChoiceField(choices=choices, coerce=read.get, empty_value=None, **options)
    return forms.BooleanField(**{**options, "required": False})


def _text(field: Any, options: dict[str, Any]) -> forms.Field:
    empty = None if field.null else ""
    if isinstance(field, fields.Note):
        return forms.CharField(widget=forms.Textarea({"rows": 3}), empty_value=empty, **options)
    found = forms.CharField(empty_value=empty, **options)
    if isinstance(field, (fields.Phone, fields.Email)):
        found.widget.input_type = "tel" if isinstance(field, fields.Phone) else "email"
    return found


def input_for(field: Any, actor: Any, *, is_required: bool) -> Any:
    """The form field for a field of a model, or None for what is not entered by hand."""
    options: dict[str, Any] = {"label": str(field.verbose_name), "required": is_required}
    options["error_messages"] = {"required": f"还没填{field.verbose_name}"}
    options["help_text"] = str(getattr(field, "help_text", ""))
    if isinstance(field, fields.AnyField):
        return Pointer(actor, **options)
    vocabulary = getattr(field, "vocabulary", None)
    if vocabulary:
        widget = forms.CheckboxSelectMultiple()
        return forms.MultipleChoiceField(choices=vocabulary, widget=widget, **options)
    kinds: list[tuple[Any, Callable[[], forms.Field | None]]] = [
        (fields.TermField, lambda: _terms(field, options)),
        (models.ForeignKey, lambda: _reference(field, actor, options)),
        (fields.RefSet, lambda: _references(field, actor, options)),
        (fields.TextSet, lambda: Texts(getattr(field, "domain", ""), **options)),
        (models.BooleanField, lambda: _boolean(field, options)),
        (models.DateTimeField, lambda: Moment(**options)),
        (models.DateField, lambda: Day(**options)),
        ((models.DecimalField, models.IntegerField), lambda: _number(field, options)),
        ((models.TextField, models.CharField), lambda: _text(field, options)),
    ]
    if getattr(field, "choices", None):
        return _choices(field, options)
    home = getattr(field, "model", None)  # what a verb asks may be at home in no type
    if home and (words := declare.words(home, field.name)):
        return forms.ChoiceField(choices=[("", "–"), *words.items()], **options)
    return next((make() for base, make in kinds if isinstance(field, base)), None)
