"""The first shape of a new rule: the shortest that holds together, to be changed word by word.

Which kinds a record type can have follows from what it has: steps to stop, numbers to watch,
events to count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from fangyuan import door
from fangyuan.core import facts, measured, records
from fangyuan.core.records import Record
from fangyuan.desk import declare
from fangyuan.engine import kinds
from fangyuan.org.models import Person
from fangyuan.site import conditions

SAID: Final = {
    "DEADLINE": "一件事发生后，多久之内要做到另一件事",
    "CADENCE": "每周、每月等每一期至少做几次",
    "REQUIRED": "必须填哪些内容，不填不能保存，或限期补齐",
    "GATE": "走某一步之前必须满足什么，不满足就拦下",
    "APPROVAL": "走某一步要经谁同意",
    "ALERT": "某个数到了界限就提醒",
}
STEPPED: Final = ("GATE", "APPROVAL")


def record_types() -> list[tuple[str, str]]:
    """The record types that a rule may be about, by their labels."""
    types = [desk.model for desk in declare.desks() if issubclass(desk.model, Record)]
    return sorted(((m.record_name(), str(m._meta.verbose_name)) for m in types), key=lambda x: x[1])


def steps(record: str) -> list[tuple[str, str]]:
    """The steps of a record type that a rule may stop or send for approval."""
    found = [(v.name, v.label) for v in door.VERBS.values() if v.record == record]
    kept = [(name, label) for name, label in found if not name.endswith("_refused")]
    return [*kept, ("create", "新建")]


def kinds_of(record: str) -> dict[str, str]:
    """The kinds of rule that fit a record type, with what each is for."""
    model = records.row_types()[record]
    found = dict(SAID)
    if not _counted(model):
        del found["CADENCE"]
    if not _watched(model):
        del found["ALERT"]
    if not _instants(model):
        del found["DEADLINE"]
    return found


def begin(kind: str, record: str, step: str) -> dict[str, Any]:
    """A new rule of a kind about a record type; raises LookupError where it cannot be one."""
    if kind not in kinds_of(record):
        raise LookupError(f"{records.row_types()[record]._meta.verbose_name}不能有这种规则")
    if kind in STEPPED and step not in dict(steps(record)):
        raise LookupError("请选这条规则管的是哪一步")
    params = _MAKERS[kind](records.row_types()[record], step)
    return {"kind": kind, "record": record, "params": params}


def _deadline(model: Any, step: str) -> dict[str, Any]:
    first = model.begins if model.begins in _instants(model) else _instants(model)[0]
    return {"on": first, "until": "recorded_at", "within": "24h"}


def _cadence(model: Any, step: str) -> dict[str, Any]:
    event, via = _counted(model)[0]
    who = {"who": "self"} if model is Person else {}
    return {"event": event, "via": via, "per": "month", "at_least": 1, **who}


def _required(model: Any, step: str) -> dict[str, Any]:
    return {"fields": [_asked(model)], "enforce": "write"}


def _gate(model: Any, step: str) -> dict[str, Any]:
    return {"on": step, "holds": {_asked(model): {"not_empty": True}}}


def _approval(model: Any, step: str) -> dict[str, Any]:
    return {"on": step, "approvers": ["line_manager"]}


def _alert(model: Any, step: str) -> dict[str, Any]:
    name = _watched(model)[0]
    who = "self" if model is Person else "owner"
    return {"when": {name: {"at_least": 10}}, "clear_after": "7d", "who": who}


_MAKERS: Final[dict[str, Callable[[Any, str], dict[str, Any]]]] = {
    "DEADLINE": _deadline,
    "CADENCE": _cadence,
    "REQUIRED": _required,
    "GATE": _gate,
    "APPROVAL": _approval,
    "ALERT": _alert,
}


def _instants(model: Any) -> list[str]:
    return [n for n, f in conditions.askable(model).items() if f.kind == "at" and f.is_temporal]


def _asked(model: Any) -> str:
    """A field that somebody fills in: the first that may be empty."""
    desk = declare.desk_of(model.record_name()).fields()
    known = conditions.askable(model)
    plain = [n for n in desk if n in known and isinstance(known[n], facts.Plain)]
    empty = [n for n in plain if getattr(model._meta.get_field(n), "blank", False)]
    return (empty or plain or list(known))[0]


def _watched(model: Any) -> list[str]:
    return [n for n, f in facts.of(model).items() if isinstance(f, measured.Measured)]


def _counted(model: Any) -> list[tuple[str, str]]:
    """Events that count for a record type, as (event, way to it); ended ones first."""
    found = []
    for source in (desk.model for desk in declare.desks()):
        for via in _ways(source, model):
            found += [(f"{source.record_name()}.{at}", via) for at in _instants(source)]
    return sorted(found, key=lambda pair: not pair[0].endswith(".ended_at"))


def _ways(source: Any, target: Any) -> Iterator[str]:
    for column in source._meta.concrete_fields:
        if column.is_relation and column.related_model is target and source is not target:
            yield column.name


def faults(rule: dict[str, Any]) -> list[str]:
    """What is wrong with a rule as it begins; nothing, or it is not offered."""
    try:
        return kinds.read(rule["kind"], rule["record"], rule["params"]).faults()
    except kinds.BadRule as wrong:
        return [str(wrong)]
