"""The score of a lead: points that stand in the vocabulary `lead_points`, each with its condition.

A point is `{points, when}` in a term's `maps`, with `when` in the ten words of the packs. What a
lead gets is kept with the reasons, and kept right by every deed that touches it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import BooleanField, Case, Value, When
from django.utils import timezone

from fangyuan import door
from fangyuan.core import facts, words
from fangyuan.core.models import Term
from fangyuan.customers.models import Lead
from fangyuan.engine import jobs
from fangyuan.engine.models import Rule

DOMAIN: Final = "lead_points"
CLAUSE: Final = "PS-2.1.2.5"  # names the score at which marketing hands a lead over
LIVING: Final = ("NEW", "NURTURE", "MQL", "ASSIGNED", "SQL")
BATCH: Final = 2000


@dataclass(frozen=True)
class Point:
    """One reason to score: what it is called, when it holds, what it gives."""

    code: str
    label: str
    points: int
    when: dict[str, Any]


def points() -> list[Point]:
    """The points in use; one that no longer reads is left out rather than guessed."""
    rows = Term.objects.everything("线索评分").present().filter(domain=DOMAIN, active=True)
    found = [
        Point(t.code, t.label, int(t.maps.get("points", 0)), t.maps.get("when") or {})
        for t in rows.order_by("rank", "code")
    ]
    return [one for one in found if one.when and not words.faults(Lead, one.when)]


def judged(numbers: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """For each lead the points it gets now, as `{code, label, points}`; one query."""
    known = points()
    asked = {f"gets_{place}": _holds(one.when) for place, one in enumerate(known)}
    rows = Lead._base_manager.order_by().filter(pk__any_of=sorted(numbers))
    names = {name for one in known for name in words.names(one.when)}
    found = facts.annotate(rows, names).annotate(**asked).values_list("pk", *asked)
    return {
        row[0]: [
            {"code": one.code, "label": one.label, "points": one.points}
            for one, gets in zip(known, row[1:], strict=True)
            if gets
        ]
        for row in found
    }


def _holds(when: dict[str, Any]) -> Case:
    met = When(words.where(Lead, when), then=Value(True))
    return Case(met, default=Value(False), output_field=BooleanField())


@door.follows("lead")
def keep(_: Any, numbers: set[int]) -> None:
    """Write the score of these leads where it differs; the log tells whose deed changed it."""
    now = judged(numbers)
    kept = Lead._base_manager.in_bulk(list(now))
    changed = []
    for number, parts in now.items():
        total = sum(part["points"] for part in parts)
        lead = kept[number]
        if (lead.score, lead.score_parts) != (total, parts):
            lead.score, lead.score_parts = total, parts
            changed.append(lead)
    Lead._base_manager.bulk_update(changed, ["score", "score_parts"], batch_size=500)


def threshold() -> int | None:
    """The score at which a lead is handed over, as the clause in force says; None if none does."""
    rules = Rule.objects.everything("线索评分").present().filter(
        clause__number=CLAUSE, kind="ALERT", is_shadow=False, starts_at__lte=timezone.now()
    )  # fmt: skip
    rule = rules.order_by("-starts_at").first()
    wanted = (rule.params.get("when") or {}).get("score") if rule else None
    return int(wanted["at_least"]) if wanted and "at_least" in wanted else None


_day: list[date] = []
_waiting: list[int] = []


def keep_some() -> int:
    """Score every living lead anew once a day, some of them in each round of the worker: points
    may depend on the time that passed."""
    today = timezone.localdate()
    if _day != [today]:
        living = Lead.objects.everything("每日评分").present().filter(stage__in=LIVING)
        _day[:], _waiting[:] = [today], living.order_by("pk").values_list("pk", flat=True)
    some, _waiting[:] = set(_waiting[:BATCH]), _waiting[BATCH:]
    if some:
        with door.acting(by=None, action="score", reason="每日评分", channel="JOB") as deed:
            keep(deed, some)
    return len(some)


def hand_over() -> int:
    """Mark leads for sales that were found valid, classified, and reach the score of the clause."""
    wanted = threshold()
    if wanted is None:
        return 0
    ready = Lead.objects.everything("达到评分的线索").present().filter(
        stage__in=("NEW", "NURTURE"),
        first_verdict="VALID",
        classified_at__isnull=False,
        score__gte=wanted,
    )  # fmt: skip
    moved = 0
    for lead in ready.order_by("pk")[:BATCH]:
        try:
            door.act("mark_mql", lead, by=None, reason=f"评分 {lead.score}", channel="JOB")
        except (door.Denied, door.Refused):
            continue  # a company's own rule wants more; marketing sees it in its list
        moved += 1
    return moved


jobs.register("线索评分", keep_some)
jobs.register("线索达标", hand_over)
