"""Leads from entry to customer: who follows them, what they score, and no customer twice."""

import pytest
from django.test import Client

from conftest import term
from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.core.models import Event
from fangyuan.customers import conversion, holding, lead_desk, scoring
from fangyuan.customers.models import Contact, Customer, Lead, Touch
from tests.door.test_door import demand
from tests.door.test_races import all_at_once
from tests.leads.conftest import assigned, got

SAID = {"address": "苏州市工业园区星湖街 9 号"}


@pytest.mark.django_db
def test_who_sells_follows_what_they_enter_and_marketing_shares_it(market):
    values = {"company": "甲厂", "source": term("source", "CALL"), "occurred_at": market.since}
    with door.acting(by=market.zhao, action="create") as deed:
        assert holding.held(lead_desk.enter(deed, values)).person == market.zhao
    with door.acting(by=market.feng, action="create") as deed:
        assert holding.held(lead_desk.enter(deed, {**values, "company": "乙厂"})) is None


@pytest.mark.django_db
def test_the_score_follows_every_deed_and_says_its_reasons(market):
    lead = got(market)
    assert lead_score(lead) == (5, ["留有电话"])
    with door.acting(by=market.feng, action="test") as deed:
        touch = deed.create(Touch, {"lead": lead, "kind": "ATTENDED", "at": market.since})
    assert lead_score(lead) == (20, ["留有电话", "到场参加活动"])
    with door.acting(by=None, action="test") as deed:
        deed.remove(touch)
        deed.change(Lead._base_manager.get(pk=lead.pk), phone="")
    assert lead_score(lead) == (0, [])
    rows = Event.objects.everything("t").filter(
        record="lead", record_id=lead.pk, op="U", diff__has_key="score"
    )
    assert rows.count() == 3  # each by the deed that caused it


def lead_score(lead):
    fresh = Lead._base_manager.get(pk=lead.pk)
    return fresh.score, [
        part["label"] for part in sorted(fresh.score_parts, key=lambda p: p["points"])
    ]


@pytest.mark.django_db
def test_points_that_change_with_time_are_scored_once_a_day(market, monkeypatch):
    lead = got(market)
    with door.acting(by=None, action="test"):
        Lead._base_manager.filter(pk=lead.pk).update(score=99)
    monkeypatch.setattr(scoring, "_day", [])
    assert scoring.keep_some() == 1 and scoring.keep_some() == 0
    assert lead_score(lead)[0] == 5


@pytest.mark.django_db
def test_leads_that_reach_the_score_of_the_clause_are_handed_over(market):
    demand("PS-2.1.2.5", "ALERT", "lead", when={"score": {"at_least": 5}}, clear_after="7d")
    ripe = got(market, first_verdict="VALID", classified_at=market.since)
    unseen = got(market, company="乙厂")
    assert (scoring.threshold(), scoring.hand_over(), scoring.hand_over()) == (5, 1, 0)
    stages = [Lead._base_manager.get(pk=one.pk).stage for one in (ripe, unseen)]
    assert stages == ["MQL", "NEW"]


@pytest.mark.django_db
def test_a_talk_is_noted_with_what_it_told(market):
    lead = assigned(market)
    payload = {"kind": "CALL", "contact_pain": "漏检", "basic_need": "在线检测"}
    door.act("contact_lead", lead, by=market.li, payload=payload)
    talk = Activity._base_manager.get(lead=lead)
    assert (talk.purpose, talk.stage, talk.person) == ("FIRST", "DONE", market.li)
    lead.refresh_from_db()
    assert (lead.contact_pain, lead.score) == ("漏检", 15)
    door.act("contact_lead", lead, by=market.li, payload={"kind": "CALL"})
    assert Activity._base_manager.filter(lead=lead, purpose="FOLLOW").count() == 1


@pytest.mark.django_db
def test_one_step_makes_customer_contact_owner_and_history(market):
    lead = assigned(market)
    door.act("contact_lead", lead, by=market.li, payload={"kind": "CALL"})
    done = door.act("to_prospect", lead, by=market.li, payload=SAID)
    customer = done.customer
    assert (customer.name, customer.address) == (lead.company, SAID["address"])
    assert customer.prospect_at is not None and done.stage == "PROSPECT"
    assert holding.held(customer).person == market.li
    contact = Contact._base_manager.get(customer=customer)
    assert (contact.name, contact.phone, contact.is_main) == ("周工", "13900000001", True)
    assert Activity._base_manager.get(lead=lead).customer == customer


@pytest.mark.django_db
def test_a_known_customer_is_not_made_again(market):
    by_name = assigned(market, company=market.customer.name)
    assert door.act("to_prospect", by_name, by=market.li).customer == market.customer
    by_phone = assigned(market, company="华清", phone=market.contact.phone)
    assert door.act("to_prospect", by_phone, by=market.li).customer == market.customer
    assert Customer._base_manager.count() == 1
    assert Contact._base_manager.filter(customer=market.customer).count() == 2


@pytest.mark.django_db
def test_a_customer_of_somebody_else_is_named_and_left_alone(market):
    lead = assigned(market, market.zhao, company=market.customer.name)
    with pytest.raises(door.Denied, match="负责人是小李"):
        door.act("to_prospect", lead, by=market.zhao)
    lead.refresh_from_db()
    assert lead.stage == "ASSIGNED"


@pytest.mark.django_db(transaction=True)
def test_leads_of_one_company_converted_at_once_make_one_customer(market):
    leads = [assigned(market, market.li, phone=f"1390000001{n}") for n in range(6)]
    jobs = [
        lambda one=one: door.act("to_prospect", one, by=market.li, payload=SAID) for one in leads
    ]
    outcomes = all_at_once(jobs)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    [customer] = Customer._base_manager.filter(name=leads[0].company)
    assert Lead._base_manager.filter(customer=customer).count() == 6
    assert Contact._base_manager.filter(customer=customer, is_main=True).count() == 1


@pytest.mark.django_db
def test_rooms_above_open_what_a_lead_leads_to(market, monkeypatch):
    opened = []
    monkeypatch.setattr(conversion, "_opens", [lambda *told: opened.append(told)])
    lead = assigned(market)
    with door.acting(by=None, action="test") as deed:
        deed.free.add("stage")
        deed.change(lead, stage="SQL")
    done = door.act(
        "to_opportunity", Lead._base_manager.get(pk=lead.pk), by=market.li, payload=SAID
    )
    [(_, told, customer, _)] = opened
    assert told.pk == lead.pk and customer == done.customer and done.stage == "OPPORTUNITY"


@pytest.mark.django_db
def test_a_disposal_wants_its_reason_and_ends_the_holding(market):
    lead = assigned(market)
    with pytest.raises(door.Refused, match="处置原因"):
        door.act("dispose_lead", lead, by=market.li, payload={"outcome": "RETURNED"})
    payload = {"outcome": "RETURNED", "reason": term("lead_reason", "NOT_RIPE")}
    done = door.act("dispose_lead", lead, by=market.li, payload=payload)
    assert (done.stage, holding.held(lead)) == ("RETURNED", None)
    assert not Lead.objects.seen_by(market.li).filter(pk=lead.pk).exists()
    assert Lead.objects.seen_by(market.feng).filter(pk=lead.pk).exists()


@pytest.mark.django_db
def test_leads_go_to_people_who_sell(market):
    lead = got(market, stage="MQL")
    with pytest.raises(door.Denied, match="小冯不是"):
        door.act("assign_lead", lead, by=market.feng, payload={"person": market.feng})


@pytest.mark.django_db
def test_every_page_of_a_lead_answers(market):
    lead = assigned(market)
    client = Client()
    client.force_login(market.li)
    page = client.get(f"/lead/{lead.pk}").content.decode()
    assert "BANT 评估" in page and "留有电话" in page and "0/4 已评估" in page
    for verb in ("to_prospect", "dispose_lead", "assess_lead", "contact_lead", "release_to_pool"):
        assert client.get(f"/lead/{lead.pk}/do/{verb}").status_code == 200, verb
    form = {"outcome": "ARCHIVED", "reason": "lead_reason:NO_NEED"}
    assert client.post(f"/lead/{lead.pk}/do/dispose_lead", form).status_code == 302
    assert Lead._base_manager.get(pk=lead.pk).reason_id == "lead_reason:NO_NEED"
