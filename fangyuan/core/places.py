"""From an address to the region it names, by the official divisions alone.

Only what the address says is answered: a county that exists in several cities is not guessed, and
the answer is the smallest division that is certain.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import Final, NamedTuple

from fangyuan.core import reference, text

_PROVINCE_END: Final = re.compile("(?:省|市|特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区)$")
_CITY_END: Final = re.compile("(?:市|地区|盟)$")
# A short name in front of these is a street of that name: 南京西路 is in Shanghai.
_STREET: Final = re.compile("(?:大|东|西|南|北|中|[一二三四五])?(?:路|街|道|里|弄|巷)")
_LONGEST: Final = 15
_SHORTEST: Final = 2
_CITY: Final = 2


class Place(NamedTuple):
    """One administrative division."""

    code: str
    label: str
    parent: str
    level: int


class _Atlas(NamedTuple):
    """Every place, and the names an address may begin with at the top and below each place."""

    places: dict[str, Place]
    top: dict[str, set[str]]
    below: dict[str, dict[str, set[str]]]


def region_of(address: str) -> str:
    """Give the code of the smallest division an address certainly names, or nothing."""
    atlas = _atlas()
    rest = text.tidy(address).replace(" ", "").removeprefix("中国")
    code, rest = _leading(rest, atlas.top, atlas.places)
    while code:
        deeper, after = _leading(rest, atlas.below.get(code, {}), atlas.places)
        if not deeper:
            return code
        code, rest = deeper, after
    return ""


def path_of(code: str) -> tuple[Place, ...]:
    """Give a division and those above it, the largest first."""
    places = _atlas().places
    path: list[Place] = []
    while code in places:
        path.insert(0, places[code])
        code = places[code].parent
    return tuple(path)


def _leading(address: str, names: dict[str, set[str]], places: dict[str, Place]) -> tuple[str, str]:
    """Find the longest name the address begins with, if it is one place only."""
    for size in range(min(_LONGEST, len(address)), _SHORTEST - 1, -1):
        name, rest = address[:size], address[size:]
        found = names.get(name, set())
        if len(found) > 1:
            break
        for code in found:
            if places[code].label == name or not _STREET.match(rest):
                return code, rest
    return "", address


@cache
def _atlas() -> _Atlas:
    places = {
        term.code: Place(term.code, term.label, term.parent_code, term.maps["level"])
        for term in reference.regions()
    }
    top: dict[str, set[str]] = defaultdict(set)
    below: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for place in places.values():
        for name in _names(place):
            top[name].add(place.code)
            if place.parent:
                below[place.parent][name].add(place.code)
    for place in places.values():
        if not place.parent:
            # 吉林 alone is the province, and 江苏省昆山市 leaves out the city in between.
            for name in _names(place):
                top[name] = {place.code}
            _skip_a_level(below, place.code)
    return _Atlas(places, top, below)


def _skip_a_level(below: dict[str, dict[str, set[str]]], province: str) -> None:
    direct = below[province]
    cities = {code for codes in direct.values() for code in codes}
    further: dict[str, set[str]] = defaultdict(set)
    for city in cities & below.keys():
        for name, codes in below[city].items():
            further[name] |= codes
    below[province] = defaultdict(set, {**further, **direct})


def _names(place: Place) -> set[str]:
    """Give the names a place goes by: provinces and cities also short, counties only in full."""
    if place.level > _CITY:
        return {place.label}
    end = _CITY_END if place.parent else _PROVINCE_END
    short = end.sub("", place.label)
    return {place.label, short} if len(short) >= _SHORTEST else {place.label}
