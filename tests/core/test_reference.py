"""The shipped reference tables: whole, consistent and true to their sources."""

import csv
import json
from collections import Counter
from datetime import date
from pathlib import Path

from fangyuan.core import reference

TERMS = list(reference.terms())


def test_every_term_is_unique_labelled_and_follows_its_parent() -> None:
    seen: set[tuple[str, str]] = set()
    for term in TERMS:
        assert (term.domain, term.code) not in seen, term
        assert not term.parent_code or (term.domain, term.parent_code) in seen, term
        assert term.label.strip() == term.label != ""
        seen.add((term.domain, term.code))
    assert {term.domain for term in TERMS} | {"competitor"} == set(reference.domains())


def test_no_two_terms_of_a_vocabulary_share_a_label() -> None:
    named = Counter((t.domain, t.parent_code, t.label) for t in TERMS)
    assert [key for key, count in named.items() if count > 1] == []


def test_industries_are_the_four_levels_of_the_national_standard(samples: Path) -> None:
    levels = Counter(term.maps["level"] for term in reference.industries())
    assert (levels[1], levels[2], levels[3]) == (20, 97, 473)
    with (samples / "gbt4754" / "gbt4754-2017.csv").open(encoding="utf-8-sig") as lines:
        source = {row["code"]: row["name"] for row in csv.DictReader(lines)}
    assert {term.code: term.label for term in reference.industries()} == source


def test_regions_are_the_official_divisions(samples: Path) -> None:
    levels = Counter(str(term.maps["level"]) for term in reference.regions())
    text = (samples / "admin_divisions" / "expected.json").read_text(encoding="utf-8")
    assert dict(levels) == json.loads(text)["counts"]


def test_sources_map_to_the_closed_list_of_the_tag_policy() -> None:
    sources = [term for term in TERMS if term.domain == "source"]
    assert len(sources) == 13
    assert {term.maps["tag_source"] for term in sources} == {
        "CALL", "WEB", "CAMPAIGN", "EXPO", "REFERRAL", "OTHER",
    }  # fmt: skip
    gaps = {term.label for term in sources if term.maps["TAG"] == "其他"}
    assert gaps == {"陌生拜访", "热线呼入", "合作伙伴", "行业协会"}


def test_the_promotion_path_has_five_steps_and_positions_know_their_department() -> None:
    positions = {term.code: term for term in TERMS if term.domain == "position"}
    departments = {term.code for term in TERMS if term.domain == "department"}
    path = sorted((t for t in positions.values() if "step" in t.maps), key=lambda t: t.maps["step"])
    assert [term.code for term in path] == [
        "ka_rep", "ka_senior_rep", "ka_supervisor", "ka_manager", "sales_director",
    ]  # fmt: skip
    assert {term.maps["department"] for term in positions.values()} <= departments
    assert {t.maps["reports_to"] for t in positions.values()} <= departments | set(positions)


def test_published_years_are_those_with_a_notice_and_2027_is_only_foreseen() -> None:
    known = list(reference.holidays())
    assert reference.public_calendar().published == frozenset(range(2010, 2027))
    assert {day.provenance for day in known if day.year == 2027} == {"全国年节及纪念日放假办法"}
    assert not any(day.is_published for day in known if day.year == 2027)
    assert len({day.on for day in known}) == len(known)
    moved = next(day for day in known if day.on == date(2022, 12, 31))
    assert (moved.year, moved.name, moved.is_working) == (2023, "元旦", False)
