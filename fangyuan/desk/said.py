"""Words for codes that stand in plain columns: what a desk's `said` may hold besides tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from fangyuan.core import facts, fields, records
from fangyuan.core.models import Term
from fangyuan.desk import columns, declare, filters
from fangyuan.engine.models import Policy

LISTS = {"q": "查找"}


def terms(*domains: str) -> Callable[[Any, Any], list[str]]:
    """Codes of any of these vocabularies."""

    def say(value: Iterable[str], row: Any) -> list[str]:
        found = Term.objects.everything("字典人人可读").filter(domain__in=domains, code__in=value)
        labels = dict(found.values_list("code", "label"))
        return [labels.get(code, code) for code in value]

    return say


def policies(value: Iterable[str], row: Any) -> list[str]:
    """Codes of regulations."""
    found = Policy.objects.everything("制度人人可读").present().filter(code__in=value)
    titles = {one.code: str(one) for one in found}
    return [titles.get(code, code) for code in value]


def fields_of(record: str) -> Callable[[Any, Any], list[str]]:
    """Names of fields of a type."""

    def say(value: Iterable[str], row: Any) -> list[str]:
        return [columns.label_of(records.row_types()[record], name) for name in value]

    return say


def fact(value: str, row: Any) -> str:
    """The fact of a kept value."""
    return facts.label(records.row_types()[row.subject_type], value.removesuffix("_id"))


def past(value: str, row: Any) -> Any:
    """A kept value of a fact, told as the fact's field is told."""
    model = records.row_types()[row.subject_type]
    name = row.fact.removesuffix("_id")
    found = columns.field_of(model, name)
    read = json.loads(value) if value[:1] in ("[", "{") else value
    if (words := declare.said(model, name)) is not None:
        return words(read, row)
    if isinstance(found, (fields.TermField, fields.TermSet)):
        codes = read if isinstance(read, list) else [read.rsplit(":", 1)[-1]]
        return "、".join(terms(found.domain)(codes, row))
    return columns.cell_of(found, read, columns.Labels(None)).text if found is not None else value


def purpose(value: str, row: Any) -> str:
    """What an access was for: a field, a list and its conditions, or free words."""
    kind, _, query = value.partition(" ")
    if row.kind == "REVEAL" and row.subject_type:
        return columns.label_of(records.row_types()[row.subject_type], value)
    try:
        desk = declare.desk_of(kind)
    except declare.UnknownDesk:
        return value
    known = filters.filters(desk)
    told = [
        f"{known[name].label}：{_condition(known[name], given, row.person)}"
        if name in known
        else f"{LISTS[name]}：{given}"
        for name, given in parse_qsl(query)
        if name in known or name in LISTS
    ]
    return desk.label + (f"（{'，'.join(told)}）" if told else "")


def _condition(one: filters.Filter, given: str, actor: Any) -> str:
    try:
        return one.said(given, actor)
    except filters.BadQuery:
        return given


def measured(value: Any, row: Any) -> list[str]:
    """What the numbers that an alert watches were when it was raised."""
    model = records.row_types().get(row.subject_type) if value else None
    if model is None:
        return []
    return [f"{facts.label(model, name)} {number}" for name, number in sorted(value.items())]
