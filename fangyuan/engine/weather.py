"""The weather of duties: what will fall due in the coming days, beside what a person usually has.

Counted from the tallies: duties that are open, and the coming periods of cadences, which the sweep
has not opened yet and which are taken to be as many as in the running period. What events still to
come will give is not foreseen. A duty due on a day off must be done by the last working day before.
Whoever is on approved leave when a coming period is decided passes it to whoever stands in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from fangyuan.access import scopes
from fangyuan.core import calendar, ready, spans, workdays
from fangyuan.core.models import CalendarDay
from fangyuan.engine import compile as compiler
from fangyuan.engine import kinds, models, rulebook
from fangyuan.engine.kinds import Cadence

DAYS: Final = 14
_STANDING_IN: Final = """
SELECT l.person_id, i.at, engine_stand_in(l.person_id, i.at)
  FROM unnest(%(instants)s::timestamptz[]) AS i (at)
  JOIN org_leave l ON l.stage = 'APPROVED' AND l.removed_at IS NULL
                  AND l.starts_at < i.at AND l.ends_at >= i.at"""
QUARTER: Final = timedelta(days=91)
# The skies, the calmest first: name, what it means, up to how many times the usual load.
SKIES: Final = (
    ("clear", "晴", "没有要到期的", 0.0),
    ("fair", "少云", "比平常轻", 0.8),
    ("cloudy", "多云", "和平常差不多", 1.2),
    ("rain", "雨", "比平常忙", 2.0),
    ("storm", "暴雨", "扎堆，是平常的两倍以上", float("inf")),
)
CALM: Final = 2  # so few duties are never worse than usual


@dataclass(frozen=True)
class Day:
    """A day ahead: whether it is worked, and as what it stands in the calendar."""

    on: date
    is_working: bool
    name: str = ""

    @property
    def is_made_up(self) -> bool:
        """Worked although it is a weekend (调休)."""
        return self.is_working and self.on.weekday() >= 5


@dataclass
class Load:
    """What somebody has to do by a day: open duties and those of coming periods."""

    known: int = 0
    coming: int = 0
    usual: float = 0.0
    # How many of them are due on a day off that follows.
    moved: int = 0
    people: int = 1

    @property
    def all(self) -> int:
        """How many duties in all."""
        return self.known + self.coming

    @property
    def sky(self) -> str:
        """How it compares with the usual load of such a day."""
        if not self.all:
            return SKIES[0][0]
        times = self.all / max(self.usual, self.people)
        worst = 2 if self.all <= CALM * self.people else len(SKIES) - 1
        place = next(n for n, (*_, most) in enumerate(SKIES) if n and times <= most)
        return SKIES[min(place, worst)][0]

    def add(self, other: Load) -> None:
        """Sum another load into this one."""
        self.known, self.coming = self.known + other.known, self.coming + other.coming
        self.usual, self.moved = self.usual + other.usual, self.moved + other.moved
        self.people += other.people


Row = dict[date, Load]


@dataclass(frozen=True)
class Coming:
    """A period that is not in the ledger yet: when it falls due, and the rule and due day that show
    how many it will give."""

    rule: models.Rule
    period: spans.Period
    due_on: date
    like: int
    like_on: date
    # When it is decided who answers; None where leave changes nothing about that.
    answers_at: datetime | None


@dataclass
class Forecast:
    """The days ahead, and by person (None: nobody answers) the load of each working day."""

    days: list[Day]
    # By which working day what is due on a day must be done.
    by_when: dict[date, date]
    coming: list[Coming]
    rows: dict[int | None, Row] = field(default_factory=dict)
    stand_ins: dict[tuple[int | None, datetime | None], int] = field(default_factory=dict)

    def total(self, people: Any = None) -> Row:
        """The sum over these people, over all if none are named."""
        summed: Row = defaultdict(lambda: Load(people=0))
        for person, row in self.rows.items():
            if people is None or person in people:
                for on, load in row.items():
                    summed[on].add(load)
        return dict(summed)


def forecast(actor: Any, now: datetime, *, only: int | None = None) -> Forecast:
    """The days ahead of all whose duties the actor may see, or of one of them."""
    today = spans.day_of(now)
    cal = calendar.stored()
    ahead = days(cal, today)
    given = _asked(actor, today, only)
    found = Forecast(ahead, _by_when(cal, ahead), list(periods_ahead(cal, now)))
    found.stand_ins = _stand_ins(found.coming)
    for holder, due_on, answers_at, known, expected in _sums(given, found):
        person = found.stand_ins.get((holder, answers_at), holder)
        if given["people"] is not None and person not in given["people"]:
            continue
        by = found.by_when[due_on]
        load = found.rows.setdefault(person, {}).setdefault(by, Load())
        load.known, load.coming = load.known + int(known), load.coming + int(expected)
        load.moved += int(known + expected) if by != due_on else 0
    _compare(found, given)
    return found


def _asked(actor: Any, today: date, only: int | None) -> dict[str, Any]:
    people = scopes.people(actor, models.Tally)
    if only is not None:
        people = [only] if people is None or only in people else []
    last = today + timedelta(days=DAYS - 1)
    return {"people": people, "today": today, "last": last, "since": today - QUARTER}


def _stand_ins(coming: list[Coming]) -> dict[tuple[int | None, datetime | None], int]:
    """Who stands in for those who are on leave when coming periods are decided, by that instant."""
    instants = sorted({one.answers_at for one in coming if one.answers_at is not None})
    rows = ready.ask(_STANDING_IN, {"instants": instants})
    return {(holder, at): person for holder, at, person in rows if person != holder}


def days(cal: workdays.WorkCalendar, today: date) -> list[Day]:
    """The days ahead with their names, from today on."""
    last = today + timedelta(days=DAYS - 1)
    rows = CalendarDay.objects.everything("工作日历").present().filter(on__gte=today, on__lte=last)
    names = dict(rows.order_by("calendar_version").values_list("on", "name"))
    each = [today + timedelta(days=n) for n in range(DAYS)]
    return [Day(on, cal.is_working(on), names.get(on, "")) for on in each]


def _by_when(cal: workdays.WorkCalendar, ahead: list[Day]) -> dict[date, date]:
    """By which day what is due on a day must be done: the last working day, if there is one yet."""
    today = ahead[0].on
    return {
        day.on: day.on if day.is_working else max(cal.last_working_day_before(day.on), today)
        for day in ahead
    }


def periods_ahead(cal: workdays.WorkCalendar, now: datetime) -> Iterator[Coming]:
    """The periods of cadences that begin after now, or will begin under a version that is to come,
    and fall due in the days ahead."""
    last = spans.day_of(now) + timedelta(days=DAYS - 1)
    until = spans.midnight(last + timedelta(days=1))
    rules = models.Rule.objects.everything("义务预报").present().filter(kind="CADENCE")
    rules = rules.filter(Q(ends_at=None) | Q(ends_at__gt=now), starts_at__lt=until)
    for rule in rules.filter(is_shadow=False).select_related("clause", "follows"):
        kind = _read(rule)
        if kind is not None:
            yield from _periods(rule, kind, cal, (now, last))


def _read(rule: models.Rule) -> Cadence | None:
    try:
        kind = rulebook.kind_of(rule)
    except kinds.BadRule:
        return None
    return kind if isinstance(kind, Cadence) else None


def _periods(
    rule: models.Rule, kind: Cadence, cal: workdays.WorkCalendar, span: tuple[datetime, date]
) -> Iterator[Coming]:
    now, last = span
    known = _latest(kind, cal, now)
    # The running period of a version that begins within it is that of the version before.
    like = rule if rule.starts_at <= known.start else rule.follows
    like_kind = _read(like) if like is not None else None
    if like is None or like_kind is None:
        return
    like_on = _due_on(cal, _latest(like_kind, cal, now), like_kind)
    until = spans.midnight(last + timedelta(days=1))
    for period in cal.periods(kind.per, known.end, until, worked_only=kind.only_worked):
        due_on = _due_on(cal, period, kind)
        is_ours = rule.starts_at <= period.start and (
            rule.ends_at is None or period.start < rule.ends_at
        )
        if is_ours and spans.day_of(now) <= due_on <= last:
            answers_at = period.end if kind.on_leave == "delegate" else None
            yield Coming(rule, period, due_on, like.pk, like_on, answers_at)


def _latest(kind: Cadence, cal: workdays.WorkCalendar, now: datetime) -> spans.Period:
    """The latest period that the ledger holds: begun, or the next one where that is due before."""
    period = spans.period_at(kind.per, now)
    if kind.only_worked and not cal.is_working(period.first):
        return spans.period_of(kind.per, cal.last_working_day_before(period.first))
    return period.next() if kind.due_rule.anchor is spans.Anchor.BEFORE else period


def _due_on(cal: workdays.WorkCalendar, period: spans.Period, kind: Cadence) -> date:
    """The day at whose end a period falls due, as the tallies count it."""
    return spans.ending(cal.cadence_due(period, kind.due_rule).at)[0]


def _sums(given: dict[str, Any], found: Forecast) -> list[Any]:
    coming, people = found.coming, given["people"]
    if people is not None:  # what others pass on to them as well
        people = sorted({*people, *(p for (p, _), to in found.stand_ins.items() if to in people)})
    asked = {
        **given,
        "people": people,
        "answers_at": [one.answers_at for one in coming],
        "rules": [one.like for one in coming],
        "like_on": [one.like_on for one in coming],
        "due_on": [one.due_on for one in coming],
    }
    return ready.ask(_statement("weather", given), asked)


def _statement(name: str, given: dict[str, Any]) -> str:
    """One of the statements; of some people only, it reads their part of the tallies by index."""
    whose = "true" if given["people"] is None else "t.person_id = ANY (%(people)s::bigint[])"
    return compiler.template(name).substitute(whose=whose)


def _compare(found: Forecast, given: dict[str, Any]) -> None:
    """Put the usual load beside each: that of the same weekday in the last quarter."""
    usual: dict[Any, dict[int, float]] = defaultdict(dict)
    for person, weekday, number in ready.ask(_statement("usual", given), given):
        usual[person][int(weekday)] = float(number)
    for person in {*usual, *found.rows}:
        row = found.rows.setdefault(person, {})
        for day in found.days:
            if day.is_working:
                load = row.setdefault(day.on, Load())
                load.usual = usual[person].get(day.on.isoweekday(), 0.0)


def lines(found: Forecast, person: int | None, on: date) -> list[tuple[Coming, int]]:
    """What coming periods will give a person of the forecast by a day, and how many duties each."""
    coming = [one for one in found.coming if found.by_when[one.due_on] == on]
    if not coming:
        return []
    passing = {holder for (holder, _), to in found.stand_ins.items() if to == person}
    rows = models.Tally.objects.everything("在范围内").filter(number__gt=0)
    rows = rows.filter(Q(person_id=person) | Q(person_id__in=passing))
    rows = rows.exclude(state__in=["VOID", "WAIVED"])
    rows = rows.filter(rule_id__in=[one.like for one in coming])
    rows = rows.filter(due_on__in=[one.like_on for one in coming])
    counts: dict[tuple[int, date], dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
    for holder, rule, due_on, number in rows.values_list(
        "person_id", "rule_id", "due_on", "number"
    ):
        counts[rule, due_on][holder] += number
    given = [(one, _of(found, person, one, counts[one.like, one.like_on])) for one in coming]
    return [(one, number) for one, number in given if number]


def _of(found: Forecast, person: int | None, one: Coming, held: dict[int | None, int]) -> int:
    """How many of the duties that people held before will be this person's."""
    moved = (
        (found.stand_ins.get((holder, one.answers_at), holder), n) for holder, n in held.items()
    )
    return sum(number for answering, number in moved if answering == person)


def due_days(found: Forecast, on: date) -> list[date]:
    """The days on which what must be done by a day is due."""
    return sorted(day for day, by in found.by_when.items() if by == on)


def last_sweep() -> datetime | None:
    """As of when the ledger stands that the forecast counts from."""
    rows = models.Progress.objects.everything("义务预报").filter(rule=None)
    found: datetime | None = rows.values_list("as_of", flat=True).first()
    return found
