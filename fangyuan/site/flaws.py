"""The flaws that a checkup found, with what was put on record about them; for pages and panels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from fangyuan import door
from fangyuan.engine import checkup
from fangyuan.engine.models import Policy
from fangyuan.site.proof import coverage
from fangyuan.supervision import checkups

TONES = {"BAD": "plum", "WARN": "soon", "NOTE": ""}
WORST = 5


@dataclass(frozen=True)
class Found:
    """A flaw with what was put on record about it."""

    flaw: checkup.Flaw
    kept: Any = None

    @property
    def tone(self) -> str:
        """The colour of its badge."""
        return TONES[self.flaw.severity]


def look(code: str) -> list[Found]:
    """Every flaw of a regulation, or of all, those on record too."""
    told = coverage.last()
    proved = None if told is None else {one.id: one.exercised for one in told}
    labels = {name: verb.label for name, verb in door.VERBS.items()}
    kept = checkups.by_flaw(timezone.localdate())
    found = checkup.look(code, proved=proved, labels=labels)
    return [Found(flaw, kept.get(flaw.key)) for flaw in found]


def panel(code: str) -> dict[str, Any]:
    """What the page of a regulation says of its health."""
    rows = [one for one in look(code) if not one.kept]
    counts = Counter(one.flaw.severity for one in rows)
    return {
        "counts": [(label, TONES[s], counts[s]) for s, label in checkup.SEVERITIES.items()],
        "worst": [one for one in rows if one.flaw.severity != "NOTE"][:WORST],
        "all": len(rows),
    }


def of_draft(policy: Policy) -> list[Found] | None:
    """What a draft should be warned of before it is published; None once it is, or while empty."""
    if not policy.changes or policy.stage in ("PUBLISHED", "SUPERSEDED"):
        return None
    return [Found(flaw) for flaw in checkup.look_at(policy)]
