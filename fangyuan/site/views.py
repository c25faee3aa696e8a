"""Signing in and out, health, and the small pages of the shell."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fangyuan.engine import health
from fangyuan.site import samples, signin

WRONG = "账号或密码不对"
PAUSED = "输错 5 次，10 分钟后再试；急用请找系统管理员"


def _terminal(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"


@login_not_required
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """The sign-in page; every try leaves a trace."""
    name = request.POST.get("login", "").strip()
    context: dict[str, Any] = {"next": _next(request), "login": name, **samples.shown()}
    if request.method == "GET":
        return render(request, "login.html", context)
    terminal = _terminal(request)
    if signin.failures(name, terminal) >= signin.TRIES:
        return render(request, "login.html", {**context, "error": PAUSED}, status=429)
    person = auth.authenticate(request, username=name, password=request.POST.get("password", ""))
    if person is None:
        whose = signin.named(name)
        signin.note("LOGIN_FAILED", terminal=terminal, person=whose, purpose=name[:80])
        return render(request, "login.html", {**context, "error": WRONG}, status=401)
    auth.login(request, person)
    request.session.set_expiry(7 * 86400 if request.POST.get("remember") else 0)
    signin.note("LOGIN", terminal=terminal, person=person)
    return HttpResponseRedirect(context["next"])


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session and everything the browser kept of it."""
    auth.logout(request)
    response = redirect(settings.LOGIN_URL)
    response["Clear-Site-Data"] = '"cache"'
    return response


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether the database answers and the sweep moves; 503 when it does not."""
    found = health.look(timezone.now())
    return JsonResponse(found, status=200 if found["ok"] else 503)
