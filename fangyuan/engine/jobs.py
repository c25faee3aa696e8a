"""What the worker does besides sweeping: rooms above hand in functions, each run in turn."""

from __future__ import annotations

from collections.abc import Callable

_jobs: dict[str, Callable[[], object]] = {}


def register(name: str, run: Callable[[], object]) -> None:
    """Have the worker run a function in every round."""
    _jobs[name] = run


def registered() -> dict[str, Callable[[], object]]:
    """Every function handed in, by name."""
    return dict(_jobs)
