"""Signing in: one identity (`Person`), a trace of every try, a pause after five failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest
from django.utils import timezone

from fangyuan.access.models import AccessLog
from fangyuan.core import ready
from fangyuan.org.models import Person

TRIES, PAUSE = 5, timedelta(minutes=10)


class Backend:
    """Authenticates a person by login and password; a disabled person is nobody."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = ""
    ) -> Person | None:
        person = Person.objects.everything("登录").filter(login=username).first()
        if person is None:
            make_password(password)  # same work for an unknown name, so that time tells nothing
            return None
        known = check_password(password, person.password)
        return person if known and person.is_active else None

    def get_user(self, user_id: int) -> Person | None:
        person = next(iter(_PERSON(number=user_id)), None)
        return person if person and person.is_active else None


_PERSON = ready.Ready(lambda: Person.objects.everything("会话").filter(pk=ready.Slot("number")))


def failures(login: str, terminal: str) -> int:
    """How often this login failed from this terminal within the pause."""
    since = timezone.now() - PAUSE
    tries = AccessLog.objects.everything("登录限次").filter(
        kind=AccessLog.Kind.LOGIN_FAILED, purpose=login, terminal=terminal, at__gte=since
    )
    return tries.count()


def named(login: str) -> Person | None:
    """Whose login was tried, for the trace only."""
    return Person.objects.everything("登录留痕").filter(login=login).first()


def note(kind: str, *, terminal: str, person: Any = None, purpose: str = "") -> None:
    """Leave a trace of a sign-in or a failed try."""
    AccessLog._base_manager.create(kind=kind, terminal=terminal, person=person, purpose=purpose)
