"""The closed catalogue of rule kinds: one class each, found by the kind's name."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

from fangyuan.engine.kinds.alert import Alert as Alert
from fangyuan.engine.kinds.approval import Approval
from fangyuan.engine.kinds.base import Kind
from fangyuan.engine.kinds.cadence import Cadence as Cadence
from fangyuan.engine.kinds.deadline import Deadline as Deadline
from fangyuan.engine.kinds.gate import Gate
from fangyuan.engine.kinds.required import Required as Required

KINDS: Final[dict[str, type[Kind]]] = {
    "deadline": Deadline,
    "cadence": Cadence,
    "required": Required,
    "gate": Gate,
    "approval": Approval,
    "alert": Alert,
}


class BadRule(ValueError):
    """Parameters that do not make a rule; the message says which and why."""


def read(kind: str, record: str, params: dict[str, Any]) -> Kind:
    """The rule of a kind on a record type from its stored parameters; raises BadRule."""
    if kind.lower() not in KINDS:
        raise BadRule(f"没有“{kind}”这种规则")
    try:
        return KINDS[kind.lower()](record=record, **params)
    except ValidationError as wrong:
        said = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in wrong.errors()
        )
        raise BadRule(said) from wrong
