"""Sessions in the database, read and kept with prepared statements: every page begins with one."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.utils import timezone

from fangyuan.core import ready

_KEPT = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


_KEEP = """UPDATE django_session SET session_data = %s, expire_date = %s
 WHERE session_key = %s RETURNING 1"""


class SessionStore(db.SessionStore):
    """Django's session store with a cheaper way to read, and to keep what is there already."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing if it is unknown or over."""
        kept = ready.ask(_KEPT, [self.session_key, timezone.now()])
        if not kept:
            self._session_key = None
            return {}
        return dict(self.decode(kept[0][0]))

    def save(self, must_create: bool = False) -> None:
        """Keep what the session holds; raises UpdateError if it was ended meanwhile."""
        if must_create or self.session_key is None:
            super().save(must_create)
            return
        said = self.encode(self._get_session(no_load=must_create))
        if not ready.ask(_KEEP, [said, self.get_expiry_date(), self.session_key]):
            raise UpdateError
