"""Into which pool something falls, and the deeds that all pools share."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fangyuan import door
from fangyuan.access import table
from fangyuan.core.models import Term
from fangyuan.customers import holding, limits
from fangyuan.customers.models import Pool
from fangyuan.org.models import Person

_ROUND = re.compile(r"(00)+$")  # 310000 stands for every code that begins with 31


class NoPool(door.Denied):
    """No pool takes the record; the message says what to set up."""


def pools(kind: str) -> list[Pool]:
    """The pools of a kind in use, in the order in which they are tried."""
    rows = Pool.objects.everything("公海归集").present().filter(kind=kind, is_active=True)
    return list(rows.select_related("team").order_by("rank", "id"))


def takes(pool: Pool, record: Any, above: Iterable[int]) -> bool:
    """Whether a record that somebody of these teams let go falls into the pool."""
    return (
        (pool.team_id is None or pool.team_id in above)
        and _covers(pool.industries, _industry(record.industry_id))
        and _covers(pool.regions, [record.region_id])
    )


def _covers(codes: list[str], keys: Iterable[str | None]) -> bool:
    found = [key.split(":", 1)[-1] for key in keys if key]
    starts = [_ROUND.sub("", one) for one in codes]
    return not codes or any(code.startswith(start) for code in found for start in starts)


def _industry(key: str | None) -> list[str | None]:
    """An industry and its section: a letter, which no code of its divisions begins with."""
    return [key, _section(key[: len("industry:") + 2])] if key else []


@functools.lru_cache(maxsize=256)
def _section(division: str) -> str | None:
    rows = Term.objects.everything("行业门类").filter(key=division)
    found: str | None = rows.values_list("parent_id", flat=True).first()
    return found


def fitting(record: Any, last: Person | None, known: list[Pool] | None = None) -> Pool:
    """The pool into which the record falls: the one it came from, else the first that takes it.

    Raises NoPool.
    """
    kind = Pool.Kind.CUSTOMER if record.record_name() == "customer" else Pool.Kind.LEAD
    above = table.sight(last).above_ids if last is not None else []
    tried = pools(kind) if known is None else known
    home = [one for one in tried if one.pk == record.pool_id]
    for pool in [*home, *(one for one in tried if takes(one, record, above))]:
        return pool
    team = f"{table.sight(last).team}的" if last is not None else ""
    raise NoPool(f"没有接收{team}“{record}”的{kind.label}，请销售运营在“公海”里配一个")


def release(deed: door.Deed, record: Any, *, pool: Pool | None, reason: str, **more: Any) -> Any:
    """End who answers for the record and lay it into a pool; `more` is changed with it."""
    current = holding.held(record, locked=True)
    last = current.person if current is not None else None
    target = pool or fitting(record, last)
    # Changed while it is still theirs: whoever let go of it may change nothing any more.
    laid = deed.change(record, more, pool=target, pooled_at=deed.at, pool_reason=reason)
    holding.let_go(laid, at=deed.at, reason=reason)
    return laid


def lay(deed: door.Deed, record: Any, *, reason: str) -> Any:
    """Lay a record that nobody answers for into the pool that takes it, where there is one."""
    try:
        target = fitting(record, None)
    except NoPool:
        return record
    return deed.change(record, pool=target, pooled_at=deed.at, pool_reason=reason)


def take(deed: door.Deed, record: Any, person: Person) -> Any:
    """Give a record of a pool to somebody who takes it, within every limit."""
    limits.hold(person)
    rows = type(record)._base_manager.select_for_update(of=("self",), no_key=True)
    fresh = rows.select_related("pool").get(pk=record.pk)
    _is_free(fresh)
    if said := limits.against(fresh, person, deed.at):
        raise door.Refused(limits.unmet(fresh, said))
    return _give(fresh, person, deed.at, "领取", from_pool=True)


def assign(deed: door.Deed, record: Any, person: Person, reason: str) -> Any:
    """Give a record to somebody, within what they may hold."""
    limits.hold(person)
    rows = type(record)._base_manager.select_for_update(of=("self",), no_key=True)
    fresh = rows.select_related("pool").get(pk=record.pk)
    current = holding.held(fresh)
    if current is None or current.person_id != person.pk:
        if said := limits.full(fresh, person, deed.at):
            raise door.Refused(limits.unmet(fresh, said))
    return _give(fresh, person, deed.at, reason, from_pool=fresh.pooled_at is not None)


def _is_free(record: Any) -> None:
    current = holding.held(record)
    if current is not None:
        said = record._meta.verbose_name
        raise door.Denied(f"这个{said}刚被{current.person.name}领走了，看看别的")


def _give(record: Any, person: Person, at: datetime, reason: str, *, from_pool: bool) -> Any:
    holding.hand_to(record, person, at=at, reason=reason, from_pool=from_pool)
    return type(record)._base_manager.get(pk=record.pk)
