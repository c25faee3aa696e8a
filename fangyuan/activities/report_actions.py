"""Verbs on reports: filled from the data, handed in, sent on."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from fangyuan import door
from fangyuan.activities import outlines, reckoning
from fangyuan.org import lines, posting
from fangyuan.org.models import Message


@door.verb("report", label="按数据填写")
def fill_report(deed: door.Deed, report: Any) -> Any:
    """Put the figures of the period under the headings; what was written stays."""
    if report.submitted_at is not None:
        raise door.Denied("报告已提交，数字不再变")
    numbers = reckoning.numbers(report, deed.by)
    said = outlines.parts(report.text)
    for heading, text in reckoning.texts(report.kind, numbers).items():
        said[heading] = said.get(heading) or text
    order = [*outlines.HEADINGS.get(report.kind, ()), *said]
    text = "\n\n".join(f"【{name}】\n{said.get(name, '')}" for name in dict.fromkeys(order))
    return deed.change(report, numbers=numbers, text=text, sections=outlines.told(text))


@door.verb("report", label="提交", writes=("submitted_at",))
def submit_report(deed: door.Deed, report: Any) -> Any:
    """Hand in a report; what its kind must say is said (PS-4.2, DAY-3.4.3, RES-7.2.2e).

    The superior is told, and whoever leads the team it is about.
    """
    if report.submitted_at is not None:
        raise door.Denied("报告已提交，要改请另写一份")
    lacking = outlines.lacking(report)
    if lacking:
        raise door.Refused([_unmet(report, name, clause) for name, clause in lacking.items()])
    sections = list(dict.fromkeys([*report.sections, *outlines.told(report.text)]))
    handed = deed.change(report, submitted_at=deed.at, sections=sections)
    above = lines.superiors(report.person_id)[:1]
    _send(deed, handed, above)
    return handed


def _unmet(report: Any, name: str, clause: str) -> door.Unmet:
    said = {
        "policy": "请选所评的制度",
        "findings": "请写结论，没有问题也写明",
        "lessons": "请写经验教训，好的和不好的都写",
    }
    label = str(report._meta.get_field(name).verbose_name)
    return door.Unmet(said.get(name, f"请写{label}"), name, clause, "report", report.pk)


@door.verb("report", label="送达", asks=("team",))
def send_report(deed: door.Deed, report: Any, *, team: Any = None) -> Any:
    """Send a report that was handed in to everybody of a team; who reads it is counted."""
    if report.submitted_at is None:
        raise door.Denied("先提交再送达")
    if team is None:
        raise door.Refused([door.Unmet("请选送给哪个团队", "team", record="report")])
    people = lines.members(team.code, on=timezone.localdate(deed.at))
    _send(deed, report, people)
    with deed.entrusted():
        return deed.change(report, sent_to=list(dict.fromkeys([*report.sent_to, team.name])))


def _send(deed: door.Deed, report: Any, people: list[int]) -> None:
    if deed.is_history:
        return
    notes = []
    for number in people:
        if number != deed.actor_id:
            note = Message(
                person_id=number,
                kind="NOTICE",
                topic="WORK",
                title=f"{report.person}提交了{report.get_kind_display()}：{report.title}",
                text=report.findings,
                sent_at=deed.at,
                step_key=f"report:{report.pk}:{number}",
            )
            note.subject = report
            notes.append(note)
    posting.post(notes)
