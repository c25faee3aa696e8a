"""What every company starts with: public holidays, industries, regions and open vocabularies.

Reads the files beside it and returns plain rows; storing them is the caller's business.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML

from fangyuan.core import workdays

FOLDER: Final = Path(__file__).parent / "data"
INDUSTRY_NAMES: Final = {
    "C": ["制造", "工业"],
    "D": ["电力", "能源供应"],
    "E": ["建筑", "房屋建筑"],
    "F": ["商贸", "贸易", "零售"],
    "G": ["物流", "交通运输"],
    "H": ["餐饮", "酒店"],
    "I": ["互联网业", "互联网", "软件业", "信息技术"],
    "J": ["金融", "金融服务"],
    "K": ["房地产"],
    "M": ["科研", "技术服务"],
    "P": ["教育业", "教育培训"],
    "Q": ["医疗", "卫生"],
    "S": ["政府", "政务"],
}


class Holiday(NamedTuple):
    """One day that public notice moves: a weekday off or a weekend worked."""

    on: date
    is_working: bool
    name: str
    year: int
    is_published: bool
    provenance: str


class Term(NamedTuple):
    """One entry of a vocabulary, ready to store; a parent always comes before its children."""

    domain: str
    code: str
    label: str
    parent_code: str
    rank: int
    maps: dict[str, Any]
    definition: str
    is_open: bool


def holidays() -> Iterator[Holiday]:
    """Yield every public holiday and make-up day, published or only foreseen by statute."""
    for row in _rows("holidays.csv"):
        yield Holiday(
            date.fromisoformat(row["on"]),
            row["is_working"] == "true",
            row["name"],
            int(row["year"]),
            row["is_published"] == "true",
            row["provenance"],
        )


def public_calendar(company: Mapping[date, bool] | None = None) -> workdays.WorkCalendar:
    """Give the calendar of the shipped notices, with a company's own days over it."""
    known = list(holidays())
    return workdays.WorkCalendar(
        {day.on: day.is_working for day in known},
        published={day.year for day in known if day.is_published},
        company=company,
    )


def terms() -> Iterator[Term]:
    """Yield every shipped term of every vocabulary."""
    yield from industries()
    yield from regions()
    yield from _vocabularies("positions.yaml")
    yield from _vocabularies("terms.yaml")


def industries() -> Iterator[Term]:
    """Yield the industries of GB/T 4754-2017, sections first, with the names people use."""
    for row in _rows("gbt4754.csv"):
        names = INDUSTRY_NAMES.get(row["code"])
        yield _coded("industry", row, {"synonyms": names} if names else {})


def regions() -> Iterator[Term]:
    """Yield provinces, cities and counties by their official codes."""
    for row in _rows("divisions.csv"):
        yield _coded("region", row, {})


def domains() -> dict[str, str]:
    """Map the code of every vocabulary to its Chinese name."""
    labels = {"industry": "行业", "region": "地域"}
    for name in ("positions.yaml", "terms.yaml"):
        labels |= {domain: entry["label"] for domain, entry in _yaml(name).items()}
    return labels


def _coded(domain: str, row: dict[str, str], maps: dict[str, Any]) -> Term:
    level = int(row["level"])
    return Term(
        domain, row["code"], row["label"], row["parent"], 0, maps | {"level": level}, "", False
    )


def _rows(name: str) -> Iterable[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _yaml(name: str) -> dict[str, Any]:
    read: dict[str, Any] = YAML(typ="safe").load(FOLDER / name)
    return read


def _vocabularies(name: str) -> Iterator[Term]:
    for domain, entry in _yaml(name).items():
        yield from _entries(domain, "", entry["terms"])


def _entries(domain: str, parent: str, entries: dict[str, Any]) -> Iterator[Term]:
    for rank, (code, entry) in enumerate(entries.items(), start=1):
        full = entry if isinstance(entry, dict) else {"label": entry}
        yield Term(
            domain,
            code,
            full["label"],
            parent,
            rank,
            dict(full.get("maps") or {}),
            full.get("definition", ""),
            True,
        )
        yield from _entries(domain, code, full.get("terms") or {})
