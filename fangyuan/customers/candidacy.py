"""Who takes part in a draw: the reps of the pool's team, each with why, or why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from fangyuan.core import spans
from fangyuan.customers import draw, limits
from fangyuan.customers.models import Allotment, Customer, Lead, Pool
from fangyuan.org.models import Holding, Leave, Membership, Person, Team

TAKERS: Final = (
    "sales_rep", "senior_sales_rep", "sales_specialist", "ka_rep", "ka_senior_rep", "sdr",
)  # fmt: skip
WORKED_ON: Final = ("ASSIGNED", "SQL")


def code(key: str | None) -> str:
    """The code of a vocabulary's entry."""
    return (key or "").split(":", 1)[-1]


def division(key: str | None) -> str:
    """The division of an industry: the two digits with which its codes begin."""
    return code(key)[:2]


def candidates(pool: Pool, at: datetime, weights: Mapping[str, int]) -> list[dict[str, Any]]:
    """Everybody whose post lets them take from the pool, frozen as the draw sees them.

    `weights` are by login; whoever is not named has 1, and 0 leaves somebody out.
    """
    posts = _posts(pool, at)
    people = list(Person._base_manager.filter(pk__in=posts).order_by("pk"))
    numbers = [person.pk for person in people]
    received, load = _received(pool, at, posts), _load(pool, numbers, at)
    away = _away(numbers, at)
    known = _industries(numbers, at) if pool.method == "SPECIALITY" else {}
    found = []
    for person in people:
        room = limits.standing(person, pool, at).room
        weight = int(weights.get(person.login or "", 1))
        why_not = _why_not(person, away, room, weight)
        base = load.get(person.pk, 0) if pool.method == "LOAD" else received[person.pk]
        found.append(
            {
                "id": person.pk,
                "name": person.name,
                "login": person.login,
                "is_eligible": not why_not,
                "why_not": why_not,
                "weight": max(weight, 1),
                "base": base,
                "room": room,
                "industries": sorted(known.get(person.pk, ())),
                "regions": posts[person.pk][1],
            }
        )
    return found


def _posts(pool: Pool, at: datetime) -> dict[int, tuple[Any, list[str]]]:
    """The takers of the pool's teams: since when, and for which regions."""
    day = spans.day_of(at)
    rows = Membership._base_manager.filter(
        Q(ends_on=None) | Q(ends_on__gte=day),
        removed_at=None,
        starts_on__lte=day,
        position__in=[f"position:{name}" for name in TAKERS],
    )
    if pool.team_id is not None:
        rows = rows.filter(team__in=_below(pool.team_id))
    return {
        row.person_id: (row.starts_on, [_start(one) for one in row.team.regions])
        for row in rows.select_related("team").order_by("-starts_on", "pk")
    }


def _start(region: str) -> str:
    """With what the codes of everything inside a region begin."""
    found = region
    while found.endswith("00"):
        found = found[:-2]
    return found


def _below(team: int) -> list[int]:
    parents = list(Team._base_manager.filter(removed_at=None).values_list("pk", "parent_id"))
    found, rest = {team}, [team]
    while rest:
        rest = [pk for pk, parent in parents if parent in rest and pk not in found]
        found |= set(rest)
    return sorted(found)


def _received(pool: Pool, at: datetime, posts: Mapping[int, tuple[Any, Any]]) -> Counter[int]:
    """What each got from this pool since the month began; whoever joined later begins with what
    the one with least got."""
    first = spans.day_of(at).replace(day=1)
    drawn = Allotment._base_manager.filter(pool=pool, at__gte=spans.midnight(first), at__lt=at)
    got: Counter[int] = Counter()
    for result in drawn.values_list("result", flat=True):
        got.update(draw.counts(result))
    old = [got[number] for number, (since, _) in posts.items() if since < first]
    for number, (since, _) in posts.items():
        if since >= first and old:
            got[number] = max(got[number], min(old))
    return got


def _load(pool: Pool, numbers: Iterable[int], at: datetime) -> Counter[int]:
    """How many each has in hand."""
    if pool.kind == Pool.Kind.CUSTOMER:
        worked: Any = Customer._base_manager.filter(removed_at=None, won_at=None)
        kind = "customer"
    else:
        worked = Lead._base_manager.filter(removed_at=None, stage__in=WORKED_ON)
        kind = "lead"
    held = _held(numbers, kind, at).filter(subject_id__in=worked.values("pk"))
    return Counter(held.values_list("person_id", flat=True))


def _held(numbers: Iterable[int], kind: str, at: datetime) -> Any:
    return Holding._base_manager.order_by().filter(
        Q(ends_at=None) | Q(ends_at__gt=at),
        person_id__any_of=list(numbers),
        subject_type=kind,
        role="OWNER",
        removed_at=None,
    )


def _industries(numbers: Iterable[int], at: datetime) -> dict[int, set[str]]:
    """The divisions of industry in which each answers for a customer now."""
    pairs = dict(_held(numbers, "customer", at).values_list("subject_id", "person_id"))
    rows = Customer._base_manager.filter(pk__in=list(pairs), industry__isnull=False)
    found: dict[int, set[str]] = {}
    for number, industry in rows.values_list("pk", "industry_id"):
        found.setdefault(pairs[number], set()).add(division(industry))
    return found


def _away(numbers: Iterable[int], at: datetime) -> set[int]:
    rows = Leave._base_manager.filter(
        person_id__any_of=list(numbers), stage="APPROVED", removed_at=None,
        starts_at__lte=at, ends_at__gt=at,
    )  # fmt: skip
    return set(rows.values_list("person_id", flat=True))


def _why_not(person: Person, away: set[int], room: int | None, weight: int) -> str:
    checks = (
        (not person.is_active, "账户停用"),
        (not person.is_on_duty, "未通过上岗考核"),
        (person.pk in away, "请假中"),
        (room == 0, "库容已满"),
        (weight <= 0, "本次不参加"),
    )
    return "、".join(said for holds, said in checks if holds)
