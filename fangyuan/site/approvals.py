"""Approvals: what waits for my word, what I asked for, what came as a copy, what was decided."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.desk import duties, inputs
from fangyuan.desk.panels import verb_label
from fangyuan.engine import approval
from fangyuan.engine.models import Approval, Request
from fangyuan.org.models import Person
from fangyuan.site import approval_detail

TABS = {"inbox": "待我审", "asked": "我提交的", "done": "已处理", "copied": "抄送"}
SHOWN = 60
# What a button sends: the act, and what is said when it is done.
ACTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "AGREE": ("AGREE", {}, "已同意"),
    "BACK": ("BACK", {}, "已退回"),
    "REFUSE": ("REFUSE", {}, "已驳回"),
    "FORWARD": ("FORWARD", {}, "已转交"),
    "BEFORE": ("SIGNER", {"place": "before"}, "已加签，先由对方审"),
    "AFTER": ("SIGNER", {"place": "after"}, "已加签，你审完后由对方审"),
    "COPY": ("COPY", {}, "已抄送"),
    "COMMENT": ("COMMENT", {}, "已评论"),
    "URGE": ("URGE", {}, "已催办"),
    "WITHDRAW": ("WITHDRAW", {}, "已撤回"),
}
EMPTY = {
    "inbox": ("没有等你审的申请", "有新的申请会出现在这里"),
    "asked": ("你还没有提交过申请", "需要审批的动作会自动提交到这里"),
    "done": ("你还没有审过申请", "审过的申请会留在这里"),
    "copied": ("没有抄送给你的申请", "别人抄送给你的会出现在这里"),
}


@require_safe
def approvals(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """The split page: requests on the left, one of them on the right."""
    return _page(request, number)


def _page(request: HttpRequest, number: int | None, status: int = 200) -> HttpResponse:
    tab = request.GET.get("tab", "inbox")
    tab = tab if tab in TABS else "inbox"
    found = _found(request.user, tab)
    waiting = found if tab == "inbox" else approval.inbox(request.user)
    chosen = _chosen(request.user, number, found)
    context = {
        "tabs": TABS,
        "tab": tab,
        "waiting": len(waiting),
        "items": _items(found, chosen, request.user),
        "detail": approval_detail.context(chosen, request.user) if chosen else None,
        "colleague": Colleague(request.user),
        "is_single": number is not None,
        "empty": EMPTY[tab],
        "bulk": [{"label": "同意", "icon": "stamp", "url": "/approvals/agree"}],
    }
    if chosen is not None and tab == "copied":
        _read(chosen, request.user)
    return render(request, "site/approvals.html", context, status=status)


@require_safe
def seat(request: HttpRequest, number: int) -> HttpResponse:
    """A seat's request: where the duty to answer in time leads."""
    one = Approval.objects.everything("席位的申请").filter(pk=number).first()
    if one is None or not approval.visible(request.user).filter(pk=one.request_id).exists():
        raise Http404("没有这份申请，或不在你的范围内")
    return redirect(f"/approvals/{one.request_id}")


def _found(person: Any, tab: str) -> list[Any]:
    if tab == "inbox":
        return approval.inbox(person)
    wanted = {
        "asked": Q(asked_by=person),
        "done": Q(decisions__person=person, decisions__verdict__in=("AGREE", "REFUSE", "BACK")),
        "copied": Q(approvals__person=person, approvals__state="COPIED"),
    }[tab]
    mine = Request.objects.everything("我的审批").present().filter(wanted)
    rows = mine.select_related("asked_by").distinct().order_by("-asked_at")
    return list(rows[:SHOWN])


def _chosen(person: Any, number: int | None, found: list[Any]) -> Any:
    if number is None:
        return found[0] if found else None
    one = next((one for one in found if one.pk == number), None)
    one = one or approval.visible(person).filter(pk=number).select_related("asked_by").first()
    if one is None:
        raise Http404("没有这份申请，或不在你的范围内")
    return one


def _items(found: list[Any], chosen: Any, person: Any) -> list[dict[str, Any]]:
    names = duties.subject_names(found, person)
    return [
        {
            "request": one,
            "title": one.title or verb_label(one.action),
            "subject": names.get(one.subject, "") if one.subject_id else "",
            "seat": getattr(one, "seat", None),
            "is_chosen": chosen is not None and one.pk == chosen.pk,
        }
        for one in found
    ]


def _read(one: Any, person: Any) -> None:
    """Note when a copy was first opened."""
    copies = Approval._base_manager.filter(request=one, person=person, state="COPIED")
    if copies.filter(answered_at=None).exists():
        with door.acting(by=person, action="read_copy"):
            copies.update(answered_at=timezone.now())


class Colleague(forms.Form):
    """Whom to hand over to, to add as a signer, or to send a copy."""

    def __init__(self, actor: Any, *args: Any) -> None:
        super().__init__(*args)
        field = inputs.Reference(Person, actor, label="同事", required=False)
        field.widget.attrs["class"] = "inp"
        self.fields["to"] = field


@require_POST
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Do one act; the door says who may and runs what was agreed."""
    one = approval.visible(request.user).filter(pk=number).first()
    if one is None:
        raise Http404("没有这份申请，或不在你的范围内")
    if request.POST.get("verdict", "") not in ACTS:
        return redirect(f"/approvals/{number}")
    verdict, aim, said = ACTS[request.POST["verdict"]]
    comment = request.POST.get("comment", "").strip()
    try:
        aim = {**aim, **_aim(request, verdict)}
        decided = door.decide(one, verdict, by=request.user, comment=comment, **aim)
    except (door.Denied, door.Refused) as refused:
        one.refresh_from_db()
        messages.warning(request, str(refused))
        if one.state == Request.State.VOID:
            return _page(request, number, status=409)
        return redirect(f"/approvals/{number}")
    if decided.state == Request.State.VOID:
        messages.warning(request, "内容已变，申请失效，请对方重新提交")
        return _page(request, number, status=409)
    messages.success(request, said)
    stays = verdict in ("COMMENT", "COPY", "URGE", "WITHDRAW")
    return redirect(f"/approvals/{number}" if stays else "/approvals")


def _aim(request: HttpRequest, verdict: str) -> dict[str, Any]:
    """At whom, or to which step; raises Denied where nobody fits."""
    if verdict == "BACK":
        step = request.POST.get("back_to", "")
        return {"back_to": int(step)} if step.isdigit() else {}
    if verdict not in ("FORWARD", "SIGNER", "COPY"):
        return {}
    form = Colleague(request.user, request.POST)
    if not form.is_valid():
        raise door.Denied(str(form.errors["to"][0]))
    number = form.cleaned_data["to"]
    return {"to": Person._base_manager.filter(pk=number).first() if number else None}


@require_POST
def agree(request: HttpRequest) -> HttpResponse:
    """Agree to several requests, each by itself: what hinders one does not hinder the others."""
    numbers = [int(one) for one in request.POST.getlist("pick") if one.isdigit()][:SHOWN]
    done, problems = 0, []
    for one in approval.visible(request.user).filter(pk__in=numbers).order_by("asked_at"):
        try:
            done += door.decide(one, "AGREE", by=request.user).state != Request.State.VOID
        except (door.Denied, door.Refused) as refused:
            problems.append(f"{one.title or verb_label(one.action)} #{one.pk}：{refused}")
    if done:
        messages.success(request, f"已同意 {done} 份")
    for said in problems[:5]:
        messages.warning(request, said)
    return redirect("/approvals")
