"""Sessions in the database, read with a prepared statement: every page begins with one."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

from fangyuan.core import ready

_KEPT = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Django's session store with a cheaper way to read."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing if it is unknown or over."""
        kept = ready.ask(_KEPT, [self.session_key, timezone.now()])
        if not kept:
            self._session_key = None
            return {}
        return dict(self.decode(kept[0][0]))
