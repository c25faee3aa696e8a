"""What was asked of the database in the course of one sweep, so that no rule asks it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Asked(dict[Any, Any]):
    """Answers by question."""

    def once(self, question: Any, ask: Callable[[], Any]) -> Any:
        """The answer to a question, asked the first time only."""
        if question not in self:
            self[question] = ask()
        return self[question]
