"""The page of a meeting: agenda with what the data says, minutes, attendance, resolutions.

The same page is read on a phone, minuted at a desk and shown on a wall (`?show=1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.activities import agenda, fillings, meeting_forms, showing
from fangyuan.activities.models import Meeting, Participant, Task
from fangyuan.desk import replies

CLAUSES: Final = {
    "KA_WEEKLY": ("KA-7.2.1a", "KA例会"), "WEEKLY": ("PA-14.1a", "销售周会"),
    "MONTHLY": ("PA-14.1b", "销售月会"), "QUARTERLY": ("PA-14.1c", "销售季会"),
    "REGULAR": ("PS-3.4a", "销售例会"), "DEAL_REVIEW": ("PS-3.4b", "商机评审会"),
    "QUARTER_SUM": ("PS-3.4c", "季度总结会"), "YEAR_SUM": ("PS-3.4d", "年度总结会"),
    "RETRO": ("PJ-3.5a", "流程复盘"), "PROJECT": ("KA-7.2.2", "项目会议"),
    "ONE_ON_ONE": ("RES-6.4.2b", "一对一"), "TEAM_EVENT": ("RES-6.4.2a", "团队活动"),
}  # fmt: skip


@dataclass
class Point:
    """One point of the agenda as the page shows it."""

    topic: agenda.Topic
    shown: showing.Shown | None  # None where the data is asked for by itself
    said: str
    names: list[str]

    @property
    def is_lacking(self) -> bool:
        """Whether a clause wants it covered and nothing was minuted."""
        return bool(self.names) and not self.said


def points(meeting: Meeting, actor: Any, *, is_whole: bool) -> list[Point]:
    """The agenda with figures and minutes: live while it is open, as kept once it is closed.

    What is live is dear: unless the whole is asked for, each point fetches its own.
    """
    kept = {str(one["topic"]): one for one in meeting.minutes}
    is_live = meeting.ended_at is None
    here = showing.room(meeting, actor, timezone.now()) if is_live and is_whole else None
    found = []
    for topic in agenda.planned(meeting.kinds):
        one = kept.get(topic.code, {})
        shown = None if is_live else showing.again(one.get("shown", {}))
        if here is not None:
            shown = fillings.fill(topic, here)
        said = str(one.get("said", ""))
        found.append(Point(topic, shown, said, topic.said_as(meeting.kinds)))
    return found


def _seen(request: HttpRequest, number: int) -> Any:
    rows = Meeting.objects.seen_by(request.user).present()
    chosen = rows.select_related("team", "host", "previous", "opportunity__stage")
    return get_object_or_404(chosen, pk=number)


def _leads(actor: Any, meeting: Meeting) -> bool:
    return meeting.host_id in (actor.pk, *table.sight(actor).below_ids)


@require_safe
def page(request: HttpRequest, number: int) -> HttpResponse:
    """One meeting."""
    return _page(request, _seen(request, number))


def _page(request: HttpRequest, meeting: Any, **more: Any) -> HttpResponse:
    shown = points(meeting, request.user, is_whole="all" in request.GET)
    following = meeting.nexts.everything("下一次会议").present().first()
    context = {
        "meeting": meeting,
        "points": shown,
        "lacking": [name for one in shown if one.is_lacking for name in one.names],
        "clauses": [CLAUSES[kind] for kind in meeting.kinds if kind in CLAUSES],
        "following": following,
        "is_shown": "show" in request.GET,
        "is_ahead": meeting.starts_at > timezone.now(),
        "deals_hint": any(one.topic.code == "DEALS" for one in shown),
        **_people(request, meeting),
        **_resolved(request, meeting),
        **more,
    }
    status = 422 if more.get("problem") else 200
    return render(request, "activities/meeting.html", context, status=status)


@require_safe
def point(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """What the data says to one point, as a fragment."""
    meeting = _seen(request, number)
    topic = next((one for one in agenda.planned(meeting.kinds) if one.code == code), None)
    if topic is None or meeting.ended_at is not None:
        raise Http404(code)
    shown = fillings.fill(topic, showing.room(meeting, request.user, timezone.now()))
    return render(request, "activities/meeting_data.html", {"shown": shown})


def _people(request: HttpRequest, meeting: Any) -> dict[str, Any]:
    rows = Participant.objects.everything("参会名单").present().filter(meeting=meeting)
    found = list(rows.select_related("person", "contact").order_by("pk"))
    there = sum(one.state in ("ON_TIME", "LATE", "LEFT") for one in found)
    return {
        "people": found,
        "there": there,
        "mine": next((one for one in found if one.person_id == request.user.pk), None),
        "may_lead": _leads(request.user, meeting),
    }


def _resolved(request: HttpRequest, meeting: Any) -> dict[str, Any]:
    rows = Task.objects.everything("会议决议").present()
    found = rows.filter(meeting=meeting).select_related("person").order_by("pk")
    return {
        "resolutions": list(found),
        "new": meeting_forms.Resolution(meeting),
        "may_lead": _leads(request.user, meeting),
    }


def _typed(request: HttpRequest, meeting: Any) -> dict[str, Any]:
    """The minutes as they were typed; a point that the form did not show is left alone."""
    codes = [topic.code for topic in agenda.planned(meeting.kinds)]
    said = [
        {"topic": code, "said": request.POST[f"said_{code}"]}
        for code in codes
        if f"said_{code}" in request.POST
    ]
    return {"minutes": said, "outputs": request.POST.get("outputs")}


@require_POST
def minutes(request: HttpRequest, number: int) -> HttpResponse:
    """Keep what was minuted, or close the meeting with it."""
    meeting = _seen(request, number)
    verb = "hold_meeting" if "hold" in request.POST else "write_minutes"
    try:
        door.act(verb, meeting, by=request.user, payload=_typed(request, meeting))
    except (door.Denied, door.Refused) as refusal:
        return _page(request, meeting, problem=str(refusal))
    said = "会议已结束，决议已派给责任人" if verb == "hold_meeting" else "纪要已存"
    return replies.done(request, said, f"/meetings/{number}")


@require_POST
def attend(request: HttpRequest, number: int, participant: int) -> HttpResponse:
    """Sign somebody in, or note why they are not there."""
    meeting = _seen(request, number)
    rows = Participant.objects.everything("参会名单").present().filter(meeting=meeting)
    one = get_object_or_404(rows, pk=participant)
    reason = request.POST.get("reason", "").strip()
    state = request.POST.get("state", "")
    verb, payload = ("excuse", {"state": state, "reason": reason}) if state else ("sign_in", {})
    try:
        door.act(verb, one, by=request.user, payload=payload)
    except (door.Denied, door.Refused) as refusal:
        return _part(request, meeting, "people", str(refusal))
    return _part(request, meeting, "people")


@require_POST
def resolve(request: HttpRequest, number: int) -> HttpResponse:
    """Add a resolution: what, who, by when."""
    meeting = _seen(request, number)
    form = meeting_forms.Resolution(meeting, request.POST)
    if not form.is_valid():
        return _part(request, meeting, "resolutions", "请写清决议、责任人和期限", new=form)
    try:
        _resolve(request.user, meeting, form.cleaned_data)
    except (door.Denied, door.Refused) as refusal:
        return _part(request, meeting, "resolutions", str(refusal), new=form)
    return _part(request, meeting, "resolutions")


def _resolve(actor: Any, meeting: Any, said: dict[str, Any]) -> None:
    values = {
        "kind": "RESOLUTION",
        "title": said["title"],
        "person": said["person"],
        "due_at": meeting_forms.end_of(said["due_on"]),
        "meeting": meeting,
        "asker": meeting.host,
        "opportunity": None,
    }
    values.pop("opportunity")
    if meeting.opportunity_id:
        values |= {"subject": ("opportunity", meeting.opportunity_id)}
    with door.acting(by=actor, action="resolve") as deed:
        if not _leads(actor, meeting) and meeting.ended_at is not None:
            raise door.Denied("会议已结束，由主持人补决议")
        made = deed.create(Task, {**values, "asked_at": deed.at})
        if meeting.ended_at is not None:
            door.act("assign_task", made, by=actor)


@require_POST
def drop(request: HttpRequest, number: int, task: int) -> HttpResponse:
    """Take back a resolution that is not assigned yet."""
    meeting = _seen(request, number)
    rows = Task.objects.everything("会议决议").present().filter(meeting=meeting, assigned_at=None)
    try:
        door.remove(get_object_or_404(rows, pk=task), by=request.user)
    except door.Denied as denied:
        return _part(request, meeting, "resolutions", str(denied))
    return _part(request, meeting, "resolutions")


def _part(
    request: HttpRequest, meeting: Any, part: str, problem: str = "", **more: Any
) -> HttpResponse:
    """One card of the page for a script, the whole page without."""
    if not getattr(request, "htmx", False):
        if problem:
            return _page(request, meeting, problem=problem)
        return redirect(f"/meetings/{meeting.pk}")
    read = _people if part == "people" else _resolved
    context = {"meeting": meeting, **read(request, meeting), "told": problem, **more}
    return render(request, f"activities/meeting_{part}.html", context)


@require_POST
def following(request: HttpRequest, number: int) -> HttpResponse:
    """Prepare the next one of the series."""
    meeting = _seen(request, number)
    if not _leads(request.user, meeting):
        return _page(request, meeting, problem="由主持人排下一次")
    try:
        made = meeting_forms.next_of(meeting, request.user)
    except (door.Denied, door.Refused) as refusal:
        return _page(request, meeting, problem=str(refusal))
    return replies.done(request, "下一次已排好，参会人已收到通知", f"/meetings/{made.pk}")


@require_safe
def meetings(request: HttpRequest) -> HttpResponse:
    """What is to be held, what was held lately, and which resolutions are still open."""
    now = timezone.now()
    rows = Meeting.objects.seen_by(request.user).present().select_related("team", "host")
    ahead = rows.filter(ended_at=None, starts_at__gte=now - timedelta(days=30))
    held = rows.filter(ended_at__isnull=False).order_by("-ended_at")
    left = (
        Task.objects.seen_by(request.user)
        .present()
        .filter(kind="RESOLUTION", done_at=None, assigned_at__isnull=False)
        .select_related("person", "meeting")
        .order_by("due_at")
    )
    context = {
        "ahead": list(ahead.order_by("starts_at")[:12]),
        "held": meeting_forms.counted(held[:20]),
        "left": list(left[:20]),
        "may_create": table.may(request.user, "meeting", "c"),
        "kinds": dict(Meeting.Kind.choices),
    }
    return render(request, "activities/meetings.html", context)


def new(request: HttpRequest) -> HttpResponse:
    """A new meeting: kinds, team and time are enough; the agenda follows from the kinds."""
    said = request.POST if request.method == "POST" else None
    form = meeting_forms.New(request.user, request.GET, said)
    if said is None or not form.is_valid():
        return _new(request, form, status=200 if said is None else 422)
    try:
        made = form.make()
    except (door.Denied, door.Refused) as refusal:
        return _new(request, form, status=422, problem=str(refusal))
    return replies.done(request, "会议已建好，参会人已收到通知", f"/meetings/{made.pk}")


def _new(request: HttpRequest, form: Any, *, status: int, problem: str = "") -> HttpResponse:
    context = {"form": form, "problem": problem}
    return render(request, "activities/meeting_new.html", context, status=status)
