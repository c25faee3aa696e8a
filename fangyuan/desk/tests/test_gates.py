"""A gate answers alike on every face; passed on credit it is owed, overdue it closes all."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from fangyuan import door
from fangyuan.access import tokens
from fangyuan.customers.models import Lead
from fangyuan.desk import debts as face
from fangyuan.desk.exchange import load
from fangyuan.engine import debts, models
from fangyuan.org.models import Holding

HTMX = {"HX-Request": "true"}
HOLDS = {"need": {"not_empty": True}, "contact_name": {"not_empty": True}}
SAID = ("还缺“初步需求”", "还缺“联系人”")
FACES = ("page", "board", "api", "bulk", "job")


@pytest.fixture
def lead(company):
    """A new lead of 小李, with neither a need nor a name."""
    with door.acting(by=None, action="test") as deed:
        source = company.customer.source
        values = {"company": "澜石新材料", "source": source, "occurred_at": company.since}
        made = deed.create(Lead, values)
        held = {"subject": made, "person": company.li, "role": "OWNER", "starts_at": company.since}
        deed.create(Holding, held)
    return made


@pytest.fixture
def gate(rule):
    """The gate before a lead may move, and before it is given away."""
    return rule("GATE", "lead", "PS-2.1.1", on="move_lead", holds=HOLDS)


def _ask(way, company, lead):
    """What one face answers to moving a lead on."""
    browser = Client()
    browser.force_login(company.li)
    if way == "page":
        return browser.post(f"/lead/{lead.pk}/do/move_lead", {"stage": "MQL"}).content.decode()
    if way == "board":
        answer = browser.post(f"/lead/{lead.pk}/move", {"to": "MQL"}, headers=HTMX)
        return answer.content.decode()
    if way == "api":
        with door.acting(by=None, action="test"):
            token = tokens.issue(company.li, name="测试", expires_at=None)
        answer = browser.post(
            f"/api/lead/{lead.pk}/move_lead",
            data=json.dumps({"stage": "MQL"}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        return json.dumps(answer.json(), ensure_ascii=False)
    if way == "bulk":
        models.Rule._base_manager.update(params={"on": "assign_lead", "holds": HOLDS})
        browser.force_login(company.wang)
        given = {"pick": lead.pk, "go": 1, "person": f"小李 #{company.li.pk}"}
        return browser.post("/lead/bulk/do/assign_lead", given, follow=True).content.decode()
    with pytest.raises(door.Refused) as refused:
        door.act("move_lead", lead, by=company.li, payload={"stage": "MQL"}, channel="JOB")
    assert {one.link for one in refused.value.unmet} == {
        f"/lead/{lead.pk}/edit#need",
        f"/lead/{lead.pk}/edit#contact_name",
    }
    return str(refused.value)


@pytest.mark.parametrize("way", FACES)
def test_every_face_says_every_unmet_condition(company, lead, gate, way):
    with door.acting(by=None, action="test"):
        answer = _ask(way, company, lead).replace("\\u201c", "“")
    for sentence in SAID:
        assert sentence in answer
    lead.refresh_from_db()
    assert lead.stage == "NEW"


def _grant(company, lead, gate, days, by=None):
    with door.acting(by=by or company.boss, action="test") as deed:
        values = {"rule": gate, "subject": lead, "person": company.li, "reason": "展会当天补"}
        return face.grant(deed, {**values, "due_at": deed.at + timedelta(days=days)})


def test_a_gate_is_passed_on_credit_and_paid_by_what_it_lacked(company, lead, gate):
    debt = _grant(company, lead, gate, 5)
    door.act("move_lead", lead, by=company.li, payload={"stage": "MQL"})
    lead.refresh_from_db()
    assert lead.stage == "MQL"
    debt.refresh_from_db()
    assert debt.paid_at is None
    door.change(lead, {"need": "伺服电机"}, by=company.li)
    debt.refresh_from_db()
    assert debt.paid_at is None
    door.change(lead, {"contact_name": "周工"}, by=company.li)
    debt.refresh_from_db()
    assert debt.paid_at is not None


def test_an_overdue_debt_closes_the_next_gate(company, lead, gate):
    debt = _grant(company, lead, gate, 5)
    door.act("move_lead", lead, by=company.li, payload={"stage": "MQL"})
    later = timezone.now() + timedelta(days=6)
    lead.refresh_from_db()
    with pytest.raises(door.Refused, match="欠账已经逾期") as refused:
        with door.acting(by=company.wang, action="assign_lead", at=later):
            models.Rule._base_manager.filter(pk=gate.pk).update(
                params={"on": "assign_lead", "holds": HOLDS}, changed_at=later
            )
            door.act("assign_lead", lead, by=company.wang, payload={"person": company.li})
    assert f"/debt/{debt.pk}/" in {one.link.split("edit")[0] for one in refused.value.unmet}


def test_only_who_is_entitled_lets_others_through(company, lead, gate):
    with pytest.raises(door.Denied):
        _grant(company, lead, gate, 5, by=company.li)
    with pytest.raises(door.Denied):
        _grant(company, lead, gate, 5, by=company.zhao)
    with pytest.raises(door.Refused, match="理由"):
        with door.acting(by=company.boss, action="test") as deed:
            due = deed.at + timedelta(days=1)
            values = {"rule": gate, "subject": lead, "person": company.li, "due_at": due}
            face.grant(deed, values)


def test_what_is_owed_is_a_deadline_of_the_gates_clause():
    assert debts.duty("PS-2.1.1") == {
        "on": "granted_at",
        "until": "paid_at",
        "by": "due_at",
        "where": {"clause": "PS-2.1.1"},
        "who": "person",
    }


@pytest.fixture
def bring(tmp_path):
    """Import a file of leads in somebody's name."""

    def run(text, by):
        path = tmp_path / "线索.csv"
        path.write_text(text, encoding="utf-8")
        return load.run(load.Order(model=Lead, path=path, by=by))

    return run


def test_a_file_takes_no_step_that_the_gate_refuses(company, lead, gate, bring):
    with door.acting(by=None, action="test") as deed:
        deed.change(lead, key="L1")
    refused = bring("key,stage\nL1,MQL\n", company.li)
    reasons = " ".join(one.reason for one in refused.mistakes)
    for sentence in SAID:
        assert sentence in reasons
    assert refused.changed == 0
    debt = _grant(company, lead, gate, 5)
    passed = bring("key,stage\nL1,MQL\n", company.li)
    assert [one.reason for one in passed.mistakes] == []
    lead.refresh_from_db()
    debt.refresh_from_db()
    assert (lead.stage, debt.paid_at) == ("MQL", None)


def _api(company, person, path, given):
    with door.acting(by=None, action="test"):
        token = tokens.issue(person, name="测试", expires_at=None)
    return Client().post(
        path,
        data=json.dumps(given),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


def test_a_gate_is_passed_on_credit_by_the_api(company, lead, gate):
    due = (timezone.now() + timedelta(days=5)).isoformat()
    given = {
        "rule": gate.pk, "subject": f"lead:{lead.pk}", "person": company.li.pk,
        "due_at": due, "reason": "展会当天补",
    }  # fmt: skip
    assert _api(company, company.li, "/api/debt/", given).status_code == 403
    made = _api(company, company.wang, "/api/debt/", given)
    assert made.status_code == 201, made.content.decode()
    moved = _api(company, company.li, f"/api/lead/{lead.pk}/move_lead", {"stage": "MQL"})
    assert moved.status_code == 200, moved.content.decode()


def test_the_page_that_refuses_says_who_may_let_it_through(company, lead, gate):
    own = Client()
    own.force_login(company.li)
    page = own.post(f"/lead/{lead.pk}/do/move_lead", {"stage": "MQL"}).content.decode()
    assert "可以请 王总 先放行" in page
    boss = Client()
    boss.force_login(company.wang)
    page = boss.post(f"/lead/{lead.pk}/do/move_lead", {"stage": "MQL"}).content.decode()
    url = f"/debt/new?rule={gate.pk}&amp;subject=lead%3A{lead.pk}&amp;person={company.li.pk}"
    assert url in page
    form = boss.get(url.replace("&amp;", "&")).content.decode()
    assert "小李" in form
