"""Worlds whose choices Hypothesis makes and can shrink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.oracle import histories
from tests.oracle.calendar_oracle import Calendar
from tests.oracle.choices import Setting
from tests.oracle.world import World


class Drawn:
    """Choices that Hypothesis makes."""

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int]) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


def settings(calendar: Calendar) -> st.SearchStrategy[tuple[Setting, World]]:
    """A setting with one world in it, chosen and shrunk by Hypothesis."""

    @st.composite
    def both(draw: Any) -> tuple[Setting, World]:
        pick = Drawn(draw)
        setting = histories.random_setting(pick, calendar)
        return setting, histories.random_world(pick, setting)

    return both()
