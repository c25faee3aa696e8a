"""Notices to put things right, as they are shown: what each names, how far it is, who may act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fangyuan.access import table
from fangyuan.desk import duties
from fangyuan.engine.models import Obligation
from fangyuan.supervision import measure
from fangyuan.supervision.models import Rectification

SHOWN = 12
OPEN = ("ISSUED", "SUBMITTED")


@dataclass
class Sheet:
    """One notice with the duties it names, in words."""

    notice: Rectification
    now: datetime
    duties: list[duties.Duty] = field(default_factory=list)

    @property
    def clause(self) -> str:
        """The number of the clause behind it."""
        return self.duties[0].clause if self.duties else ""

    @property
    def title(self) -> str:
        """What it is about, in a line."""
        count = len(self.notice.obligations)
        if self.duties:
            return f"{self.duties[0].name or self.duties[0].title} {count} 件"
        finding = self.notice.finding
        return str(finding) if finding else self.notice.demand.partition("\n")[0][:40]

    @property
    def is_overdue(self) -> bool:
        """Whether its due time passed before it was closed."""
        return self.notice.stage in OPEN and self.notice.due_at < self.now

    @property
    def last_day(self) -> datetime:
        """An instant of the day by whose end it is due."""
        return self.notice.due_at - timedelta(microseconds=1)

    @property
    def state(self) -> tuple[str, str]:
        """Its state in words, and the tone of it."""
        notice = self.notice
        if notice.stage == "CLOSED":
            return "已销号", "ok"
        if notice.stage == "DRAFT":
            return "草稿", ""
        if self.is_overdue:
            return "整改逾期", "bad"
        if notice.stage == "ISSUED":
            return "整改中", "soon"
        return ("待复测" if notice.verdict == "PASS" else "待复核"), "navy"

    @property
    def tone(self) -> str:
        """The tone of the clause chip."""
        return {"navy": "soon"}.get(self.state[1], self.state[1])

    def steps(self) -> list[dict[str, Any]]:
        """The five steps of a notice: when each was taken, which one it stands at."""
        notice = self.notice
        passed = notice.reviewed_at if notice.verdict == "PASS" else None
        taken = [
            ("发出", notice.issued_at),
            ("签收", notice.signed_at),
            ("整改", notice.submitted_at if notice.stage != "ISSUED" else None),
            ("复核", passed),
            ("销号", notice.closed_at),
        ]
        now_at = next((place for place, (_, at) in enumerate(taken) if at is None), len(taken))
        return [
            {"label": label, "at": at, "state": "done" if at else "now" if place == now_at else ""}
            for place, (label, at) in enumerate(taken)
        ]


def sheets(found: Iterable[Rectification], actor: Any, now: datetime) -> list[Sheet]:
    """These notices, each with its first duty in words; a query for the duties, one per type."""
    notices = list(found)
    first = [notice.obligations[0] for notice in notices if notice.obligations]
    known = {one.pk: one for one in _described(first, actor)}
    return [
        Sheet(one, now, [known[n] for n in one.obligations[:1] if n in known]) for one in notices
    ]


def _described(numbers: list[int], actor: Any) -> list[duties.Duty]:
    rows = Obligation.objects.everything("整改通知所涉义务").filter(pk__in=numbers)
    return duties.describe(rows.select_related("rule__clause", "person").order_by("due_at"), actor)


def detail(notice: Rectification, actor: Any, now: datetime) -> dict[str, Any]:
    """One notice in full: its duties and their measure, and what the actor may do with it."""
    sheet = Sheet(notice, now, _described(notice.obligations[:SHOWN], actor))
    lines = measure.lines([notice.pk])[notice.pk]
    by_duty = {line.obligation_id: line for line in lines}
    owed = Obligation.objects.everything("整改的义务").filter(
        subject_type="rectification", subject_id=notice.pk, state__in=("OPEN", "BREACHED")
    )
    return {
        "sheet": sheet,
        "notice": notice,
        "facts": [(duty, by_duty.get(duty.pk)) for duty in sheet.duties],
        "more": max(0, len(notice.obligations) - SHOWN),
        "done": sum(line.done for line in lines),
        "needed": sum(line.needed for line in lines),
        "is_right": all(line.is_right for line in lines),
        "owed": owed.select_related("rule__clause").order_by("due_at").first(),
        "verbs": list(verbs(notice, actor)),
    }


def verbs(notice: Rectification, actor: Any) -> Iterable[tuple[str, str, bool]]:
    """What the actor may do with a notice now: verb, label, whether it is what comes next."""
    is_own = actor.pk == notice.person_id

    def may(name: str) -> bool:
        return not is_own and table.may_act(actor, f"rectification.{name}")

    if notice.stage == "DRAFT" and may("issue_rectification"):
        yield "issue_rectification", "发出", True
    if notice.stage == "ISSUED" and is_own:
        if notice.signed_at is None:
            yield "sign_rectification", "签收", False
        yield "submit_rectification", "提交整改结果", True
    if notice.stage == "ISSUED" and may("urge_rectification"):
        yield "urge_rectification", "催办", False
    if notice.stage in OPEN and may("postpone_rectification"):
        yield "postpone_rectification", "延期", False
    waits = notice.stage == "SUBMITTED" and notice.verdict != "PASS"
    if waits and may("review_rectification"):
        yield "review_rectification", "复核", True
