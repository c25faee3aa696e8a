"""Verbs on inspections, notices and incidents; who may not: whoever the matter is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from fangyuan import door
from fangyuan.core import facts
from fangyuan.org import posting
from fangyuan.org.models import Message
from fangyuan.supervision import measure
from fangyuan.supervision.models import Incident, Rectification


def _at_stage(deed: door.Deed, record: Any, *stages: str) -> Any:
    held = deed.held(record)
    if held.stage not in stages:
        raise door.Denied(f"{held}现在是“{held.get_stage_display()}”，不能这样办")
    return held


def _lacking(field: str, sentence: str, record: str = "rectification") -> door.Refused:
    return door.Refused([door.Unmet(sentence, field, record=record)])


def _tell(deed: door.Deed, notice: Any, person: Any, step: str, title: str) -> None:
    """Leave a message about a notice; the same step of the same notice is told once."""
    with door.acting(by=None, action="send_message", channel=deed.channel):
        note = Message(
            person=person,
            kind="NOTICE",
            topic="RECTIFICATION",
            subject_type="rectification",
            subject_id=notice.pk,
            obligations=notice.obligations,
            title=title,
            text=notice.demand,
            sent_at=deed.at,
            step_key=f"rectification:{notice.pk}:{step}:{person.pk}",
        )
        posting.post([note])


@door.verb("inspection", label="完成检查", asks=("conclusion",), writes=("finished_at",))
def finish_inspection(deed: door.Deed, inspection: Any, *, conclusion: str = "") -> Any:
    """End an inspection with its conclusion: it counts from now on (RES-7.1.1b)."""
    if deed.held(inspection).finished_at is not None:
        raise door.Denied("这次检查已完成")
    if not (conclusion or inspection.conclusion).strip():
        raise _lacking("conclusion", "写下检查的结论", "inspection")
    return deed.change(
        inspection, finished_at=deed.at, conclusion=conclusion or inspection.conclusion
    )


def draft(deed: door.Deed, values: Mapping[str, Any]) -> Rectification:
    """Draw up a notice; raises Refused where its due time is too early to be measured by."""
    notice: Rectification = deed.create(Rectification, dict(values))
    return notice


@door.verb(
    "rectification",
    label="发出",
    writes=("stage", "issued_at", "issued_by", "year", "serial"),
)
def issue_rectification(deed: door.Deed, notice: Any) -> Any:
    """Send a notice out: it gets its number, and the clock runs for whoever is to answer."""
    held = _at_stage(deed, notice, "DRAFT")
    if deed.by is not None and deed.by.pk == held.person_id:
        raise door.Denied("不能给自己发整改通知")
    year = timezone.localtime(deed.at).year
    issued = deed.change(
        held,
        stage="ISSUED",
        issued_at=deed.at,
        issued_by=deed.by,
        year=year,
        serial=_next_serial(year),
    )
    _tell(deed, issued, issued.person, "issued", f"收到{issued}")
    return issued


def _next_serial(year: int) -> int:
    """The next number of the year; whoever issues at the same time waits for this deed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('rectification.serial'), %s)", [year])
    known = Rectification.objects.everything("文号").filter(year=year).aggregate(n=Max("serial"))
    return int(known["n"] or 0) + 1


@door.verb("rectification", label="签收", writes=("signed_at",))
def sign_rectification(deed: door.Deed, notice: Any) -> Any:
    """Sign for a notice; only whoever is to answer does."""
    held = _at_stage(deed, notice, "ISSUED")
    _only_own(deed, held, "签收")
    return held if held.signed_at else deed.change(held, signed_at=deed.at)


@door.verb(
    "rectification",
    label="提交整改结果",
    asks=("proof",),
    writes=("stage", "signed_at", "submitted_at", "proof", "verdict"),
)
def submit_rectification(deed: door.Deed, notice: Any, *, proof: str = "") -> Any:
    """Hand in what was done; it then waits for somebody else's look."""
    held = _at_stage(deed, notice, "ISSUED")
    _only_own(deed, held, "提交")
    if not proof.strip():
        raise door.Refused(
            [door.Unmet("写明做了什么、怎样防止再犯", "proof", record="rectification")]
        )
    return deed.change(
        held,
        stage="SUBMITTED",
        signed_at=held.signed_at or deed.at,
        submitted_at=deed.at,
        proof=proof,
        verdict=None,
    )


def _only_own(deed: door.Deed, notice: Any, word: str) -> None:
    if deed.by is None or deed.by.pk != notice.person_id:
        raise door.Denied(f"只有责任人本人能{word}")


@door.verb(
    "rectification",
    label="复核",
    asks=("verdict", "review"),
    writes=("stage", "verdict", "review", "reviewed_by", "reviewed_at"),
)
def review_rectification(
    deed: door.Deed, notice: Any, *, verdict: str = "", review: str = ""
) -> Any:
    """Look at what was done, by somebody else. Passed, it closes once it measures right."""
    held = _at_stage(deed, notice, "SUBMITTED")
    if deed.by is None or deed.by.pk == held.person_id:
        raise door.Denied("不能复核自己的整改，请签发人或上级来复核")
    if verdict not in Rectification.Verdict.values:
        raise _lacking("verdict", "选合格或不合格")
    said = {"verdict": verdict, "review": review, "reviewed_by": deed.by, "reviewed_at": deed.at}
    if verdict == Rectification.Verdict.FAIL:
        if not review.strip():
            raise door.Refused(
                [door.Unmet("不合格要写明差在哪里", "review", record="rectification")]
            )
        back = deed.change(held, stage="ISSUED", **said)
        _tell(deed, back, back.person, f"failed-{back.revision}", f"{back}复核不合格，请再整改")
        return back
    passed = deed.change(held, **said)
    if not measure.is_right(passed):
        return passed
    with door.acting(by=None, action="close_rectification", channel=deed.channel, at=deed.at):
        return door.act("close_rectification", passed, by=None, channel=deed.channel)


@door.verb("rectification", label="复测销号", writes=("stage", "closed_at"))
def close_rectification(deed: door.Deed, notice: Any) -> Any:
    """Close a notice that was passed by somebody else and measures right; the system's alone."""
    held = _at_stage(deed, notice, "SUBMITTED")
    if deed.by is not None:
        raise door.Denied("销号由系统复测后自动办，不能手工销号")
    if held.verdict != "PASS":
        raise door.Denied("复核合格后才能销号")
    if not measure.is_right(held):
        raise _lacking("", "所涉义务还没有复测转好")
    closed = deed.change(held, stage="CLOSED", closed_at=deed.at)
    _tell(deed, closed, closed.person, "closed", f"{closed}已销号")
    return closed


@door.verb("rectification", label="延期", asks=("due_at",), writes=("due_at",))
def postpone_rectification(deed: door.Deed, notice: Any, *, due_at: datetime | None = None) -> Any:
    """Give a notice a later due time; never the one who is to answer."""
    held = _at_stage(deed, notice, "ISSUED", "SUBMITTED")
    if deed.by is not None and deed.by.pk == held.person_id:
        raise door.Denied("不能给自己延期，请签发人来办")
    if due_at is None or due_at <= held.due_at:
        raise _lacking("due_at", "新的期限要晚于原定期限")
    return deed.change(held, due_at=due_at)


@door.verb("rectification", label="催办")
def urge_rectification(deed: door.Deed, notice: Any) -> Any:
    """Remind whoever is to answer, once a day."""
    held = _at_stage(deed, notice, "ISSUED")
    day = timezone.localtime(deed.at).date()
    _tell(deed, held, held.person, f"urged-{day}", f"催办：{held}")
    return held


def _incident(deed: door.Deed, incident: Incident, stage: str, before: str, **said: Any) -> Any:
    held = _at_stage(deed, incident, before)
    missing = [name for name, value in said.items() if isinstance(value, str) and not value.strip()]
    if missing:
        label = facts.label(Incident, missing[0])
        raise _lacking(missing[0], f"写下“{label}”", "incident")
    return deed.change(held, said, stage=stage)


@door.verb("incident", label="记首次响应", writes=("responded_at",))
def respond_incident(deed: door.Deed, incident: Any) -> Any:
    """Note the first answer to an incident (RES-4.4.2a)."""
    if deed.held(incident).responded_at is not None:
        raise door.Denied("已记过首次响应")
    return deed.change(incident, responded_at=deed.at)


@door.verb("incident", label="立案调查", asks=("investigation",), writes=("stage",))
def open_incident(deed: door.Deed, incident: Any, *, investigation: str = "") -> Any:
    """Begin the investigation."""
    return _incident(deed, incident, "INVESTIGATE", "FOUND", investigation=investigation)


@door.verb("incident", label="追究", asks=("accountability",), writes=("stage",))
def account_incident(deed: door.Deed, incident: Any, *, accountability: str = "") -> Any:
    """Say who answers for it and how (TAG-6.3.2b)."""
    return _incident(deed, incident, "ACCOUNT", "INVESTIGATE", accountability=accountability)


@door.verb("incident", label="记复盘", writes=("reviewed_at",))
def review_incident(deed: door.Deed, incident: Any) -> Any:
    """Note that an incident was gone over afterwards (RES-4.4.2a)."""
    if deed.held(incident).reviewed_at is not None:
        raise door.Denied("已复盘过")
    return deed.change(incident, reviewed_at=deed.at)


@door.verb("incident", label="结案", asks=("conclusion",), writes=("stage", "closed_at"))
def close_incident(deed: door.Deed, incident: Any, *, conclusion: str = "") -> Any:
    """Close an incident with its report."""
    said = {"conclusion": conclusion, "closed_at": deed.at}
    return _incident(deed, incident, "CLOSED", "ACCOUNT", **said)
