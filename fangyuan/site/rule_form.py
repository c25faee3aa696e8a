"""The editor of rules, made from the kinds' own schemas: one small control for each parameter.

A control is built from the parameter's type and name; what it sends is read back the same way.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from fangyuan import door
from fangyuan.core import facts, records, spans
from fangyuan.engine import kinds
from fangyuan.engine.kinds import base
from fangyuan.engine.packs import phrases
from fangyuan.site import chains, conditions, rule_people

HIDDEN = ("record", "kind")
LABELS = {
    "on": "从何时起算",
    "since": "从何时起算",
    "until": "做到什么",
    "within": "多久之内",
    "by": "最迟到哪个时刻",
    "where": "管哪些对象",
    "who": "谁负责",
    "on_leave": "负责人请假时",
    "event": "数哪个时刻",
    "via": "怎样归到对象",
    "per": "周期",
    "at_least": "每期至少几次",
    "when": "哪些才算",
    "counts_by": "归在哪一期",
    "due": "何时到期",
    "days": "休息日",
    "first_period": "中途纳入时",
    "fields": "须填哪几项",
    "holds": "须满足什么",
    "enforce": "没做到时",
    "approvers": "由谁同意",
    "mode": "次序",
    "clear_after": "安静多久才解除",
    "repeat": "同一人出现几次",
    "fallback": "没有人可批时",
    "own_act": "审批人自己经手时",
    "withdraw": "申请人能撤回到何时",
    "copies": "抄送给谁",
    "remind_before": "到期前多久提醒",
    "remind_again": "逾期几个工作日再提醒",
    "remind_manager": "逾期几个工作日报上级",
    "remind_director": "逾期几个工作日再往上报",
}
OPTIONS = {
    "on_leave": {"delegate": "由代理人承接", "extend": "顺延请假的工作日", "none": "照旧"},
    "counts_by": {"occurred": "发生时所在的一期", "period": "所说的那一期"},
    "days": {"working": "休息日不算", "calendar": "天天都算"},
    "first_period": {
        "next": "从下一整期起",
        "immediately": "当期就算",
        "prorated": "当期按比例算",
    },
    "enforce": {"write": "不能保存", "duty": "限期补齐"},
    "mode": {"in_order": "依次", "all": "同时"},
    "repeat": {"once": "只问一次", "each": "每次都问"},
    "own_act": {"asks": "照样送审", "agrees": "就算同意"},
    "withdraw": {"until_end": "审完之前都能撤回", "before_first": "有人表态后就不能撤回"},
    "fallback": {"superior": "由直接上级批", "admin": "由系统管理员批"},
}
UNITS = {"min": "分钟", "h": "小时", "d": "日", "wd": "个工作日"}
DUE = {"": "期末", "end": "期末之后", "start": "期初之后", "before": "期初前最后一个工作日"}


@dataclass
class Control:
    """One parameter as the page shows it."""

    name: str
    label: str
    shape: str
    value: Any = None
    options: list[tuple[str, str]] = field(default_factory=list)
    rows: list[conditions.Row] = field(default_factory=list)
    steps: list[chains.Step] = field(default_factory=list)
    is_optional: bool = False


def names(kind: str) -> list[str]:
    """The parameters of a kind that can be changed, in the order of its schema."""
    fields = kinds.KINDS[kind.lower()].model_fields
    return [name for name in fields if name not in HIDDEN]


def faults(kind: str, record: str, params: dict[str, Any]) -> list[str]:
    """What is wrong with a rule as it would become, in Chinese."""
    cls = kinds.KINDS[kind.lower()]
    try:
        return cls(record=record, **params).faults()
    except ValidationError as wrong:
        found = []
        for error in wrong.errors(include_url=False):
            said = phrases.phrase(dict(error), cls).replace("(", "（").replace(")", "）")
            for name in cls.model_fields:
                said = re.sub(
                    rf"(?:“)?\b{name}\b(?:”)?(?:（[^）]*）)*", f"“{LABELS.get(name, name)}”", said
                )
            found.append(said.replace(",", "，"))
        return found
    except (spans.SpanError, LookupError) as wrong:
        return [str(wrong)]


def control(kind: str, record: str, name: str, params: dict[str, Any]) -> Control:
    """The control of one parameter with its value."""
    value = params.get(name)
    made = Control(name, LABELS.get(name, name), shape(kind, name), value)
    model = records.row_types()[record]
    info = kinds.KINDS[kind.lower()].model_fields[name]
    made.is_optional = not info.is_required()
    if value is None and made.is_optional and info.default is not None:
        made.value = getattr(info.default, "value", info.default)
    makers: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "choice": lambda: _choices(info.annotation, name),
        "moment": lambda: _moments(model),
        "event": lambda: _events(str(value or record)),
        "via": lambda: _ways(params, record),
        "who": lambda: rule_people.options(model),
        "roles": rule_people.roles,
        "facts": lambda: [(n, fact.label) for n, fact in conditions.askable(model).items()],
    }
    made.options = makers[made.shape]() if made.shape in makers else []
    if isinstance(value, str) and made.options and value not in dict(made.options):
        made.options.insert(0, (value, "保持现在的"))
    if made.shape == "chain":
        made.steps = chains.steps(model, value or [])
        made.options = chains.options(model)
    if made.shape == "condition":
        made.rows = conditions.rows(about(name, record, params), value or {})
    elif made.shape in ("span", "due"):
        made.value = _span_value(made.shape, value)
    return made


def about(name: str, record: str, params: dict[str, Any]) -> Any:
    """The record type that a condition is about: for `when` of a cadence, that of the events."""
    event = str(params.get("event", "")) if name == "when" else ""
    return records.row_types()[event.split(".")[0] if event else record]


_BY_NAME = {
    "within": "span",
    "clear_after": "span",
    "remind_before": "span",
    "due": "due",
    "who": "who",
    "on": "moment",
    "until": "moment",
    "by": "moment",
    "since": "moment",
    "event": "event",
    "via": "via",
    "fields": "facts",
    "approvers": "chain",
    "copies": "roles",
}


def shape(kind: str, name: str) -> str:
    """Which control fits a parameter, by its type and its name."""
    annotation = kinds.KINDS[kind.lower()].model_fields[name].annotation
    if get_origin(annotation) is dict:
        return "condition"
    if get_origin(annotation) is Literal or _is_period(annotation):
        return "choice"
    if annotation is int:
        return "number"
    if kind.lower() in ("gate", "approval") and name == "on":
        return "fixed"
    return _BY_NAME.get(name, "text")


def _is_period(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, spans.PeriodKind)


def _choices(annotation: Any, name: str) -> list[tuple[str, str]]:
    if _is_period(annotation):
        return [(one.value, f"每{one.label}") for one in spans.PeriodKind]
    return [(one, OPTIONS.get(name, {}).get(one, one)) for one in get_args(annotation)]


def _moments(model: Any) -> list[tuple[str, str]]:
    own = [(n, f.label) for n, f in facts.of(model).items() if f.kind in ("at", "date")]
    record = model.record_name()
    return own + [(name, base.moment_label(model, name)) for name in facts.streams(record)]


def _events(value: str) -> list[tuple[str, str]]:
    model = records.row_types()[value.split(".")[0]]
    noun, name = model._meta.verbose_name, model.record_name()
    return [
        (f"{name}.{fact}", f"{noun}{f.label}")
        for fact, f in facts.of(model).items()
        if f.kind in ("at", "date")
    ]


def _ways(params: dict[str, Any], record: str) -> list[tuple[str, str]]:
    """The ways from the events counted to the records in scope."""
    source = records.row_types()[str(params.get("event", record)).split(".")[0]]
    target = records.row_types()[record]
    found = [
        (f.name, str(f.verbose_name))
        for f in source._meta.concrete_fields
        if f.is_relation and f.related_model is target
    ]
    found += [(n, str(p.verbose_name)) for n, p in getattr(source, "any_fields", {}).items()]
    value = str(params.get("via", ""))
    return found if any(name == value for name, _ in found) else [(value, value), *found]


def _span_value(shape: str, value: Any) -> dict[str, Any]:
    if shape == "due":
        rule = spans.parse_due(value) if value else None
        if rule is None:
            return {"anchor": "", "amount": "", "unit": "wd"}
        span = rule.span
        unit = span.unit.value if span else "wd"
        return {"anchor": rule.anchor.value, "amount": span.amount if span else "", "unit": unit}
    try:
        span = spans.parse(str(value)) if value else None
    except spans.SpanError:
        span = None
    return {
        "amount": span.amount if span else "",
        "unit": span.unit.value if span else "h",
    }


# --- reading back


def read(kind: str, record: str, name: str, params: dict[str, Any], sent: Any) -> dict[str, Any]:
    """The parameters after what a form sent for one of them; nothing is judged here."""
    value = _read(shape(kind, name), record, name, params, sent)
    if value in (None, "", [], {}):
        return {key: one for key, one in params.items() if key != name}
    return {**params, name: value}


def _read(shape: str, record: str, name: str, params: dict[str, Any], sent: Any) -> Any:
    before = params.get(name)
    readers: dict[str, Callable[[], Any]] = {
        "condition": lambda: conditions.read(about(name, record, params), before or {}, sent),
        "chain": lambda: chains.read(records.row_types()[record], before or [], sent),
        "facts": lambda: [one for one in sent.getlist("value") if one],
        "roles": lambda: [one for one in sent.getlist("value") if one],
    }
    if shape in readers:
        return readers[shape]()
    text = str(sent.get("value", "")).strip()
    if shape == "number":
        return int(text) if text.lstrip("-").isdigit() else text
    if shape == "span":
        return f"{text}{sent.get('unit', 'h')}" if text else ""
    return _read_due(text, sent) if shape == "due" else text


def _read_due(text: str, sent: Any) -> str:
    anchor = sent.get("anchor", "")
    if anchor == "before":
        return "last_working_day before"
    if not anchor or not text:
        return ""
    return f"{'start+' if anchor == 'start' else ''}{text}{sent.get('unit', 'wd')}"


def changed(before: dict[str, Any] | None, after: dict[str, Any]) -> set[str]:
    """The parameters in which two versions of a rule differ."""
    old = before or {}
    return {name for name in {*old, *after} if old.get(name) != after.get(name)}


def said(kind: str, record: str, params: dict[str, Any]) -> dict[str, str]:
    """What each slot of a rule's sentence says."""
    try:
        parts = kinds.read(kind, record, params).parts()
    except kinds.BadRule:
        return {}
    return {part.name: part.text for part in parts if isinstance(part, base.Slot)}


def sentence(kind: str, record: str, params: dict[str, Any]) -> str:
    """A rule in one sentence; empty where its parameters do not hold together."""
    try:
        return kinds.read(kind, record, params).sentence()
    except kinds.BadRule:
        return ""


def step_label(record: str, step: str) -> str:
    """The step that a gate or an approval is about, in words."""
    verb = door.VERBS.get(f"{record}.{step}")
    return verb.label if verb else {"create": "新建"}.get(step, step)


def parts(kind: str, record: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A rule's sentence as (parameter or nothing, text)."""
    for part in kinds.read(kind, record, params).parts():
        yield (part.name, part.text) if isinstance(part, base.Slot) else ("", part)
