"""What the invented company's supervisors did: inspections, findings, notices, waivers."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from fangyuan import door
from fangyuan.core import calendar, spans
from fangyuan.customers.models import Customer
from fangyuan.desk import waivers
from fangyuan.engine.models import Obligation, Request
from fangyuan.org.models import Membership, Person, Team
from fangyuan.supervision import actions, measure
from fangyuan.supervision.models import Finding, Inspection, Rectification

SAMPLES = 24
CHECKS = ("创建准确性", "创建及时性", "更新规范性", "更新完整性", "使用合规性")
# kind, days ago, how many of a hundred samples are wrong, conclusion; none while it is going on
INSPECTIONS = (
    ("RESOURCE", 40, 12, "客户资料总体可用，少数地址与联系人已变。"),
    ("TAG", 24, 17, "标签更新不及时的集中在华东二部。"),
    ("SPOT", 10, 8, "抽查重点客户拜访记录，个别记录过于简单。"),
    ("RESOURCE", 2, 10, ""),
)
# state of the duties named, days ago, working days given, how far the notice got
NOTICES = (
    ("LATE", 55, 10, "CLOSED"),
    ("LATE", 48, 10, "CLOSED"),
    ("LATE", 30, 10, "CLOSED"),
    ("BREACHED", 17, 10, "ISSUED"),
    ("BREACHED", 9, 10, "SUBMITTED"),
    ("BREACHED", 8, 10, "PASSED"),
    ("BREACHED", 5, 10, "ISSUED"),
    ("BREACHED", 1, 10, "ISSUED"),
)
DEMAND = "在期限前补办所列事项，写明原因和防止再犯的办法。"
PROOF = "所列事项已逐件补办；把拜访和记录排进每周日程，周五自查一次。"


def fill(now: datetime) -> int:
    """Write it through the door, each deed in its person's name and at its time."""
    luck = Random(7)
    people = {p.login: p for p in Person.objects.everything("示例").exclude(login=None)}
    auditor = people["songqi"]
    _groups(auditor)
    _inspect(luck, auditor, now)
    used: set[int] = set()
    for state, days, given, far in NOTICES:
        _notice(auditor, now - timedelta(days=days), state, given, far, used)
    _waive(people, now)
    return Rectification.objects.everything("示例").count()


def _groups(auditor: Person) -> None:
    root = Team.objects.everything("示例").get(code="company")
    with door.acting(by=None, action="demo", reason="示例公司") as deed:
        for code, name in (
            ("resource_supervision_group", "销售资源管理监督小组"),
            ("tag_supervision_group", "标签监督小组"),
        ):
            values = {"code": code, "name": name, "kind": "BODY", "parent": root}
            team = deed.create(Team, {**values, "leader": auditor})
            post = {"person": auditor, "team": team, "position_id": "position:key_position_staff"}
            deed.create(Membership, {**post, "is_main": False, "starts_on": deed.at.date()})


def _inspect(luck: Random, auditor: Person, now: datetime) -> None:
    customers = list(Customer.objects.everything("示例").order_by("id")[:200])
    teams = {t.code: t for t in Team.objects.everything("示例").filter(kind="BODY")}
    for kind, days, wrong, conclusion in INSPECTIONS:
        at = (now - timedelta(days=days)).replace(hour=1, minute=30)
        group = "tag_supervision_group" if kind == "TAG" else "resource_supervision_group"
        with door.acting(by=auditor, action="demo", at=at + timedelta(hours=5)) as deed:
            values = {"kind": kind, "team": teams[group], "inspector": auditor, "started_at": at}
            values |= {"scope": ["客户信息"], "checks": list(CHECKS if kind == "TAG" else ())}
            made = deed.create(Inspection, {**values, "methods": ["查看CRM系统记录"]})
            for place, customer in enumerate(luck.sample(customers, SAMPLES)):
                is_wrong = luck.random() * 100 < wrong
                sample = {
                    "inspection": made,
                    "subject": customer,
                    "verdict": "PROBLEM" if is_wrong else "OK",
                    "method_id": "audit_method:SYSTEM_RECORDS",
                    "found_at": at + timedelta(minutes=10 * place),
                    "text": "联系人和地址与实际不符" if is_wrong else "",
                }
                deed.create(Finding, sample)
            if conclusion:
                door.act("finish_inspection", made, by=auditor, payload={"conclusion": conclusion})


def _notice(
    auditor: Person, at: datetime, state: str, given: int, far: str, used: set[int]
) -> None:
    group = _duties(state, at, used, by_period=far == "PASSED")
    if not group:
        return
    owner = group[0].person
    with door.acting(by=auditor, action="demo", at=at) as deed:
        by_period = any(one.rule.kind == "CADENCE" for one in group)
        periods = (2 if far == "PASSED" else 1) if by_period else 0
        day = calendar.stored().add(spans.day_of(at), given)
        due = spans.midnight(day + timedelta(days=1))
        values = {
            "obligations": [one.pk for one in group],
            "person": owner,
            "demand": DEMAND,
            "periods": periods,
            "due_at": max(due, measure.earliest(group, max(1, periods), at) or due),
        }
        made = actions.draft(deed, values)
        made = door.act("issue_rectification", made, by=auditor)
    if far == "ISSUED":
        return
    with door.acting(by=owner, action="demo", at=at + timedelta(days=4)):
        made = door.act("submit_rectification", made, by=owner, payload={"proof": PROOF})
    if far != "SUBMITTED":
        said = {"verdict": "PASS", "review": "抽查属实"}
        with door.acting(by=auditor, action="demo", at=at + timedelta(days=6)):
            door.act("review_rectification", made, by=auditor, payload=said)


def _duties(state: str, at: datetime, used: set[int], *, by_period: bool) -> list[Any]:
    """Up to five duties of one person and clause that fell due before an instant."""
    rows = Obligation.objects.everything("示例").filter(
        state=state, due_at__lt=at, due_at__gt=at - timedelta(days=60), person__isnull=False
    )
    rows = rows.exclude(person__in=used).exclude(person__login="songqi")
    if by_period:
        rows = rows.filter(rule__kind="CADENCE")
    first = rows.select_related("rule").order_by("-due_at", "id").first()
    if first is None:
        return []
    used.add(int(first.person_id or 0))
    same = rows.filter(person=first.person_id, rule=first.rule_id).order_by("-due_at", "id")
    return list(same.select_related("rule__clause", "person")[:5])


def _waive(people: dict[str, Person], now: datetime) -> None:
    """One waiver in force, one asked for."""
    owed = Obligation.objects.everything("示例").filter(state="OPEN", rule__kind="CADENCE")
    rows = owed.filter(person=people["zhoumin"]).select_related("rule__clause").order_by("id")
    asked = list(rows.distinct()[:2])
    for place, one in enumerate(asked):
        with door.acting(by=people["zhoumin"], action="demo") as deed:
            values = {
                "clause": one.rule.clause.number,
                "subject": (one.subject_type, one.subject_id),
                "starts_at": now - timedelta(days=1),
                "ends_at": one.due_at + timedelta(days=14),
                "reason": "客户厂区搬迁，十二月中旬前不接待来访。",
            }
            made = waivers.ask(deed, values)
        if place == 0:
            request = Request.objects.everything("示例").get(
                subject_type="waiver", subject_id=made.pk
            )
            door.decide(request, "AGREE", by=people["linyue"], comment="情况属实")
