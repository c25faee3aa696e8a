"""审批: an action waits until the chain that its facts select has agreed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fangyuan.core import spans, words
from fangyuan.engine.kinds import base
from fangyuan.org.models import Person, Team

FIXED = {
    "line_manager": "直接上级",
    "direct_superior": "直接上级",
    "department_head": "部门负责人",
    "chosen": "申请人选定的人",
}
KNOWN = (*FIXED, "superiors", "person")
MODES = {"any": "任一人", "all": "全体", "in_order": "依次每一人"}


class Step(BaseModel):
    """One party of a chain: who is asked, on what condition, how many of them, until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # A position, department, field that names a person, one of FIXED, `superiors` or `person`.
    who: str
    levels: int = Field(1, ge=1, le=10)
    login: str = ""
    mode: Literal["any", "all", "in_order"] = "any"
    where: base.Condition = {}
    asker: base.Condition = {}
    otherwise: bool = False
    within: str | None = None
    overdue: Literal["remind", "escalate"] = "remind"

    @model_validator(mode="after")
    def _fits(self) -> Step:
        if (self.who == "person") != bool(self.login):
            raise ValueError("指定人员写成 {who: person, login: 登录名}")
        if self.levels > 1 and self.who != "superiors":
            raise ValueError("levels 只用于 who: superiors(连续几级上级)")
        if self.otherwise and (self.where or self.asker):
            raise ValueError("otherwise 是其余情形，不能再写条件")
        if self.overdue == "escalate" and self.within is None:
            raise ValueError("overdue: escalate 要写 within(多久内审完)")
        if self.within is not None:
            spans.parse(self.within)
        return self

    @property
    def is_conditional(self) -> bool:
        """Whether the step is asked only on some condition."""
        return bool(self.where or self.asker)

    def sentence(self, model: Any) -> str:
        """The step in Chinese, with its condition and limit."""
        told = self._condition(model) + self.name(model)
        if self.mode != "any":
            told += f"（{MODES[self.mode]}）"
        if self.within:
            over = "，逾期转上一级" if self.overdue == "escalate" else ""
            told += f"（{spans.parse(self.within).label}内审完{over}）"
        return told

    def name(self, model: Any) -> str:
        """Who is asked, in Chinese."""
        if self.who == "superiors":
            return f"连续 {self.levels} 级上级" if self.levels > 1 else "直接上级"
        if self.who == "person":
            found = Person.objects.everything("审批人姓名").filter(login=self.login).first()
            return found.name if found else self.login
        return FIXED.get(self.who) or _label(model, self.who)

    def _condition(self, model: Any) -> str:
        if self.otherwise:
            return "其余情形由"
        said = [words.sentence(model, self.where)] if self.where else []
        said += ["申请人" + words.sentence(Person, self.asker)] if self.asker else []
        return f"{'且'.join(said)}时由" if said else ""


def _label(model: Any, who: str) -> str:
    said = base.who_label(model, who)
    if said != who:
        return said
    team = Team.objects.everything("部门名称").filter(code=who).first()
    return team.name if team else who


def _step(raw: Any) -> Any:
    return {"who": raw} if isinstance(raw, str) else raw


class Approval(base.Kind):
    """Whose word an action needs, and in which order."""

    label: ClassVar[str] = "审批"

    kind: Literal["approval"] = "approval"
    on: str
    approvers: list[Annotated[Step, BeforeValidator(_step)]] = Field(min_length=1, max_length=9)
    # One after the other; all of them side by side; whoever of them comes first.
    mode: Literal["in_order", "all", "any"] = "in_order"
    # Somebody who agreed in an earlier step is not asked again, or in every step.
    repeat: Literal["once", "each"] = "once"
    # Where nobody is to be asked: the next superior of the applicant, or the administrator.
    fallback: Literal["superior", "admin"] = "superior"
    copies: list[str] = []
    # An approver who takes the step on what somebody else entered has thereby agreed.
    own_act: Literal["asks", "agrees"] = "asks"
    # The applicant may take it back until the end, or only before anybody has spoken.
    withdraw: Literal["until_end", "before_first"] = "until_end"

    def parts(self) -> base.Parts:
        yield self.scope_slot()
        yield f"的{base.step_label(self.record, self.on)}须"
        joined = {"in_order": "依次经", "all": "同时经", "any": "经任一方"}[self.mode]
        told = "、".join(step.sentence(self.model) for step in self.approvers)
        yield base.Slot("approvers", joined + told)
        yield "同意"
        if self.copies:
            copied = [FIXED.get(one) or _label(self.model, one) for one in self.copies]
            yield "，抄送"
            yield base.Slot("copies", "、".join(copied))
        if self.withdraw == "before_first":
            yield "，"
            yield base.Slot("withdraw", "有人表态后不能撤回")

    def duties(self, clause: str) -> list[dict[str, Any]]:
        """The duty to answer in time that the steps' limits give: a deadline on each seat."""
        if not any(step.within for step in self.approvers):
            return []
        at = {"on": "asked_at", "until": "answered_at", "by": "due_at", "who": "person"}
        return [{**at, "where": {"clause": clause}}]

    def _faults(self) -> Iterator[str]:
        for step in self.approvers:
            yield from words.faults(self.model, step.where)
            yield from words.faults(Person, step.asker)
