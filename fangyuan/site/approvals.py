"""Approvals: what waits for my word, what I asked for, what was decided, field by field."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access.models import AccessLog
from fangyuan.core import facts, records
from fangyuan.desk import duties
from fangyuan.desk.panels import verb_label
from fangyuan.engine import approval
from fangyuan.engine.models import Clause, Request
from fangyuan.org.models import Person

TABS = {"inbox": "待我审", "asked": "我提交的", "done": "已处理"}
VERDICTS = {"AGREE": "已同意", "BACK": "已退回", "REFUSE": "已驳回"}


@require_safe
def approvals(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """The split page: requests on the left, one of them on the right."""
    tab = request.GET.get("tab", "inbox")
    tab = tab if tab in TABS else "inbox"
    found = _found(request.user, tab)
    chosen = _chosen(request.user, number, found)
    waiting = found if tab == "inbox" else approval.inbox(request.user)
    context = {
        "tabs": TABS,
        "tab": tab,
        "waiting": len(waiting),
        "items": _items(found, chosen, request.user),
        "detail": _detail(chosen, request.user) if chosen else None,
        "is_single": number is not None,
    }
    return render(request, "site/approvals.html", context)


def _found(person: Any, tab: str) -> list[Any]:
    if tab == "inbox":
        return approval.inbox(person)
    mine = Request.objects.seen_by(person).select_related("asked_by")
    wanted = Q(asked_by=person) if tab == "asked" else Q(decisions__person=person)
    return list(mine.filter(wanted).distinct().order_by("-asked_at")[:60])


def _chosen(person: Any, number: int | None, found: list[Any]) -> Any:
    if number is None:
        return found[0] if found else None
    seen = Request.objects.seen_by(person).filter(pk=number).select_related("asked_by").distinct()
    one = seen.first()
    if one is None:
        raise Http404("没有这份申请，或不在你的范围内")
    return one


def _items(found: list[Any], chosen: Any, person: Any) -> list[dict[str, Any]]:
    names = duties.subject_names(found, person)
    return [
        {
            "request": one,
            "title": verb_label(one.action),
            "subject": names.get(one.subject, ""),
            "is_chosen": chosen is not None and one.pk == chosen.pk,
        }
        for one in found
    ]


def _detail(one: Any, person: Any) -> dict[str, Any]:
    subject = records.find(one.subject)
    decisions = list(one.decisions.everything("审批页").select_related("person"))
    people = Person.objects.everything("审批链").in_bulk(
        {number for step in one.chain for number in step["people"]}
    )
    now_at = approval.step_of(one, decisions)
    said = {d.step: d for d in decisions}
    return {
        "request": one,
        "title": verb_label(one.action),
        "subject": subject,
        "subject_url": f"/{one.subject_type}/{one.subject_id}" if _opens(subject, person) else "",
        "clause": Clause.objects.everything("条款人人可读").filter(number=one.clause).first(),
        "differences": _differences(one, subject),
        "children": _children(subject, person),
        "steps": [
            {
                "people": [people[n] for n in step["people"] if n in people],
                "decision": said.get(place),
                "is_now": one.state == "WAITING" and place == now_at,
            }
            for place, step in enumerate(one.chain, 1)
        ],
        "hindrance": approval.hindrance(one, by=person),
        "may_withdraw": one.state == "WAITING" and one.asked_by_id == person.pk,
        "is_void": one.state == "WAITING" and approval.voided(one, subject),
    }


def _opens(subject: Any, person: Any) -> bool:
    """Whether the approver may read what the request is about; a trace of access often not."""
    if subject is None:
        return False
    seen = type(subject).objects.seen_by(person)
    return bool(seen.filter(pk=subject.pk).exists())


def _differences(one: Any, subject: Any) -> list[dict[str, str]]:
    """Field by field: as it is, as it is asked to become."""
    if subject is None:
        return []
    model = type(subject)
    if isinstance(subject, AccessLog):
        return []
    return [
        {
            "label": facts.label(model, name),
            "was": _shown(model, name, getattr(subject, name, None)),
            "asked": _shown(model, name, value),
        }
        for name, value in approval.thaw(one.payload).items()
    ]


def _shown(model: Any, name: str, value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if isinstance(value, bool):
        return "是" if value else "否"
    names = {f.name: f for f in model._meta.fields}
    choices = dict(names[name].flatchoices) if name in names and names[name].choices else {}
    return str(choices.get(value, value))


def _children(subject: Any, person: Any) -> list[Any]:
    """The lines of a plan and the like: what an agreement without a payload agrees to."""
    found: list[Any] = []
    for name in getattr(type(subject), "content", ()):
        found += list(getattr(subject, name).everything("审批内容").present()[:40])
    names = duties.subject_names(found, person)
    for line in found:
        line.about = names.get(line.subject, "")
    return found


@require_POST
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Agree or send back; the door says who may and runs what was agreed."""
    one = Request.objects.seen_by(request.user).filter(pk=number).distinct().first()
    if one is None:
        raise Http404("没有这份申请，或不在你的范围内")
    verdict = request.POST.get("verdict", "")
    comment = request.POST.get("comment", "").strip()
    if verdict == "BACK" and not comment:
        messages.warning(request, "退回要写明意见，方便对方修改")
        return redirect(f"/approvals/{number}")
    try:
        if verdict == "WITHDRAW":
            door.withdraw(one, by=request.user)
            messages.success(request, "已撤回")
        elif verdict in VERDICTS:
            decided = door.decide(one, verdict, by=request.user, comment=comment)
            void = decided.state == Request.State.VOID
            messages.success(
                request, "内容已变，申请失效，请对方重新提交" if void else VERDICTS[verdict]
            )
    except (door.Denied, door.Refused) as refused:
        messages.warning(request, str(refused))
    return redirect("/approvals")
