"""Where a generator's choices come from, and instants that bunch around what matters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Protocol, TypeVar

from tests.oracle.calendar_oracle import DAY, Calendar, day_of, midnight, period_with
from tests.oracle.world import Adoption, Rule

T = TypeVar("T")
SECOND = timedelta(seconds=1)
STEPS = (timedelta(0), SECOND, -SECOND)
LEAPS = tuple(timedelta(hours=hours) for hours in (4, 24, 48, 168))


class Pick(Protocol):
    """A source of choices."""

    def number(self, low: int, high: int) -> int:
        """An integer of [low, high]."""
        ...


class Dice:
    """Choices from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def number(self, low: int, high: int) -> int:
        # Much sooner said than by `randint`, and a history takes a thousand choices.
        return low + int(self._random() * (high - low + 1))


def one_of(pick: Pick, options: Sequence[T]) -> T:
    """One of some options; the first is the simplest."""
    return options[pick.number(0, len(options) - 1)]


def chance(pick: Pick, percent: int) -> bool:
    """True in some of a hundred cases; false is the simpler."""
    return pick.number(1, 100) > 100 - percent


@dataclass
class Setting:
    """What worlds of one database share: rules with their versions, adoption, calendar, time."""

    first: date
    days: int
    rules: list[Rule]
    calendar: Calendar
    adoptions: list[Adoption]
    as_of: list[datetime] = field(default_factory=list)
    number: int = field(default_factory=count().__next__, compare=False)


class Clock:
    """Instants of a window, many of them at, or a second off, one that matters already."""

    def __init__(self, pick: Pick, setting: Setting) -> None:
        self._pick = pick
        self._setting = setting
        effects = (rule.starts_at for rule in setting.rules if rule.version > "1")
        self._used: list[datetime] = [midnight(setting.first), *sorted(set(effects))]

    def moment(self) -> datetime:
        """An instant: an ordinary one, a boundary, or one near an earlier choice."""
        kind = self._pick.number(0, 9)
        if kind <= 4:
            at = self._ordinary()
        elif kind <= 6:
            at = self._boundary() + one_of(self._pick, STEPS)
        else:
            at = one_of(self._pick, self._used) + one_of(self._pick, STEPS)
            if kind == 9:
                at += one_of(self._pick, LEAPS)
        self._used.append(at)
        return at

    def near(self, at: datetime, hours: int) -> datetime:
        """An instant up to some hours after another, often exactly a span of a rule later."""
        if chance(self._pick, 40):
            later = at + one_of(self._pick, (timedelta(0), *LEAPS)) + one_of(self._pick, STEPS)
        elif chance(self._pick, 30):
            later = midnight(day_of(at) + self._pick.number(1, 8) * DAY)
            later += one_of(self._pick, STEPS)
        else:
            later = at + timedelta(minutes=self._pick.number(0, hours * 60))
        self._used.append(later)
        return later

    def _ordinary(self) -> datetime:
        day = self._setting.first + self._pick.number(0, self._setting.days) * DAY
        return midnight(day) + timedelta(minutes=self._pick.number(0, 23) * 60 + 30)

    def _boundary(self) -> datetime:
        day = self._setting.first + self._pick.number(0, self._setting.days) * DAY
        kind = one_of(self._pick, ("day", "week", "biweek", "month", "quarter"))
        return period_with(kind, day).end
