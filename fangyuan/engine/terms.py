"""What a rule's statement needs besides its own parameters, and the texts with holes it fills."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Final

from fangyuan.core import timelines, workdays
from fangyuan.engine.asked import Asked
from fangyuan.engine.scope import Pick

FOLDER: Final = Path(__file__).with_name("sql")
ZONE: Final = timelines.ZONE


@dataclass(frozen=True)
class Carried:
    """What becomes of duties that are open when a new version takes effect: its span, and how."""

    at: datetime
    how: str
    within: str


@dataclass(frozen=True)
class Terms:
    """What a statement needs besides the rule's own parameters."""

    as_of: datetime
    calendar: workdays.WorkCalendar
    starts_at: datetime
    ends_at: datetime | None = None
    adopted: str = timelines.EVER
    # No span of adoption begins earlier, where one is known to be the first.
    adopted_since: datetime | None = None
    pick: Pick = field(default_factory=Pick)
    # Codes of the teams by whose leader a named department answers.
    teams: dict[str, int | None] = field(default_factory=dict)
    carried: tuple[Carried, ...] = ()
    # Where the spans of an alert were laid down already.
    lit: str = ""
    asked: Asked = field(default_factory=Asked)

    @property
    def now(self) -> str:
        """The instant of the statement as a literal."""
        return f"{timelines.literal(self.as_of)}::timestamptz"

    @property
    def floor(self) -> datetime:
        """Nothing that began earlier binds anybody."""
        return max(self.starts_at, self.adopted_since or self.starts_at)

    def in_force(self, at: str) -> str:
        """Whether this version is in force at an instant."""
        sql = f"{at} >= {timelines.literal(self.starts_at)}::timestamptz"
        if self.ends_at is not None:
            sql += f" AND {at} < {timelines.literal(self.ends_at)}::timestamptz"
        return sql


@functools.cache
def template(name: str) -> Template:
    """One of the statements beside this module."""
    return Template((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))
