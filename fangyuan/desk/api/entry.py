"""What a caller sends, read as an import reads a cell: same forms, same words for what is wrong."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from pydantic import BaseModel, ConfigDict, Field, create_model

from fangyuan.core import fields, records
from fangyuan.desk import declare, filters
from fangyuan.desk.api.faults import Fault, Wrong
from fangyuan.desk.exchange import columns as shape
from fangyuan.desk.exchange import identity, kids, resolve, terms, values
from fangyuan.desk.exchange.columns import Column
from fangyuan.desk.exchange.mistakes import Bad

_STRICT = ConfigDict(extra="forbid")


def writable(desk: declare.Desk) -> list[Column]:
    """The columns that a caller may write: what the form has."""
    known = {column.name: column for column in shape.of_model(desk.model)}
    return [known[name] for name in desk.fields() if name in known]


def children(desk: declare.Desk) -> dict[str, list[Column]]:
    """Columns of child records that come together with a new record, by reverse name."""
    found: dict[str, list[Column]] = {}
    for section in kids.sections(desk.model):
        child, _ = kids.relation(desk.model, section)
        known = {column.name: column for column in shape.of_model(child)}
        found[section.of] = [known[name] for name in section.fields if name in known]
    return found


def _described(column: Column) -> Any:
    kinds: list[tuple[Any, list[str]]] = [
        (models.BooleanField, ["boolean", "null"]),
        (ArrayField, ["array", "null"]),
        (models.JSONField, ["object", "array", "null"]),
        ((models.IntegerField, models.DecimalField), ["number", "string", "null"]),
    ]
    types = next((t for kind, t in kinds if isinstance(column.field, kind)), ["string", "null"])
    extra: dict[str, Any] = {"type": types}
    choices = getattr(column.field, "choices", None)
    if choices:
        extra = {"enum": [code for code, _ in column.field.flatchoices] + [None]}
    return Field(default=None, description=column.label, json_schema_extra=extra)


def new_of(desk: declare.Desk) -> type[BaseModel]:
    """The body of a new record."""
    made: dict[str, Any] = {column.name: (Any, _described(column)) for column in writable(desk)}
    for name, found in children(desk).items():
        inner: dict[str, Any] = {c.name: (Any, _described(c)) for c in found}
        child = create_model(f"{desk.name}_{name}", __config__=_STRICT, **inner)
        made[name] = (child | None, None)
    return create_model(f"{desk.name}_new", __config__=_STRICT, **made)


def change_of(desk: declare.Desk) -> type[BaseModel]:
    """The body of a change: the revision one has seen, and what is to be different."""
    made: dict[str, Any] = {column.name: (Any, _described(column)) for column in writable(desk)}
    made["revision"] = (int, Field(ge=1, le=2**31 - 1, description="读到的版本号"))
    return create_model(f"{desk.name}_change", __config__=_STRICT, **made)


def verb_of(desk: declare.Desk, verb: Any) -> type[BaseModel]:
    """The body of a verb: what it asks."""
    made: dict[str, Any] = dict.fromkeys(verb.asks, (Any, None))
    made.setdefault("reason", (str, Field(default="", max_length=2000, description="理由")))
    return create_model(f"{desk.name}_{verb.name}", __config__=_STRICT, **made)


def query_of(desk: declare.Desk) -> type[BaseModel]:
    """The query of a list: page, order, words and the desk's filters."""
    own: dict[str, Any] = {
        "page_size": (int, Field(default=50, ge=1, le=200, description="每页条数")),
        "after": (str, Field(default="", max_length=2000, description="上一页给的 next")),
        "sort": (str, Field(default="", max_length=60, description="排序，前加 - 为降序")),
        "q": (str, Field(default="", max_length=200, description="搜索词")),
    }
    for name, one in filters.filters(desk).items():
        own.setdefault(name, (str, Field(default="", max_length=2000, description=one.label)))
    return create_model(f"{desk.name}_query", **own)


def read(columns: list[Column], given: dict[str, Any], actor: Any) -> dict[str, Any]:
    """Values as the door takes them; raises Wrong with every finding."""
    lookups = terms.Lookups()
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for column in columns:
        if column.name in given:
            try:
                name, value = _value(column, given[column.name], lookups, actor)
                found[name] = value
            except Bad as bad:
                faults.append(Fault(field=column.name, message=f"{column.label}：{bad}"))
    if faults:
        raise Wrong(faults)
    return found


def _value(column: Column, given: Any, lookups: terms.Lookups, actor: Any) -> tuple[str, Any]:
    if column.kind == "pointer":
        return column.name, _pointed(column, given, actor)
    if column.kind == "reference":
        return column.name, _referred(column.target, given, column.field.null, actor)
    text = values.reader(column.field, lookups)(given)
    return column.field.attname, _python(column.field, text)


def _python(field: Any, text: str | None) -> Any:
    if text is None:
        return None
    if isinstance(field, ArrayField):
        return values.items_of(text)
    if isinstance(field, models.JSONField):
        return json.loads(text)
    if isinstance(field, models.BooleanField):
        return text == "true"
    return text if isinstance(field, fields.TermField) else field.to_python(text)


def _referred(model: Any, given: Any, is_optional: bool, actor: Any) -> Any:
    text = values.plain(given).strip()
    if not text:
        if is_optional:
            return None
        raise Bad("不能为空", "这一项必填")
    seen = resolve.candidates(model, actor)
    number = text.removeprefix("#")
    by_number = seen.filter(pk=int(number)) if number.isdecimal() and len(number) < 19 else None
    for name in dict.fromkeys(("key", identity.own(model), *identity.names(model))):
        found = list(seen.filter(**{name: text})[:2])
        if len(found) == 1:
            return found[0]
    record = by_number.first() if by_number is not None else None
    if record is None:
        raise Bad(f"找不到这条{model._meta.verbose_name}", "填外部编号，或 # 加编号")
    return record


def _pointed(column: Column, given: Any, actor: Any) -> Any:
    text = values.plain(given).strip()
    if not text and column.field.null:
        return None
    kind, _, key = text.partition(":")
    model = records.record_types().get(kind)
    if model is None or not key:
        raise Bad("没有写明对象", "写成 类型:编号，如 customer:C001")
    return _referred(model, key, False, actor)
