"""The way from customer to customer: an order that saves kilometres, and a small map of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

EARTH = 6_371.0  # km
WIDE, HIGH, EDGE = 358, 150, 34


@dataclass(frozen=True)
class Dot:
    """A stop on the map."""

    x: float
    y: float
    number: int
    label: str
    is_next: bool = False


@dataclass(frozen=True)
class Sketch:
    """A route drawn to scale: its stops, the line through them, its length."""

    dots: list[Dot]
    path: str
    km: float


def distance(a: Any, b: Any) -> float | None:
    """Kilometres as the crow flies between two things with latitude and longitude."""
    places = (a.latitude, a.longitude, b.latitude, b.longitude)
    if any(value is None for value in places):
        return None
    up1, across1, up2, across2 = (math.radians(float(value)) for value in places)
    h = (
        math.sin((up2 - up1) / 2) ** 2
        + math.cos(up1) * math.cos(up2) * math.sin((across2 - across1) / 2) ** 2
    )
    return 2 * EARTH * math.asin(math.sqrt(h))


def order(visits: Sequence[Any]) -> list[Any]:
    """From the first visit always to the nearest of those left; unknown places keep their turn
    at the end."""
    left = [v for v in visits if v.customer and v.customer.latitude is not None]
    unknown = [v for v in visits if v not in left]
    found: list[Any] = []
    while left:
        here = found[-1].customer if found else None
        nearest = min(left, key=lambda v: distance(here, v.customer) or 0) if here else left[0]
        left.remove(nearest)
        found.append(nearest)
    return found + unknown


def length(visits: Sequence[Any]) -> float:
    """Kilometres of the straight lines from stop to stop."""
    known = [v.customer for v in visits if v.customer and v.customer.latitude is not None]
    return sum(distance(a, b) or 0 for a, b in zip(known, known[1:], strict=False))


def sketch(visits: Sequence[Any]) -> Sketch | None:
    """The map of a day's route; None while fewer than two places are known."""
    known = [
        (number, v)
        for number, v in enumerate(visits, 1)
        if v.customer and v.customer.latitude is not None
    ]
    if len(known) < 2:
        return None
    places = [(float(v.customer.longitude), float(v.customer.latitude)) for _, v in known]
    spots = _fit(places)
    ahead = next((v.pk for _, v in known if v.ended_at is None), None)
    dots = [
        Dot(x, y, number, v.customer.name, v.pk == ahead)
        for (x, y), (number, v) in zip(spots, known, strict=True)
    ]
    path = "M" + "L".join(f"{dot.x:.0f} {dot.y:.0f}" for dot in dots)
    return Sketch(dots, path, length(visits))


def _fit(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Places as points of the map, the same scale both ways, north at the top."""
    squeeze = math.cos(math.radians(sum(up for _, up in places) / len(places)))
    flat = [(across * squeeze, -up) for across, up in places]
    west, east = min(x for x, _ in flat), max(x for x, _ in flat)
    north, south = min(y for _, y in flat), max(y for _, y in flat)
    scale = min(
        (WIDE - 2 * EDGE) / max(east - west, 1e-6), (HIGH - 2 * EDGE) / max(south - north, 1e-6)
    )
    scale = min(scale, 1e6)
    return [
        (
            WIDE / 2 + (x - (west + east) / 2) * scale,
            HIGH / 2 + (y - (north + south) / 2) * scale,
        )
        for x, y in flat
    ]
