"""How every face answers: to signed-in people only, refusals in words, deeds with a toast."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.desk import declare, looking_back, panels
from fangyuan.desk.filters import BadQuery
from fangyuan.org import models as org

View = Callable[..., HttpResponse]


def face(operation: str) -> Callable[[View], View]:
    """Have a view answer only to people who may do the operation (c r u d) on some rows."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def inner(request: HttpRequest, desk: declare.Desk, **more: Any) -> HttpResponse:
            if not org.signed_in(request.user):
                return redirect_to_login(request.get_full_path())
            if not table.may(request.user, desk.name, operation):
                return refused(request, f"你的岗位用不到{desk.label}")
            try:
                _legible(request)
                return view(request, desk, **more)
            except looking_back.NotThere as absent:
                return render(request, "not_then.html", {"exception": absent}, status=404)
            except BadQuery as bad:
                return render(request, "400.html", {"exception": bad}, status=400)
            except door.Denied as denied:
                return refused(request, str(denied))

        return inner

    return wrap


def _legible(request: HttpRequest) -> None:
    """Refuse the one character that the database cannot keep."""
    for given in (request.GET, request.POST):
        if any("\x00" in value for values in given.lists() for value in [values[0], *values[1]]):
            raise BadQuery("内容里有认不出的字符，去掉再试")


def refused(request: HttpRequest, text: str) -> HttpResponse:
    """A refusal in words: a page, or a toast for a fragment."""
    if getattr(request, "htmx", False):
        return toast(HttpResponse(status=403), text, tone="soon")
    return render(request, "403.html", {"exception": door.Denied(text)}, status=403)


def seen(desk: declare.Desk, actor: Any, pk: int) -> Any:
    """The record, or 404 where the actor may not see it."""
    found = scopes.found(actor, desk.model, pk)
    if found is None and desk.besides is not None:
        found = desk.besides(actor).filter(pk=pk).first()
    if found is None:
        raise Http404(f"{desk.label} {pk}")
    return found


def scene(request: HttpRequest, desk: declare.Desk, pk: int) -> panels.Scene:
    """Who looks at which record now."""
    record, as_of = seen(desk, request.user, pk), looking_back.of(request)
    if as_of is None:
        return panels.Scene(desk, record, request.user, timezone.now(), request.GET.dict())
    then = looking_back.record(record, as_of)
    return panels.Scene(desk, then, request.user, as_of.now, request.GET.dict(), as_of)


def toast(response: HttpResponse, text: str, undo: str = "", tone: str = "") -> HttpResponse:
    """Add a toast to a fragment's answer."""
    said = {"text": text, "undo_url": undo, "tone": tone}
    response["HX-Trigger"] = json.dumps({"toast": {k: v for k, v in said.items() if v}})
    return response


def done(request: HttpRequest, text: str, url: str, undo: str = "") -> HttpResponse:
    """What was done is said on the page one goes to next, with its undo."""
    messages.success(request, text, extra_tags=undo)
    if getattr(request, "htmx", False):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    return redirect(url)


def outcome(label: str, result: Any) -> str:
    """What a verb's result is called: done, or waiting for somebody's word."""
    if not isinstance(result, door.Waiting):
        return f"已{label}" if not label.startswith("已") else label
    people = org.Person._base_manager.filter(asked_approvals__request=result.request)
    asked = people.filter(asked_approvals__state="ASKED")
    return f"已提交审批，等 {'、'.join(sorted({one.name for one in asked}))}"
