"""Who calls: a program with a token, or a signed-in browser (then with CSRF protection)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer, SessionAuth

from fangyuan.access import tokens
from fangyuan.org import models as org


class Token(HttpBearer):
    """`Authorization: Bearer fy_…`; acts for the person to whom the token was given."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Find the token's person."""
        person = tokens.holder(token, now=timezone.now()) if token.isascii() else None
        if person is not None:
            request.user = person
        return person


class Session(SessionAuth):
    """The browser's session; a request that writes needs the CSRF token as any form does."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Find the signed-in person."""
        return request.user if org.signed_in(request.user) else None


WAYS = [Token(), Session(csrf=True)]


def caller(request: HttpRequest) -> Any:
    """The person who calls outside an operation (for the description of the API), or None."""
    return Token()(request) or Session(csrf=False)(request)
