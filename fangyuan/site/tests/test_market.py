"""Campaigns are owed what three models say; materials leave the house only as they may."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from conftest import local, term
from fangyuan import door
from fangyuan.access.models import AccessLog
from fangyuan.core import facts
from fangyuan.core.models import Term
from fangyuan.customers import sending
from fangyuan.customers.models import Lead, Touch
from fangyuan.forms.models import Form
from fangyuan.library.models import Material
from fangyuan.marketing.models import Campaign, Intel
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Message
from fangyuan.site import attribution


@pytest.fixture
def deed(company):
    """What the system itself writes."""
    with door.acting(by=None, action="test") as found:
        found.create(Term, {"domain": "knowledge", "code": "PRODUCT", "label": "产品信息"})
        found.create(Term, {"domain": "intel_source", "code": "FORUM", "label": "论坛"})
        yield found


def campaign(deed, name, **more):
    return deed.create(Campaign, {"name": name, "kind": "EXPO", **more})


def lead(deed, name, at, **more):
    values = {"company": name, "source": term("source", "CALL"), "occurred_at": at}
    return deed.create(Lead, {**values, **more})


def touched(deed, one, by, at):
    deed.create(Touch, {"kind": "ATTENDED", "lead": one, "campaign": by, "at": at})


def material(deed, **more):
    values = {"code": "ZL-1", "title": "检测线说明书", "kind": "MANUAL", "state": "PUBLISHED"}
    values["category"] = term("knowledge", "PRODUCT")
    return deed.create(Material, {**values, **more})


def test_each_model_gives_the_lead_as_it_says(deed, company):
    """First to the fair, last to the seminar, even to both; what came after the conversion and a
    double of an earlier lead count for nobody."""
    fair, seminar, later = (campaign(deed, name) for name in ("机电展", "研讨会", "开放日"))
    day = local("2026-05-11 09:00")
    one = lead(deed, "远大制造", day, campaign=fair, converted_at=day + timedelta(days=20))
    touched(deed, one, fair, day)
    touched(deed, one, seminar, day + timedelta(days=9))
    touched(deed, one, later, day + timedelta(days=30))
    lead(deed, "远大制造", day + timedelta(days=1), campaign=seminar)
    values = {"name": "检测线", "customer": company.customer, "lead": one, "amount": 900000}
    won = {"outcome": "WON", "closed_at": timezone.now()}
    deed.free |= {"outcome", "closed_at"}
    deed.create(Opportunity, {**values, **won})
    found = attribution.owed([fair.pk, seminar.pk, later.pk])
    assert found[fair.pk, "first"] == attribution.Owed(Decimal(1), Decimal(1), Decimal(900000))
    assert found[seminar.pk, "last"].won == Decimal(900000)
    assert found[fair.pk, "even"].leads == found[seminar.pk, "even"].leads == Decimal("0.5")
    assert {model for number, model in found if number == later.pk} == set()
    assert (fair.pk, "last") not in found and (seminar.pk, "first") not in found


def test_a_lead_without_touches_is_owed_to_the_campaign_it_names(deed):
    fair = campaign(deed, "机电展")
    lead(deed, "明远", local("2026-05-11 09:00"), campaign=fair)
    found = attribution.owed([fair.pk])
    assert {found[fair.pk, model].leads for model in attribution.MODELS} == {Decimal(1)}


def test_what_a_lead_cost_is_told_only_with_the_costs(deed):
    fair = campaign(deed, "机电展")
    lead(deed, "明远", local("2026-05-11 09:00"), campaign=fair)
    found = attribution.owed([fair.pk])
    assert attribution.told(found, fair.pk, Decimal(500))[0]["cost"] == Decimal(500)
    assert attribution.told(found, fair.pk, None)[0]["cost"] is None


def test_a_lesson_is_taken_once_and_counted(deed, company):
    deed.create(Form, {"code": "EVALUATE", "name": "活动效果评估", "kind": "EVALUATE"})
    company.boss.is_admin = True
    old = campaign(deed, "去年展", stage="ENDED")
    told = {"lessons": "样机受欢迎", "mistakes": "人手不够", "advice": "多排两人"}
    door.act("evaluate_campaign", old, by=company.boss, payload=told)
    said = old.__class__._base_manager.get(pk=old.pk)
    assert said.stage == "EVALUATED" and said.evaluated_at is not None
    form = Form._base_manager.get(code="EVALUATE")
    lesson = form.responses.everything("test").get()
    fresh = campaign(deed, "今年展")
    for _ in range(2):
        door.act("take_lesson", fresh, by=company.boss, payload={"response": lesson.pk})
    rows = facts.annotate(type(lesson).objects.everything("test"), ["used_later"])
    assert rows.get(pk=lesson.pk).fact_used_later == 1


def test_a_material_goes_to_ones_own_customer_by_a_link_that_tells(deed, company):
    paper = material(deed, level="EXTERNAL")
    touch = door.act("send_out", paper, by=company.li, payload={"customer": company.customer})
    assert AccessLog._base_manager.get(kind="SEND_OUT").subject == ("material", paper.pk)
    stranger, url = Client(), sending.link(touch)
    assert "检测线说明书" in stranger.get(url).content.decode()
    stranger.get(url)
    kinds = Touch._base_manager.filter(material=paper).values_list("kind", flat=True)
    assert sorted(kinds) == ["OPENED", "PUSHED"]
    row = facts.annotate(Material.objects.everything("test"), ["use_count"]).get(pk=paper.pk)
    assert row.fact_use_count == 1


def test_the_link_ends_with_the_material_and_takes_no_other_token(deed, company):
    paper = material(deed, level="EXTERNAL")
    touch = door.act("send_out", paper, by=company.li, payload={"customer": company.customer})
    url = sending.link(touch)
    assert Client().get(url[:-1] + ("A" if url[-1] != "A" else "B")).status_code == 404
    deed.free |= {"level"}
    deed.change(paper, level="INTERNAL")
    assert Client().get(url).status_code == 404


def test_it_does_not_go_to_somebody_elses_customer(deed, company):
    paper = material(deed, level="EXTERNAL")
    with pytest.raises(door.Denied, match="看得见"):
        door.act("send_out", paper, by=company.zhao, payload={"customer": company.customer})
    assert not AccessLog._base_manager.filter(kind="SEND_OUT").exists()


def test_reading_is_traced_once_a_day(deed, company, rep):
    paper = material(deed)
    for _ in range(2):
        assert "仅限内部" in rep.get(f"/materials/{paper.pk}").content.decode()
    assert AccessLog._base_manager.filter(kind="READ", person=company.li).count() == 1
    assert "检测线说明书" in rep.get("/materials?q=说明书").content.decode()
    assert "检测线说明书" not in rep.get("/materials?q=说明书&open=1").content.decode()


def test_the_new_version_takes_the_place_of_the_old_one(deed, company):
    old = material(deed)
    fresh = door.act("revise_material", old, by=None)
    assert (fresh.version, fresh.improves_id, fresh.state) == (2, old.pk, "DRAFT")
    door.act("check_material", fresh, by=None, payload={"is_accurate": True})
    door.act("publish_material", fresh, by=None)
    states = dict(Material._base_manager.values_list("version", "state"))
    assert states == {1: "RETIRED", 2: "PUBLISHED"}


def test_shared_intelligence_reaches_everybody_who_sells(deed, company):
    values = {"kind": "NEWS", "title": "新国标", "text": "征求意见", "reporter": company.li}
    values |= {"source": term("intel_source", "FORUM"), "occurred_at": timezone.now()}
    one = deed.create(Intel, values)
    door.act("share_intel", one, by=None, payload={"share_by": ["MESSAGE"]})
    told = set(Message._base_manager.filter(topic="INTEL").values_list("person_id", flat=True))
    assert {company.li.pk, company.zhao.pk} <= told
    page = Client()
    page.force_login(company.zhao)
    assert "新国标" in page.get("/intelligence?kind=NEWS").content.decode()


def test_what_is_over_is_shown_only_when_asked(deed, company, rep):
    at = timezone.now() - timedelta(days=90)
    values = {"kind": "NEWS", "title": "旧闻", "text": "过时", "reporter": company.li}
    values |= {"source": term("intel_source", "FORUM"), "occurred_at": at}
    deed.create(Intel, {**values, "valid_until": (at + timedelta(days=30)).date()})
    assert "旧闻" not in rep.get("/intelligence").content.decode()
    assert "旧闻" in rep.get("/intelligence?all=1").content.decode()
