"""Snapshots of the forecast: every Monday, and from the first working day of every month on.

The worker takes one as soon as it is due; where it stood still meanwhile, on the day it returns,
and the snapshot says that day. What was taken stays: the application may add, nothing else.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from fangyuan.core import calendar
from fangyuan.engine import jobs
from fangyuan.opportunities.models import Snapshot

# A month is judged by how it began: who looks later than this knows too much of it.
LATEST: Final = timedelta(days=6)
SQL: Final = Path(__file__).parent / "sql" / "snapshot.sql"


def take(day: date) -> int:
    """Take the snapshot of a day if one is due and none was taken; how many rows it has."""
    opening = calendar.stored().add(day.replace(day=1) - timedelta(days=1), 1)
    rows = Snapshot.objects.everything("预测快照")
    is_due = opening <= day <= opening + LATEST
    is_opening = is_due and not rows.filter(taken_on__gte=opening).exists()
    monday = day - timedelta(days=day.weekday())
    if not is_opening and rows.filter(taken_on__gte=monday).exists():
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        given = {"day": day, "is_opening": is_opening}
        cursor.execute(SQL.read_text(encoding="utf-8"), given)
        return int(cursor.rowcount)


_looked: list[date] = []


def take_today() -> int:
    """Once a day in every worker: take today's snapshot if it is due."""
    today = timezone.localdate()
    if _looked == [today]:
        return 0
    taken = take(today)
    _looked[:] = [today]
    return taken


jobs.register("预测快照", take_today)
