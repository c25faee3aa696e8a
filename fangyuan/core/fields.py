"""Field types of the domain model: each carries its own database check and its Chinese message.

`Choice` and `ChoiceSet` are closed vocabularies, `TermField` and `TermSet` open ones held in
`Term`, `AnyField` points at a record of any type by type name and number, `RefSet` holds the
numbers of records of one type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from fangyuan.core import codes, ready


def _quoted(values: list[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


@models.ForeignKey.register_lookup
@models.Field.register_lookup
class AnyOf(models.Lookup):
    """`column__any_of=[…]`: one array, or a slot for it, instead of thousands of parameters."""

    lookup_name = "any_of"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        return "%s", [list(value)]

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_params = self.process_lhs(compiler, connection)
        kind = self.lhs.output_field.rel_db_type(connection)
        if hasattr(self.rhs, "resolve_expression"):
            right, right_params = compiler.compile(self.rhs)
            return f"{left} = ANY ({right}::{kind}[])", [*left_params, *right_params]
        return f"{left} = ANY (%s::{kind}[])", [*left_params, list(self.rhs)]


class Text(models.TextField):
    """One line of text, stored without length games; the form shows a single-line input."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        options.setdefault("blank", options.get("null", False) or options.get("blank", False))
        super().__init__(verbose_name, **options)


class Note(models.TextField):
    """Long text; empty text means nothing was said."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        options.setdefault("blank", True)
        options.setdefault("default", "")
        super().__init__(verbose_name, **options)


class Choice(models.CharField):
    """A code of a closed vocabulary, checked by the database."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        options.setdefault("max_length", 24)
        if options.get("null"):
            options.setdefault("blank", True)
        super().__init__(verbose_name, **options)

    def db_check(self, connection: Any) -> str | None:
        if not self.choices:
            return None
        column = connection.ops.quote_name(self.column)
        return f"{column} IN ({_quoted([str(code) for code, _ in self.flatchoices])})"


class ChoiceSet(ArrayField):
    """A set of codes of a closed vocabulary, checked by the database."""

    def __init__(
        self, verbose_name: str | None = None, vocabulary: Any = (), **options: Any
    ) -> None:
        self.vocabulary = list(getattr(vocabulary, "choices", vocabulary))
        options.setdefault("default", list)
        options.setdefault("blank", True)
        options.pop("base_field", None)
        super().__init__(models.TextField(), verbose_name=verbose_name, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("base_field", None)
        return (
            name,
            "fangyuan.core.fields.ChoiceSet",
            args,
            {**kwargs, "vocabulary": self.vocabulary},
        )

    def db_check(self, connection: Any) -> str | None:
        if not self.vocabulary:
            return None
        column = connection.ops.quote_name(self.column)
        return f"{column} <@ ARRAY[{_quoted([code for code, _ in self.vocabulary])}]::text[]"

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        known = {code for code, _ in self.vocabulary}
        if unknown := [item for item in value or [] if item not in known]:
            raise ValidationError(f"没有“{'、'.join(unknown)}”这一项，请从列出的选项里选")


class TextSet(ArrayField):
    """A set of free short texts (names of groups, chapters, codes written elsewhere)."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        options.setdefault("default", list)
        options.setdefault("blank", True)
        options.pop("base_field", None)
        super().__init__(models.TextField(), verbose_name=verbose_name, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("base_field", None)
        return name, "fangyuan.core.fields.TextSet", args, kwargs


class TermSet(TextSet):
    """A set of codes of one open vocabulary (`Term.domain`)."""

    def __init__(self, verbose_name: str | None = None, domain: str = "", **options: Any) -> None:
        self.domain = domain
        super().__init__(verbose_name, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, "fangyuan.core.fields.TermSet", args, {**kwargs, "domain": self.domain}


class RefSet(ArrayField):
    """Numbers of records of one type (by its name), where a link has nothing to say of its own."""

    def __init__(self, verbose_name: str | None = None, to: str = "", **options: Any) -> None:
        self.to = to
        options.setdefault("default", list)
        options.setdefault("blank", True)
        options.pop("base_field", None)
        super().__init__(models.BigIntegerField(), verbose_name=verbose_name, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("base_field", None)
        return name, "fangyuan.core.fields.RefSet", args, {**kwargs, "to": self.to}


class TermField(models.ForeignKey):
    """One entry of an open vocabulary; the column holds `domain:code`, readable in any query."""

    def __init__(self, verbose_name: str | None = None, domain: str = "", **options: Any) -> None:
        self.domain = domain
        options.setdefault("to", "core.Term")
        options.setdefault("on_delete", models.PROTECT)
        options.setdefault("related_name", "+")
        options["to_field"] = "key"
        if options.get("null"):
            options.setdefault("blank", True)
        super().__init__(verbose_name=verbose_name, **options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, "fangyuan.core.fields.TermField", args, {**kwargs, "domain": self.domain}

    def db_check(self, connection: Any) -> str | None:
        return f"{connection.ops.quote_name(self.column)} LIKE '{self.domain}:%%'"

    def db_parameters(self, connection: Any) -> Any:
        return {**super().db_parameters(connection), "check": self.db_check(connection)}

    def validate(self, value: Any, model_instance: Any) -> None:
        if value is not None and not str(value).startswith(self.domain + ":"):
            raise ValidationError(f"“{value}”不是{self.verbose_name}字典里的一项")
        models.Field.validate(self, value, model_instance)
        # A foreign key's own look-up would build its query anew for every field of every record.
        if value is not None and not ready.ask(_TERM, [value]):
            params = {"model": "字典项", "pk": value, "field": "key", "value": value}
            raise ValidationError(self.error_messages["invalid"], code="invalid", params=params)


_TERM = "SELECT 1 FROM core_term WHERE key = %s"


class Money(models.DecimalField):
    """An amount in yuan with two decimals."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        options.setdefault("max_digits", 18)
        options.setdefault("decimal_places", 2)
        if options.get("null"):
            options.setdefault("blank", True)
        super().__init__(verbose_name, **options)


class Percent(models.DecimalField):
    """A percentage, 0 to 100 where the model says no more."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        options.setdefault("max_digits", 7)
        options.setdefault("decimal_places", 2)
        if options.get("null"):
            options.setdefault("blank", True)
        super().__init__(verbose_name, **options)


class _Formatted(Text):
    """Text with a format of its own: normalised when set, refused when malformed."""

    @staticmethod
    def normalise(text: str) -> str:
        raise AssertionError("declared by each format")

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        options.setdefault("default", "")
        options.setdefault("blank", True)
        super().__init__(verbose_name, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return text
        try:
            return self.normalise(text)
        except ValueError as refused:
            raise ValidationError(str(refused)) from refused


class Phone(_Formatted):
    """A Chinese phone number: mobile, landline, 400 or 800, international with +."""

    normalise = staticmethod(codes.phone)


class Email(_Formatted):
    """An e-mail address."""

    normalise = staticmethod(codes.email)


class Uscc(_Formatted):
    """统一社会信用代码 with its check character (GB 32100)."""

    normalise = staticmethod(codes.uscc)


class AnyField:
    """A pointer to a record of any type: two columns `<name>_type` and `<name>_id`."""

    if TYPE_CHECKING:  # on a model it reads and writes a pointer

        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: Any) -> None: ...

    def __init__(self, verbose_name: str, *, null: bool = False) -> None:
        self.verbose_name = verbose_name
        self.null = null

    def contribute_to_class(self, cls: Any, name: str) -> None:
        self.name = name
        typed = models.CharField(
            f"{self.verbose_name}类型", max_length=40, null=self.null, blank=self.null
        )
        number = models.BigIntegerField(f"{self.verbose_name}编号", null=self.null, blank=self.null)
        typed.contribute_to_class(cls, f"{name}_type")
        number.contribute_to_class(cls, f"{name}_id")
        cls.any_fields = {**getattr(cls, "any_fields", {}), name: self}
        setattr(cls, name, property(self._pointer, self._point))

    def _pointer(self, instance: Any) -> tuple[str, int] | None:
        kind = getattr(instance, f"{self.name}_type")
        return (kind, getattr(instance, f"{self.name}_id")) if kind else None

    def _point(self, instance: Any, value: Any) -> None:
        if value is not None and not isinstance(value, tuple):
            value = (value.record_name(), value.pk)
        kind, number = value or (None, None)
        setattr(instance, f"{self.name}_type", kind)
        setattr(instance, f"{self.name}_id", number)
