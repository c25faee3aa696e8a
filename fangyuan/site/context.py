"""What the shell of every page needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone


def shell(request: HttpRequest) -> dict[str, Any]:
    """The present moment, for every relative time on the page."""
    return {"now": timezone.now(), "theme": request.COOKIES.get("theme", "")}
