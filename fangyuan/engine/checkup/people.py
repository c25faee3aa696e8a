"""Whether somebody is there to agree and to answer: approvers and named owners that are nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection

from fangyuan.engine import compile as compiler
from fangyuan.engine.checkup.flaws import BAD, DRAFT, NOTE, PEOPLE, POSTS, TEAMS, WARN, Flaw
from fangyuan.engine.checkup.sheets import Line, Sheet
from fangyuan.engine.kinds import base
from fangyuan.engine.kinds.approval import Approval, Step

_SUPERIORS: Final = ("line_manager", "direct_superior", "superiors")
_EVERYWHERE: Final = ("chosen", "department_head")


@dataclass(frozen=True)
class Staff:
    """Who is there: posts that somebody holds, teams with a leader or members, people who can sign
    in, how many of all have no superior, how many administrators there are."""

    posts: frozenset[str]
    teams: frozenset[str]
    logins: frozenset[str]
    people: int
    alone: int
    administrators: int


def staff() -> Staff:
    """Who is there now; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(compiler.template("staff").template)
        posts, teams, logins, people, alone, administrators = cursor.fetchone()
    posts, teams, logins = (frozenset(one or ()) for one in (posts, teams, logins))
    return Staff(posts, teams, logins, people, alone, administrators)


def every(sheets: Iterable[Sheet]) -> Iterator[Flaw]:
    """Approvals whose approver is nobody, and duties whose named owner is."""
    there = staff()
    for sheet in sheets:
        for rule in sheet.rules:
            if rule.kind == "APPROVAL" and isinstance(rule.read, Approval):
                for number, step in enumerate(rule.read.approvers, 1):
                    yield from _step(rule, number, step, there)
            elif rule.gives_duties:
                yield from _owner(rule, there)


def _step(rule: Line, number: int, step: Step, there: Staff) -> Iterator[Flaw]:
    read = rule.read
    if read is None:
        return
    said = f"第 {number} 步由{step.name(read.model)}审批"
    if step.who in _SUPERIORS:
        if there.alone > there.administrators:
            figures = (("在职", f"{there.people} 人"), ("没有直接上级", f"{there.alone} 人"))
            why = f"{said}，没有直接上级的人提交时只能转给系统管理员"
            yield _flaw(rule, number, NOTE, why, figures, PEOPLE)
    elif step.who == "person":
        if step.login not in there.logins:
            yield _flaw(rule, number, _instead(there), f"{said}，这个人已停用或不存在", ())
    elif step.who in _EVERYWHERE or base.person_field(read.model, step.who):
        return
    elif step.who not in there.posts | there.teams:
        why = f"{said}，但没有部门负责人，也没有人任这个岗，只能转给申请人的上级或管理员"
        yield _flaw(rule, number, _instead(there), why, (("可审批的人", "0 人"),), TEAMS, POSTS)


def _instead(there: Staff) -> str:
    """With an administrator the request goes on; without one it can never be agreed to."""
    return WARN if there.administrators else BAD


def _flaw(
    rule: Line,
    number: int,
    severity: str,
    why: str,
    figures: tuple[tuple[str, str], ...],
    *remedy: tuple[str, str],
) -> Flaw:
    detail = f"step:{rule.line}:{number}"
    return Flaw("NOBODY", severity, rule.number, why, detail, figures, remedy=(*remedy, DRAFT))


def _owner(rule: Line, there: Staff) -> Iterator[Flaw]:
    """A duty of a post or department that nobody holds."""
    who = str(rule.params.get("who", "owner"))
    plain = who in ("owner", "self", "recorded_by") or who in base.HELD_ROLES
    read = rule.read
    if plain or read is None or base.person_field(read.model, who) is not None:
        return
    if who not in there.posts | there.teams:
        label = base.who_label(read.model, who)
        why = f"责任人是{label}，但没有这个部门的负责人，也没有人任这个岗"
        yield Flaw(
            "NOBODY",
            WARN,
            rule.number,
            why,
            detail=f"who:{rule.line}",
            figures=(("可负责的人", "0 人"),),
            remedy=(TEAMS, POSTS, DRAFT),
        )
