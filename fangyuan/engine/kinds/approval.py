"""审批: an action waits until the chain that its facts select has agreed."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fangyuan.engine.kinds import base


class Approval(base.Kind):
    """Whose word an action needs, and in which order."""

    label: ClassVar[str] = "审批"

    kind: Literal["approval"] = "approval"
    on: str
    approvers: list[str] = Field(min_length=1, max_length=9)
    mode: Literal["in_order", "all"] = "in_order"

    def sentence(self) -> str:
        names = [base.who_label(self.model, one) for one in self.approvers]
        joined = "依次经" if self.mode == "in_order" else "同时经"
        return f"{self.scope_words()}的这一步须{joined}{'、'.join(names)}同意"
