"""Two quarters of visits, reviews, changes, plans and leave, with believable habits and gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from fangyuan.core import workdays
from fangyuan.forms import seed
from fangyuan.site.demo import names
from fangyuan.site.demo.book import Account
from fangyuan.site.demo.staff import Colleague

EVERY = {"TIER1": 7, "TIER2": 14, "TIER3": 30}
OTHER_EVERY = {"A": 40, "B": 60, "C": 100, "D": 170}
MONTHS = 6
COVERS = [*seed.GROUPS, *seed.FIELDS]
REVIEW_SHARE = {"A": 0.92, "B": 0.85, "C": 0.78, "D": 0.7}


def beginning(now: datetime) -> datetime:
    """The first instant of the recorded history: six whole months before this one."""
    number = now.year * 12 + now.month - 1 - MONTHS
    return now.replace(year=number // 12, month=number % 12 + 1, day=1, hour=0)


def reviews_of_people(
    luck: Random, people: list[Colleague], now: datetime
) -> Iterator[tuple[Colleague, Colleague, datetime]]:
    """Every week each leader goes over the week of each of their salespeople: nearly always."""
    by_login = {one.login: one for one in people}
    sold = [one for one in people if one.position.startswith(("sales_", "ka_")) and one.manager]
    friday = beginning(now) + timedelta(days=(4 - beginning(now).weekday()) % 7, hours=16)
    while friday < now:
        for one in sold:
            leader = by_login[str(one.manager)]
            if luck.random() < (0.75 if one.team == "east2" else 0.97):
                yield leader, one, friday + timedelta(minutes=luck.randint(0, 90))
        friday += timedelta(days=7)


def _hour(luck: Random, day: date, calendar: workdays.WorkCalendar, zone: Any) -> datetime:
    while not calendar.is_working(day):
        day += timedelta(days=1)
    return datetime(
        day.year, day.month, day.day, luck.randint(9, 16), luck.choice([0, 15, 30]), tzinfo=zone
    )


def activities(
    luck: Random, accounts: list[Account], now: datetime, calendar: workdays.WorkCalendar
) -> Iterator[tuple[Account, dict[str, Any]]]:
    """Done visits and calls, and what is planned for the next days."""
    for account in accounts:
        every = EVERY.get(account.tier or "", OTHER_EVERY[account.grade])
        at = beginning(now) + timedelta(days=luck.uniform(0, every))
        while at < now + timedelta(days=12):
            start = _hour(luck, at.date(), calendar, now.tzinfo)
            keen = account.holder(start).diligence
            if start < now - timedelta(hours=3):
                if luck.random() < keen:
                    yield account, _done(luck, account, start, keen)
            elif account.tier or luck.random() < 0.3:
                yield account, _planned(luck, account, start, now)
            at += timedelta(days=every * luck.uniform(0.72, 1.02))
        if account.grade == "A":
            yield from _deep_talks(luck, account, now, calendar)


def _deep_talks(
    luck: Random, account: Account, now: datetime, calendar: workdays.WorkCalendar
) -> Iterator[tuple[Account, dict[str, Any]]]:
    for month in range(6):
        at = now - timedelta(days=30 * month + luck.randint(1, 27))
        start = _hour(luck, at.date(), calendar, now.tzinfo)
        if start < now - timedelta(hours=4) and luck.random() < 0.85:
            yield account, {**_done(luck, account, start, 0.9), "kind": "CALL", "is_deep": True}


def _done(luck: Random, account: Account, start: datetime, keen: float) -> dict[str, Any]:
    end = start + timedelta(minutes=luck.choice([45, 60, 75, 90]))
    late = luck.random() > keen * 0.4 + 0.6
    written = end + timedelta(hours=luck.uniform(25, 60) if late else luck.uniform(0.3, 20))
    return {
        "kind": "VISIT" if luck.random() < 0.86 else luck.choice(["CALL", "VIDEO", "WECHAT"]),
        "purpose": luck.choice(["FOLLOW", "NEED", "PRESENT", "REVIEW", "CARE"]),
        "planned_at": start,
        "appointed_at": start - timedelta(days=2),
        "appointed_by": "电话",
        "started_at": start + timedelta(minutes=luck.randint(-5, 12)),
        "ended_at": end,
        "situation": luck.choice(names.SITUATIONS),
        "feedback": luck.choice(names.FEEDBACKS),
        "result": luck.choice(names.RESULTS),
        "need_changes": "无",
        "written_at": written,
        "recorded_at": end,
        "stage": "DONE",
        "is_deep": luck.random() < 0.25,
        "latitude": account.values["latitude"],
        "longitude": account.values["longitude"],
        "accuracy": luck.randint(8, 60),
    }


def _planned(luck: Random, account: Account, start: datetime, now: datetime) -> dict[str, Any]:
    ready = luck.random() < 0.6
    return {
        "kind": "VISIT",
        "purpose": luck.choice(["FOLLOW", "NEED", "PRESENT"]),
        "planned_at": start,
        "appointed_at": now - timedelta(days=1) if ready else None,
        "appointed_by": "电话" if ready else "",
        "stage": "READY" if ready else "PLANNED",
        "recorded_at": now - timedelta(days=3),
    }


def reviews(
    luck: Random, accounts: list[Account], now: datetime
) -> Iterator[tuple[Account, dict[str, Any]]]:
    """The monthly review of each customer, where it was not forgotten."""
    for account in accounts:
        for month in range(7):
            at = now - timedelta(days=30 * month + luck.randint(0, 24), hours=luck.randint(0, 6))
            keen = account.holder(at).diligence
            share = REVIEW_SHARE[account.grade] * (0.6 + 0.4 * keen)
            if at > account.values["learned_at"] and luck.random() < share:
                changed = luck.random() < 0.2
                yield (
                    account,
                    {
                        "submitted_at": at,
                        "recorded_at": at,
                        "covers": COVERS,
                        "verdict": "CHANGED" if changed else "SAME",
                        "answers": dict.fromkeys(seed.POINTS, "CHANGED" if changed else "SAME"),
                    },
                )


def changes(
    luck: Random, accounts: list[Account], now: datetime
) -> Iterator[tuple[Account, dict[str, Any]]]:
    """What changed at customers, and how soon it was entered and dealt with."""
    kinds = ["NEED", "PEOPLE", "PROGRESS", "NAME", "DECIDER", "CONTACT", "SCOPE", "FINANCE"]
    for account in accounts:
        for _ in range(luck.choice([0, 0, 1, 1, 2] if account.tier else [0, 0, 0, 1])):
            at = now - timedelta(days=luck.uniform(0.2, 170))
            keen = account.holder(at).diligence
            told = at + timedelta(hours=luck.uniform(0.5, 20) if luck.random() < keen else 40)
            done = told + timedelta(hours=luck.uniform(0.2, 4) if luck.random() < keen else 50)
            kind = luck.choice(kinds)
            yield (
                account,
                {
                    "kind": kind,
                    "occurred_at": at,
                    "recorded_at": min(told, now),
                    "updated_at": done if done < now else None,
                    "before": "原联系人" if kind in ("CONTACT", "PEOPLE") else "",
                    "after": "已换人，新联系人待认识" if kind in ("CONTACT", "PEOPLE") else "",
                },
            )


def plans(luck: Random, people: list[Colleague], today: date) -> Iterator[tuple[Colleague, date]]:
    """The months for which each KA rep handed in a visit plan."""
    for person in people:
        if person.position != "ka_rep":
            continue
        for back in range(-1, 6):
            number = today.year * 12 + today.month - 1 - back
            month = date(number // 12, number % 12 + 1, 1)
            if luck.random() < person.diligence:
                yield person, month


def leaves(
    luck: Random, people: list[Colleague], now: datetime
) -> Iterator[tuple[Colleague, Colleague, datetime, int]]:
    """Approved leave with a colleague of the same team standing in."""
    reps = [p for p in people if p.position in ("ka_rep", "sales_rep")]
    for person in luck.sample(reps, 18):
        mates = [p for p in reps if p.team == person.team and p is not person]
        start = now - timedelta(days=luck.randint(-3, 150))
        yield person, luck.choice(mates), start.replace(hour=9, minute=0), luck.randint(1, 5)
