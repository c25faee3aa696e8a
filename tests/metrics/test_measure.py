"""Metrics against hand-written SQL; teams add up; everyone counts only what they see."""

from datetime import date

import pytest
from django.db import connection

from fangyuan.engine.models import Tally
from fangyuan.metrics.compliance import (
    breached_duties,
    compliance_rate,
    due_duties,
    met_duties,
    waived_duties,
)
from fangyuan.metrics.declare import METRICS, Formula, Metric, declare
from fangyuan.metrics.measure import Span, measure, rows_of

MAY = Span(date(2026, 5, 1), date(2026, 6, 1))
BY_HAND = {
    "met_duties": "state = 'MET'",
    "breached_duties": "state = 'BREACHED'",
    "waived_duties": "state = 'WAIVED'",
    "due_duties": "state IN ('MET', 'LATE', 'BREACHED')",
}


@pytest.fixture
def ledger(company):
    """Tallies of three people: 小李 in the KA team, 王总 above, 小赵 elsewhere."""
    rows = [
        (company.li, date(2026, 5, 4), "MET", 7),
        (company.li, date(2026, 5, 4), "LATE", 2),
        (company.li, date(2026, 5, 18), "BREACHED", 1),
        (company.li, date(2026, 4, 30), "BREACHED", 50),
        (company.wang, date(2026, 5, 31), "MET", 3),
        (company.zhao, date(2026, 5, 6), "BREACHED", 4),
        (company.zhao, date(2026, 5, 6), "WAIVED", 2),
        (company.zhao, date(2026, 6, 1), "MET", 90),
        (company.zhao, date(2026, 5, 7), "OPEN", 9),
    ]
    Tally._base_manager.bulk_create(
        Tally(rule_id=1, person_id=p.pk, due_on=on, state=state, number=n)
        for p, on, state, n in rows
    )
    return company


@pytest.mark.parametrize("name", BY_HAND)
def test_a_metric_equals_its_hand_written_query(ledger, name):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(number), 0) FROM engine_tally"
            f" WHERE due_on >= '2026-05-01' AND due_on < '2026-06-01' AND {BY_HAND[name]}"
        )
        expected = cursor.fetchone()[0]
    assert measure(METRICS[name], actor=ledger.boss, span=MAY) == {(): expected}


@pytest.mark.parametrize("metric", [met_duties, due_duties, breached_duties, waived_duties])
def test_people_add_up_to_the_company(ledger, metric):
    whole = measure(metric, actor=ledger.boss, span=MAY)[()]
    assert sum(measure(metric, actor=ledger.boss, span=MAY, by=["person_id"]).values()) == whole


def test_everyone_measures_what_they_may_see(ledger):
    def due(actor):
        return measure(due_duties, actor=actor, span=MAY)[()]

    assert due(ledger.boss) == 17
    assert due(ledger.wang) == 13
    assert due(ledger.li) == 10
    assert due(ledger.zhao) == 4


def test_a_ratio_is_a_sum_over_a_sum_and_never_a_mean(ledger):
    assert measure(compliance_rate, actor=ledger.boss, span=MAY)[()] == pytest.approx(10 / 17)
    by_person = measure(compliance_rate, actor=ledger.boss, span=MAY, by=["person_id"])
    assert by_person[(ledger.li.pk,)] == pytest.approx(0.7)


def test_a_ratio_of_nothing_is_unknown(ledger):
    empty = Span(date(2025, 1, 1), date(2025, 2, 1))
    assert measure(compliance_rate, actor=ledger.boss, span=empty) == {(): None}


def test_a_formula_computes_from_measured_terms(ledger):
    gap = Formula("gap", "差", lambda due, met: (due or 0) - (met or 0), (due_duties, met_duties))
    assert measure(gap, actor=ledger.boss, span=MAY) == {(): 7}


def test_a_number_drills_down_to_exactly_its_rows(ledger):
    rows = rows_of(due_duties, actor=ledger.wang, span=MAY, where=None)
    assert sum(row.number for row in rows) == 13


def test_a_metric_without_a_span_is_refused(ledger):
    with pytest.raises(ValueError, match="needs a span"):
        measure(met_duties, actor=ledger.boss)


def test_a_name_is_declared_once():
    with pytest.raises(ValueError, match="twice"):
        declare(Metric("met_duties", "x", of=Tally, at="due_on", value=None))
