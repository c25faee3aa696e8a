"""What the ledger's tallies say of every rule: as they stand, or as they stood at a day's end.

A past day is added up from the tallies' moves. Those of duties due within the weeks shown are
bounded by their due days; of older duties only what stood open or red counts, and that is what
stands now less what was moved since, of which there is little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Func, IntegerField, Q, Sum

from fangyuan.access import scopes
from fangyuan.core import ready
from fangyuan.engine.models import Tally, TallyMove
from fangyuan.metrics.compliance import breached_duties, due_duties, met_duties, waived_duties

COUNTS = ("met", "due", "waived", "open", "red", "today", "done", "pending")
# Weeks are counted from a Monday: truncating dates would take longer than summing.
_MONDAY = date(2001, 1, 1)
_WEEK_NUMBER = Func(
    F("due_on"),
    template=f"(%(expressions)s - date '{_MONDAY}') / 7",
    output_field=IntegerField(),
)
_STANDING = Q(state__in=["OPEN", "BREACHED"])
# How long after its due day a duty counts as old; the index of what changed of it says so too.
_OLD = 77
NOW, RECENT, STANDS, SINCE = "now", "recent", "stands", "since"


@dataclass(frozen=True)
class Count:
    """The numbers of one rule's duties that fall due in one week."""

    rule: int
    week: date
    weekly: list[int]  # met, due and red
    sums: dict[str, int]  # what COUNTS names


@dataclass(frozen=True)
class Days:
    """The day that is looked at, and from when weeks and the span are counted.

    With `known_on` the numbers are those of that day's end; without it, those of now.
    """

    today: date
    first_week: date
    start: date
    known_on: date | None = None


def counts(actor: Any, days: Days) -> Iterator[Count]:
    """The numbers that the actor may see, by rule and week; a rule and week may come twice."""
    given = {
        "today": days.today,
        "since": min(days.first_week, days.start),
        "start": days.start,
        "known_on": days.known_on,
    }
    reach = scopes.reach(actor, Tally)
    for rule, place, *sums in _COUNTED(days.known_on is None, reach, actor=actor, **given):
        numbers = [int(number or 0) for number in sums]
        week = _MONDAY + timedelta(weeks=place)
        yield Count(rule, week, numbers[:3], dict(zip(COUNTS, numbers[3:], strict=True)))


def _model(part: str) -> Any:
    return Tally if part in (NOW, STANDS) else TallyMove


def _rows(part: str) -> Q:
    """Which rows of the tallies or of their moves a part adds up."""
    recent, old = Q(due_on__gte=ready.Slot("since")), Q(due_on__lt=ready.Slot("since"))
    return {
        NOW: recent | _STANDING,
        RECENT: recent & Q(known_on__lte=ready.Slot("known_on")),
        STANDS: old & _STANDING,
        SINCE: old
        & _STANDING
        & Q(known_on__gt=ready.Slot("known_on"))
        & Q(known_on__gt=F("due_on") + _OLD),
    }[part]


def _counted(is_now: bool, seen: scopes.Reach) -> Any:
    if is_now:
        return _summed(NOW, seen)
    return _summed(RECENT, seen).union(_summed(STANDS, seen), _summed(SINCE, seen), all=True)


def _summed(part: str, seen: scopes.Reach) -> Any:
    """By rule and week: met, due and red until today; the same and the waived within the span; what
    stands open and red at all, what falls due today and how much of it is done; what is open though
    it falls due by today."""
    past = Q(due_on__lte=ready.Slot("today"))
    spanned = past & Q(due_on__gte=ready.Slot("start"))
    due_today = Q(due_on=ready.Slot("today")) & ~Q(state="VOID")
    weekly = (met_duties, due_duties, breached_duties)
    conditions = [past & metric.where for metric in weekly]
    conditions += [spanned & metric.where for metric in (met_duties, due_duties, waived_duties)]
    conditions += [Q(state="OPEN"), Q(state="BREACHED")]
    conditions += [due_today, due_today & ~_STANDING, past & Q(state="OPEN")]
    model = _model(part)
    rows = model.objects.everything("在范围内").filter(scopes.later(seen, model), _rows(part))
    number = -F("number") if part == SINCE else F("number")
    sums = {f"sum_{n}": Sum(number, filter=one) for n, one in enumerate(conditions)}
    weeks = rows.order_by().annotate(week=_WEEK_NUMBER).values("rule_id", "week")
    return weeks.annotate(**sums).values_list("rule_id", "week", *sums)


_COUNTED = ready.Ready(_counted)


def people(actor: Any, known_on: date | None, since: date) -> int:
    """How many people have open duties, or had at the end of a day."""
    model: Any = Tally if known_on is None else TallyMove
    given = {"actor": actor, "known_on": known_on, "since": since}
    return len(_PEOPLE(known_on is None, scopes.reach(actor, model), **given))


def _owing(is_now: bool, seen: scopes.Reach) -> Any:
    model: Any = Tally if is_now else TallyMove
    rows = model.objects.everything("在范围内").filter(scopes.later(seen, model), state="OPEN")
    if not is_now:
        rows = rows.filter(known_on__lte=ready.Slot("known_on"), due_on__gte=ready.Slot("since"))
    owing = rows.exclude(person_id=None).order_by().values("person_id").annotate(n=Sum("number"))
    return owing.filter(n__gt=0).values_list("person_id")


_PEOPLE = ready.Ready(_owing)
