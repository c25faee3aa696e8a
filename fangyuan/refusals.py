"""How the door answers where it does not write: denied, stale, refused, or waiting for a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fangyuan.core import records
from fangyuan.engine.gates import Unmet


class Denied(Exception):
    """The actor may not do this; the message says what and who may."""


class Stale(Exception):
    """Somebody changed the record since the form was opened; carries the record as it is now."""

    def __init__(self, record: records.Record) -> None:
        super().__init__("刚被别人改过，请核对后再存")
        self.record = record


class Refused(Exception):
    """The write breaks rules; carries every unmet condition in words."""

    def __init__(self, unmet: list[Unmet]) -> None:
        super().__init__("；".join(one.sentence for one in unmet))
        self.unmet = unmet


class Asked(Denied):
    """A record is to be created only with approval; the request was filed instead."""

    def __init__(self, request: Any, label: str) -> None:
        super().__init__(f"{label}要先审批（{request.clause}），已替你提交申请，同意后自动建好")
        self.request = request


class Pending(Exception):
    """A creation that wants approval: carries what to ask, once nothing of it is left."""

    def __init__(self, wanted: Any, values: dict[str, Any], fresh: Any) -> None:
        super().__init__(wanted.action)
        self.wanted, self.values, self.fresh = wanted, values, fresh


@dataclass(frozen=True)
class Waiting:
    """The action waits for approval."""

    request: Any
