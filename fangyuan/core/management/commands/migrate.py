"""`migrate`, followed by installing the event log on every record table."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.models import Field

from fangyuan.core import events


class Command(migrate.Command):
    """Apply migrations, then make sure that every record table tells the log."""

    def handle(self, *args: Any, **options: Any) -> None:
        with _quick_clones():
            super().handle(*args, **options)
        events.install(connections[options["database"]])


@contextmanager
def _quick_clones() -> Iterator[None]:
    """Copy plain fields instead of taking them apart and making them anew.

    Migrations make hundreds of thousands of copies of fields that belong to no model yet; to make
    them so takes half of the time of setting up a database. Fields that hold another field, or
    that know their name, are cloned as ever.
    """
    anew = Field.clone

    def clone(self: Any) -> Any:
        if self.name is not None or self.many_to_many or hasattr(self, "base_field"):
            return anew(self)
        copied = copy.copy(self)
        if self.remote_field is not None:
            copied.remote_field = copy.copy(self.remote_field)
            copied.remote_field.field = copied
        # Fields of a model stand in the order of this number.
        copied.creation_counter = Field.creation_counter
        Field.creation_counter += 1
        return copied

    Field.clone = clone  # type: ignore[method-assign]
    try:
        yield
    finally:
        Field.clone = anew  # type: ignore[method-assign]
