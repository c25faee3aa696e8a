"""The invented company's forecasts: half a year of snapshots, and what managers thought of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from fangyuan.core import calendar, spans
from fangyuan.opportunities.models import Adjustment, Snapshot
from fangyuan.org.models import Person

if TYPE_CHECKING:
    from datetime import datetime

    from fangyuan.site.demo.deals import Deal

WEEKS: Final = 26
WORDS: Final = ("客户预算批复会拖到下月", "两家对手报价更低，先压一成", "框架续签把握大")


def snapshots(luck: Random, deals: Sequence[Deal], now: datetime) -> list[Snapshot]:
    """What each open project was forecast as on every day on which a snapshot was due."""
    today = timezone.localdate(now)
    days = sorted({*_mondays(today), *_openings(today)})
    openings = set(_openings(today))
    rows = [row for deal in deals for row in _of(luck, deal, days, openings)]
    return list(Snapshot._base_manager.bulk_create(rows, batch_size=1000))


def _mondays(today: date) -> Iterator[date]:
    monday = today - timedelta(days=today.weekday())
    yield from (monday - timedelta(weeks=n) for n in range(WEEKS))


def _openings(today: date) -> Iterator[date]:
    known, month = calendar.stored(), spans.period_of("month", today)
    for _ in range(WEEKS // 4):
        opening = known.add(month.first - timedelta(days=1), 1)
        if opening <= today:
            yield opening
        month = month.previous()


def _of(luck: Random, deal: Deal, days: Sequence[date], openings: set[date]) -> Iterator[Snapshot]:
    """One project's snapshots: figures that come nearer to the last ones as time passes."""
    closed = deal.values.get("closed_at")
    ended = timezone.localdate(closed) if closed else None
    began = timezone.localdate(deal.began)
    signed = ended + timedelta(days=luck.randint(-9, 12)) if ended else deal.values["expected_on"]
    last, slip = deal.values["amount"], luck.choice((0, 0, 0, 7, 14, 30))
    first = (last * luck.choice((8, 9, 10, 10, 10, 11, 13)) / 10).quantize(Decimal(1))
    alive = [d for d in days if began <= d and (ended is None or d < ended)]
    for place, day in enumerate(alive):
        is_early = place < len(alive) // 2
        stage = next(
            (
                s
                for s, entered, _ in reversed(list(deal.entries))
                if timezone.localdate(entered) <= day
            ),
            deal.stages[0],
        )
        yield Snapshot(
            taken_on=day,
            is_opening=day in openings,
            opportunity=deal.row,
            person_id=deal.owner_id,
            stage=stage,
            amount=first if is_early else last,
            expected_on=signed - timedelta(days=slip if is_early else 0),
            win_rate=stage.win_rate,
            forecast="PIPELINE" if is_early else _category(deal),
        )


def _category(deal: Deal) -> str:
    if deal.outcome == "WON":
        return "COMMIT"
    return str(deal.values["forecast"])


def adjustments(luck: Random, people: Sequence[int], now: datetime) -> list[Any]:
    """What managers expect of some reps this month and the next."""
    month = spans.period_of("month", timezone.localdate(now))
    rows = []
    found = Person._base_manager.filter(pk__in=people, manager__isnull=False).order_by("pk")
    for person in found[:6]:
        own = Decimal(luck.choice((46, 88, 128, 168)) * 10_000)
        rows.append(
            Adjustment(
                person=person,
                month=luck.choice((month.first, month.next().first)),
                own_amount=own,
                amount=own * luck.choice((8, 9, 11)) / 10,
                reason=luck.choice(WORDS),
                author_id=person.manager_id,
                recorded_at=now - timedelta(days=luck.randint(1, 6)),
            )
        )
    return rows
