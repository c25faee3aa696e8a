"""Draws with real people: seal a seed, freeze who and what, draw, give, reveal.

The seed is sealed when nobody knows yet what will be drawn, mostly right after the draw before.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.db.models import F

from fangyuan import door
from fangyuan.customers import candidacy, draw
from fangyuan.customers.models import Allotment, Customer, Lead, Pool
from fangyuan.engine import gates, jobs
from fangyuan.org.models import Holding, Person

MOST: Final = 2000
STEPS: Final = {"lead": {"assign_lead", "enter_stage_two"}, "customer": {"assign_customer"}}


def seed_of(allotment: Allotment) -> str:
    """The seed that was promised; raises Denied where the installation's secret changed since."""
    seed = _seed(allotment.nonce)
    if draw.digest(seed) != allotment.seed_digest:
        raise door.Denied("公布摘要以后系统密钥换过，这一批不能再用；请作废后重新公布摘要")
    return seed


def _seed(nonce: str) -> str:
    key = str(settings.SECRET_KEY).encode()
    return hmac.new(key, f"allotment:{nonce}".encode(), hashlib.sha256).hexdigest()


def seal(deed: door.Deed, pool: Pool) -> Allotment:
    """Publish the digest of the next seed of a pool, or find the one that waits."""
    waiting = Allotment._base_manager.filter(pool=pool, at=None, removed_at=None).first()
    if waiting is not None:
        return waiting
    nonce = secrets.token_hex(16)
    promised = draw.digest(_seed(nonce))
    made = Allotment(pool=pool, record=model_of(pool).record_name(), nonce=nonce)
    made.seed_digest = promised
    with door.acting(by=None, action="seal", reason="公布种子摘要") as system:
        system._save(made)
    return made


def model_of(pool: Pool) -> Any:
    """The record type that lies in a pool."""
    return Customer if pool.kind == Pool.Kind.CUSTOMER else Lead


def waiting(pool: Pool) -> Any:
    """What lies in the pool, the longest first."""
    rows = model_of(pool)._base_manager.filter(pool=pool, pooled_at__isnull=False, removed_at=None)
    return rows.order_by("pooled_at", "pk")


@door.verb("allotment", label="分配", writes=("seed", "at"))
def allot(
    deed: door.Deed,
    allotment: Any,
    *,
    numbers: list[int] | None = None,
    weights: Mapping[str, int] | None = None,
) -> Any:
    """Draw who gets what lies in the pool, give it to them, reveal the seed, seal the next one."""
    locked = Allotment._base_manager.select_for_update(of=("self",)).get(pk=allotment.pk)
    if locked.at is not None:
        raise door.Denied("这一批已经分配过")
    pool = locked.pool
    rows = waiting(pool).select_for_update(of=("self",), no_key=True)
    found = list(rows.filter(pk__in=numbers)[:MOST] if numbers else rows[:MOST])
    ready, skipped = _ready(found, deed)
    if not ready:
        raise door.Denied(
            f"“{pool}”里没有可以分配的，请先完成初筛与分类" if skipped else f"“{pool}”是空的"
        )
    people = candidacy.candidates(pool, deed.at, weights or {})
    if not any(one["is_eligible"] for one in people):
        raise door.Denied(f"“{pool}”现在没有人可以接，原因见候选名单")
    items, seed = [_item(one) for one in ready], seed_of(locked)
    result = draw.run(seed, pool.method, items, people)
    _give(deed, pool, ready, result)
    counted = draw.counts(result)
    able = [one["id"] for one in people if one["is_eligible"]]
    numbers_of = [counted.get(number, 0) for number in able]
    values: dict[str, Any] = {
        "items": items,
        "skipped": skipped,
        "candidates": people,
        "result": result,
    }
    values |= {"weights": {str(one["id"]): one["weight"] for one in people}}
    for name, value in {**values, "method": pool.method, "seed": seed, "at": deed.at}.items():
        setattr(locked, name, value)
    locked.spread = max(numbers_of) - min(numbers_of)
    deed._save(locked)
    seal(deed, pool)
    return locked


def _item(record: Any) -> dict[str, Any]:
    """What the draw may know of a record."""
    value = record.score if isinstance(record, Lead) else float(record.expected_spend or 0)
    return {
        "id": record.pk,
        "industry": candidacy.division(record.industry_id),
        "region": candidacy.code(record.region_id),
        "value": value,
    }


def _ready(found: list[Any], deed: door.Deed) -> tuple[list[Any], list[dict[str, Any]]]:
    """What may be given, and what a clause keeps back, with the reasons."""
    if not found:
        return [], []
    model, kind = type(found[0]), found[0].record_name()
    steps = {(kind, one.pk): STEPS[kind] for one in found}
    numbers = [one.pk for one in found]
    kept: dict[int, list[str]] = {}
    for one in gates.unmet(model, numbers, steps=steps, at=deed.at, book=deed.book):
        if one.is_gate:
            kept.setdefault(int(one.subject_id or 0), []).append(one.sentence)
    skipped = [{"item": number, "why": sorted(set(why))} for number, why in kept.items()]
    return [one for one in found if one.pk not in kept], skipped


def _give(deed: door.Deed, pool: Pool, ready: list[Any], result: list[dict[str, Any]]) -> None:
    """Write all holdings at once, as the deeds of one person."""
    kind, model = ready[0].record_name(), type(ready[0])
    given = {one["item"]: one["person"] for one in result if one["person"] is not None}
    people = Person._base_manager.in_bulk(sorted(set(given.values())))
    Holding._base_manager.bulk_create(
        Holding(
            subject=(kind, number),
            person=people[person],
            role="OWNER",
            starts_at=deed.at,
            reason=f"{pool}分配",
        )
        for number, person in given.items()
    )
    rows = model._base_manager.filter(pk__in=list(given))
    changed = {"revision": F("revision") + 1, "changed_at": deed.now}
    if kind == "lead":
        fresh = rows.filter(stage_two_at=None, pipeline="pipeline:articles")
        fresh.update(stage_two_at=deed.at)
        rows.filter(stage__in=("NEW", "MQL")).update(stage="ASSIGNED")
        changed["assigned_at"] = deed.at
    rows.update(**changed)
    for number in given:
        deed.steps.setdefault((kind, number), set()).update(STEPS[kind])
    deed.touch(model, given)


def draw_all() -> int:
    """Draw for every pool that gives out by itself; says how many records were given."""
    pools = Pool.objects.everything("自动分配").present().filter(is_active=True, is_automatic=True)
    given = 0
    for pool in pools.order_by("rank", "id"):
        if not waiting(pool).exists():
            continue
        try:
            with door.acting(by=None, action="allot", reason="自动分配", channel="JOB") as deed:
                done = door.act("allot", seal(deed, pool), by=None, channel="JOB")
        except (door.Denied, door.Refused):
            continue  # nobody may take them, or a clause keeps all of them back
        given += sum(draw.counts(done.result).values())
    return given


jobs.register("线索自动分配", draw_all)
