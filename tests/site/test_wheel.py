"""The wheel of the cockpit keeps its names apart and its rods in order."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from fangyuan.site import wheel


def _policy(name: str, number: int) -> tuple[str, float, list[wheel.Stat]]:
    return name, 0.9, [wheel.Stat(f"{name}-{n}", "", 0.9, 0) for n in range(number)]


def _angle(x: float, y: float) -> float:
    return math.degrees(math.atan2(x - wheel.CENTRE[0], wheel.CENTRE[1] - y)) % 360


@pytest.mark.parametrize("numbers", [[30, 1, 2, 1, 20, 9, 1], [1], [1, 1], [40, 40]])
def test_policies_with_few_rods_have_room_for_their_names(numbers):
    policies = [_policy(str(n), number) for n, number in enumerate(numbers)]
    sectors = wheel.draw(policies, 0.95)
    names = [_angle(s.x, s.y) for s in sectors]
    assert names == sorted(names)
    apart = [b - a for a, b in pairwise([*names, names[0] + 360])]
    assert min(apart) >= wheel.ROOM + wheel.GAP - 0.5
    starts = [r.track[1:].split("L")[0].split() for s in sectors for r in s.rods]
    rods = [_angle(float(x), float(y)) for x, y in starts]
    assert rods == sorted(rods)
    assert len({round(angle, 1) for angle in rods}) == sum(numbers)
