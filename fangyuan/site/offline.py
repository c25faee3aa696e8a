"""The visit pages without a connection: the service worker and the page it falls back on.

Which files make up the shell is read from the static folder, so a new module is never forgotten.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from fangyuan.site import assets

FOLDER = Path(__file__).parent / "static" / "fy"
HTMX = "django_htmx/htmx-2.min.js"
KEPT = ("/visits",)


@cache
def shell_files() -> tuple[str, ...]:
    """The addresses of everything a page needs besides itself."""
    own = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
    return (*(static(f"fy/{name}") for name in own), static(HTMX), "/offline")


@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker's script, at the root so that it may answer for every page."""
    context = {"version": assets.version(), "files": shell_files(), "kept": KEPT}
    response = render(request, "sw.js", context, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What is shown when a page that was never opened is asked for without a connection."""
    return render(request, "offline.html")
