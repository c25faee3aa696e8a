"""Verbs on surveys: send out, close, tell those concerned."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.org import posting
from fangyuan.org.models import Message, Team


@door.verb("survey", label="发出", writes=("sent_at",))
def send_survey(deed: door.Deed, survey: Any) -> Any:
    """Send a survey out; a form that is not in use asks nobody."""
    if survey.form.published_at is None or survey.form.retired_at is not None:
        raise door.Refused([door.Unmet("问卷还没有发布或已停用，请先发布", "form")])
    if survey.sent_at is not None:
        raise door.Refused([door.Unmet("这次调查已经发出", "sent_at")])
    return deed.change(survey, sent_at=deed.at)


@door.verb("survey", label="结束调查", writes=("closed_at",))
def close_survey(deed: door.Deed, survey: Any) -> Any:
    """Close a survey that went out; its result is to be told within days (DAY-5.1.3)."""
    if survey.sent_at is None:
        raise door.Refused([door.Unmet("还没有发出的调查不能结束", "sent_at")])
    return deed.change(survey, closed_at=survey.closed_at or deed.at)


@door.verb("survey", label="反馈结果", asks=("findings",), writes=("shared_at",))
def share_survey(deed: door.Deed, survey: Any, *, findings: str = "") -> Any:
    """Tell the departments concerned what came out, with what mattered most (DAY-5.1.3)."""
    told = findings or survey.findings
    unmet = []
    if survey.closed_at is None:
        unmet.append(door.Unmet("先结束调查，再反馈结果", "closed_at"))
    if not told:
        unmet.append(door.Unmet("写明这次调查看出的关键因素", "findings"))
    if unmet:
        raise door.Refused(unmet)
    posting.post(_messages(survey, told, deed))
    return deed.change(survey, shared_at=survey.shared_at or deed.at, findings=told)


def _messages(survey: Any, findings: str, deed: door.Deed) -> list[Message]:
    """To whoever leads a department: what came out is theirs to better."""
    led = Team.objects.everything("反馈给各部门负责人").present().filter(kind=Team.Kind.DEPARTMENT)
    leaders = led.exclude(leader=None).values_list("leader", flat=True).distinct()
    return [
        Message(
            person_id=number,
            kind=Message.Kind.NOTICE,
            topic=Message.Topic.WORK,
            step_key=f"survey:{survey.pk}:{number}",
            title=f"调查结果：{survey.name}",
            text=f"{findings}。请看与本部门有关的低分项，并回复改进计划。",
            subject_type="survey",
            subject_id=survey.pk,
            sent_at=deed.at,
        )
        for number in sorted(set(leaders) - {deed.actor_id})
    ]
