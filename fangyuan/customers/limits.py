"""What stands between a person and a customer or lead of a pool, each limit with its numbers.

The same question is asked for the page and, under locks, for the deed. The database holds the
quota besides (`customers_taken`), whichever way a holding is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q
from django.utils import timezone

from fangyuan.access import table
from fangyuan.core import records, spans
from fangyuan.customers.models import Customer, Pool
from fangyuan.engine.gates import Unmet
from fangyuan.org.models import Holding, Person

CLAUSE = "POOL-2.1"


@dataclass(frozen=True)
class Standing:
    """How much of a pool's limits a person has used."""

    pool: Pool
    held: int
    claimed: int

    @property
    def room(self) -> int | None:
        """How many more they may hold; None without a quota."""
        return None if self.pool.quota is None else max(0, self.pool.quota - self.held)

    @property
    def left_today(self) -> int | None:
        """How many more they may take today; None without a limit."""
        most = self.pool.daily_claims
        return None if most is None else max(0, most - self.claimed)


def hold(person: Person) -> None:
    """Let nobody else give this person anything until the transaction ends."""
    held = Person._base_manager.select_for_update(of=("self",), no_key=True)
    held.filter(pk=person.pk).values_list("pk").first()


def standing(person: Person, pool: Pool, at: datetime) -> Standing:
    """What the person holds from the pool and took from it today."""
    model = _model(pool)
    mine = Holding._base_manager.filter(
        person=person, subject_type=model.record_name(), role="OWNER", removed_at=None
    )
    in_pool = model._base_manager.filter(pool=pool, removed_at=None)
    if model is Customer and not pool.counts_won:
        counted = in_pool.exclude(won_at__lte=at)
    else:
        counted = in_pool
    now_held = mine.filter(Q(ends_at=None) | Q(ends_at__gt=at))
    today = mine.filter(from_pool=True, starts_at__gte=spans.midnight(spans.day_of(at)))
    return Standing(
        pool,
        now_held.filter(subject_id__in=counted.values("pk")).count(),
        today.filter(subject_id__in=in_pool.values("pk")).count(),
    )


def _model(pool: Pool) -> Any:
    return records.record_types()["customer" if pool.kind == Pool.Kind.CUSTOMER else "lead"]


def against(
    record: Any,
    person: Person,
    at: datetime,
    *,
    known: Standing | None = None,
    let_go: datetime | None = None,
) -> list[str]:
    """Every limit that forbids this person to take the record from its pool, in words.

    Whoever asks for many tells what is `known` of the person, and when they `let_go` of each.
    """
    pool = record.pool
    if pool is None:
        return []
    used = known or standing(person, pool, at)
    if known is None:
        let_go = last_held(person, record.record_name(), [record.pk]).get(record.pk)
    found = [_member(pool, person), _fresh(record, pool, at), _cooled(pool, at, let_go)]
    found += [_daily(used), _quota(used)]
    return [said for said in found if said]


def last_held(person: Person, kind: str, numbers: Iterable[int]) -> dict[int, datetime]:
    """When the person let go of each of these records, as far as they ever held it."""
    ended = Holding._base_manager.order_by().filter(
        subject_type=kind,
        subject_id__any_of=list(numbers),
        person=person,
        role="OWNER",
        removed_at=None,
        ends_at__isnull=False,
    )
    return dict(
        ended.values("subject_id").annotate(last=Max("ends_at")).values_list("subject_id", "last")
    )


def full(record: Any, person: Person, at: datetime) -> list[str]:
    """What forbids to give the record to this person: only how much they may hold."""
    said = "" if record.pool is None else _quota(standing(person, record.pool, at))
    return [said] if said else []


def unmet(record: Any, said: list[str]) -> list[Unmet]:
    """The limits as a refusal of the door."""
    kind = record.record_name()
    return [Unmet(one, clause=CLAUSE, record=kind, subject_id=record.pk) for one in said]


def _member(pool: Pool, person: Person) -> str:
    if not person.is_on_duty:
        return "你还没有通过上岗考核，不能领取"
    if pool.team_id is None or pool.team_id in table.sight(person).above_ids:
        return ""
    return f"“{pool}”只供{pool.team}的人领取"


def _fresh(record: Any, pool: Pool, at: datetime) -> str:
    if pool.fresh_hours is None or record.pooled_at is None:
        return ""
    opens = record.pooled_at + timedelta(hours=pool.fresh_hours)
    if at >= opens:
        return ""
    return f"新入池 {pool.fresh_hours} 小时内不能领取，{_moment(opens)} 起可领"


def _cooled(pool: Pool, at: datetime, last: datetime | None) -> str:
    if not pool.cool_off_days or last is None:
        return ""
    opens = last + timedelta(days=pool.cool_off_days)
    if at >= opens:
        return ""
    return (
        f"你在 {_moment(last)} 才放下它，{pool.cool_off_days} 天内不能再领，{_moment(opens)} 起可领"
    )


def _daily(used: Standing) -> str:
    if used.left_today != 0:
        return ""
    return f"今天已从“{used.pool}”领 {used.claimed} 个，每天最多 {used.pool.daily_claims} 个"


def _quota(used: Standing) -> str:
    if used.room != 0:
        return ""
    rest = "" if used.pool.counts_won else "（成交客户不计）"
    return f"库容已满：从“{used.pool}”得来的在手 {used.held} 个，上限 {used.pool.quota} 个{rest}"


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%m-%d %H:%M}"
