"""Messages: the list, opening one, reading all; and the proof that they came."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages as told
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan.access import scopes
from fangyuan.desk import declare
from fangyuan.integration import evidence
from fangyuan.integration.models import Dispatch
from fangyuan.org.models import Message

SHOWN = 50
MOST = 1000
Topic = Message.Topic
TONES = {Topic.ESCALATION: "bad", Topic.ALERT: "soon", Topic.DUE: "soon", Topic.APPROVAL: "navy"}


def _inbox(request: HttpRequest) -> Any:
    """The actor's own messages that are read here."""
    mine = Message.objects.seen_by(request.user).present()
    return mine.filter(person=request.user, channel=Message.By.INBOX)


def _topic(given: Any) -> str:
    topic = str(given.get("topic", ""))
    return topic if topic in Topic.values else ""


@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """The actor's messages, newest first: the unread ones, or all; of one topic, if asked."""
    topic, is_all = _topic(request.GET), request.GET.get("tab") == "all"
    given = request.GET.get("n", "")
    most = min(int(given[:5]), MOST) if given.isascii() and given.isdecimal() else SHOWN
    mine = _inbox(request)
    unread = mine.filter(seen_at=None)
    counts = dict(unread.order_by().values_list("topic").annotate(number=Count("id")))
    rows = mine if is_all else unread
    rows = rows.filter(topic=topic) if topic else rows
    found = list(rows[: most + 1])
    tab = "all" if is_all else ""
    context = {
        "found": [(one, TONES.get(one.topic, "")) for one in found[:most]],
        "tabs": _tabs(topic, is_all, sum(counts.values())),
        "chips": _chips(tab, topic, counts, is_all),
        "more": _url(tab=tab, topic=topic, n=str(most * 2)) if len(found) > most else "",
        "unread": sum(counts.values()),
        "topic": topic,
        "is_all": is_all,
    }
    return render(request, "site/messages.html", context)


def _url(**given: str) -> str:
    query = urlencode({name: value for name, value in given.items() if value})
    return f"/messages?{query}" if query else "/messages"


def _tabs(topic: str, is_all: bool, unread: int) -> list[dict[str, Any]]:
    return [
        {"label": "未读", "url": _url(topic=topic), "count": unread, "current": not is_all},
        {"label": "全部", "url": _url(tab="all", topic=topic), "count": "", "current": is_all},
    ]


def _chips(tab: str, topic: str, counts: dict[str, int], is_all: bool) -> list[dict[str, Any]]:
    """A chip for each topic that has something to show."""
    return [
        {
            "label": label,
            "value": counts.get(code, ""),
            "on": code == topic,
            "url": _url(tab=tab, topic="" if code == topic else code),
        }
        for code, label in Topic.choices
        if code != Topic.DIGEST and (is_all or code == topic or counts.get(code))
    ]


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything unread as read, of one topic if only that is shown."""
    topic = _topic(request.POST)
    rows = _inbox(request).filter(topic=topic) if topic else _inbox(request)
    number = evidence.see(request.user, rows, timezone.now())
    told.success(request, f"已把 {number} 条标为已读" if number else "没有未读的消息")
    return redirect("/messages")


@require_safe
def message(request: HttpRequest, number: int) -> HttpResponse:
    """Open one: it is read now, and leads to what it is about."""
    found = Message.objects.seen_by(request.user).filter(pk=number).first()
    if found is None:
        raise Http404("消息")
    target = ""
    if found.person_id == request.user.pk:
        now = timezone.now()
        evidence.see(request.user, Message.objects.seen_by(request.user).filter(pk=number), now)
        evidence.open_from(found, request.GET.get("via", ""), now)
        target = _subject(found, request.user)
    if target:
        return redirect(target)
    return render(request, "site/message.html", {"message": found, "gathered": _gathered(found)})


def _subject(found: Message, actor: Any) -> str:
    """Where the matter of a message is, if the actor may still see it."""
    if found.subject_type is None or found.topic == Topic.DIGEST:
        return ""
    record = scopes.one(actor, found.subject_type, found.subject_id)
    return declare.address(record) if record is not None else ""


def _gathered(digest: Message) -> list[Message]:
    if digest.topic != Topic.DIGEST:
        return []
    rows = Dispatch.objects.everything("汇总里的").filter(gathered_in=digest)
    return [row.message for row in rows.select_related("message").order_by("-message__sent_at")]
