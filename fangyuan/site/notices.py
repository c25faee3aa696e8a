"""Notices to put things right, as they are shown: what each names, how far it is, who may act."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import BooleanField, Count, Exists, F, Func, OuterRef, Q

from fangyuan.access import table
from fangyuan.core import spans
from fangyuan.desk import duties
from fangyuan.engine.models import Obligation
from fangyuan.supervision import measure
from fangyuan.supervision.models import Rectification

SHOWN = 12
OPEN = ("ISSUED", "SUBMITTED")
_THEN = re.compile("[今本](天|双?周|月|季|半年|年)")


@dataclass(frozen=True)
class Fact:
    """One duty that a notice names, told afterwards, and how far it has been put right."""

    duty: duties.Duty
    line: measure.Line | None

    @property
    def title(self) -> str:
        """What was to be done then: of a week gone by one does not say 本周."""
        return _THEN.sub(r"当\1", self.duty.title)

    @property
    def last_day(self) -> date:
        """The day by whose end it was due."""
        return spans.ending(self.duty.due)[0]


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
    def last_day(self) -> date:
        """The day by whose end it is due."""
        return spans.ending(self.notice.due_at)[0]

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


Known = dict[int, duties.Duty]


def known(listed: Iterable[Rectification], chosen: Rectification | None, actor: Any) -> Known:
    """The first duty of each notice listed and those of the chosen one, in words; one query, and
    one per type of what they are about."""
    numbers = {number for notice in listed for number in notice.obligations[:1]}
    numbers |= set(chosen.obligations[:SHOWN]) if chosen else set()
    rows = Obligation.objects.everything("整改通知所涉义务").filter(pk__in=numbers)
    rows = rows.select_related("rule__clause", "person").order_by("due_at")
    return {duty.pk: duty for duty in duties.describe(rows, actor)}


def sheet(notice: Rectification, found: Known, now: datetime, most: int = 1) -> Sheet:
    """A notice with the first of its duties."""
    shown = [found[number] for number in notice.obligations[:most] if number in found]
    return Sheet(notice, now, sorted(shown, key=lambda duty: duty.due))


def detail(notice: Rectification, found: Known, actor: Any, now: datetime) -> dict[str, Any]:
    """One notice in full: its duties and their measure, and what the actor may do with it."""
    whole = sheet(notice, found, now, SHOWN)
    lines = measure.lines([notice.pk])[notice.pk]
    by_duty = {line.obligation_id: line for line in lines}
    owed = Obligation.objects.everything("整改的义务").filter(
        subject_type="rectification", subject_id=notice.pk, state__in=("OPEN", "BREACHED")
    )
    return {
        "sheet": whole,
        "notice": notice,
        "facts": [Fact(duty, by_duty.get(duty.pk)) for duty in whole.duties],
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


def counted(actor: Any, rules: list[int]) -> dict[str, int]:
    """How many notices name a duty of these rules: not closed yet, and closed."""
    is_named = Func(
        F("pk"),
        OuterRef("obligations"),
        template="%(expressions)s)",
        arg_joiner=" = ANY (",
        output_field=BooleanField(),
    )
    named = Obligation._base_manager.filter(is_named, rule_id__in=rules)
    rows = Rectification.objects.seen_by(actor).present().filter(Exists(named))
    found: dict[str, int] = rows.aggregate(
        open=Count("pk", filter=Q(stage__in=OPEN)), closed=Count("pk", filter=Q(stage="CLOSED"))
    )
    return found
