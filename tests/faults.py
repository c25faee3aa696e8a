"""Failing every statement in turn: whatever stops half-way must leave everything as it was.

A statement is counted where it reaches the database, COPY included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection


class Broken(OperationalError):
    """The connection broke at the chosen statement."""


@contextmanager
def breaking_at(nth: int) -> Iterator[list[str]]:
    """Let the nth statement fail (from 1); yields the statements seen."""
    seen: list[str] = []

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(str(sql))
        if len(seen) == nth:
            raise Broken(f"statement {nth}")
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield seen


def break_each(work: Callable[[], Any], check: Callable[[int, str], None], most: int = 400) -> int:
    """Run `work` once for every statement it makes, failing that statement; returns their number.

    `check(n, sql)` looks at what is left after each failure; the last run goes through.
    """
    for nth in range(1, most + 1):
        with breaking_at(nth) as seen:
            try:
                work()
            except Broken:
                pass
        if len(seen) < nth:
            return nth - 1
        check(nth, seen[-1] if seen else "")
    raise AssertionError(f"more than {most} statements")
