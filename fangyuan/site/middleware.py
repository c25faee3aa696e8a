"""Manners of every response: nothing cached, refusals in words, nothing written into the past."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from fangyuan.desk import looking_back, replies
from fangyuan.desk.filters import BadQuery
from fangyuan.org import models as org


class Manners:
    """Pages with people's business are never kept by a cache; htmx fragments vary by header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response


class LookingBack:
    """Reads `?as_of=` for every page: only views that can look back take it, and nothing writes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        as_of = looking_back.of(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if as_of is not None and is_page and response.status_code == HTTPStatus.OK:
            response.content = looking_back.carried(response.content.decode(), as_of).encode()
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *_: Any
    ) -> HttpResponse | None:
        """Refuse what cannot be looked back at; a login comes first."""
        if not request.GET.get(looking_back.NAME) or not org.signed_in(request.user):
            return None
        if request.method not in ("GET", "HEAD"):
            return replies.refused(request, "正在回看过去，什么也不能改；先回到现在")
        try:
            as_of = looking_back.read(request.GET, timezone.now())
            if as_of is not None and not hasattr(view, "looks_back"):
                raise BadQuery("这一页没有过去的样子可看；去掉地址里的 as_of 再打开")
        except BadQuery as bad:
            return render(request, "400.html", {"exception": bad}, status=HTTPStatus.BAD_REQUEST)
        request.as_of = as_of  # type: ignore[attr-defined]
        return None
