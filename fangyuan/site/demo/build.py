"""Write the invented company in a few bulk statements, as imported history."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from fangyuan import door
from fangyuan.activities.models import Activity, Plan, PlanItem
from fangyuan.core import reference, workdays
from fangyuan.core.models import Tracked
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk.models import Change
from fangyuan.engine.models import Policy
from fangyuan.forms.models import Form, Response
from fangyuan.org.models import Holding, Leave, Membership, Person, Team
from fangyuan.site.demo import book, staff, traffic
from fangyuan.site.demo.book import Account
from fangyuan.site.demo.staff import Colleague
from fangyuan.supervision.models import Inspection

SEED = 20260101
BEFORE, OLD_RULES = timedelta(days=3650), "old-rules"


class Builder:
    """Plans the company from a seed and a moment, then writes it."""

    def __init__(self, now: datetime, seed: int = SEED) -> None:
        self.now = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
        self.luck = Random(seed)
        self.calendar: workdays.WorkCalendar = reference.public_calendar()
        self.people = staff.plan(self.luck, self.now.date())
        self.accounts = book.plan(self.luck, self.people, self.now)
        self.counts: dict[str, int] = {}

    def write(self, password: str) -> dict[str, int]:
        """Write everything in one transaction; gives the number of rows of each type."""
        with door.acting(by=None, action="demo", reason="示例公司", history=True):
            self._adopt()
            self._staff(password)
            self._customers()
            self._activities()
            self._reviews_and_changes()
            self._plans_and_leave()
            self._reviews_of_people()
        return self.counts

    def _adopt(self) -> None:
        """The invented company adopted the regulations when its recorded history begins."""
        codes = Policy._base_manager.order_by("code").values_list("code", flat=True).distinct()
        begun = traffic.beginning(self.now)
        root = Team._base_manager.get(code="company")
        # What was noted while installing would end the adoption that is told here.
        noted = Tracked._base_manager.filter(fact="policies", subject_type="team")
        noted.filter(subject_id=root.pk).delete()
        # The first value told holds since ever: what stood before must be told too.
        for starts_at, policies in ((begun - BEFORE, [OLD_RULES]), (begun, list(codes))):
            adopted = Tracked(fact="policies", value=json.dumps(policies), starts_at=starts_at)
            adopted.subject = root
            adopted.save()

    def _save(self, model: Any, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.index()
            if row.recorded_at is not None and not hasattr(row.recorded_at, "resolve_expression"):
                row.imported_at = self.now
        self.counts[model.record_name()] = self.counts.get(model.record_name(), 0) + len(rows)
        return list(model._base_manager.bulk_create(rows, batch_size=1000))

    def _staff(self, password: str) -> None:
        root = Team._base_manager.get(code="company")
        teams = {"company": root}
        for code, name, kind, parent, _ in staff.TEAMS:
            team = Team(code=code, name=name, kind=kind, parent=teams[parent], key=code)
            if code in staff.SELLING:  # known from the start: they meet by the clauses
                team.recorded_at = traffic.beginning(self.now) - BEFORE
            teams[code] = self._save(Team, [team])[0]
        hashed = Person()
        hashed.set_password(password)
        for place, colleague in enumerate(self.people):
            colleague.row = Person(
                login=colleague.login,
                name=colleague.name,
                work_no=f"{1001 + place}",
                joined_on=colleague.joined_on,
                password=hashed.password,
                location_consent=True,
                key=colleague.login,
            )
        by_login = {c.login: c for c in self.people}
        while batch := [c for c in self.people if c.row.pk is None]:
            ready = [c for c in batch if not c.manager or by_login[c.manager].row.pk]
            for colleague in ready:
                colleague.row.manager = (
                    by_login[colleague.manager].row if colleague.manager else None
                )
            self._save(Person, [c.row for c in ready])
        self._posts(teams, by_login)

    def _posts(self, teams: dict[str, Team], by_login: dict[str, Colleague]) -> None:
        for code, _, _, _, leader in staff.TEAMS:
            teams[code].leader = by_login[leader].row
        teams["company"].leader = by_login["gaoyuan"].row
        Team._base_manager.bulk_update(teams.values(), ["leader"])
        self._save(
            Membership,
            [
                Membership(
                    person=c.row,
                    team=teams[c.team],
                    position_id=f"position:{c.position}",
                    starts_on=c.joined_on,
                )
                for c in self.people
            ]
            + [
                Membership(
                    person=by_login[login].row,
                    team=teams[team],
                    position_id=f"position:{position}",
                    starts_on=by_login[login].joined_on,
                    is_main=False,
                )
                for login, position, team in staff.SECOND_POSTS
            ],
        )

    def _customers(self) -> None:
        rows = [Customer(**a.values, key=f"demo-{n}") for n, a in enumerate(self.accounts)]
        for account, row in zip(self.accounts, self._save(Customer, rows), strict=True):
            account.row = row
        contacts = [Contact(customer=a.row, **a.contact) for a in self.accounts]
        for account, contact in zip(self.accounts, self._save(Contact, contacts), strict=True):
            account.contact_row = contact
        self._save(Holding, [h for a in self.accounts for h in self._holdings(a)])

    def _holdings(self, account: Account) -> list[Holding]:
        start = account.values["learned_at"]
        spans = [(account.owner, account.moved_at or start, None)]
        if account.earlier and account.moved_at:
            spans.append((account.earlier, start, account.moved_at))
        held = [
            Holding(
                subject=("customer", account.row.pk),
                person=person.row,
                role="OWNER",
                starts_at=at,
                ends_at=end,
                recorded_at=max(at, account.values["recorded_at"]),
            )
            for person, at, end in spans
        ]
        if account.grade == "A" and self.luck.random() < 0.85:
            for role, position in (
                ("TECHNICAL", "technical_support"),
                ("AFTERSALES", "aftersales_staff"),
            ):
                helper = self.luck.choice([p for p in self.people if p.position == position])
                at = account.values["recorded_at"] + timedelta(days=self.luck.choice([1, 2, 4, 12]))
                held.append(
                    Holding(
                        subject=("customer", account.row.pk),
                        person=helper.row,
                        role=role,
                        starts_at=at,
                        recorded_at=at,
                    )
                )
        return held

    def _activities(self) -> None:
        rows = []
        for account, values in traffic.activities(
            self.luck, self.accounts, self.now, self.calendar
        ):
            at = values.get("started_at") or values["planned_at"]
            contact = account.contact_row if values["appointed_at"] else None
            if (values.get("written_at") or self.now) > self.now:
                values = {**values, "written_at": None, "stage": "READY"}
                values |= dict.fromkeys(("situation", "feedback", "result"), "")
            rows.append(
                Activity(
                    customer=account.row,
                    person=account.holder(at).row,
                    appointed_with=contact,
                    **values,
                )
            )
        self._save(Activity, rows)

    def _reviews_and_changes(self) -> None:
        form = Form._base_manager.get(code="REVIEW", version=1)
        self._save(
            Response,
            [
                Response(
                    form=form,
                    subject=("customer", a.row.pk),
                    person=a.holder(v["submitted_at"]).row,
                    **v,
                )
                for a, v in traffic.reviews(self.luck, self.accounts, self.now)
            ],
        )
        self._save(
            Change,
            [
                Change(
                    subject=("customer", a.row.pk), reported_by=a.holder(v["occurred_at"]).row, **v
                )
                for a, v in traffic.changes(self.luck, self.accounts, self.now)
            ],
        )

    def _plans_and_leave(self) -> None:
        handed_in = list(traffic.plans(self.luck, self.people, self.now.date()))
        plans = [self._plan(person, month) for person, month in handed_in]
        saved = self._save(Plan, [p for p in plans if p is not None])
        self._save(PlanItem, [line for plan in saved for line in self._lines(plan)])
        seen: set[str] = set()
        leaves = []
        for person, stand_in, start, days in traffic.leaves(self.luck, self.people, self.now):
            if person.login not in seen:
                seen.add(person.login)
                asked = start - timedelta(days=3)
                leaves.append(
                    Leave(
                        person=person.row,
                        stand_in=stand_in.row,
                        starts_at=start,
                        ends_at=start + timedelta(days=days, hours=-15),
                        requested_at=asked,
                        reason="年休",
                        kind="ANNUAL",
                        stage="APPROVED",
                        handover_items="客户拜访与记录",
                        recorded_at=min(asked, self.now),
                    )
                )
        self._save(Leave, leaves)

    def _reviews_of_people(self) -> None:
        rows = [
            Inspection(
                kind="PROCESS",
                inspector=leader.row,
                about=person.row,
                started_at=at - timedelta(minutes=20),
                finished_at=at,
                recorded_at=at,
                conclusion="本周拜访与记录已逐条看过",
            )
            for leader, person, at in traffic.reviews_of_people(self.luck, self.people, self.now)
        ]
        self._save(Inspection, rows)

    def _plan(self, person: Colleague, month: date) -> Plan | None:
        due = self.calendar.last_working_day_before(month)
        late = self.luck.random() > person.diligence
        day = due + timedelta(days=3 if late else -self.luck.randint(0, 3))
        at = datetime(day.year, day.month, day.day, 16, 30, tzinfo=self.now.tzinfo)
        if at > self.now:
            return None
        return Plan(
            kind="VISIT",
            title=f"{month.month} 月拜访计划",
            person=person.row,
            period=f"{month:%Y-%m}",
            submitted_at=at,
            recorded_at=at,
            stage="APPROVED",
            guidance="重点客户放在前两周",
        )

    def _lines(self, plan: Plan) -> list[PlanItem]:
        own = [a for a in self.accounts if a.owner.row.pk == plan.person_id][:8]
        first = datetime.fromisoformat(f"{plan.period}-01T10:00:00").replace(tzinfo=self.now.tzinfo)
        return [
            PlanItem(
                plan=plan,
                subject=("customer", a.row.pk),
                at=first + timedelta(days=3 * n),
                purpose="按频率拜访",
                content="谈用量与交期，复核客户信息",
                recorded_at=plan.recorded_at,
            )
            for n, a in enumerate(own)
        ]
