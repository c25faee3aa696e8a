"""Django's own SQL of a queryset, read as of an instant of each row instead of now.

The queryset's table is replaced by a source that holds the same columns and the instant `fy_at`:
whatever an expression asks of now it then asks of that instant.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.db.models.expressions import RawSQL

from fangyuan.core import timelines

AT: Final = "fy_at"
_NOW: Final = re.compile(r"STATEMENT_TIMESTAMP\(\)|\bnow\(\)")


def column(model: Any, name: str) -> RawSQL:
    """A column that only the source has, as an expression of the queryset."""
    return RawSQL(f'"{model._meta.db_table}"."{name}"', ())  # noqa: S611 - own names


def text_of(rows: Any, source: str) -> str:
    """The queryset as complete SQL text over the source."""
    table = rows.model._meta.db_table
    said = _NOW.sub(f'"{table}"."{AT}"', timelines.text_of(rows))
    # Inner queries over the same table carry an alias; they go on reading the table itself.
    return re.sub(rf'FROM "{table}"(?!\.| [A-Z]+\d)', lambda _: f'FROM ({source}) "{table}"', said)
