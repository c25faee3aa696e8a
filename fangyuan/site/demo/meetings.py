"""Two quarters of meetings with minutes and resolutions, tasks, reports, and what was used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from fangyuan import door
from fangyuan.activities import agenda
from fangyuan.activities.models import Meeting, Participant, Plan, Report, ResourceUsage, Task
from fangyuan.core import reference
from fangyuan.org.models import Membership, Team
from fangyuan.site.demo import sayings, staff, traffic

SEED = 4711
DAY = timedelta(days=1)
SALES = staff.SELLING[1:]
PLACES = {"ka_team": "三号会议室", "east1": "线上 812 305", "east2": "线上 812 306",
          "south": "广州办公室", "middle": "线上 812 309"}  # fmt: skip


@dataclass
class Rhythm:
    """A series: its kinds, the days between two, the weekday and hour, how often it is kept."""

    kinds: list[str]
    every: str
    days: int
    weekday: int
    hour: int
    kept: float


def _rhythms(team: str) -> list[Rhythm]:
    careless = team == "east2"
    weekly = [*(["KA_WEEKLY"] if team == "ka_team" else []), "WEEKLY", "REGULAR"]
    return [
        Rhythm(weekly, "WEEK", 7, 0, 9, 0.72 if careless else 0.96),
        Rhythm(["DEAL_REVIEW"], "BIWEEK", 14, 3, 15, 0.6 if careless else 0.92),
        Rhythm(["MONTHLY"], "MONTH", 28, 4, 14, 0.9),
        Rhythm(["QUARTERLY"], "QUARTER", 91, 4, 10, 1.0),
        Rhythm(["TEAM_EVENT"], "QUARTER", 91, 4, 16, 0.5 if careless else 1.0),
    ]


class Meetings:
    """Plans what was held, and writes it in a few bulk statements as imported history."""

    def __init__(self, now: datetime, seed: int = SEED) -> None:
        self.now = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
        self.luck = Random(seed)
        self.calendar = reference.public_calendar()
        rows = Team._base_manager.filter(code__in=(*SALES, "sales_dept", "sales_ops"))
        self.teams = {team.code: team for team in rows.select_related("leader")}
        posts = Membership._base_manager.filter(team__code__in=SALES, is_main=True)
        self.members: dict[str, list[Any]] = {code: [] for code in SALES}
        for post in posts.select_related("person", "team").order_by("pk"):
            self.members[post.team.code].append(post.person)

    def write(self) -> dict[str, int]:
        """Write it all; gives the number of rows of each type."""
        with door.acting(by=None, action="demo", reason="示例公司", history=True):
            meetings = self._meetings()
            counts = {"meeting": len(meetings)}
            counts["participant"] = self._save(Participant, self._participants(meetings))
            resolved = [task for one in meetings for task in self._resolutions(one)]
            counts["task"] = self._save(Task, [*resolved, *self._tasks()])
            counts["plan"] = self._save(Plan, list(self._trainings()))
            counts["report"] = self._save(Report, list(self._reports()))
            counts["resource_usage"] = self._save(ResourceUsage, list(self._usage()))
        return counts

    def _save(self, model: Any, rows: list[Any]) -> int:
        for row in rows:
            row.index()
            row.imported_at = self.now
        model._base_manager.bulk_create(rows, batch_size=1000)
        return len(rows)

    def _worked(self, day: date) -> date:
        while not self.calendar.is_working(day):
            day += DAY
        return day

    def _at(self, day: date, hour: int, minute: int = 0) -> datetime:
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.now.tzinfo)

    def _meetings(self) -> list[Meeting]:
        """Every series of every team one round after the other, so that each knows the last."""
        made: list[Meeting] = []
        for series in self._series():
            last: Meeting | None = None
            for meeting in series:
                meeting.previous = last
                self._save(Meeting, [meeting])
                made.append(meeting)
                last = meeting
        return made

    def _series(self) -> Iterator[list[Meeting]]:
        for code in SALES:
            leader = self.teams[code].leader
            for rhythm in _rhythms(code):
                yield list(self._held(code, leader, rhythm))
            for person in self.members[code]:
                if person.pk != leader.pk:
                    yield list(self._talks(code, leader, person))
        head = self.teams["sales_dept"]
        summed = Rhythm(["QUARTER_SUM"], "QUARTER", 91, 3, 9, 1.0)
        yield list(self._held("sales_dept", head.leader, summed))
        looked = Rhythm(["RETRO"], "QUARTER", 91, 2, 14, 1.0)
        yield list(self._held("sales_dept", self.teams["sales_ops"].leader, looked))

    def _held(self, code: str, host: Any, rhythm: Rhythm) -> Iterator[Meeting]:
        first = traffic.beginning(self.now).date() + timedelta(days=min(rhythm.days, 28) - 7)
        day = first + timedelta(days=(rhythm.weekday - first.weekday()) % 7)
        while self._at(day, rhythm.hour) < self.now + timedelta(days=rhythm.days):
            start = self._at(self._worked(day), rhythm.hour)
            ahead = start > self.now - timedelta(hours=2)
            if ahead or self.luck.random() < rhythm.kept:
                yield self._meeting(code, host, rhythm, start, ahead=ahead)
            if ahead:
                return
            day += timedelta(days=rhythm.days)

    def _meeting(
        self, code: str, host: Any, rhythm: Rhythm, start: datetime, *, ahead: bool
    ) -> Meeting:
        label = str(Meeting.Kind(rhythm.kinds[0]).label)
        end = start + timedelta(minutes=self.luck.choice([45, 60, 75, 90]))
        minutes = [] if ahead else self._minutes(rhythm.kinds)
        covered = agenda.covered(rhythm.kinds, minutes)
        return Meeting(
            title=f"{self.teams[code].name}{label}",
            kinds=rhythm.kinds,
            team=self.teams[code],
            host=host,
            starts_at=start,
            ended_at=None if ahead else end,
            place=PLACES.get(code, "一号会议室"),
            every=rhythm.every,
            minutes=minutes,
            agenda=covered,
            inputs=[one for one in agenda.INPUTS if one in covered],
            outputs="" if ahead else self.luck.choice(sayings.OUTPUTS),
            recorded_at=start - timedelta(days=2) if not ahead else self.now - DAY,
        )

    def _minutes(self, kinds: list[str]) -> list[dict[str, Any]]:
        """What was said of each point; now and then one was forgotten."""
        found = []
        for topic in agenda.planned(kinds):
            said = self.luck.choice(sayings.MINUTES.get(topic.code, ["已过一遍"]))
            forgotten = topic.code in ("EXPERIENCE", "MARKET") and self.luck.random() < 0.06
            found.append(
                {
                    "topic": topic.code,
                    "label": topic.label,
                    "said": "" if forgotten else said,
                    "shown": {"figures": [], "lines": [], "more": 0, "url": "", "empty": ""},
                }
            )
        return found

    def _talks(self, code: str, leader: Any, person: Any) -> Iterator[Meeting]:
        rhythm = Rhythm(["ONE_ON_ONE"], "MONTH", 30, self.luck.randint(0, 4), 0, 0.0)
        month = traffic.beginning(self.now).date()
        while month <= self.now.date():
            day = self._worked(month + timedelta(days=self.luck.randint(3, 24)))
            start = self._at(day, self.luck.randint(10, 17), self.luck.choice([0, 30]))
            kept = 0.7 if code == "east2" else 0.95
            if start < self.now - timedelta(hours=2) and self.luck.random() < kept:
                made = self._meeting(code, leader, rhythm, start, ahead=False)
                made.title, made.place, made.every = f"与{person.name}一对一", "", None
                made.asked = person
                yield made
            month = (month + timedelta(days=32)).replace(day=1)

    def _participants(self, meetings: list[Meeting]) -> list[Participant]:
        return [one for meeting in meetings for one in self._asked(meeting)]

    def _asked(self, meeting: Meeting) -> Iterator[Participant]:
        code = meeting.team.code
        leaders = [self.teams[one].leader for one in SALES]
        people = [meeting.asked] if hasattr(meeting, "asked") else self.members.get(code, leaders)
        asked = dict.fromkeys([meeting.host.pk, *[one.pk for one in people]])
        told = {"meeting": meeting, "recorded_at": meeting.recorded_at}
        for number in asked:
            state = self._state(number == meeting.host.pk) if meeting.ended_at else None
            late = timedelta(minutes=12 if state == "LATE" else -self.luck.randint(0, 8))
            there = state in ("ON_TIME", "LATE", "LEFT")
            yield Participant(
                **told,
                person_id=number,
                state=state,
                signed_at=meeting.starts_at + late if there else None,
                reason=self.luck.choice(sayings.AWAY) if state in ("LEAVE", "LEFT") else "",
            )

    def _state(self, is_host: bool) -> str:
        if is_host:
            return "ON_TIME"
        chances = [86, 5, 6, 2, 1]
        return self.luck.choices(["ON_TIME", "LATE", "LEAVE", "ABSENT", "LEFT"], chances)[0]

    def _resolutions(self, meeting: Meeting) -> Iterator[Task]:
        """One or two of each meeting that decides; most are kept, some late, the last open."""
        ended = meeting.ended_at
        if ended is None or not {"REGULAR", "DEAL_REVIEW", "RETRO"} & set(meeting.kinds):
            return
        code = meeting.team.code
        people = self.members.get(code) or [self.teams[one].leader for one in SALES]
        keen = 0.6 if code == "east2" else 0.85
        for title in self.luck.sample(sayings.RESOLUTIONS, self.luck.choice([1, 2, 2])):
            days = self.luck.choice([4, 7, 7, 11, 14])
            due = self._at(timezone.localdate(ended) + timedelta(days=days + 1), 0)
            late = self.luck.random() > keen
            done = due + timedelta(hours=self.luck.uniform(5, 60)) if late else due - timedelta(
                hours=self.luck.uniform(3, 70)
            )  # fmt: skip
            is_old = ended < self.now - timedelta(days=40)
            is_done = done < self.now and (is_old or self.luck.random() < 0.85)
            yield Task(
                kind="RESOLUTION",
                title=title,
                meeting=meeting,
                asker=meeting.host,
                person=self.luck.choice(people),
                asked_at=ended - timedelta(minutes=20),
                assigned_at=ended,
                due_at=due,
                done_at=max(done, ended + timedelta(hours=2)) if is_done else None,
                result=self.luck.choice(sayings.DONE) if is_done else "",
                recorded_at=ended,
            )

    def _tasks(self) -> Iterator[Task]:
        """What people asked of each other besides: support, training, problems at work."""
        everyone = [one for code in SALES for one in self.members[code]]
        for kind, titles in sayings.ASKED.items():
            for _ in range(18):
                asked = self.now - timedelta(days=self.luck.uniform(0.3, 150))
                person, other = self.luck.sample(everyone, 2)
                answer = asked + timedelta(hours=self.luck.uniform(2, 90))
                heard = answer if answer < self.now and self.luck.random() < 0.9 else None
                done = heard and heard + timedelta(days=self.luck.uniform(0.5, 6))
                done = done if done and done < self.now else None
                yield Task(
                    kind=kind,
                    title=self.luck.choice(titles),
                    asker=person,
                    person=person.manager if kind in ("TRAIN_NEED", "WORK_ISSUE") else other,
                    asked_at=asked,
                    accepted_at=heard,
                    answered_at=heard if kind in ("TRAIN_NEED", "WORK_ISSUE") else None,
                    due_at=asked + timedelta(days=7),
                    done_at=done,
                    result=self.luck.choice(sayings.DONE) if done else "",
                    rating=self.luck.choice([3, 4, 4, 5, 5]) if done and kind == "HELP" else None,
                    rated_by=person if done and kind == "HELP" else None,
                    recorded_at=asked,
                )

    def _reports(self) -> Iterator[Report]:
        """The monthly report of the department, and what the key-account manager saw."""
        month = traffic.beginning(self.now).date()
        while (after := (month + timedelta(days=32)).replace(day=1)) <= self.now.date():
            last = after - DAY
            for kind, code, days in (("MONTHLY", "sales_dept", 2), ("KA_MARKET", "ka_team", -3)):
                handed = self._at(self._worked(last + timedelta(days=days)), 17)
                text, findings = sayings.report(kind, self.luck)
                if handed < self.now:
                    yield Report(
                        kind=kind,
                        title=f"{month.month} 月{Report.Kind(kind).label}",
                        team=self.teams[code],
                        person=self.teams[code].leader,
                        period=f"{month:%Y-%m}",
                        period_end=last,
                        submitted_at=handed,
                        text=text,
                        sections=["数据汇总", "情况分析"] if kind == "MONTHLY" else ["市场走势"],
                        findings=findings,
                        recorded_at=handed,
                    )
            month = after

    def _trainings(self) -> Iterator[Plan]:
        """What the key-account team means to train each month."""
        month = traffic.beginning(self.now).date()
        while month <= self.now.date():
            handed = self._at(self._worked(month + timedelta(days=2)), 17)
            if handed < self.now:
                yield Plan(
                    kind="TRAINING",
                    title=f"{month.month} 月KA团队培训计划",
                    team=self.teams["ka_team"],
                    person=self.teams["ka_team"].leader,
                    period=f"{month:%Y-%m}",
                    types=["产品知识", "销售技巧", "客户管理"],
                    submitted_at=handed,
                    stage="APPROVED",
                    recorded_at=handed,
                )
            month = (month + timedelta(days=32)).replace(day=1)

    def _usage(self) -> Iterator[ResourceUsage]:
        everyone = [one for code in SALES for one in self.members[code]]
        for kind, whole, purpose, amount in sayings.USED:
            for _ in range(30):
                at = self.now - timedelta(days=self.luck.uniform(0.2, 170))
                late = timedelta(hours=self.luck.choice([1, 3, 6, 20, 30]))
                is_paid, is_hours = kind == "EXPENSE", kind == "HOURS"
                yield ResourceUsage(
                    kind=kind,
                    resource_class=whole,
                    person=self.luck.choice(everyone),
                    occurred_at=at,
                    quantity=None if is_paid or is_hours else self.luck.choice([1, 2, 5, 10, 20]),
                    amount=self.luck.randint(*amount) if is_paid else None,
                    hours=self.luck.choice([2, 3, 4, 6]) if is_hours else None,
                    category_id="expense:TRAVEL" if is_paid else None,
                    purpose=purpose,
                    recorded_at=min(at + late, self.now),
                )
