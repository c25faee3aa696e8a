"""Who answers for a duty: owners, superiors, leaders and stand-ins, by spans of time."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.oracle.calendar_oracle import Period
from tests.oracle.facts import View, membership_span, overlap
from tests.oracle.world import Holding, Leave, Record, Rule

HELD_ROLES = {"csm": "CSM", "presales_consultant": "PRESALES", "project_manager": "PROJECT"}
POSITIONS = ("sales_manager", "ka_manager", "sales_dept_manager", "sales_director")
OWN_PERSON = {"activity": "person", "response": "person", "plan": "person", "request": "asked_by"}


def reaches(starts_at: datetime, ends_at: datetime | None, at: datetime) -> bool:
    """Whether a span says who answers at an instant: it holds on (start, end]."""
    return starts_at < at and (ends_at is None or at <= ends_at)


def span_at(spans: list[Holding], at: datetime) -> Holding | None:
    """Whoever held just before an instant; only where nobody did, whoever begins at it."""
    before = [one for one in spans if reaches(one.starts_at, one.ends_at, at)]
    beginning = [one for one in spans if one.starts_at == at]
    return next(iter(before + beginning), None)


def responsible(view: View, rule: Rule, record: Record, at: datetime) -> str | None:
    """Who answers for a duty decided at an instant, stand-ins included."""
    return _present(view, rule, record, _holder(view, rule, record, at), at)


def responsible_for_period(view: View, rule: Rule, record: Record, period: Period) -> str | None:
    """Who answers for a period: its holder at the end, if they had at least half of it.

    Only the part of the period that has elapsed by now counts. The leader who answers where
    nobody holds, and a superior, have no span of holding, so the half is not asked of them.
    """
    at = period.end
    holding = _holding(view, rule.who, record, at)
    if holding is None:
        return responsible(view, rule, record, at)
    until = min(view.now, period.end)
    elapsed = max(until - period.start, timedelta(0))
    held = timedelta(0)
    for one in view.holdings(holding.subject, holding.role):
        if one.person == holding.person:
            span = (one.starts_at, one.ends_at or max(until, one.starts_at))
            held += overlap(span, (period.start, until))
    if held * 2 < elapsed:
        return None
    return _present(view, rule, record, holding.person, at)


def _holding(view: View, who: str, record: Record, at: datetime) -> Holding | None:
    """The span by which somebody holds the rule's role at an instant.

    It is a holding of the record, or of the customer whom it concerns (7); where nobody has a
    role such as 「客户成功」, the owner answers (conflict C-55).
    """
    if who in HELD_ROLES:
        mine = _held(view, record, HELD_ROLES[who], at)
        return mine or _holding(view, "owner", record, at)
    if who != "owner" or record.type in OWN_PERSON or record.type in ("person", "team"):
        return None
    return _held(view, record, "OWNER", at)


def _held(view: View, record: Record, role: str, at: datetime) -> Holding | None:
    own = span_at(view.holdings(record.pointer, role), at)
    concerned = view.customer_of(record)
    if own is None and concerned is not None:
        return span_at(view.holdings(concerned.pointer, role), at)
    return own


def _holder(view: View, rule: Rule, record: Record, at: datetime) -> str | None:
    who = rule.who
    holding = _holding(view, who, record, at)
    if holding is not None:
        return holding.person
    if who == "self":
        return record.key if record.type == "person" else record.facts.get("person")
    if who in POSITIONS:
        leader = _owner(view, record, at)
        if record.type == "team" and leader and _holds_position(view, leader, who, at):
            return leader
        return _superior(view, leader, who, at)
    if who in record.facts:
        return str(record.facts[who])
    if who in view.teams:
        return view.teams[who].leader
    return _owner(view, record, at)


def _owner(view: View, record: Record, at: datetime) -> str | None:
    """The person of the record's own, its holder, or the leader of the last holder's team."""
    if record.type in OWN_PERSON:
        return record.facts.get(OWN_PERSON[record.type])
    if record.type == "person":
        return record.key
    if record.type == "team":
        return view.teams[record.key].leader
    holding = _holding(view, "owner", record, at)
    if holding is not None:
        return holding.person
    about, _, key = str(record.facts.get("subject") or "").partition(":")
    if about == "person":
        return key
    if about == "team":
        return view.teams[key].leader
    concerned = view.customer_of(record) or record
    ended = [
        one
        for one in view.holdings(concerned.pointer, "OWNER")
        if one.ends_at is not None and one.ends_at < at
    ]
    if not ended:
        return None
    last = max(ended, key=lambda one: (one.ends_at, one.starts_at))
    return _leader_of(view, last.person, at)


def _leader_of(view: View, login: str, at: datetime) -> str | None:
    """The leader, now, of the team whose main member a person was at an instant or before it."""
    begun = []
    for one in view.seats.get(login, []):
        starts_at = membership_span(one)[0]
        if one.is_main and starts_at <= at:
            begun.append((starts_at, one))
    if not begun:
        return None
    holding = [one for start, one in begun if start < at]
    team = holding or [one for _, one in begun]
    latest = max(team, key=lambda one: one.starts_on)
    return view.teams[latest.team].leader


def _superior(view: View, login: str | None, position: str, at: datetime) -> str | None:
    """The nearest superior of a person who holds exactly a position at an instant."""
    seen: set[str] = set()
    superior = view.people[login].manager if login else None
    while superior is not None and superior not in seen:
        seen.add(superior)
        if _holds_position(view, superior, position, at):
            return superior
        superior = view.people[superior].manager
    return None


def _holds_position(view: View, login: str, position: str, at: datetime) -> bool:
    return any(
        reaches(*membership_span(one), at) or membership_span(one)[0] == at
        for one in view.seats.get(login, [])
        if one.position == position
    )


def _present(
    view: View, rule: Rule, record: Record, holder: str | None, at: datetime
) -> str | None:
    """The holder, or on approved leave the colleague at the end of the chain of stand-ins.

    What a person did themselves (a visit, an answer) is theirs to write up, present or not.
    """
    own = rule.who == "owner" and record.type in ("activity", "response")
    if holder is None or own or rule.params.get("on_leave", "delegate") != "delegate":
        return holder
    passed = {holder}
    person = holder
    while (leave := leave_at(view, person, at)) is not None:
        if leave.stand_in is None or leave.stand_in in passed:
            return holder
        person = leave.stand_in
        passed.add(person)
    return person


def leave_at(view: View, login: str, at: datetime) -> Leave | None:
    """The approved leave on which a person is at an instant, if any."""
    for one in view.leaves.get(login, []):
        if one.stage == "APPROVED" and reaches(one.starts_at, one.ends_at, at):
            return one
    return None
