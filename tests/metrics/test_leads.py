"""The metrics over leads and touches equal what is counted by hand, row by row."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from django.db import connection

from conftest import local, term
from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.customers import metrics
from fangyuan.customers.models import Lead, Touch
from fangyuan.metrics.measure import Span, measure

MAY = Span(date(2026, 5, 1), date(2026, 6, 1))
SPAN = "BETWEEN '2026-05-01 00:00+08' AND '2026-05-31 23:59:59.999999+08'"
STEPS = ("screened_at", "mql_at", "assigned_at", "sql_at", "converted_at")
BY_HAND = {
    "lead_valid_rate": f"SELECT avg((first_verdict = 'VALID')::int) FROM customers_lead"
    f" WHERE screened_at {SPAN} AND first_verdict IS NOT NULL AND removed_at IS NULL",
    "lead_quality_rate": f"SELECT avg((first_verdict = 'VALID')::int) FROM customers_lead"
    f" WHERE occurred_at {SPAN} AND first_verdict IS NOT NULL AND removed_at IS NULL",
    "lead_quality_score": f"SELECT avg(score) FROM customers_lead"
    f" WHERE occurred_at {SPAN} AND removed_at IS NULL",
    "nurture_cycle_days": f"SELECT avg(round(extract(epoch FROM mql_at - occurred_at) / 86400, 2))"
    f" FROM customers_lead WHERE mql_at {SPAN} AND removed_at IS NULL",
    "mql_to_sql_rate": f"SELECT avg((sql_at IS NOT NULL)::int) FROM customers_lead"
    f" WHERE mql_at {SPAN} AND removed_at IS NULL",
    "sql_to_opportunity_rate": f"SELECT avg((stage = 'OPPORTUNITY')::int) FROM customers_lead"
    f" WHERE sql_at {SPAN} AND removed_at IS NULL",
    "lead_to_prospect_rate": f"SELECT avg((converted_at IS NOT NULL)::int) FROM customers_lead"
    f" WHERE assigned_at {SPAN} AND removed_at IS NULL",
    "new_leads": f"""SELECT count(*) FROM customers_lead l WHERE occurred_at {SPAN}
      AND removed_at IS NULL AND NOT EXISTS (SELECT FROM customers_lead o
       WHERE o.removed_at IS NULL AND o.id <> l.id
         AND (o.phone = l.phone AND o.phone > '' OR o.company_key = l.company_key)
         AND (o.occurred_at, o.id) < (l.occurred_at, l.id))""",
    "content_downloads": f"SELECT count(*) FROM customers_touch"
    f" WHERE kind = 'DOWNLOADED' AND at {SPAN}",
}


@pytest.fixture
def leads(company):
    """Three hundred leads of every kind, some of them twice, some in the recycle bin."""
    luck, start = Random(11), local("2026-04-10 09:00")
    company.boss.is_admin = True
    with door.acting(by=None, action="test", history=True) as deed:
        read = {"points": 11, "when": {"touch_kinds": {"has": ["DOWNLOADED"]}}}
        deed.create(Term, {"domain": "lead_points", "code": "READ", "label": "下载"}, maps=read)
        for number in range(300):
            at = start + timedelta(hours=luck.randint(0, 24 * 70))
            values = {"company": f"第{luck.randint(1, 240)}家", "source": term("source", "CALL")}
            values |= {"occurred_at": at, "phone": f"139{luck.randint(1, 260):08d}"}
            for place, name in enumerate(STEPS):
                if luck.random() < 0.6:
                    values[name] = at + timedelta(days=place + luck.randint(0, 20), hours=3)
            values["first_verdict"] = luck.choice(["VALID", "INVALID", None])
            values["stage"] = luck.choice(["NEW", "SQL", "OPPORTUNITY", "PROSPECT"])
            lead = Lead(**values)
            deed._save(lead)
            deed.create(Touch, {"lead": lead, "at": at, "kind": luck.choice(Touch.Kind.values)})
            if number % 29 == 0:
                deed.remove(lead)
    return company


@pytest.mark.django_db
@pytest.mark.parametrize("name", BY_HAND)
def test_a_metric_equals_the_query_written_by_hand(leads, name):
    with connection.cursor() as cursor:
        cursor.execute(BY_HAND[name])
        [(by_hand,)] = cursor.fetchall()
    [measured] = measure(getattr(metrics, name), actor=leads.boss, span=MAY).values()
    assert measured == pytest.approx(float(by_hand), abs=1e-9)
    assert by_hand


@pytest.mark.django_db
def test_who_sees_no_lead_counts_none(leads):
    assert measure(metrics.new_leads, actor=leads.li, span=MAY) == {(): 0}
    assert measure(metrics.lead_valid_rate, actor=leads.li, span=MAY) == {(): None}
