"""Seats: a request takes its places in the chain; step by step those whose turn it is are asked.

Whose turn it is stands in the seats. Every function here works on a request that is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Func, IntegerField, Q
from django.utils import timezone

from fangyuan.core import calendar
from fangyuan.engine import models
from fangyuan.engine.approval import content, notices
from fangyuan.engine.approval.chains import Wanted
from fangyuan.engine.requests import Approval, Decision, Request
from fangyuan.org.models import Leave

AGREED = ("AGREED", "SPARED")
OPEN = ("ASKED", "LATER")


def file(
    want: Wanted,
    record: Any,
    payload: dict[str, Any],
    *,
    by: Any,
    at: datetime,
    title: str = "",
) -> Request:
    """Store the request with its digest and ask the first step. One that waits is returned."""
    if record is not None:
        waiting = models.Request.objects.everything("同一申请").filter(
            action=want.action,
            subject_type=record.record_name(),
            subject_id=record.pk,
            state="WAITING",
        )
        if (same := waiting.first()) is not None:
            return same
    request = Request(
        action=want.action,
        title=title,
        payload=content.freeze(payload),
        clause=want.clause,
        asked_by=by,
        asked_at=at,
        chain=want.steps,
        is_repeated=want.is_repeated,
    )
    if record is not None:
        request.subject = record
    request.digest = content.digest(record, request.payload)
    request.save()
    seat(request, want.steps)
    copy(request, want.copies, at=at)
    move_on(request, at=at)
    return request


def seat(request: Request, steps: Iterable[dict[str, Any]], *, origin: str = "RULE") -> None:
    """Give the people of these steps their seats in the request's present round."""
    Approval._base_manager.bulk_create(
        Approval(
            request=request,
            step=step["id"],
            party=place,
            round=round_of(request),
            person_id=person,
            origin=origin,
            clause=party.get("clause", ""),
        )
        for step in steps
        for place, party in enumerate(step["parties"])
        for person in dict.fromkeys(party["people"])
    )


def copy(request: Request, people: Iterable[int], *, at: datetime) -> list[Approval]:
    """Let these people know; whoever got a copy already gets no second one."""
    kept = Approval._base_manager.filter(request=request, state="COPIED")
    known = set(kept.values_list("person_id", flat=True))
    fresh = [
        Approval(request=request, step=0, person_id=one, state="COPIED", origin="COPY", asked_at=at)
        for one in people
        if one not in known
    ]
    made = Approval._base_manager.bulk_create(fresh)
    notices.tell(request, made, "抄送你", at=at)
    return made


def round_of(request: Request) -> int:
    """The present round: one more for each time the request went back to an earlier step."""
    back = Decision._base_manager.filter(request=request, verdict="BACK", back_to__isnull=False)
    return 1 + back.count()


def seats_of(request: Request) -> dict[int, list[Approval]]:
    """The seats of each step, of the last round in which the step was seated."""
    found: dict[int, list[Approval]] = defaultdict(list)
    rows = Approval._base_manager.filter(request=request).exclude(state="COPIED")
    for one in rows.select_related("person").order_by("round", "id"):
        if found[one.step] and found[one.step][0].round < one.round:
            found[one.step] = []
        found[one.step].append(one)
    return found


def is_done(step: dict[str, Any], seats: list[Approval]) -> bool:
    """Whether a step has what it asks for: of all its parties, or of any."""
    parties: dict[int, list[str]] = defaultdict(list)
    for one in seats:
        if one.state not in ("PASSED_ON", "MOOT"):
            parties[one.party].append(one.state)
    agreed = []
    for place, party in enumerate(step["parties"]):
        states = [state in AGREED for state in parties[place]]
        agreed.append(bool(states) and (all if party["mode"] == "all" else any)(states))
    return any(agreed) if step["mode"] == "any" else bool(agreed) and all(agreed)


def move_on(request: Request, *, at: datetime) -> None:
    """Ask the first step that is not done; close the request when there is none."""
    placed = seats_of(request)
    for step in request.chain:
        here = placed[step["id"]]
        _spare(request, [one for one in here if one.state == "LATER"], at=at)
        if is_done(step, here):
            _settle([one for one in here if one.state in OPEN], "MOOT", at=at)
            continue
        _ask(request, step, [one for one in here if one.state == "LATER"], at=at)
        return
    close(request, "AGREED", at=at)


def _spare(request: Request, later: list[Approval], *, at: datetime) -> None:
    """Those who agreed in an earlier step of this round are not asked again."""
    if request.is_repeated or not later:
        return
    said = Decision._base_manager.filter(
        request=request, verdict="AGREE", round=round_of(request)
    ).values_list("person_id", "on_behalf_of_id")
    agreed = {number for pair in said for number in pair if number}
    for one in later:
        if one.person_id in agreed:
            _settle([one], "SPARED", at=at)


def _ask(request: Request, step: dict[str, Any], later: list[Approval], *, at: datetime) -> None:
    if not later:
        return
    days = calendar.stored() if any(p.get("within") for p in step["parties"]) else None
    for one in later:
        within = step["parties"][one.party].get("within")
        one.state, one.asked_at = "ASKED", at
        one.due_at = days.due(at, within).at if within and days else None
        one.changed_at = at
    Approval._base_manager.bulk_update(later, ["state", "asked_at", "due_at", "changed_at"])
    notices.tell(request, later, "等你审批", at=at)


def _settle(seats: list[Approval], state: str, *, at: datetime) -> None:
    """Give seats their last state; whoever was asked has answered by now, or need not any more."""
    for one in seats:
        one.state = state
        one.answered_at = at if one.asked_at else None
        one.changed_at = at
    Approval._base_manager.bulk_update(seats, ["state", "answered_at", "changed_at"])


def answer(seats: list[Approval], state: str, *, at: datetime) -> None:
    """Note that these seats have spoken."""
    _settle(seats, state, at=at)


def close(request: Request, state: str, *, at: datetime) -> None:
    """Give the request its final state; nobody is asked any more."""
    request.state, request.decided_at, request.changed_at = state, at, at
    request.save(update_fields=["state", "decided_at", "changed_at"])
    _settle(list(Approval._base_manager.filter(request=request, state__in=OPEN)), "MOOT", at=at)
    notices.closed(request, at=at)


def now_at(request: Request) -> int:
    """The step whose turn it is, counted from 1 along the chain; past its end when closed."""
    placed = seats_of(request)
    for number, step in enumerate(request.chain, 1):
        if any(one.state in OPEN for one in placed[step["id"]]):
            return number
    return len(request.chain) + 1


# --- stand-ins


class _StandIn(Func):
    function = "engine_stand_in"
    output_field = IntegerField()


def represented(person: Any, *, at: datetime | None = None) -> list[int]:
    """Those for whom a person speaks now: themselves, and whoever is on leave and named them."""
    at = at or timezone.now()
    away = (
        Leave.objects.everything("代理")
        .present()
        .filter(stage="APPROVED", starts_at__lt=at, ends_at__gte=at)
    )
    away = away.annotate(fy_by=_StandIn(F("person_id"), at)).filter(fy_by=person.pk)
    return [person.pk, *away.values_list("person_id", flat=True)]


def asked_seats(request: Request, person: Any) -> list[Approval]:
    """The seats of a request for which a person may speak now, their own first."""
    found = Approval._base_manager.filter(
        request=request, state="ASKED", person__in=represented(person)
    )
    return sorted(found.select_related("person"), key=lambda one: one.person_id != person.pk)


def waiting_for(person: Any) -> Any:
    """Seats that wait for this person's word, as a query; never those of their own requests."""
    return (
        Approval.objects.everything("待我审批")
        .filter(state="ASKED", request__state="WAITING", person__in=represented(person))
        .exclude(request__asked_by=person)
    )


def inbox(person: Any) -> list[Request]:
    """Requests that wait for this person's word now, the most pressing first."""
    due: dict[int, Any] = {}
    order = F("due_at").asc(nulls_last=True)
    for one in waiting_for(person).select_related("request__asked_by").order_by(order, "asked_at"):
        if one.request_id not in due:
            one.request.seat = one
            due[one.request_id] = one.request
    return list(due.values())


def visible(person: Any) -> Any:
    """The requests that a person may open: within their rows, or as a stand-in."""
    mine = Request.objects.seen_by(person).values("pk")
    seats = Approval.objects.everything("代理").filter(
        state="ASKED", person__in=represented(person)
    )
    found = Request.objects.everything("看得见的申请").filter(
        Q(pk__in=mine) | Q(pk__in=seats.values("request"))
    )
    return found.present()
