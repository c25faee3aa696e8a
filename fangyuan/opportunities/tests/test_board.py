"""The board: its lanes load further cards in order, leads become deals on it, teams grow."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from conftest import local, own, term
from fangyuan import door
from fangyuan.customers.models import Lead
from fangyuan.forms import seed
from fangyuan.opportunities import board, pipelines
from fangyuan.opportunities.models import Opportunity, Stage
from fangyuan.org.models import Holding


@pytest.fixture
def planted(company):
    with door.acting(by=None, action="test") as deed:
        pipelines.plant(deed)
        seed.plant(deed)
    return company


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def deals(company, days):
    with door.acting(by=None, action="test") as deed:
        for place, day in enumerate(days):
            values = {"name": f"项目{place}", "customer": company.customer, "expected_on": day}
            made = deed.create(Opportunity, {**values, "amount": Decimal(10000)})
            own(deed, made, company.li, local("2026-01-05 09:00"))


def numbers(html):
    return re.findall(r'data-row="/opportunity/(\d+)"', html)


def test_a_lane_gives_every_card_once_in_the_order_of_its_days(planted):
    first = date(2026, 12, 1)
    days = [first + timedelta(days=n % 3) if n % 4 else None for n in range(2 * board.CARDS + 5)]
    deals(planted, days)
    client, seen = signed_in(planted.li), list[str]()
    html = client.get("/pipeline/s1s7").content.decode()
    while True:
        seen += numbers(html)
        more = re.search(r'hx-get="([^"]*lane[^"]*)"', html)
        if more is None:
            break
        url = more[1].replace("&amp;", "&")
        html = client.get(url, headers={"HX-Request": "true"}).content.decode()
    rows = Opportunity._base_manager.order_by(*board.ORDER).values_list("pk", flat=True)
    assert [int(one) for one in seen] == list(rows)


def test_an_address_of_a_lane_that_makes_no_sense_is_refused(planted):
    stage = Stage._base_manager.get(pipeline_id="pipeline:s1s7", code="S2")
    client = signed_in(planted.li)
    answer = client.get(f"/pipeline/lane/{stage.pk}?after=x_y", headers={"HX-Request": "true"})
    assert answer.status_code == 400


@pytest.fixture
def lead(planted):
    values = {
        "company": "远大制造",
        "phone": "13900000001",
        "occurred_at": local("2026-05-11 09:00"),
    }
    with door.acting(by=None, action="test") as deed:
        values |= {"source": term("source", "REFERRAL"), "pipeline": term("pipeline", "s1s7")}
        made = deed.create(Lead, values)
        own(deed, made, planted.li, local("2026-05-11 09:00"))
    return made


@pytest.mark.parametrize(
    ("stage", "step"),
    [("SQL", "to_opportunity"), ("ASSIGNED", "qualify_lead"), ("NEW", "mark_mql")],
)
def test_a_lead_dropped_on_the_first_stage_is_asked_what_is_still_to_say(
    planted, lead, stage, step
):
    Lead._base_manager.filter(pk=lead.pk)
    with door.acting(by=None, action="test") as deed:
        lead.stage = stage
        deed._save(lead, judged=False)
    client = signed_in(planted.li)
    assert f"/lead/{lead.pk}" in client.get("/pipeline/s1s7").content.decode()
    to = Stage._base_manager.get(pipeline_id="pipeline:s1s7", code="S2")
    answer = client.post(f"/pipeline/lead/{lead.pk}/move", {"to": to.pk})
    assert answer.status_code == 422
    assert f"/lead/{lead.pk}/do/{step}" in answer.content.decode()


def test_a_colleague_joins_in_a_role_and_sees_the_deal(planted):
    deals(planted, [date(2026, 12, 1)])
    one = Opportunity._base_manager.get()
    payload = {"person": planted.zhao, "role": "PRESALES"}
    door.act("add_member", one, by=planted.li, payload=payload)
    assert Holding._base_manager.filter(subject_id=one.pk, role="PRESALES").count() == 1
    with pytest.raises(door.Denied, match="已是"):
        door.act("add_member", one, by=planted.li, payload=payload)
    with pytest.raises(door.Denied, match="转移"):
        door.act("add_member", one, by=planted.li, payload={**payload, "role": "OWNER"})
