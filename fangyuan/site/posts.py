"""What a phone sends: moments told later, and nothing written over what somebody else wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import dateparse, timezone

from fangyuan import door

OLDEST = timedelta(days=7)  # what a phone kept longer is no longer believed
TOLD_LATER = "离线填写，时刻以本机为准："


def taken(request: HttpRequest, text: str, url: str, *, undo: str = "") -> HttpResponse:
    """Say that it was done and lead on; a script that knows where to go gets no page."""
    messages.success(request, text, extra_tags=undo)
    if request.headers.get("X-Fy-Once") and request.POST.get("next") == url:
        return HttpResponse(status=204)
    return HttpResponseRedirect(url)


def moment(request: HttpRequest) -> tuple[datetime | None, str]:
    """When it happened by this machine's clock, with the words for the log; only if it was offline.

    With a connection the server's clock counts, so that nobody dates a visit by hand.
    """
    if not request.headers.get("X-Fy-Offline"):
        return None, ""
    at = dateparse.parse_datetime(request.POST.get("happened_at", ""))
    now = timezone.now()
    if at is None or timezone.is_naive(at) or not now - OLDEST <= at <= now:
        return None, ""
    return at, f"{TOLD_LATER}{timezone.localtime(at):%m-%d %H:%M}"


def fingerprint(record: Any, names: Iterable[str]) -> str:
    """A short name for the present values of these fields; other fields may change freely."""
    values = [getattr(record, f"{name}_id", getattr(record, name, None)) for name in names]
    text = "\x1f".join(_plain(value) for value in values)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> str:
    return (
        value.replace("\r\n", "\n") if isinstance(value, str) else DjangoJSONEncoder().encode(value)
    )


def act(
    verb: str,
    record: Any,
    payload: Mapping[str, Any],
    *,
    request: HttpRequest,
    names: Iterable[str] = (),
    reason: str = "",
) -> Any:
    """Do a verb, unless these fields no longer read as the form's `seen` says: then Stale."""
    with door.acting(by=request.user, action=verb, reason=reason):
        if seen := request.POST.get("seen"):
            current = type(record)._base_manager.select_for_update().get(pk=record.pk)
            if fingerprint(current, names) != seen:
                raise door.Stale(current)
        return door.act(verb, record, by=request.user, payload=payload, reason=reason)
