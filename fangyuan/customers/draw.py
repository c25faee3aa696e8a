"""A draw that anybody can run again: from what is published, with whole numbers and SHA-256 alone.

Nothing here reads the database or the clock. The order of the items and every tie follow from the
seed; what is given follows from the counts. `docs/leads.md` says it in words, for any language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

Item = Mapping[str, Any]  # id, industry, region, value
Candidate = Mapping[str, Any]  # id, weight, base, room, industries, regions, is_eligible


def digest(seed: str) -> str:
    """What is published before the seed is."""
    return hashlib.sha256(seed.encode()).hexdigest()


def lot(seed: str, *parts: object) -> int:
    """The lot of something: smaller comes first."""
    told = ":".join([seed, *(str(part) for part in parts)])
    return int(hashlib.sha256(told.encode()).hexdigest(), 16)


def run(
    seed: str, method: str, items: Sequence[Item], candidates: Sequence[Candidate]
) -> list[dict[str, Any]]:
    """Who gets what: `{item, person, by}` for each item in the order drawn; nobody is None.

    Each item goes to the eligible candidate who, having it, would have least for their weight.
    """
    able = [one for one in candidates if one["is_eligible"]]
    given = {one["id"]: 0 for one in able}
    found = []
    for item in sorted(items, key=lambda one: lot(seed, "item", one["id"])):
        free = [one for one in able if _has_room(one, given)]
        fitting = [one for one in free if _fits(method, item, one)]
        chosen = min(fitting or free, key=lambda one: _rank(seed, item, one, given), default=None)
        if chosen is not None:
            given[chosen["id"]] += 1
        by = "" if chosen is None else ("fit" if fitting and method in NARROW else "turn")
        found.append({"item": item["id"], "person": chosen and chosen["id"], "by": by})
    return found


NARROW = ("SPECIALITY", "REGION")  # methods that first look for who fits the item


def _has_room(one: Candidate, given: Mapping[Any, int]) -> bool:
    return one["room"] is None or given[one["id"]] < one["room"]


def _fits(method: str, item: Item, one: Candidate) -> bool:
    if method == "SPECIALITY":
        return bool(item["industry"]) and item["industry"] in one["industries"]
    if method == "REGION":
        region = item["region"] or ""
        return any(region.startswith(start) for start in one["regions"])
    return True


def _rank(seed: str, item: Item, one: Candidate, given: Mapping[Any, int]) -> tuple[Fraction, int]:
    share = Fraction(one["base"] + given[one["id"]] + 1, one["weight"])
    return share, lot(seed, item["id"], one["id"])


def counts(result: Sequence[Mapping[str, Any]]) -> dict[Any, int]:
    """How many each person got."""
    found: dict[Any, int] = {}
    for one in result:
        if one["person"] is not None:
            found[one["person"]] = found.get(one["person"], 0) + 1
    return found


def gini(values: Sequence[int | float]) -> float | None:
    """How unequal a distribution is: 0 all the same, near 1 all to one; None of nothing."""
    ranked, total = sorted(values), sum(values)
    if not ranked or not total:
        return None
    weighted = sum((place + 1) * value for place, value in enumerate(ranked))
    return (2 * weighted) / (len(ranked) * total) - (len(ranked) + 1) / len(ranked)
