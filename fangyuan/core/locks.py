"""Locks on work that lasts longer than a transaction and ends with whoever does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held(through: Any, record: Any) -> Iterator[bool]:
    """Hold a record for as long as this connection lives; tells whether it was free."""
    key = [f"fangyuan.{record.record_name()}", record.pk]
    with through.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s), %s)", key)
        is_free = bool(cursor.fetchone()[0])
        try:
            yield is_free
        finally:
            if is_free:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s), %s)", key)
