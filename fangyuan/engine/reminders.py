"""Reminders of duties: before they fall due, when they do, and step by step upwards after.

Each run covers the instants since the last one, in one transaction with the messages: none is lost,
none is sent twice. History that was imported, duties told late and waived ones send nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q

from fangyuan.core import calendar, events, records, spans
from fangyuan.engine import models, rulebook
from fangyuan.engine.kinds import BadRule, base
from fangyuan.org import lines, posting
from fangyuan.org.models import Message, Person

AHEAD: Final = 0.25  # of the span of a duty, before it falls due
FAR_BACK: Final = 60  # days: no step lies further after a due day
RECENT: Final = timedelta(days=3)  # an alert known for longer is history and not said any more
MORNING: Final = time(9)
SINGLE: Final = 3  # more duties than this of one rule, person and day become one message


@dataclass(frozen=True)
class Step:
    """Who is told so many working days after the due day, and how the message begins."""

    name: str
    state: str
    after: int
    level: int
    says: str
    before: timedelta | None = None


def steps_of(kind: base.Reminded) -> list[Step]:
    """The steps of a rule; those that it sets to 0 are left out."""
    before = spans.parse(kind.remind_before).exact if kind.remind_before else None
    later = (
        Step("late", "BREACHED", kind.remind_again, 0, "仍未完成"),
        Step("manager", "BREACHED", kind.remind_manager, 1, _overdue(kind.remind_manager)),
        Step("director", "BREACHED", kind.remind_director, 2, _overdue(kind.remind_director)),
    )
    return [
        Step("ahead", "OPEN", 0, 0, "快到期", before),
        Step("due", "BREACHED", 0, 0, "已到期，还没有完成"),
        *(step for step in later if step.after),
    ]


def _overdue(days: int) -> str:
    few = "零一两三四五六七八九十"
    return f"逾期{few[days] if days < len(few) else f' {days} '}个工作日"


Namer = Callable[[list[Any], Any], list[str]]
_namers: list[Namer] = []


def name_with(namer: Namer) -> None:
    """The room that knows how duties are called registers here how to say them to a person."""
    _namers[:] = [namer]


def send(now: datetime) -> int:
    """Send what came due to be said since the last run; the first run only begins to count."""
    with transaction.atomic():
        progress, _ = (
            models.Progress.objects.everything("提醒").select_for_update().get_or_create(rule=None)
        )
        since, progress.reminded_at = progress.reminded_at, now
        progress.save(update_fields=["reminded_at"])
        if since is None:
            _warnings(now)
        if since is None or since >= now:
            return 0
        above = functools.cache(lines.superiors)
        messages = [
            message
            for steps, rules in _plans()
            for step in steps
            for group in _groups(_reached(step, rules, since, now))
            for message in _messages(step, group, now, above)
        ]
        return _store([*messages, *_warnings(now)])


def _plans() -> list[tuple[list[Step], Q]]:
    """Steps with the rules that have them: few rules differ from what is usual."""
    groups: dict[tuple[Step, ...], list[int]] = {}
    for rule in rulebook.duties():
        try:
            kind = rulebook.kind_of(rule)
        except BadRule:
            continue
        if isinstance(kind, base.Reminded):
            groups.setdefault(tuple(steps_of(kind)), []).append(rule.pk)
    if not groups:
        return []
    usual = max(groups, key=lambda steps: len(groups[steps]))
    others = [pk for steps, rules in groups.items() if steps != usual for pk in rules]
    found = [(list(steps), Q(rule__in=rules)) for steps, rules in groups.items() if steps != usual]
    return [(list(usual), ~Q(rule__in=others) if others else Q()), *found]


def _reached(step: Step, rules: Q, since: datetime, now: datetime) -> Any:
    """The obligations of these rules whose step lies in (since, now]."""
    rows = models.Obligation.objects.everything("提醒").filter(
        rules,
        Q(cause={}) | Q(cause__has_key="provisional"),
        state=step.state,
        person__isnull=False,
    )
    if step.before is not None:
        return _named(rows.filter(due_at__gt=since + step.before, due_at__lte=now + step.before))
    if step.name == "ahead":
        span = ExpressionWrapper(
            (F("due_at") - F("began_at")) * AHEAD, output_field=DurationField()
        )
        rows = rows.filter(due_at__gt=now, due_at__lte=now + timedelta(days=FAR_BACK * 3))
        rows = rows.annotate(fy_at=F("due_at") - span)
        return _named(rows.filter(fy_at__gt=since, fy_at__lte=now))
    if step.name == "due":
        return _named(rows.filter(due_at__gt=since, due_at__lte=now))
    days = _due_days(step.after, since, now)
    if not days:
        return []
    first, last = spans.midnight(days[0]), spans.midnight(days[-1] + timedelta(days=1))
    return _named(rows.filter(due_at__gt=first, due_at__lte=last))


def _named(rows: Any) -> Any:
    return rows.select_related("rule__clause", "person").order_by("rule_id", "person_id", "id")


def _due_days(after: int, since: datetime, now: datetime) -> list[date]:
    """The due days whose step, the morning of the n-th working day after, lies in (since, now]."""
    days = calendar.stored()
    found = []
    for back in range(FAR_BACK, -1, -1):
        day = spans.day_of(now) - timedelta(days=back)
        at = datetime.combine(days.add(day, after), MORNING, tzinfo=spans.SHANGHAI)
        if since < at <= now:
            found.append(day)
    return found


def _groups(rows: Any) -> Iterator[list[Any]]:
    """Few duties one by one; many of one rule, person and due time together."""
    by_key: dict[Any, list[Any]] = {}
    for row in rows:
        by_key.setdefault((row.rule_id, row.person_id, row.due_at), []).append(row)
    for group in by_key.values():
        if len(group) > SINGLE:
            yield group
        else:
            yield from ([one] for one in group)


def _messages(step: Step, group: list[Any], now: datetime, above: Any) -> Iterator[Message]:
    first = group[0]
    to = _recipient(first.person, step.level, above)
    if to is None:
        return
    whose = "" if step.level == 0 else f"{first.person.name}的"
    what = _names(group[:1], to)[0]
    if len(group) > 1:
        what += f"等 {len(group)} 件"
    due = (first.due_at - timedelta(microseconds=1)).astimezone(spans.SHANGHAI)
    end = first.due_at.astimezone(spans.SHANGHAI)
    clock = f"{end:%H:%M}" if end.date() == due.date() else "24:00"
    yield Message(
        person=to,
        kind="REMIND",
        topic="ESCALATION" if step.level else "DUE",
        obligations=[one.pk for one in group],
        subject_type=first.subject_type,
        subject_id=first.subject_id,
        title=f"{step.says}:{whose}{what}",
        text=f"{first.rule.clause.number} 要求在 {due.month} 月 {due.day} 日 {clock} 前完成",
        sent_at=now,
        step_key=f"obligation:{first.pk}:{step.name}:{first.due_at.timestamp():.0f}:{to.pk}",
    )


def _warnings(now: datetime) -> list[Message]:
    """Each alert that was raised since is said once to everybody it concerns, unless it is over.

    Marked even where nothing is said: what was imported, or known for long, is history.
    """
    fresh = models.Alert.objects.everything("提醒").present().filter(warned_at=None)
    rows = fresh.filter(known_at__lte=now)
    said = rows.filter(cleared_at=None, known_at__gt=now - RECENT, handled_at=None)
    found = list(said.select_related("rule__clause"))
    subjects = _subjects(found)
    messages = [
        _warning(alert, to, now, subjects.get(alert.subject))
        for alert in found
        for to in _warned(alert)
    ]
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="remind", reason="预警提醒", channel="JOB")
    rows.update(warned_at=now)
    return messages


def _subjects(found: list[models.Alert]) -> dict[Any, Any]:
    """The records that alerts are about, one query a type."""
    by_type: dict[str, list[int]] = {}
    for alert in found:
        by_type.setdefault(alert.subject_type, []).append(alert.subject_id)
    return {
        (kind, number): record
        for kind, numbers in by_type.items()
        for number, record in records.row_types()[kind]._base_manager.in_bulk(numbers).items()
    }


def _warned(alert: models.Alert) -> list[int]:
    return [*([alert.person_id] if alert.person_id else []), *alert.also_told]


def _warning(alert: models.Alert, to: int, now: datetime, subject: Any) -> Message:
    at = alert.raised_at.astimezone(spans.SHANGHAI)
    return Message(
        person_id=to,
        kind="ALERT",
        topic="ALERT",
        subject_type="alert",
        subject_id=alert.pk,
        title=f"预警：{subject}",
        text=f"{at.month} 月 {at.day} 日 {at:%H:%M} 起，{alert.rule.clause.number} "
        f"{alert.rule.clause.title}",
        sent_at=now,
        step_key=f"alert:{alert.pk}:{to}",
    )


def _recipient(person: Any, level: int, above: Callable[[int], list[int]]) -> Any:
    """The person, their superior, or the one above; where the line ends, its last one."""
    if level == 0:
        return person
    line = above(person.pk)
    if not line:
        return None
    return Person._base_manager.get(pk=line[min(level, len(line)) - 1])


def _names(rows: list[Any], to: Any) -> list[str]:
    if _namers:
        return _namers[0](rows, to)
    return [row.rule.clause.title or row.rule.clause.number for row in rows]


def _store(messages: list[Message]) -> int:
    if not messages:
        return 0
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="remind", reason="义务提醒", channel="JOB")
    return len(posting.post(messages))
