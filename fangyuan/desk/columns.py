"""Values as they leave the database: cells of lists, facts, histories; names of what they point at.

Everything a person is not to see is taken out here: hidden fields, masked numbers, records outside
the actor's scope. The number of queries follows the kinds of columns, never the number of rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import dateparse

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.core import fields, ready, records, reference
from fangyuan.core.models import Term
from fangyuan.desk import declare, owed
from fangyuan.org.models import Holding, Person

SHORT = 60
STAMPS = ("actor", "recorded_by")  # plain numbers of people
CODED = (*STAMPS, "record", "subject_type", "domain", "action")  # plain columns that hold codes
DEEDS = {
    "create": "新建",
    "change": "修改",
    "remove": "移入回收站",
    "restore": "移出回收站",
    "undo": "撤销",
    "comment": "评论",
    "assign": "归属",
    "import": "导入",
    "prepare": "安装",
    "decide": "审批",
    "withdraw": "撤回",
    "upload": "上传",
    "export": "导出",
    "mention": "点名",
    "remind": "提醒",
    "seen": "已读",
    "token": "接口令牌",
    "send_message": "通知",
    "load_pack": "载入制度",
    "demo": "示例数据",
    "migrate": "升级",
}


class Cell(NamedTuple):
    """One value ready for a template, which chooses the mark by `kind`."""

    kind: str
    value: Any = None
    url: str = ""
    field: str = ""
    note: str = ""
    key: Any = None

    @property
    def text(self) -> str:
        """The value in plain words, for titles, cards and comparisons."""
        if self.kind == "tags":
            return "、".join(self.value)
        return "" if self.value is None else str(self.value)


EMPTY = Cell("none")
HIDDEN = Cell("hidden", "不在你的权限内")


class Labels:
    """Names of referred-to records, fetched once per type and only if the actor may see them."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.asked: dict[type[models.Model], set[Any]] = {}
        self.known: dict[type[models.Model], dict[Any, tuple[str, str]]] = {}
        if isinstance(actor, Person):
            self.known[Person] = {actor.pk: (str(actor), declare.address(actor))}

    def ask(self, model: type[models.Model], keys: Iterable[Any]) -> None:
        """Note that these records will be named."""
        wanted = {key for key in keys if key not in (None, "")}
        self.asked.setdefault(model, set()).update(wanted - self.known.get(model, {}).keys())

    def load(self) -> Labels:
        """Fetch what was asked for."""
        for model, keys in self.asked.items():
            if not keys:
                continue
            by = "key" if model is Term else "pk"
            seen = scopes.reach(self.actor, model)
            found = _NAMED(model, by, seen, actor=self.actor, keys=sorted(keys))
            known = self.known.setdefault(model, {})
            known.update({getattr(one, by): (str(one), declare.address(one)) for one in found})
        self.asked = {}
        return self

    def name(self, model: type[models.Model], key: Any) -> str | None:
        """The record's name, or None where the actor may not see it."""
        return self.known.get(model, {}).get(key, (None, ""))[0]

    def cell(self, model: type[models.Model], key: Any) -> Cell:
        """A link to the record; a person is shown with their picture."""
        if key in (None, ""):
            return EMPTY
        name = self.name(model, key)
        if model is Term:
            return Cell("text", name or str(key).split(":", 1)[-1])
        if name is None:
            return HIDDEN
        if model is Person:
            return Cell("who", name, key=key)
        return Cell("link", name, url=self.known[model][key][1], key=key)


_NAMED = ready.Ready(
    lambda model, by, seen: (
        model.objects.everything("在范围内")
        .filter(scopes.later(seen, model, few=True), **{f"{by}__any_of": ready.Slot("keys")})
        .select_related(*_naming(model))
        .order_by()
    )
)


def _naming(model: type[models.Model]) -> list[str]:
    """The records that a record's own name may speak of."""
    keys = [f for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey)]
    return [f.name for f in keys if not f.null and not isinstance(f, fields.TermField)]


def field_of(model: type[models.Model], name: str) -> Any:
    """The field or pointer of this name, or None."""
    if name in getattr(model, "any_fields", {}):
        return model.any_fields[name]  # type: ignore[attr-defined]
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return found if getattr(found, "concrete", False) else None


def label_of(model: type[models.Model], name: str) -> str:
    """The field's Chinese name."""
    found = field_of(model, name)
    return str(found.verbose_name) if found is not None else name


def value_of(row: Any, field: Any) -> Any:
    """The raw value: a number for a foreign key, a pair for a pointer."""
    return getattr(row, getattr(field, "attname", field.name))


def _may_refer(field: Any) -> bool:
    kinds = (fields.AnyField, models.ForeignKey, fields.TermSet, fields.RefSet)
    return isinstance(field, kinds) or getattr(field, "name", "") in STAMPS


def references(field: Any, value: Any) -> list[tuple[type[models.Model], Any]]:
    """The records that a raw value of this field points at."""
    if value in (None, "", [], ()):
        return []
    if getattr(field, "name", "") in STAMPS:
        return [(Person, value)] if value else []
    if isinstance(field, fields.AnyField):
        model = records.row_types().get(value[0])
        return [(model, value[1])] if model else []
    if isinstance(field, models.ForeignKey):
        return [(field.related_model, value)]
    return _many(field, value)


def _many(field: Any, value: Any) -> list[tuple[type[models.Model], Any]]:
    if isinstance(field, fields.TermSet):
        return [(Term, f"{field.domain}:{code}") for code in value]
    model = records.row_types().get(field.to) if isinstance(field, fields.RefSet) else None
    return [(model, number) for number in value] if model else []


def cell_of(field: Any, value: Any, labels: Labels) -> Cell:
    """How a raw value of this field is shown."""
    if value in (None, "", [], ()):
        return EMPTY
    if field.name in CODED and (plain := _code(field, value)) is not None:
        return Cell("text", plain)
    if pointers := references(field, value):
        if isinstance(field, fields.TermSet | fields.RefSet):
            return Cell("tags", [labels.cell(*pointer).text for pointer in pointers])
        return labels.cell(*pointers[0])
    is_chosen = isinstance(field, fields.ChoiceSet) or getattr(field, "choices", None)
    return _chosen(field, value) if is_chosen else _plain(field, value)


def _chosen(field: Any, value: Any) -> Cell:
    if isinstance(field, fields.ChoiceSet):
        said = _labels_of(field)
        return Cell("tags", [said.get(code, str(code)) for code in value])
    label = _labels_of(field).get(value, str(value))
    return Cell("grade" if field.name == "grade" else "choice", label, key=value)


@functools.cache
def _labels_of(field: Any) -> dict[Any, str]:
    pairs = getattr(field, "vocabulary", None) or field.flatchoices
    return {code: str(label) for code, label in pairs}


@functools.cache
def _domains() -> dict[str, str]:
    return reference.domains()


def _code(field: Any, value: Any) -> str | None:
    """The words for codes that stand in plain columns: record types, verbs, the system's number."""
    if field.name in STAMPS and value == door.SYSTEM:
        return "系统"
    if field.name in ("record", "subject_type") and value in records.row_types():
        return str(records.row_types()[value]._meta.verbose_name)
    if field.name == "domain":
        return _domains().get(value, value)
    if field.name == "action":
        name = value.rsplit(".", 1)[-1]
        labels = [verb.label for verb in door.VERBS.values() if verb.name == name]
        return labels[0] if labels else DEEDS.get(name, value)
    return None


def _plain(field: Any, value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("bool", "是" if value else "否", key=value)
    if isinstance(value, (int, Decimal, float)) or isinstance(field, models.DecimalField):
        return _number(field, value)
    if isinstance(field, models.DateField):
        return _time(field, value)
    if isinstance(value, list):
        return Cell("tags", [str(item) for item in value])
    if isinstance(value, dict):
        return Cell("text", "、".join(f"{key} {inner}" for key, inner in value.items()))
    return Cell("note" if isinstance(field, fields.Note) else "text", str(value))


def _number(field: Any, value: Any) -> Cell:
    if isinstance(field, fields.Money):
        return Cell("money", Decimal(str(value)))
    if isinstance(field, fields.Percent):
        return Cell("num", f"{Decimal(str(value)).normalize():f}%")
    return Cell("num", value)


def _time(field: Any, value: Any) -> Cell:
    is_instant = isinstance(field, models.DateTimeField)
    read = dateparse.parse_datetime if is_instant else dateparse.parse_date
    kind = "deadline" if field.name == "due_at" else "at" if is_instant else "date"
    return Cell(kind, read(value) if isinstance(value, str) else value)


def mask(value: str) -> str:
    """A number or address with its middle hidden: 138****5621, z***@example.com."""
    if "@" in value:
        name, _, place = value.partition("@")
        return f"{name[:1]}***@{place}"
    return f"{value[:3]}****{value[-4:]}" if len(value) >= 7 else "****"


class Facade:
    """The cells of rows of one type for one actor: hiding, masking and naming done once."""

    def __init__(self, rows: Sequence[Any], actor: Any, hidden: dict[int, frozenset[str]]) -> None:
        self.labels = Labels(actor)
        self.hidden = hidden
        self.masked = table.masked(type(rows[0]).record_name()) if rows else frozenset()
        self._makers: dict[tuple[Any, str], Callable[[Any], Cell]] = {}

    def ask(self, rows: Sequence[Any], names: Iterable[str]) -> None:
        """Note which fields of these rows will be shown."""
        for name in names if rows else ():
            found = field_of(type(rows[0]), name)
            if not _may_refer(found):
                continue
            for row in rows:
                for model, key in references(found, value_of(row, found)):
                    self.labels.ask(model, [key])

    def cell(self, row: Any, name: str) -> Cell:
        """The cell of one field of one row."""
        if name in self.hidden.get(row.pk, ()):
            return Cell("hidden", HIDDEN.value, field=name)
        make = self._makers.get((type(row), name)) or self._maker(type(row), name)
        return make(row)

    def _maker(self, model: Any, name: str) -> Callable[[Any], Cell]:
        """What makes the cell of a field; all that does not depend on the row is looked up once."""
        found, words = field_of(model, name), declare.said(model, name)
        is_masked, empty = name in self.masked, Cell("none", field=name)

        def make(row: Any) -> Cell:
            value = value_of(row, found)
            if value is None or value == "" or value in ([], ()):
                return empty
            if is_masked and value:
                return Cell("mask", mask(str(value)), field=name, key=row.pk)
            if words is not None:
                told = words(value, row)
                return Cell("tags" if isinstance(told, list) else "text", told, field=name)
            kind, said, url, _, note, key = cell_of(found, value, self.labels)
            return Cell(kind, said, url, name, note, key)

        return self._makers.setdefault((model, name), make)


@dataclass
class Column:
    """A field of the record as a column."""

    name: str
    label: str = ""
    is_wide: bool = False  # takes a line of its own on a phone's card
    on_card: bool = True  # whether a phone's card shows it

    def heading(self, model: type[models.Model]) -> str:
        """The column's Chinese name."""
        return self.label or label_of(model, self.name)

    def fields(self) -> tuple[str, ...]:
        """The fields it reads, for checks and for naming."""
        return (self.name,)

    def is_numeric(self, model: type[models.Model]) -> bool:
        """Whether its values stand to the right."""
        numeric = (models.DecimalField, models.IntegerField)
        return isinstance(field_of(model, self.name), numeric)

    def load(self, rows: Sequence[Any], facade: Facade, now: datetime) -> None:
        """Fetch what the cells need besides the rows."""

    def cell(self, row: Any, facade: Facade) -> Cell:
        """The value of one row."""
        return facade.cell(row, self.name)


@dataclass
class Title(Column):
    """The record's own name as a link, with a grey second line of other fields."""

    sub: Any = ()

    def fields(self) -> tuple[str, ...]:
        second = self.sub.split() if isinstance(self.sub, str) else self.sub
        return (self.name, *second)

    def cell(self, row: Any, facade: Facade) -> Cell:
        second = [facade.cell(row, name).text for name in self.fields()[1:]]
        shown = facade.cell(row, self.name).text or str(row)
        url = declare.address(row)
        return Cell("title", shown[:SHORT], url=url, note=" · ".join(filter(None, second)))


@dataclass
class Owner(Column):
    """Who answers for the record now, from the holdings."""

    name: str = "owner"
    label: str = "负责人"

    def fields(self) -> tuple[str, ...]:
        return ()

    def is_numeric(self, model: type[models.Model]) -> bool:
        return False

    def load(self, rows: Sequence[Any], facade: Facade, now: datetime) -> None:
        self.found = owners(rows)
        facade.labels.ask(Person, self.found.values())

    def cell(self, row: Any, facade: Facade) -> Cell:
        return facade.labels.cell(Person, self.found.get(row.pk))


def owners(rows: Sequence[Any]) -> dict[int, int]:
    """The person who answers for each of these rows of one type."""
    if not rows:
        return {}
    return dict(_HELD(kind=rows[0].record_name(), numbers=[row.pk for row in rows]))


_HELD = ready.Ready(
    lambda: (
        Holding.objects.everything("列出的行已按范围取出")
        .filter(
            subject_type=ready.Slot("kind"),
            subject_id__any_of=ready.Slot("numbers"),
            role="OWNER",
            ends_at=None,
            removed_at=None,
        )
        .order_by()
        .values_list("subject_id", "person_id")
    )
)


@dataclass
class Due(Column):
    """The next thing to be done about the record or its children, by when, under which clause."""

    name: str = "due"
    label: str = "下一义务"
    is_wide: bool = True

    def fields(self) -> tuple[str, ...]:
        return ()

    def is_numeric(self, model: type[models.Model]) -> bool:
        return False

    def load(self, rows: Sequence[Any], facade: Facade, now: datetime) -> None:
        if all(hasattr(row, "next_duty") for row in rows):
            self.found = {row.pk: row.next_duty for row in rows}
        else:
            self.found = owed.next_duties(rows, facade.labels.actor, now)

    def cell(self, row: Any, facade: Facade) -> Cell:
        duty = self.found.get(row.pk)
        return Cell("due", duty) if duty else EMPTY


def columns(desk: Any) -> list[Column]:
    """The desk's columns as objects; the first one links to the record.

    They are made anew for each page, because they keep what they loaded for its rows.
    """
    found = [copy(one) if isinstance(one, Column) else Column(one) for one in desk.columns]
    if found and type(found[0]) is Column:
        found[0] = Title(found[0].name, found[0].label)
    return found
