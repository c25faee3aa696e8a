"""Verbs on surveys: send out, close, tell those concerned."""

from __future__ import annotations

from typing import Any

from fangyuan import door


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
    return deed.change(survey, shared_at=survey.shared_at or deed.at, findings=told)
