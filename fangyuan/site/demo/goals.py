"""What the invented company means to reach this quarter, and the numbers told from outside."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from django.utils import timezone

from fangyuan import door
from fangyuan.core import spans
from fangyuan.metrics import periods
from fangyuan.metrics.models import Reading, Target
from fangyuan.org.models import Membership, Person, Team

SEED: Final = 11
WAN: Final = 10_000
SELLING: Final = ("ka_rep", "ka_senior_rep", "sales_rep", "senior_sales_rep")
MONTHS: Final = 12
VISITORS, SOURCE = 18_000, "网站统计后台"
BASIS: Final = "按上季实绩与在途商机核定"


def fill(now: datetime) -> int:
    """Targets of this quarter, divided from department to team to person, and a year's visitors."""
    luck, today = Random(SEED), timezone.localdate(now)
    with door.acting(by=None, action="demo", reason="示例公司", history=True):
        targets = _targets(luck, today)
        _save(Target, targets, now)
        _save(Reading, list(_visitors(luck, today)), now)
    return len(targets)


def _save(model: Any, rows: list[Any], now: datetime) -> None:
    for row in rows:
        row.index()
        row.imported_at = now
    model._base_manager.bulk_create(rows, batch_size=1000)


def _targets(luck: Random, today: date) -> list[Target]:
    """Each person's, and of every team above the sum of what stands below it."""
    sellers = Membership._base_manager.filter(
        is_main=True, ends_on=None, position__code__in=SELLING
    ).select_related("person", "team")
    made: list[Target] = []
    sums: dict[tuple[int, str], Decimal] = {}
    period = periods.write(spans.period_of(spans.PeriodKind.QUARTER, today))
    for post in sellers.order_by("id"):
        goals = {"sales_amount": luck.choice((60, 80, 100, 120)) * WAN}
        goals["new_customer_count"] = luck.choice((1, 2, 2, 3))
        for metric, value in goals.items():
            made.append(_target(post.person, metric, period, Decimal(value)))
            place = (post.team_id, metric)
            sums[place] = sums.get(place, Decimal(0)) + value
    return [*made, *_above(sums, period)]


def _above(sums: dict[tuple[int, str], Decimal], period: str) -> list[Target]:
    teams = {team.pk: team for team in Team._base_manager.filter(removed_at=None)}
    whole = dict(sums)
    for (number, metric), value in sums.items():
        above = teams[number].parent_id
        while above in teams:
            whole[above, metric] = whole.get((above, metric), Decimal(0)) + value
            above = teams[above].parent_id
    return [_target(teams[n], metric, period, value) for (n, metric), value in whole.items()]


def _target(subject: Person | Team, metric: str, period: str, value: Decimal) -> Target:
    made = Target(metric=metric, period=period, value=value, basis=BASIS)
    made.subject = subject
    return made


def _visitors(luck: Random, today: date) -> Any:
    """The visitors of the web site, told at the end of every month that has gone by."""
    month = spans.period_of(spans.PeriodKind.MONTH, today)
    for back in range(MONTHS):
        month = month.previous()
        told = round(VISITORS * (1 - 0.02 * back) * luck.uniform(0.9, 1.1))
        at = spans.midnight(month.after) - timedelta(hours=2)
        yield Reading(series="WEB_VISITORS", at=at, value=told, source=SOURCE)
