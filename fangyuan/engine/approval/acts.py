"""What people do about a request that is held: one row for each act, and what follows from it.

Nobody speaks about their own request, by whichever way they came to the seat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fangyuan.core import records
from fangyuan.engine.approval import notices, seats
from fangyuan.engine.approval.chains import own
from fangyuan.engine.requests import FINAL, Approval, Decision, Request
from fangyuan.org import lines
from fangyuan.org.models import Person

URGE_EVERY: Final = timedelta(hours=4)
UNKNOWN: Final = "认不出是谁在审批，请重新登录"
NEEDS_WORDS: Final = {"REFUSE": "驳回", "BACK": "退回"}


class Hindered(Exception):
    """Why this person may not do this now, in words."""


@dataclass(frozen=True)
class Act:
    """One person's act: what, with which words, aimed at whom or where."""

    by: Any
    verdict: str
    at: datetime
    comment: str = ""
    to: Any = None
    place: str = "before"
    back_to: int | None = None


def hindrance(
    request: Request, *, by: Any, subject: Any = None, mine: list[Approval] | None = None
) -> str:
    """Why this person may not decide now; empty if they may. `mine` are their seats, if at hand."""
    if request.state != "WAITING":
        return _over(request)
    # Asked of the database: an account may have been closed since the page was opened.
    if by is None or not Person._base_manager.filter(pk=by.pk, removed_at=None).filter(
        account_state=Person.AccountState.ACTIVE
    ):
        return UNKNOWN
    if by.pk in own(subject, request.asked_by_id):
        return "不能审批自己的申请"
    if not (seats.asked_seats(request, by) if mine is None else mine):
        return "现在不轮到你审批这份申请"
    return ""


def _over(request: Request) -> str:
    if request.state == "VOID":
        return "内容已变，这份申请已失效，请对方重新提交"
    return f"这份申请已{request.get_state_display()}，不用再处理"


def do(request: Request, act: Act, subject: Any) -> None:
    """Do one act; raises Hindered and then nothing is written."""
    if act.by is None:
        raise Hindered(UNKNOWN)
    if act.verdict in NEEDS_WORDS and not act.comment:
        raise Hindered(f"{NEEDS_WORDS[act.verdict]}要写明意见，方便对方修改")
    if act.verdict in _BY_APPROVER:
        mine = seats.asked_seats(request, act.by)
        if problem := hindrance(request, by=act.by, subject=subject, mine=mine):
            raise Hindered(problem)
        _BY_APPROVER[act.verdict](request, act, mine, subject)
    elif act.verdict in _BY_OTHERS:
        _BY_OTHERS[act.verdict](request, act)
    else:
        raise Hindered(f"没有“{act.verdict}”这种办法")


def note(request: Request, act: Act, mine: list[Approval] | None = None, **more: Any) -> Decision:
    """Write down what was done."""
    first = mine[0] if mine else None
    decision = Decision(
        request=request,
        person=act.by,
        on_behalf_of=first.person if first and first.person != act.by else None,
        step=first.step if first else 0,
        round=seats.round_of(request),
        verdict=act.verdict,
        at=act.at,
        comment=act.comment,
        **{"to": act.to, **more},
    )
    decision.save()
    return decision


# --- by those who are asked


def _agree(request: Request, act: Act, mine: list[Approval], subject: Any) -> None:
    note(request, act, mine)
    seats.answer(mine, "AGREED", at=act.at)
    seats.move_on(request, at=act.at)


def _refuse(request: Request, act: Act, mine: list[Approval], subject: Any) -> None:
    note(request, act, mine)
    seats.answer(mine, "OBJECTED", at=act.at)
    seats.close(request, "REFUSED", at=act.at)


def _back(request: Request, act: Act, mine: list[Approval], subject: Any) -> None:
    """Back to the applicant, or to an earlier step that is then asked anew with all after it."""
    if act.back_to is None:
        note(request, act, mine)
        seats.answer(mine, "OBJECTED", at=act.at)
        seats.close(request, "RETURNED", at=act.at)
        return
    order = [step["id"] for step in request.chain]
    if act.back_to not in order or order.index(act.back_to) >= order.index(mine[0].step):
        raise Hindered("只能退到前面的节点")
    note(request, act, mine, back_to=act.back_to)
    seats.answer(mine, "OBJECTED", at=act.at)
    still = Approval._base_manager.filter(request=request, state__in=seats.OPEN)
    seats.answer(list(still), "MOOT", at=act.at)
    seats.seat(request, request.chain[order.index(act.back_to) :])
    seats.move_on(request, at=act.at)


def _forward(request: Request, act: Act, mine: list[Approval], subject: Any) -> None:
    """Hand the seat to somebody else; the limit stays what it was."""
    _check_other(request, act, subject)
    note(request, act, mine)
    seats.answer(mine, "PASSED_ON", at=act.at)
    _take_seat(request, mine[0], act.to, origin="FORWARD", at=act.at)


def _take_seat(request: Request, old: Approval, to: Any, *, origin: str, at: datetime) -> None:
    # Handed back to somebody who sat there before, the seat is theirs again.
    made, _ = Approval._base_manager.update_or_create(
        request=request, round=old.round, step=old.step, party=old.party, person=to,
        defaults={"state": "ASKED", "origin": origin, "clause": old.clause, "asked_at": at,
                  "due_at": old.due_at, "answered_at": None, "changed_at": at},
    )  # fmt: skip
    notices.tell(request, [made], "等你审批", at=at)


def _sign(request: Request, act: Act, mine: list[Approval], subject: Any) -> None:
    """Add a step for one more signer, before one's own or after it."""
    _check_other(request, act, subject)
    order = [step["id"] for step in request.chain]
    here = order.index(mine[0].step)
    party = {"mode": "any", "label": "加签", "clause": mine[0].clause, "people": [act.to.pk]}
    step = {"id": max(order) + 1, "mode": "all", "parties": [party]}
    request.chain.insert(here if act.place == "before" else here + 1, step)
    request.changed_at = act.at
    request.save(update_fields=["chain", "changed_at"])
    note(request, act, mine)
    seats.seat(request, [step], origin="SIGNER")
    if act.place == "before":
        asked = Approval._base_manager.filter(request=request, step=mine[0].step, state="ASKED")
        asked.update(state="LATER", asked_at=None, due_at=None, changed_at=act.at)
    seats.move_on(request, at=act.at)


def _check_other(request: Request, act: Act, subject: Any) -> None:
    """Whoever is drawn in must be somebody else who may decide."""
    if act.to is None:
        raise Hindered("请选一位同事")
    if act.to.pk in own(subject, request.asked_by_id):
        raise Hindered("不能请申请人自己来审")
    if not act.to.is_active:
        raise Hindered(f"{act.to.name}的账户已停用，请另选一位")
    asked = Approval._base_manager.filter(request=request, state="ASKED", person=act.to)
    if asked.exists():
        raise Hindered(f"已经在等{act.to.name}的意见了")


# --- by others


def _withdraw(request: Request, act: Act) -> None:
    if request.asked_by_id != act.by.pk or request.state != "WAITING":
        raise Hindered("只能撤回自己还在审批中的申请")
    if said := withdrawal_ended(request):
        raise Hindered(said)
    note(request, act)
    seats.close(request, "WITHDRAWN", at=act.at)


def withdrawal_ended(request: Request) -> str:
    """Why the applicant may not take it back any more; empty where the clauses let them."""
    parties = [party for step in request.chain for party in step["parties"]]
    if all(party.get("withdraw") != "before_first" for party in parties):
        return ""
    spoken = Decision._base_manager.filter(request=request, verdict__in=FINAL)
    first = spoken.select_related("person").order_by("at").first()
    if first is None:
        return ""
    who = first.person.name if first.person else "有人"
    return f"{who}已表态，按条款不能再撤回；要改请联系审批人退回"


def _urge(request: Request, act: Act) -> None:
    if request.asked_by_id != act.by.pk or request.state != "WAITING":
        raise Hindered("只能催办自己还在审批中的申请")
    urged = Decision._base_manager.filter(request=request, verdict="URGE").order_by("-at").first()
    if urged is not None and act.at - urged.at < URGE_EVERY:
        raise Hindered("四小时内已催过一次，请稍等")
    note(request, act)
    asked = Approval._base_manager.filter(request=request, state="ASKED")
    notices.tell(request, asked, "催办", at=act.at)


def _comment(request: Request, act: Act) -> None:
    if not act.comment:
        raise Hindered("请写评论")
    note(request, act)


def _copy(request: Request, act: Act) -> None:
    if act.to is None:
        raise Hindered("请选一位同事")
    if not seats.copy(request, [act.to.pk], at=act.at):
        raise Hindered(f"已经抄送过{act.to.name}了")
    note(request, act)


# --- by nobody's wish


def void(request: Request, *, by: Any, at: datetime) -> None:
    """End a request whose content is no longer the one that was sent; says who changed it."""
    note(request, Act(by, "VOID", at))
    seats.close(request, "VOID", at=at)


def escalate(request: Request, seat: Approval, *, why: str, at: datetime) -> bool:
    """Hand a seat to the next superior of whoever sits there; says whether there is one."""
    mine = own(records.find(request.subject), request.asked_by_id)
    above = [one for one in lines.superiors(seat.person_id) if one not in mine]
    people = above[:1] or [one for one in lines.administrators() if one not in mine]
    if not people or people[0] == seat.person_id:
        return False
    to = Person._base_manager.get(pk=people[0])
    Decision(
        request=request, person=None, on_behalf_of=seat.person, to=to, step=seat.step,
        round=seat.round, verdict="ESCALATE", at=at, comment=why,
    ).save()  # fmt: skip
    # The duty stays with whoever let the limit pass: it is not answered by being taken away.
    Approval._base_manager.filter(pk=seat.pk).update(state="PASSED_ON", changed_at=at)
    _take_seat(request, seat, to, origin="ESCALATED", at=at)
    return True


_BY_APPROVER: Final[dict[str, Callable[[Request, Act, list[Approval], Any], None]]] = {
    "AGREE": _agree,
    "REFUSE": _refuse,
    "BACK": _back,
    "FORWARD": _forward,
    "SIGNER": _sign,
}
_BY_OTHERS: Final[dict[str, Callable[[Request, Act], None]]] = {
    "WITHDRAW": _withdraw,
    "URGE": _urge,
    "COMMENT": _comment,
    "COPY": _copy,
}
