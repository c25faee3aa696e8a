"""Entering and changing a record: sections, marks of what the rulebook demands, conflicts.

A form only reads what was typed; the door decides. What the door refuses comes back beside the
fields with its clause, and whatever was typed is still there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BooleanField, Case, DateTimeField, ForeignKey, Value, When

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.core import facts, fields, records, text, words
from fangyuan.core.models import Event
from fangyuan.desk import columns, declare, inputs
from fangyuan.engine import approval, gates
from fangyuan.org.models import Holding, Person

CHILD = "child__"  # prefix of the fields of a record entered together with another
EMPTY: tuple[Any, ...] = (None, "", [])
SUGGEST_AFTER = "input changed delay:250ms, focus once"


@dataclass
class Part:
    """A section of a form with its bound fields."""

    title: str
    fields: list[Any]
    is_more: bool


@dataclass
class Gap:
    """One unmet condition as a form shows it."""

    sentence: str
    anchor: str
    link: str
    clauses: list[str]


class PlainForm(forms.Form):
    """A form that can say what the door refused."""

    unmet: list[gates.Unmet] = []
    offers: list[dict[str, Any]] = []  # how the gates that refused may be passed on credit
    problem: str = ""
    is_mistyped = False

    @property
    def gaps(self) -> list[Gap]:
        """What is unmet, once for each field with every clause that asks for it, and mistypings."""
        found: dict[tuple[str, str], Gap] = {}
        for one in self.unmet:
            plain = one.sentence.removesuffix(f"（{one.clause}）")
            anchor = f"#f-{one.field}" if one.field in self.fields else ""
            gap = found.setdefault((one.field, plain), Gap(plain, anchor, one.link, []))
            gap.clauses.extend([one.clause] if one.clause else [])
        told = {name for one in self.unmet for name in (one.field, CHILD + one.field)}
        mistyped = [name for name in self.errors if name in self.fields and name not in told]
        return [*found.values(), *map(self._mistyped, mistyped)]

    def _mistyped(self, name: str) -> Gap:
        said, label = str(self.errors[name][0]), str(self.fields[name].label)
        return Gap(said if label in said else f"{label}：{said}", f"#f-{name}", "", [])

    def stored_as(self, name: str) -> str:
        """The name under which the door knows this field's value."""
        field: Any = self.fields[name]
        return str(field.stored_as)


class DeskForm(PlainForm):
    """A form over fields of one record type; built by `build`."""

    stale = False
    conflict: list[dict[str, Any]] = []
    sections: tuple[declare.Section, ...] = ()
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def parts(self) -> list[Part]:
        """The sections with their fields, empty ones left out."""
        found = []
        for section in self.sections:
            prefix = CHILD if section.of else ""
            bound = [self[prefix + n] for n in section.fields if prefix + n in self.fields]
            if bound:
                is_wanted = any(field.errors or _demand(field) for field in bound)
                found.append(Part(section.title, bound, section.is_more and not is_wanted))
        return found

    def values(self, *, is_child: bool = False, only_changed: bool = False) -> dict[str, Any]:
        """What was entered, under the names that the door knows; of a new record without what was
        left empty, so that it begins with the type's defaults. What a child begins with alone is
        no child."""
        if is_child and not any(name.startswith(CHILD) for name in self.changed_data):
            return {}
        found = {}
        for name, value in self.cleaned_data.items():
            if name == "revision" or name.startswith(CHILD) != is_child:
                continue
            if only_changed and name not in self.changed_data:
                continue
            may_be_left = getattr(self.fields[name], "keeps_when_empty", not only_changed)
            if may_be_left and value in EMPTY:
                continue
            found[self.stored_as(name)] = value
        return found

    def refuse(self, refused: door.Refused) -> None:
        """Put what the door refused beside the fields it is about, with what the rulebook demands
        of the others: the door may have refused before it came to that."""
        wrong = set(self.errors)
        self.unmet = [one for one in refused.unmet if not {one.field, CHILD + one.field} & wrong]
        self.unmet += self._lacking({one.field for one in self.unmet} | wrong)
        for one in self.unmet:
            name = one.field if one.field in self.fields else CHILD + one.field
            if name in self.fields and name not in self.errors:
                self.add_error(name, one.sentence)
        if not self.errors:
            self.add_error(None, str(refused))

    def _lacking(self, told: set[str]) -> list[gates.Unmet]:
        return [
            field.demanded
            for name, field in self.fields.items()
            if getattr(field, "demanded", None)
            and name not in told
            and self.cleaned_data.get(name) in EMPTY
            and not getattr(field, "keeps_when_empty", False)
        ]

    def rehearse(self, write: Callable[[], Any]) -> None:
        """Say beside the mistypings what the door would refuse as well; nothing is kept."""
        self.is_mistyped = True
        try:
            with transaction.atomic():
                write()
                transaction.set_rollback(True)
        except door.Refused as refused:
            self.refuse(refused)
        except (door.Denied, door.Stale):
            return  # said once the rest can be read

    def say(self, sentence: str) -> None:
        """Put one sentence on top of the form."""
        self.add_error(None, sentence)


def _demand(bound: Any) -> gates.Unmet | None:
    return getattr(bound.field, "demanded", None)


def build(
    desk: declare.Desk,
    actor: Any,
    now: datetime,
    *,
    record: Any = None,
    given: Mapping[str, str] | None = None,
) -> type[DeskForm]:
    """The form class for a new record or this one; `given` are values from the address."""
    sections = [s for s in desk.form if record is None or not s.of]
    hidden = scopes.veil(actor, [record])[record.pk] if record else frozenset()
    demanded = _demanded(desk.model, record, now)
    made: dict[str, Any] = {}
    for section in sections:
        model = _child(desk, section) if section.of else desk.model
        for name in section.fields:
            if name in hidden and not section.of:
                continue
            field = _field(model, name, actor, record, CHILD if section.of else "")
            if field is not None:
                made[(CHILD if section.of else "") + name] = field
                field.demanded = None if section.of else demanded.get(name)
                _begin(field, columns.field_of(model, name), record, given or {}, actor, now)
    form = type("Form", (DeskForm,), made)
    form.sections = tuple(sections)  # set afterwards: a field may be called that too
    if record is None:
        form.base_fields = _Fresh(form.base_fields)
    return form


class _Fresh(dict[str, Any]):
    """Fields made for one form: it takes them as they are, for copying takes longer than making."""

    is_taken = False

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        if self.is_taken:
            return {name: copy.deepcopy(field, memo) for name, field in self.items()}
        self.is_taken = True
        return self


def _child(desk: declare.Desk, section: declare.Section) -> Any:
    return desk.model._meta.get_field(section.of).related_model


def _field(model: Any, name: str, actor: Any, record: Any, prefix: str) -> Any:
    found = columns.field_of(model, name)
    if name in getattr(model, "governed", {}):
        return None
    # A child may be left out whole; once begun, the door says what it lacks.
    is_needed = not prefix and not (
        getattr(found, "null", False)
        or getattr(found, "blank", False)
        or (hasattr(found, "has_default") and found.has_default())
    )
    field = inputs.input_for(found, actor, is_required=is_needed)
    if field is None:
        return None
    field.stored_as = getattr(found, "attname", name)
    field.show_hidden_initial = record is not None
    field.is_wide = isinstance(field.widget, (forms.Textarea, forms.CheckboxSelectMultiple))
    _dress(field, prefix + name)
    if record is not None and name in table.masked(model.record_name()) and getattr(record, name):
        field.widget.attrs["placeholder"] = f"{columns.mask(getattr(record, name))}，不改就留空"
        field.required, field.keeps_when_empty, field.show_hidden_initial = False, True, False
    return field


def _dress(field: Any, name: str) -> None:
    is_tick = isinstance(field.widget, (forms.CheckboxInput, forms.CheckboxSelectMultiple))
    field.widget.attrs["class"] = "ck" if is_tick else "inp"
    if url := field.widget.attrs.pop("data-suggest", ""):
        field.suggests = f"s-{name}"
        field.widget.attrs |= {
            "list": field.suggests,
            "hx-get": url,
            "hx-trigger": SUGGEST_AFTER,
            "hx-target": f"#{field.suggests}",
            "hx-swap": "innerHTML",
        }


def _begin(
    field: Any, found: Any, record: Any, given: Mapping[str, str], actor: Any, now: datetime
) -> None:
    name = found.name
    if record is not None:
        if not getattr(field, "keeps_when_empty", False):
            field.initial = columns.value_of(record, found)
    elif name in given:
        value: Any = given[name]
        if isinstance(field, inputs.Pointer) and ":" in value:
            kind, _, number = value.partition(":")
            value = (kind, int(number)) if number.isdecimal() else None
        elif isinstance(field, inputs.Reference) and value.isdecimal():
            value = int(value)
        field.initial = value
    elif hasattr(found, "get_default"):
        field.initial = found.get_default() or None
        if field.required and field.initial is None:
            field.initial = _usual(found, actor, now)


def _usual(found: Any, actor: Any, now: datetime) -> Any:
    """What a demanded field of a new record mostly holds: this moment, this person."""
    if isinstance(found, DateTimeField):
        return now
    if getattr(found, "related_model", None) is Person:
        return actor.pk
    return None


def _demanded(model: Any, record: Any, now: datetime) -> dict[str, gates.Unmet]:
    """Fields that the rulebook wants filled on this record as it stands, in its words."""
    plain = [
        demand
        for demand in gates.demands(model, at=now)
        if not demand.step and demand.condition.get(demand.field) == {"not_empty": True}
    ]
    if record is None:
        return {d.field: _said(model, d) for d in plain if not d.where}
    named = {f"d{number}": demand for number, demand in enumerate(plain)}
    if not named:
        return {}
    wanted = {name for demand in plain for name in words.names(demand.where)}
    rows = facts.annotate(model._base_manager.filter(pk=record.pk), wanted)
    asked = {name: _applies(model, demand.where) for name, demand in named.items()}
    row = rows.annotate(**asked).values(*asked).first() or {}
    return {d.field: _said(model, d) for name, d in named.items() if row.get(name)}


def _said(model: Any, demand: gates.Demand) -> gates.Unmet:
    return gates.Unmet(gates.sentence(model, demand), demand.field, demand.clause)


def _applies(model: Any, where: Mapping[str, Any]) -> Any:
    if not where:
        return Value(True, output_field=BooleanField())
    holds = When(words.where(model, where), then=Value(True))
    return Case(holds, default=Value(False), output_field=BooleanField())


def save_new(desk: declare.Desk, form: DeskForm, actor: Any) -> Any:
    """Write the new record, its child and who answers for it, as one deed."""
    with door.acting(by=actor, action="create", gathers=True) as deed:
        values = form.values()
        make = desk.create or (lambda deed, values: deed.create(desk.model, values))
        record = make(deed, values)
        _save_child(desk, form, deed, record)
        if getattr(desk.model, "reach", {}).get("held") and desk.create is None:
            _answer_for(record, actor, deed)
    return record


def _save_child(desk: declare.Desk, form: DeskForm, deed: Any, record: Any) -> None:
    section = next((one for one in desk.form if one.of), None)
    if section is None:
        return
    entered = form.values(is_child=True)
    if not any(entered.values()):
        return
    relation = desk.model._meta.get_field(section.of)
    child = {**entered, **section.fixed, relation.field.name: record}
    deed.create(relation.related_model, child)


def _answer_for(record: Any, actor: Any, deed: Any) -> None:
    """Whoever enters a customer or lead answers for it until it is handed on."""
    with door.acting(by=None, action="assign") as system:
        held = {"subject": record, "person": actor, "role": "OWNER", "starts_at": deed.at}
        system.create(Holding, held)


def conflicts(form: DeskForm, desk: declare.Desk, actor: Any, current: Any) -> list[dict[str, Any]]:
    """Fields that both this form and somebody else changed: both values, and whose the other is."""
    who = _last_writer(current)
    found = []
    facade = columns.Facade([current], actor, scopes.veil(actor, [current]))
    names = [name for name in form.changed_data if name != "revision"]
    facade.ask([current], names)
    facade.labels.load()
    for name in names:
        value = columns.value_of(current, columns.field_of(desk.model, name))
        if _same(form, name, value):
            continue
        theirs = facade.cell(current, name)
        mine = form[name].value()
        found.append({"label": form[name].label, "mine": mine, "theirs": theirs, "who": who})
    return found


def _same(form: DeskForm, name: str, value: Any) -> bool:
    return not form.fields[name].has_changed(value, form[name].data)


def _last_writer(record: Any) -> str:
    event = (
        Event.objects.everything("这条记录在范围内")
        .filter(record=record.record_name(), record_id=record.pk)
        .order_by("-id")
        .first()
    )
    person = event and Person._base_manager.filter(pk=event.actor).first()
    return person.name if person else "系统"


def reopened(form: DeskForm, made: type[DeskForm], current: Any) -> dict[str, Any]:
    """The data of a form opened again on the record as it is now, with one's own changes."""
    fresh = made()
    data: dict[str, Any] = {"revision": current.revision}
    for name, field in fresh.fields.items():
        if name == "revision":
            continue
        shown = field.prepare_value(field.initial)
        mine = form[name].data if name in form.changed_data else None
        data[name] = mine if name in form.changed_data else _formatted(field, shown)
        data[f"initial-{name}"] = _formatted(field, shown)
    return data


def _formatted(field: forms.Field, value: Any) -> Any:
    if isinstance(value, list):
        return value
    shown = field.widget.format_value(value)
    is_one = isinstance(shown, list) and not getattr(field.widget, "allow_multiple_selected", False)
    return shown[0] if is_one else shown


def verb_form(verb: door.Verb, record: Any, actor: Any) -> type[PlainForm]:
    """The form that asks for what a verb needs."""
    made: dict[str, Any] = {}
    for name in verb.asks:
        field = _asked(verb, record, name, actor)
        field.widget.attrs.setdefault("class", "inp")
        _dress(field, name)
        if columns.field_of(type(record), name) is not None:
            field.initial = columns.value_of(record, columns.field_of(type(record), name))
        made[name] = field
    if approval.lets_choose(verb.full_name):
        made["approvers"] = inputs.Reference(Person, actor, label="由谁审批", required=False)
        made["approvers"].widget.attrs["class"] = "inp"
    return type("VerbForm", (PlainForm,), made)


def _asked_field(verb: door.Verb, record: Any, name: str) -> Any:
    """The field that an ask is of: the record's own, or another type's that it is like."""
    like = verb.like.get(name)
    if isinstance(like, str) and like.startswith("term:"):
        return fields.TermField("原因", domain=like.removeprefix("term:"))
    if isinstance(like, str):
        kind, _, other = like.partition(".")
        return columns.field_of(records.row_types()[kind], other)
    return columns.field_of(type(record), name)


def _asked(verb: door.Verb, record: Any, name: str, actor: Any) -> Any:
    if isinstance(answers := verb.like.get(name), Mapping):
        return forms.ChoiceField(label="结果", choices=list(answers.items()))
    found = _asked_field(verb, record, name)
    field = inputs.input_for(found, actor, is_required=False) if found is not None else None
    if field is not None and name == record.stage_field and record.moves:
        reachable = record.moves.get(getattr(record, name), ())
        field.choices = [pair for pair in found.flatchoices if pair[0] in reachable]
    if field is not None:
        return field
    if name in ("person", "owner"):
        return inputs.Reference(Person, actor, label="同事")
    if name == "role":
        return forms.ChoiceField(label="角色", choices=Holding.Role.choices)
    if name in ("at", "since") or name.endswith("_at"):
        return inputs.Moment(label="时间", required=False)
    labels = {"reason": "理由", "comment": "意见", "result": "结果"}
    area = forms.Textarea({"rows": 3})
    return forms.CharField(label=labels.get(name, "说明"), widget=area, required=False)


def payload(verb: door.Verb, form: forms.Form, record: Any) -> dict[str, Any]:
    """What was entered as the verb takes it: references become records."""
    found: dict[str, Any] = {}
    for name, value in form.cleaned_data.items():
        field, column = form.fields[name], _asked_field(verb, record, name)
        target = getattr(field, "model", None) or getattr(column, "related_model", None)
        if isinstance(target, type) and value is not None:
            by = column.target_field.attname if isinstance(column, ForeignKey) else "pk"
            value = target._base_manager.get(**{by: value})
        found[name] = value
    return found


def single(desk: declare.Desk, name: str, record: Any, actor: Any) -> type[PlainForm]:
    """The form of one field, for a cell of a list and for setting it on many rows."""
    model_field = columns.field_of(desk.model, name)
    field = _field(desk.model, name, actor, record, "")
    if field is None:
        raise ValidationError("这个字段不能直接改")
    field.show_hidden_initial = False
    if record is not None:
        field.initial = columns.value_of(record, model_field)
    return type("CellForm", (PlainForm,), {name: field, "revision": _revision()})


def _revision() -> forms.IntegerField:
    return forms.IntegerField(widget=forms.HiddenInput, required=False)


def verbs(desk: declare.Desk, actor: Any, record: Any) -> Iterable[door.Verb]:
    """The verbs of the desk that the actor may use on a record as it stands."""
    for name in desk.actions:
        verb = door.VERBS.get(f"{desk.name}.{name}")
        if verb is not None and verb.fits(record) and table.may_act(actor, verb.full_name):
            yield verb


def doubles(model: Any, name: str) -> list[Any]:
    """Records of this type whose name says the same, wherever they are."""
    if not text.normalise(name):
        return []
    rows = model.objects.everything("查重要看全部").present()
    core = text.core_name(name)
    found = rows.filter(grams__contains=text.query_grams(core)).order_by("-id")[:20]
    return [row for row in found if text.core_name(row.name) == core or core in row.name_key][:5]
