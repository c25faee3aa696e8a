"""The metrics over findings, notices and waivers equal what is counted by hand, and add up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db.models import F, Q

from conftest import hire, local, term
from fangyuan import door
from fangyuan.core import facts
from fangyuan.core.models import Term
from fangyuan.engine.models import Clause, Tally
from fangyuan.metrics.compliance import compliance_rate, waiver_rate
from fangyuan.metrics.declare import Dimension
from fangyuan.metrics.measure import Span, measure
from fangyuan.supervision import metrics
from fangyuan.supervision.models import Finding, Inspection, Rectification
from tests.door.test_door import demand

MAY = Span(date(2026, 5, 1), date(2026, 6, 1))
# verdict and moment of each sample; the first and the last lie outside of May by a minute
SAMPLES = (
    ("OK", "2026-04-30 23:59"),
    ("OK", "2026-05-01 00:00"),
    ("WRONG", "2026-05-10 10:00"),
    ("OK", "2026-05-20 10:00"),
    ("PROBLEM", "2026-05-31 23:59"),
    ("OK", "2026-06-01 00:00"),
)


@pytest.fixture
def auditor(company):
    """Somebody who sees every finding; one of the samples is in the recycle bin."""
    with door.acting(by=None, action="test") as deed:
        deed.create(Term, {"domain": "audit_method", "code": "DOCUMENTS", "label": "查阅资料"})
        person = hire(deed, "audit", "老周", "audit_dept", company.root, company.boss)
        values = {"kind": "SPOT", "inspector": person, "started_at": local("2026-04-01 09:00")}
        inspection = deed.create(Inspection, values)
        for verdict, at in (*SAMPLES, ("OK", "2026-05-15 09:00")):
            sample = {"inspection": inspection, "subject": company.customer, "verdict": verdict}
            sample |= {"method": term("audit_method", "DOCUMENTS"), "found_at": local(at)}
            last = deed.create(Finding, sample)
        deed.remove(last)
    return person


def test_the_validity_rate_counts_samples_that_agree(auditor, company):
    assert measure(metrics.customer_data_validity_rate, actor=auditor, span=MAY) == {(): 2 / 4}
    assert measure(metrics.problems_found, actor=auditor, span=MAY) == {(): 1}
    assert measure(metrics.opportunity_accuracy, actor=auditor, span=MAY) == {(): None}
    # Who sees none of the findings measures nothing.
    assert measure(metrics.customer_data_validity_rate, actor=company.zhao, span=MAY) == {(): None}


def test_notices_closed_in_time_add_up_over_people(auditor, company):
    with door.acting(by=None, action="test") as deed:
        for person, closed, days in ((company.li, 5, 6), (company.li, 9, 6), (company.zhao, 1, 6)):
            issued = local("2026-05-04 09:00")
            values = {"person": person, "demand": "补办", "stage": "CLOSED", "issued_at": issued}
            values["closed_at"] = issued + timedelta(days=closed)
            deed.create(Rectification, {**values, "due_at": issued + timedelta(days=days)})
    rate = metrics.rectification_on_time_rate
    assert measure(rate, actor=auditor, span=MAY) == {(): 2 / 3}
    by = [Dimension("person", "责任人", F("person__login"))]
    assert measure(metrics.notices_closed, actor=auditor, span=MAY, by=by) == {
        ("li",): 2,
        ("zhao",): 1,
    }


def test_the_waiver_rate_counts_what_compliance_leaves_out(auditor, company):
    numbers = {"MET": 6, "LATE": 1, "BREACHED": 1, "WAIVED": 2, "OPEN": 9, "VOID": 5}
    Tally._base_manager.bulk_create(
        Tally(rule_id=1, person_id=company.li.pk, due_on=MAY.start, state=state, number=number)
        for state, number in numbers.items()
    )
    where = Q(rule_id=1)
    rule = demand("T-1", "CADENCE", "customer")
    Tally._base_manager.filter(where).update(rule_id=rule.pk)
    where = Q(rule_id=rule.pk)
    assert measure(compliance_rate, actor=auditor, span=MAY, where=where) == {(): 6 / 8}
    assert measure(waiver_rate, actor=auditor, span=MAY, where=where) == {(): 2 / 10}
    names = ["compliance", "breach_count", "open_count"]
    [clause] = facts.annotate(Clause.objects.everything("试").filter(number="T-1"), names)
    assert clause.fact_compliance == 6 / 8
    assert (clause.fact_breach_count, clause.fact_open_count) == (1, 9)
