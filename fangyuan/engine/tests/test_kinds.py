"""Rules are typed: what they say comes back as a sentence, what they cannot mean is refused."""

from __future__ import annotations

import pytest

from fangyuan.engine import kinds
from tests.oracle import clauses


def _read(rule: clauses.Rule) -> kinds.Kind:
    params = {k: v for k, v in rule.params.items() if k not in ("kind", "record")}
    return kinds.read(rule.params["kind"], rule.params["record"], params)


@pytest.mark.django_db
def test_every_bound_rule_is_understood_and_read_back() -> None:
    for rule in clauses.rules_of():
        kind = _read(rule)
        assert kind.faults() == [], rule.clause
        assert len(kind.sentence()) > 10


@pytest.mark.django_db
def test_a_deadline_reads_as_a_sentence() -> None:
    (rule,) = clauses.rules_of("KA-3.3.2b")
    assert _read(rule).sentence() == (
        "KA客户的面对面拜访自“结束”起，负责人须在 24 小时内完成“记录齐全”"
    )


@pytest.mark.django_db
def test_an_unknown_fact_is_named_with_the_nearest_known_one() -> None:
    kind = kinds.read(
        "deadline",
        "customer",
        {"on": "learnt_at", "until": "recorded_at", "within": "24h", "where": {"is_ka": True}},
    )
    assert kind.faults() == ["客户没有“learnt_at”这个事实，是不是“learned_at”（信息获取）"]


def test_a_word_too_many_is_refused() -> None:
    with pytest.raises(kinds.BadRule, match="hours"):
        kinds.read("deadline", "customer", {"on": "a", "until": "b", "within": "1h", "hours": 2})


def test_a_duty_to_complete_needs_its_beginning() -> None:
    with pytest.raises(kinds.BadRule, match="since"):
        kinds.read("required", "customer", {"fields": ["name"], "enforce": "duty"})


@pytest.mark.django_db
def test_a_fact_without_a_past_cannot_date_a_duty() -> None:
    kind = kinds.read(
        "required",
        "customer",
        {
            "holds": {"info_complete": True},
            "enforce": "duty",
            "since": "recorded_at",
            "within": "3wd",
        },
    )
    assert kind.faults() == ["“建档信息齐全”没有留下何时做到，不能用于义务，只能用于写入校验"]
