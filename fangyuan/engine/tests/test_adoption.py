"""When a policy is adopted, as the values told of the company say it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.db import connection

from fangyuan.core import timelines
from fangyuan.engine import rulebook
from fangyuan.org.models import Team

FIRST, SECOND, THIRD = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 5, 7))
Told = list[tuple[list[str], datetime]]


def _adopted(policy: str, told: Told) -> rulebook.Adopted:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL fangyuan.actor = '0'")
        company = Team._base_manager.create(code="all", name="公司", kind=Team.Kind.COMPANY)
        cursor.execute("DELETE FROM core_tracked WHERE fact = 'policies'")
        for codes, starts in told:
            cursor.execute(
                "INSERT INTO core_tracked (subject_type, subject_id, fact, value, starts_at)"
                " VALUES ('team', %s, 'policies', %s, %s)",
                [company.pk, json.dumps(codes), starts],
            )
    return rulebook.adopted(policy, rulebook.adoptions())


def _spans(found: rulebook.Adopted) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({found.sql})::text")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_with_nothing_told_of_the_past_the_present_holds_always() -> None:
    assert _adopted("ka", []).sql == timelines.EVER


@pytest.mark.django_db
def test_no_policy_named_means_every_policy() -> None:
    found = _adopted("ka", [(["none"], FIRST), ([], SECOND), (["ka", "tags"], THIRD)])
    assert found.since == SECOND
    assert _spans(found) == '{["2026-05-01 00:00:00+00",)}'


@pytest.mark.django_db
def test_what_was_told_first_holds_for_the_time_before_it() -> None:
    found = _adopted("ka", [(["ka"], FIRST), (["tags"], SECOND), (["ka"], THIRD)])
    assert found.since is None
    assert _spans(found) == '{(,"2026-05-01 00:00:00+00"),["2026-07-01 00:00:00+00",)}'


@pytest.mark.django_db
def test_a_code_is_a_whole_word() -> None:
    """`ka` is not adopted because `ka-more` is."""
    assert _adopted("ka", [(["ka-more"], FIRST)]).sql == timelines.NEVER
