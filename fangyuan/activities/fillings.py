"""What the data says to each point of an agenda, as it stands.

Asked live while a meeting is open, and kept with its minutes when it is closed, so that the
minutes of March still show the figures of March.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from fangyuan.activities import agenda
from fangyuan.activities.models import Meeting, Task
from fangyuan.activities.results import results
from fangyuan.activities.showing import Figure, Line, Room, Shown, held_by, wan
from fangyuan.core import facts
from fangyuan.desk import declare
from fangyuan.desk.models import Change, Comment
from fangyuan.engine.models import Obligation
from fangyuan.opportunities.models import Opportunity, StageEntry
from fangyuan.org.models import Person

ROWS: Final = 12
DONE: Final = ("已办", "迟办")
MARKET: Final = ("RIVAL", "RIVAL_NEW", "RIVAL_TOUCH", "MARKET", "PRODUCT_NEWS", "VOICE")
ASKED: Final = ("WORK_ISSUE", "TRAIN_NEED", "QUESTION", "PROCESS_ISSUE", "IMPROVE")


def fill(topic: agenda.Topic, here: Room) -> Shown:
    """What the data says to a point; nothing where only people can say something."""
    made = FILLINGS.get(topic.code)
    return made(here) if made else Shown()


def _cut(rows: Any, say: Callable[[Any], Line], **more: Any) -> Shown:
    found = list(rows[: ROWS + 1])
    return Shown(lines=[say(one) for one in found[:ROWS]], more=len(found) > ROWS, **more)


def _task(here: Room) -> Callable[[Task], Line]:
    today = timezone.localdate(here.now)

    def say(task: Task) -> Line:
        if task.done_at:
            late = task.due_at and task.done_at > task.due_at
            note = f"{DONE[1] if late else DONE[0]} {_day(task.done_at)}"
            tone = "soon" if late else "ok"
        elif task.due_at:
            late = task.due_at < here.now
            days = (today - timezone.localdate(task.due_at)).days
            note = f"逾期 {max(days, 1)} 天" if late else f"{_day(task.due_at)} 到期"
            tone = "bad" if late else ""
        else:
            note, tone = "没有期限", "soon"
        said = f"{note}，{task.result.splitlines()[0][:40]}" if task.result else note
        return Line(
            task.title, f"/task/{task.pk}", said, str(task.person or "未派人"), tone, task.pk
        )

    return say


def _day(at: Any) -> str:
    """A deadline at 24:00 belongs to the day that ends then."""
    local = timezone.localtime(at - timedelta(microseconds=1))
    return f"{local.month}-{local.day:02d}"


def resolutions(here: Room) -> Shown:
    """What the last meeting resolved, and what earlier ones of the same team still leave open."""
    last = here.meeting.previous_id
    kinds = here.meeting.kinds
    of_team = Q(meeting__team=here.meeting.team_id, meeting__kinds__overlap=kinds)
    rows = (
        Task.objects.everything("上次会议的决议")
        .present()
        .filter(kind="RESOLUTION", asked_at__lt=here.meeting.starts_at)
        .exclude(meeting=here.meeting)
        .filter(Q(meeting=last) | (of_team & Q(done_at=None)))
        .select_related("person")
        .order_by(F("done_at").asc(nulls_first=True), "due_at")
    )
    shown = _cut(rows, _task(here), empty="没有遗留的决议")
    left = sum(not one.note.startswith(DONE) for one in shown.lines)
    if shown.lines:
        tones = {one.tone for one in shown.lines}
        tone = "bad" if "bad" in tones else "soon" if left else "ok"
        shown.figures = [
            Figure("决议", f"{len(shown.lines)} 条"),
            Figure("没办完", f"{left} 条", tone=tone),
        ]
    return shown


def problems(here: Room) -> Shown:
    """Breaches of these people by clause, and tasks that are overdue."""
    breached = (
        Obligation.objects.everything("会议上的违规")
        .filter(person_id__any_of=here.people, state="BREACHED", due_at__gte=here.since)
        .filter(due_at__lt=here.until)
        .order_by()
    )
    by_clause = (
        breached.values(number=F("rule__clause__number"), title=F("rule__clause__title"))
        .annotate(n=Count("pk"), people=Count("person_id", distinct=True))
        .order_by("-n", "number")
    )
    found = list(by_clause)
    lines = [
        Line(
            f"{one['number']} {one['title']}",
            f"/clause/{one['number']}",
            f"违规 {one['n']} 件，{one['people']} 人",
            tone="bad",
        )
        for one in found[:8]
    ]
    tasks = _open_tasks(here).filter(due_at__lt=here.now).order_by("due_at")
    late = _cut(tasks, _task(here))
    total = sum(one["n"] for one in found)
    return Shown(
        [
            Figure("违规", f"{total} 件", tone="bad" if total else "ok"),
            Figure("逾期任务", f"{len(late.lines)} 项", tone="soon" if late.lines else "ok"),
        ],
        [*lines, *late.lines],
        late.more,
        empty="没有违规，也没有逾期的任务",
    )


def _open_tasks(here: Room) -> Any:
    rows = Task.objects.everything("会议上的任务").present().filter(done_at=None)
    return rows.filter(person__any_of=here.people).select_related("person")


def tasks(here: Room) -> Shown:
    """What these people have to do in the next round, by due time."""
    rhythm = here.meeting.every or agenda.every(here.meeting.kinds) or "WEEK"
    until = here.now + timedelta(days=agenda.DAYS[rhythm])
    rows = _open_tasks(here).filter(due_at__gte=here.now, due_at__lt=until)
    rows = rows.exclude(meeting=here.meeting).order_by("due_at")
    return _cut(rows, _task(here), empty="下一期还没有派下去的任务")


def deals(here: Room) -> Shown:
    """The projects that most want a decision: due to sign soon, stalled, or large."""
    rows = (
        facts.annotate(Opportunity.objects.seen_by(here.actor).present(), ["idle_days"])
        .filter(outcome="OPEN", pk__in=held_by(here.people, "opportunity"))
        .select_related("customer", "stage")
        .order_by(F("expected_on").asc(nulls_last=True), F("amount").desc(nulls_last=True))
    )

    def say(one: Any) -> Line:
        idle = one.fact_idle_days or 0
        signing = f"预计 {one.expected_on:%m-%d} 签约" if one.expected_on else "没有预计签约日"
        quiet = f"，{idle} 天没有往来" if idle >= 14 else ""
        late = one.expected_on is not None and one.expected_on < timezone.localdate(here.now)
        note = f"{one.stage.code if one.stage else ''} {wan(one.amount)}，{signing}{quiet}".strip()
        tone = "bad" if late else "soon" if quiet else ""
        return Line(f"{one}", declare.address(one), note, str(one.customer), tone, one.pk)

    return _cut(rows, say, empty="没有在途的商机")


def data(here: Room) -> Shown:
    """How long projects stay in each stage, the slowest first."""
    stayed = ExpressionWrapper(
        Coalesce(F("left_at"), Now()) - F("entered_at"), output_field=DurationField()
    )
    rows = (
        StageEntry.objects.everything("复盘的停留时长")
        .present()
        .filter(subject_type="opportunity", subject_id__in=held_by(here.people, "opportunity"))
        .order_by()
        .values(code=F("stage__code"), name=F("stage__name"))
        .annotate(stay=Avg(stayed), n=Count("pk"), most=Max(stayed))
        .order_by("-stay")
    )
    return _cut(
        rows,
        lambda one: Line(
            f"{one['code']} {one['name']}",
            note=f"平均停留 {one['stay'].days} 天，最长 {one['most'].days} 天，{one['n']} 次",
        ),
        empty="还没有商机走过阶段",
    )


def feedback(here: Room) -> Shown:
    """Questions, needs and problems that people told since the last time."""
    rows = Task.objects.everything("团队反馈").present().filter(kind__in=ASKED)
    rows = rows.filter(asked_at__gte=here.since, asked_at__lt=here.until)
    rows = rows.filter(asker__any_of=here.people).select_related("person").order_by("-asked_at")
    return _cut(rows, _task(here), empty="这段时间没有人提出问题或需求")


def market(here: Room) -> Shown:
    """Changes of the market and of rivals since the last time."""
    rows = Change.objects.seen_by(here.actor).present().filter(kind__in=MARKET)
    rows = rows.filter(occurred_at__gte=here.since, occurred_at__lt=here.until)
    return _cut(
        rows.select_related("reported_by").order_by("-occurred_at"),
        lambda one: Line(
            one.after or one.get_kind_display(),
            f"/change/{one.pk}",
            one.get_kind_display(),
            str(one.reported_by),
        ),
        empty="没有登记过市场和竞争变化",
    )


def experience(here: Room) -> Shown:
    """What colleagues shared since the last time."""
    rows = Comment.objects.seen_by(here.actor).present().filter(kind="SHARE")
    rows = rows.filter(recorded_at__gte=here.since, recorded_at__lt=here.until)
    return _cut(
        rows.filter(author__any_of=here.people).select_related("author"),
        lambda one: Line(one.text[:60], "", "经验分享", str(one.author)),
        empty="还没有人登记过经验",
    )


def person(here: Room) -> Shown:
    """How the other one stands: duties overdue, open tasks, what they asked for."""
    breached = Obligation.objects.everything("一对一").filter(
        person_id__any_of=here.people, state="BREACHED", due_at__gte=here.since
    )
    opened = _open_tasks(here)
    asked = feedback(here)
    names = Person.objects.everything("一对一").filter(pk__any_of=here.people)
    return Shown(
        [
            Figure("对象", "、".join(names.values_list("name", flat=True)) or "还没选"),
            Figure("违规", f"{breached.count()} 件"),
            Figure("手上任务", f"{opened.count()} 项"),
        ],
        asked.lines,
        asked.more,
        empty="对方没有登记过问题或需求",
    )


def project(here: Room) -> Shown:
    """The project that the meeting is about, with what is asked of others for it."""
    one = here.meeting.opportunity
    if one is None:
        return Shown(empty="会议没有写关于哪个商机")
    rows = Task.objects.everything("项目会议").present().filter(
        subject_type="opportunity", subject_id=one.pk
    )  # fmt: skip
    shown = _cut(rows.select_related("person").order_by("due_at"), _task(here))
    shown.figures = [
        Figure("商机", str(one), url=declare.address(one)),
        Figure("金额", wan(one.amount)),
        Figure("阶段", one.stage.name if one.stage else "–"),
        Figure("预计签约", f"{one.expected_on:%m-%d}" if one.expected_on else "–"),
    ]
    shown.empty = "这个商机还没有派下去的任务"
    return shown


FILLINGS: Final[dict[str, Callable[[Room], Shown]]] = {
    "RESOLUTIONS": resolutions,
    "RESULTS": results,
    "PROBLEMS": problems,
    "DEALS": deals,
    "DATA": data,
    "FEEDBACK": feedback,
    "EXPERIENCE": experience,
    "MARKET": market,
    "PROJECT": project,
    "PERSON": person,
    "TASKS": tasks,
}


def kept(meeting: Meeting, here: Room, minutes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The minutes with what was shown at each point, as it stands now."""
    said = {str(one.get("topic")): str(one.get("said", "")).strip() for one in minutes}
    return [
        {
            "topic": topic.code,
            "label": topic.label,
            "said": said.get(topic.code, ""),
            "shown": fill(topic, here).kept(),
        }
        for topic in agenda.planned(meeting.kinds)
    ]
