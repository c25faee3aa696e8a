"""Addresses of the API; its description is for people who may call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET

from fangyuan.desk.api import auth, faults, routes

api = routes.build()


@require_GET
@login_not_required
def description(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    if auth.caller(request) is None:
        return faults.answer(401)
    return JsonResponse(api.get_openapi_schema(path_prefix="/api/"))


_urls = api.urls
for _pattern in _urls[0]:
    # A caller without rights gets 401 in the API's own shape, no page to sign in at.
    _pattern.callback = login_not_required(cast("Callable[..., HttpResponse]", _pattern.callback))

urlpatterns = [path("openapi.json", description, name="openapi"), path("", _urls)]
