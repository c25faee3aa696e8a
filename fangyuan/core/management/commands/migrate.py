"""`migrate`, followed by installing the event log on every record table."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from fangyuan.core import events


class Command(migrate.Command):
    """Apply migrations, then make sure that every record table tells the log."""

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        events.install(connections[options["database"]])
