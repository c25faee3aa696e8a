"""Keys for programs: made once, shown once, kept only as a digest, ended with their person."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.db.models import Q

from fangyuan.access.models import ApiToken
from fangyuan.core import ready

PREFIX = "fy_"


def issue(person: Any, *, name: str, expires_at: datetime | None) -> str:
    """Make a token for a person, inside a deed; returns the only copy of it in clear."""
    token = PREFIX + secrets.token_urlsafe(32)
    ApiToken(person=person, name=name, digest=digest(token), expires_at=expires_at).save()
    return token


def digest(token: str) -> str:
    """The form in which a token is kept; tokens are random, so a plain hash suffices."""
    return hashlib.sha256(token.encode()).hexdigest()


def holder(token: str, *, now: datetime) -> Any:
    """The enabled person whose living token this is, or None."""
    found = next(iter(_LIVING(digest=digest(token), now=now)), None)
    return found.person if found is not None and found.person.is_active else None


_LIVING = ready.Ready(
    lambda: (
        ApiToken.objects.everything("接口令牌")
        .present()
        .filter(
            Q(expires_at=None) | Q(expires_at__gt=ready.Slot("now")), digest=ready.Slot("digest")
        )
        .select_related("person")
        .order_by()
    )
)


def revoke(person: Any, *, at: datetime) -> int:
    """End every token of a person, inside a deed; returns how many."""
    living = ApiToken.objects.everything("收回令牌").present().filter(person=person)
    return int(living.update(removed_at=at))
