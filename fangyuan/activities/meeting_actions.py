"""Verbs on meetings and those asked to them: invite, sign in, minute, close, prepare the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from fangyuan import door
from fangyuan.access import table
from fangyuan.activities import agenda, fillings, showing, task_actions
from fangyuan.activities.models import Meeting, Participant, Task
from fangyuan.desk.models import Comment
from fangyuan.org import posting
from fangyuan.org.models import Leave, Message

GRACE = timedelta(minutes=5)  # who signs in so much after the beginning is still on time


def _leads(deed: door.Deed, meeting: Any) -> bool:
    """Whether the actor hosts the meeting or is a superior of the host."""
    if deed.by is None or deed.is_trusted:
        return True
    return meeting.host_id in (deed.by.pk, *table.sight(deed.by).below_ids)


@door.verb("meeting", label="通知参会人", asks=())
def invite(deed: door.Deed, meeting: Any) -> Any:
    """Tell everybody who is asked when and where it is; once for each time and place."""
    held = deed.held(meeting)
    asked = Participant._base_manager.filter(meeting=held, removed_at=None).exclude(person=None)
    start = timezone.localtime(held.starts_at)
    when = f"{start:%m-%d} 周{'一二三四五六日'[start.weekday()]} {start:%H:%M}"
    notes = []
    for number in asked.exclude(person=deed.actor_id).values_list("person_id", flat=True):
        note = Message(
            person_id=number,
            kind="NOTICE",
            topic="WORK",
            title=f"请参加{held.title}",
            text="，".join(part for part in (when, held.place, f"{held.host}主持") if part),
            sent_at=deed.at,
            step_key=f"meeting:{held.pk}:{start.isoformat()}:{held.place}:{number}",
        )
        note.subject = held
        notes.append(note)
    posting.post(notes)
    return held


def ask(deed: door.Deed, meeting: Any, people: Iterable[int]) -> None:
    """Put people on the list of those asked; who is on it stays."""
    known = Participant._base_manager.filter(meeting=meeting, removed_at=None)
    there = set(known.values_list("person_id", flat=True))
    with deed.entrusted():
        for number in dict.fromkeys(people):
            if number not in there:
                deed.create(Participant, {"meeting": meeting, "person_id": number})


@door.verb("participant", label="签到", asks=(), writes=("state", "signed_at"))
def sign_in(deed: door.Deed, participant: Any, *, at: datetime | None = None) -> Any:
    """Note that somebody is there: they themselves, or whoever leads the meeting (KA-7.2.3a)."""
    meeting = participant.meeting
    if meeting is None:
        raise door.Denied("只有会议要签到")
    is_own = deed.by is not None and deed.by.pk == participant.person_id
    if not (is_own or _leads(deed, meeting)):
        raise door.Denied("只能给自己签到，或由主持人代签")
    if meeting.ended_at is not None and is_own and not _leads(deed, meeting):
        raise door.Denied("会议已结束，请主持人补签")
    signed = at or deed.at
    state = "ON_TIME" if signed <= meeting.starts_at + GRACE else "LATE"
    with deed.entrusted():
        return deed.change(participant, state=state, signed_at=signed)


@door.verb(
    "participant",
    label="登记缺席",
    asks=("state", "reason"),
    writes=("state", "signed_at"),
    like={"state": {"LEAVE": "请假", "ABSENT": "缺席", "LEFT": "中途退场"}},
)
def excuse(deed: door.Deed, participant: Any, *, state: str = "LEAVE", reason: str = "") -> Any:
    """Note why somebody does not come, or went before the end; it wants a reason (KA-7.2.3a)."""
    is_own = deed.by is not None and deed.by.pk == participant.person_id
    if participant.meeting is None or not (is_own or _leads(deed, participant.meeting)):
        raise door.Denied("只能给自己登记，或由主持人登记")
    if not reason.strip():
        raise door.Refused([door.Unmet("请写原因", "reason", record="participant")])
    signed = participant.signed_at if state == "LEFT" else None
    with deed.entrusted():
        return deed.change(participant, state=state or "LEAVE", reason=reason, signed_at=signed)


@door.verb("meeting", label="记纪要", asks=("minutes", "outputs"), writes=("minutes", "agenda"))
def write_minutes(
    deed: door.Deed, meeting: Any, *, minutes: Any = (), outputs: str | None = None
) -> Any:
    """Note what each point came to; what was minuted counts as covered."""
    held = deed.held(meeting)
    merged = _merged(held, minutes)
    return deed.change(
        held,
        minutes=merged,
        agenda=agenda.covered(held.kinds, merged),
        inputs=_inputs(held, merged),
        outputs=held.outputs if outputs is None else outputs,
    )


def _merged(meeting: Any, minutes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The minutes kept so far with what is said anew; the order is the agenda's."""
    known = {str(one["topic"]): dict(one) for one in meeting.minutes}
    for one in minutes:
        code = str(one.get("topic"))
        label = agenda.BY_CODE[code].label if code in agenda.BY_CODE else code
        point = known.setdefault(code, {"topic": code, "label": label})
        point["said"] = str(one.get("said", "")).strip()
    order = {topic.code: place for place, topic in enumerate(agenda.TOPICS)}
    return sorted(known.values(), key=lambda one: order.get(one["topic"], len(order)))


def _inputs(meeting: Any, minutes: list[dict[str, Any]]) -> list[str]:
    """What a look back was prepared with: what was entered, and what its points tell."""
    told = agenda.covered(meeting.kinds, minutes)
    return list(dict.fromkeys([*meeting.inputs, *[n for n in agenda.INPUTS if n in told]]))


@door.verb(
    "meeting",
    label="结束会议",
    asks=("minutes", "outputs", "ended_at"),
    writes=("ended_at", "minutes", "agenda", "assigned_at", "state", "signed_at"),
)
def hold_meeting(
    deed: door.Deed,
    meeting: Any,
    *,
    minutes: Any = (),
    outputs: str | None = None,
    ended_at: datetime | None = None,
) -> Any:
    """Close a meeting: its figures are kept, who was missing is noted, resolutions are assigned.

    The next one of a series is prepared from it. Clauses count it from now on.
    """
    held = deed.held(meeting)
    if not _leads(deed, held):
        raise door.Denied("由主持人结束会议")
    if held.ended_at is not None:
        raise door.Denied("会议已结束，可以补写纪要")
    ended = ended_at or deed.at
    if ended < held.starts_at:
        raise door.Denied("会议还没到开始时间，请先改开始时间")
    said = _merged(held, minutes)
    here = showing.room(held, deed.by or held.host, deed.at)
    points = fillings.kept(held, here, said)
    closed = deed.change(
        held,
        ended_at=ended,
        minutes=points,
        agenda=agenda.covered(held.kinds, points),
        inputs=_inputs(held, points),
        outputs=held.outputs if outputs is None else outputs,
    )
    _note_missing(deed, closed)
    _assign(deed, closed)
    _note_conclusions(deed, closed, points)
    if closed.every:
        prepare_next(deed, closed)
    return closed


def _note_missing(deed: door.Deed, meeting: Any) -> None:
    """Who neither signed in nor was excused: on leave if it was granted, else absent."""
    rows = Participant._base_manager.filter(meeting=meeting, state=None, removed_at=None)
    away = dict(
        Leave._base_manager.filter(
            person__in=rows.exclude(person=None).values("person"),
            stage="APPROVED",
            starts_at__lte=meeting.starts_at,
            ends_at__gt=meeting.starts_at,
            removed_at=None,
        ).values_list("person_id", "reason")
    )
    with deed.entrusted():
        for one in rows:
            if one.person_id == meeting.host_id:
                deed.change(one, state="ON_TIME", signed_at=meeting.starts_at)
            elif one.person_id in away:
                deed.change(one, state="LEAVE", reason=away[one.person_id] or "已批请假")
            else:
                deed.change(one, state="ABSENT")


def _assign(deed: door.Deed, meeting: Any) -> None:
    """Resolutions become duties of those who are named (KA-7.2.3c)."""
    rows = Task._base_manager.filter(
        meeting=meeting, kind="RESOLUTION", assigned_at=None, removed_at=None
    ).exclude(person=None)
    with deed.entrusted():
        for task in rows:
            given = deed.change(task, assigned_at=deed.at)
            task_actions.tell(deed, given, given.person_id, "given", "会议决议由你办")


def _note_conclusions(deed: door.Deed, meeting: Any, points: list[dict[str, Any]]) -> None:
    """What a review said of the deals, one line each, stands at the deal as well (PS-3.4b)."""
    point = next((one for one in points if one["topic"] == "DEALS"), None)
    if point is None or deed.by is None:
        return
    named = _named(point["shown"]["lines"])
    for line in point["said"].splitlines():
        name, _, said = line.partition("：")
        if not said.strip() or name.strip() not in named:
            continue
        values = {"subject": ("opportunity", named[name.strip()]), "kind": "ADVICE"}
        text = f"{meeting.title}：{said.strip()}"
        with deed.entrusted():
            deed.create(Comment, {**values, "author": deed.by, "text": text})


def _named(rows: list[dict[str, Any]]) -> dict[str, int]:
    """The deals by their names; where several have the same, by name and customer alone."""
    names = Counter(row["text"] for row in rows)
    plain = {row["text"]: row["pk"] for row in rows if names[row["text"]] == 1}
    return plain | {f"{row['text']}（{row.get('who', '')}）": row["pk"] for row in rows}


@door.verb("meeting", label="排下一次", asks=("starts_at",))
def prepare_next(deed: door.Deed, meeting: Any, *, starts_at: datetime | None = None) -> Any:
    """Prepare the next one of a series from this one: the same people, place and kinds."""
    following = meeting.nexts.everything("下一次会议").present().first()
    if following is not None:
        return following
    if not meeting.every and starts_at is None:
        raise door.Refused([door.Unmet("请填下次开始时间", "starts_at", record="meeting")])
    made = deed.create(
        Meeting,
        {
            "title": meeting.title,
            "kinds": meeting.kinds,
            "team": meeting.team,
            "host": meeting.host,
            "place": meeting.place,
            "every": meeting.every,
            "opportunity": meeting.opportunity,
            "departments": meeting.departments,
            "starts_at": starts_at or agenda.after(meeting),
            "previous": meeting,
        },
    )
    asked = meeting.participants.everything("参会名单").present().exclude(person=None)
    ask(deed, made, asked.order_by("pk").values_list("person_id", flat=True))
    invite(deed, made)
    return made
