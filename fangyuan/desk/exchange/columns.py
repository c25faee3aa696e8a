"""The columns of a type's files, from its model: labels, identifiers, order, who may fill them."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models

from fangyuan.access import table
from fangyuan.core import records
from fangyuan.desk.exchange import kids
from fangyuan.desk.exchange.mistakes import Mistake, Unreadable

ERRORS = "错误"  # the extra column of a workbook of rows to correct; ignored when it comes back
_BASE = {"recorded_at", "recorded_by", "changed_at", "imported_at", "removed_at", "revision", "key"}
_NEVER = {"password", "last_login", "is_admin"}


@dataclass(frozen=True)
class Column:
    """One column of a file: a field, or a pointer at a record of any type."""

    name: str
    label: str
    field: Any
    kind: str  # value, reference, pointer, key, recorded, child

    @property
    def is_needed(self) -> bool:
        """Whether a new record cannot do without a value here."""
        if self.kind == "pointer":
            return not self.field.null
        if self.kind in ("key", "recorded", "child"):
            return False
        return not (self.field.null or self.field.blank or self.field.has_default())

    @cached_property
    def target(self) -> Any:
        """The type at which a reference points."""
        return self.field.related_model

    @property
    def stored(self) -> str:
        """The name of the stage's column; a pointer has two, this is the number."""
        if self.kind == "child":
            return self.name
        return f"{self.name}_id" if self.kind == "pointer" else str(self.field.column)

    @property
    def group(self) -> str:
        """The reverse name of the child records that a child's column is about."""
        return self.name.partition(".")[0] if self.kind == "child" else ""


def of_model(model: Any) -> list[Column]:
    """Every column that a file of this type may have, in the order of a template."""
    is_record = issubclass(model, records.Record)
    key = records.Record._meta.get_field("key")
    found = [Column("key", "外部编号" if is_record else "编号", key, "key")]
    pointers = dict(getattr(model, "any_fields", {}))
    halves = {f"{name}_{half}" for name in pointers for half in ("type", "id")}
    for field in model._meta.concrete_fields:
        if field.name in halves:
            if name := next((n for n in pointers if field.name == f"{n}_type"), None):
                pointer = pointers.pop(name)
                found.append(Column(name, pointer.verbose_name, pointer, "pointer"))
        elif _is_open(field):
            found.append(Column(field.name, str(field.verbose_name), field, _kind(field)))
    found += _children(model)
    if is_record:
        recorded = model._meta.get_field("recorded_at")
        found.append(Column("recorded_at", "录入时间", recorded, "recorded"))
    return found


def _children(model: Any) -> list[Column]:
    """Columns of a child record that comes in the same row."""
    found = []
    for section in kids.sections(model):
        child, _ = kids.relation(model, section)
        for name in section.fields:
            field = child._meta.get_field(name)
            label = f"{section.title} {field.verbose_name}"
            found.append(Column(f"{section.of}.{name}", label, field, "child"))
    return found


def _is_open(field: Any) -> bool:
    return (
        field.editable
        and not field.primary_key
        and field.name not in _BASE | _NEVER
        and not isinstance(field, models.FileField)
    )


def _kind(field: Any) -> str:
    is_number = isinstance(field, models.ForeignKey) and field.target_field.primary_key
    return "reference" if is_number else "value"


def visible(model: Any, actor: Any) -> list[Column]:
    """The columns of a type that this person may see."""
    hidden = table.hidden(actor, model.record_name()) if actor is not None else frozenset()
    return [column for column in of_model(model) if column.name not in hidden]


def template(model: Any, actor: Any = None) -> list[Column]:
    """The columns of an empty form to fill in: all but those that only history carries."""
    return [column for column in visible(model, actor) if column.kind != "recorded"]


def match(
    headers: Sequence[Any], model: Any, actor: Any, mapping: dict[str, str] | None = None
) -> list[Column | None]:
    """The column that each header names (None: to be left out).

    `mapping` gives a header another name, or the empty one to leave it out. Raises Unreadable for
    headers that are unknown or come twice.
    """
    offered = visible(model, actor)
    known = {_folded(name): column for column in offered for name in (column.label, column.name)}
    found: list[Column | None] = []
    mistakes: list[Mistake] = []
    seen: dict[str, str] = {}
    for place, header in enumerate(headers, start=1):
        text = "" if header is None else str(header).strip()
        column, mistake = _one(text, place, known, mapping or {})
        if column is not None and column.name in seen:
            reason = f"和“{seen[column.name]}”是同一列"
            mistake = Mistake(0, text, "", reason, "留下一列，删掉另一列")
        if mistake:
            mistakes.append(mistake)
        if column is not None:
            seen.setdefault(column.name, text)
        found.append(column)
    if mistakes:
        raise Unreadable(*mistakes)
    return found


def _one(
    text: str, place: int, known: dict[str, Column], mapping: dict[str, str]
) -> tuple[Column | None, Mistake | None]:
    if text in mapping:
        text = mapping[text]
        if not text:
            return None, None
    if text == ERRORS:
        return None, None
    if not text:
        return None, Mistake(0, f"第 {place} 列", "", "没有列名", "给它写上列名，或删掉这一列")
    column = known.get(_folded(text))
    if column is not None:
        return column, None
    near = difflib.get_close_matches(_folded(text), known, n=1, cutoff=0.5)
    close = known.get(near[0]) if near else None
    said = f"{close.label}（{close.name}）" if close else ""
    remedy = f"是不是“{said}”？改名后再导入" if close else "改成模板里的列名，或删掉这一列"
    return None, Mistake(0, text, "", "没有这一列", remedy)


def guess(headers: Sequence[Any], model: Any, actor: Any) -> dict[str, str]:
    """For a person to confirm: the likeliest column of every header, or the empty name."""
    offered = visible(model, actor)
    known = {
        _folded(name): column.name for column in offered for name in (column.label, column.name)
    }
    if any(column.name == "name" for column in offered):
        kind = str(model._meta.verbose_name)
        usual = (
            "名称",
            "姓名",
            "企业名称",
            "公司名称",
            "单位名称",
            kind,
            f"{kind}名称",
            f"{kind}姓名",
        )
        known = dict.fromkeys(usual, "name") | known
    found: dict[str, str] = {}
    for header in headers:
        text = "" if header is None else str(header).strip()
        near = difflib.get_close_matches(_folded(text), known, n=1, cutoff=0.6)
        name = known[near[0]] if near and text != ERRORS else ""
        found[text] = name if name not in found.values() else ""
    return found


def _folded(name: str) -> str:
    plain = "".join(unicodedata.normalize("NFKC", name).lower().split())
    return plain.rstrip("*")


def missing(columns: Sequence[Column | None], model: Any) -> list[str]:
    """Labels of what a new record needs and the file does not have."""
    there = {column.name for column in columns if column}
    return [
        column.label for column in of_model(model) if column.is_needed and column.name not in there
    ]


def type_of(name: str) -> Any:
    """The record type of a name or Chinese label; raises LookupError with the nearest names."""
    known = records.record_types()
    labels = {str(model._meta.verbose_name): model for model in known.values()}
    found = known.get(name) or labels.get(name)
    if found is None:
        near = difflib.get_close_matches(name, [*known, *labels], n=1)
        hint = f"，是不是 {near[0]}？" if near else ""
        raise LookupError(f"没有“{name}”这种记录{hint}")
    return found
