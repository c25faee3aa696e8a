"""Work measured in a process of its own: `python -m bench.child sweep ISO [full]` and the like."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fangyuan.site.settings")


def sweep(as_of: str, *words: str) -> str:
    """Sweep to an instant; seconds and rows written."""
    from fangyuan.engine import sweep as engine

    begun = time.perf_counter()
    outcome = engine.sweep(datetime.fromisoformat(as_of), full="full" in words)
    taken = time.perf_counter() - begun
    if outcome.failed:
        raise SystemExit(f"rules failed: {outcome.failed}")
    return f"{taken:.3f} {outcome.written.added + outcome.written.changed}"


def touch(number: str) -> str:
    """Change so many customers, as people would."""
    from django.db import connection, transaction

    from fangyuan.core import events

    with transaction.atomic(), connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="bench", reason="", channel="JOB")
        cursor.execute(
            "UPDATE customers_customer SET buying_plan = 'x' || random()"
            " WHERE id IN (SELECT id FROM customers_customer ORDER BY md5(id::text || now()) LIMIT %s)",
            [int(number)],
        )
    return "0 0"


if __name__ == "__main__":
    django.setup()
    print({"sweep": sweep, "touch": touch}[sys.argv[1]](*sys.argv[2:]))
