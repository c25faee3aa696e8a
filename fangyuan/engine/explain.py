"""Why an obligation exists, why it has its state, and how it turns green.

Computed from the same facts as the verdict: `verdict` gives the state from the explanation alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from fangyuan.core import calendar, past, records, spans
from fangyuan.core.models import CalendarDay
from fangyuan.engine import kinds, known, models, reasons
from fangyuan.engine.kinds import Cadence
from fangyuan.org.models import Holding, Person

LONGEST = 120  # days listed one by one


@dataclass(frozen=True)
class Day:
    """One day between the beginning and the due time."""

    on: date
    counts: bool
    name: str = ""


@dataclass(frozen=True)
class Held:
    """Who answered for the subject from when to when."""

    person: str
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class Moved:
    """One change of state in words."""

    was: str
    became: str
    at: datetime
    said: str


@dataclass(frozen=True)
class Explanation:
    """Everything the verdict rests on."""

    clause: str
    clause_text: str
    policy: str
    version: str
    sentence: str
    subject: str
    occurrence: str
    began_at: datetime
    due_at: datetime
    met_at: datetime | None
    left_at: datetime | None
    is_waived: bool
    is_provisional: bool
    is_told_late: bool
    is_cadence: bool
    judged_at: datetime
    state: str
    person: str
    trigger: str
    counting: str
    days: list[Day] = field(default_factory=list)
    holders: list[Held] = field(default_factory=list)
    moves: list[Moved] = field(default_factory=list)
    why: str = ""
    how: str = ""


def explain(obligation: models.Obligation, *, now: datetime, is_past: bool = False) -> Explanation:
    """Explain one obligation as it stood at the last sweep, at most at `now`.

    With `is_past` the obligation is one of `history.stood` and `now` the instant looked back at:
    the clause is told as it read then.
    """
    known.named([obligation])
    rule = obligation.rule
    clause = past.turned([rule.clause], now)[0] if is_past else rule.clause
    kind = kinds.read(rule.kind, rule.record, rule.params)
    swept = (
        None if is_past else models.Progress.objects.everything("解释").filter(rule=None).first()
    )
    cause = obligation.cause
    left = cause.get("left_at")
    record = records.find((obligation.subject_type, obligation.subject_id))
    parts: dict[str, Any] = {
        "clause": clause.number,
        "clause_text": clause.text,
        "policy": rule.clause.policy.title,
        "version": rule.version,
        "sentence": kind.sentence(),
        "subject": _subject(obligation, record),
        "occurrence": obligation.occurrence,
        "began_at": obligation.began_at,
        "due_at": obligation.due_at,
        "met_at": obligation.met_at,
        "left_at": datetime.fromisoformat(left) if left else None,
        "is_waived": obligation.state == "WAIVED",
        "is_provisional": bool(cause.get("provisional")),
        "is_told_late": bool(cause.get("told_late")),
        "is_cadence": isinstance(kind, Cadence),
        "judged_at": swept.as_of if swept and swept.as_of else now,
        "state": obligation.state,
        "person": obligation.person.name if obligation.person else "",
        "trigger": reasons.trigger(kind, obligation),
        "counting": reasons.counting(kind, obligation) + _carried(rule, obligation, now),
        "days": _days(kind, obligation),
        "holders": _holders(obligation, record, now),
        "moves": _moves(obligation, now),
    }
    told = Explanation(**parts)
    is_gone = bool(cause.get("gone"))
    return Explanation(**parts, why=reasons.why(told, is_gone=is_gone), how=reasons.how(told, kind))


def _carried(rule: models.Rule, obligation: models.Obligation, now: datetime) -> str:
    """That newer versions took over the due time of a duty open at their effect, if they did."""
    said, later = "", rule
    while later.ends_at is not None:  # something may have followed it
        following = later.followers.everything("解释").present().first()
        if following is None or following.starts_at > now:
            break
        later = following
        if later.in_flight != "OLD" and later.params.get("within"):
            said += _carried_by(later, obligation)
    return said


def _carried_by(later: models.Rule, obligation: models.Obligation) -> str:
    at, met = later.starts_at, obligation.met_at
    if obligation.due_at <= at or obligation.began_at >= at or (met is not None and met < at):
        return ""
    how = later.get_in_flight_display()
    return f"；{later.version} 版 {reasons.clock(at)} 生效时还没到期，按“{how}”改算"


def verdict(told: Explanation) -> str:
    """The state that follows from what the explanation says, by ENGINE's decision 15."""
    if told.left_at and (told.met_at is None or told.met_at >= told.left_at):
        return "VOID"
    if told.met_at is not None and told.met_at <= told.due_at:
        return "MET"
    if told.is_waived:
        return "WAIVED"
    if told.met_at is not None:
        return "LATE"
    at, due = told.judged_at, told.due_at
    is_past = at >= due if told.is_cadence else at > due
    return "BREACHED" if is_past and not told.is_provisional else "OPEN"


def _subject(obligation: models.Obligation, record: Any) -> str:
    model = records.row_types()[obligation.subject_type]
    return f"{model._meta.verbose_name}“{record}”" if record else str(model._meta.verbose_name)


def _days(kind: Any, obligation: models.Obligation) -> list[Day]:
    """The days counted, with the holidays skipped, where the due time counts days."""
    span = getattr(kind, "within", None) or getattr(kind, "due", None)
    if not span or not str(span).endswith("d"):
        return []
    by_workday = str(span).endswith("wd")
    ends = obligation.due_at - timedelta(microseconds=1)
    begins = obligation.began_at
    if isinstance(kind, Cadence):
        begins = spans.parse_key(obligation.occurrence).end - timedelta(microseconds=1)
    first, last = spans.day_of(begins), spans.day_of(ends)
    if last < first or (last - first).days > LONGEST:
        return []
    stored = CalendarDay.objects.everything("解释").present().filter(on__range=(first, last))
    names = {day.on: day.name for day in stored}
    work = calendar.stored()
    return [
        Day(on, work.is_working(on) if by_workday else True, names.get(on, ""))
        for on in (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    ]


def _holders(obligation: models.Obligation, record: Any, now: datetime) -> list[Held]:
    """Who held the subject until now, earliest first; a record of a person's own has only them."""
    model: Any = records.row_types()[obligation.subject_type]
    kind, number = obligation.subject_type, obligation.subject_id
    if model.owned_by:
        own = getattr(record, model.owned_by, None) if record else None
        if isinstance(own, Person):
            return [Held(own.name, obligation.began_at, None)]
        if isinstance(own, tuple):
            kind, number = own
    held = Holding._base_manager.filter(
        subject_type=kind, subject_id=number, role="OWNER", removed_at=None, starts_at__lte=now
    ).select_related("person")
    return [Held(h.person.name, h.starts_at, h.ends_at) for h in held.order_by("starts_at")]


def _moves(obligation: models.Obligation, now: datetime) -> list[Moved]:
    rows = models.Move.objects.everything("解释").filter(obligation_id=obligation.pk, at__lte=now)
    return [
        Moved(
            reasons.state(row.was),
            reasons.state(row.became),
            row.at,
            reasons.CAUSES.get(row.because.get("cause", ""), ""),
        )
        for row in rows.order_by("at", "id")
    ]
