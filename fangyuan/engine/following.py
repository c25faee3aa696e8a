"""Rules that follow from others: to answer an approval in time, to pay for a gate passed on credit.

Each clause has at most one of both, on a line of its own far behind its other rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fangyuan.engine import debts
from fangyuan.engine.kinds.approval import Approval
from fangyuan.engine.kinds.gate import Gate

ANSWERS: Final = 90  # the line of the duty that the time limits of a clause's chains give
OWED: Final = 91  # the line of the duty to pay what a gate of the clause was passed on credit for


def of(number: str, rules: Iterable[Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """What follows from the rules of a clause, as (line, record, parameters of a deadline)."""
    rules = list(rules)
    duties = [duty for one in rules if isinstance(one, Approval) for duty in one.duties(number)]
    for duty in duties[:1]:  # one for all the chains of a clause
        yield ANSWERS, "approval", duty
    if any(isinstance(one, Gate) for one in rules):
        yield OWED, debts.RECORD, debts.duty(number)
