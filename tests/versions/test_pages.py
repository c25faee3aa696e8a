"""The pages on which a regulation is revised: sentence by sentence, for those who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fangyuan import door
from fangyuan.engine import following, kinds, sweep
from fangyuan.engine.models import Clause, Policy, Replay, Request, Rule
from fangyuan.engine.revision import replays
from fangyuan.org.models import Person
from fangyuan.site import rule_form, starters
from tests.versions.conftest import visit

MOST_QUERIES = 15
PARAMETER = "/drafts/{0}/clause/KA-9.1/0/{1}"


def seated(person: Person) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def desk(company: Any, visits: Any) -> Any:
    """小钱's browser with a fresh draft."""
    client = seated(company.qian)
    answer = client.post("/drafts", {"policy": "visits", "clause": "KA-9.1"})
    client.draft = Policy._base_manager.get(stage="DRAFT")  # type: ignore[attr-defined]
    assert answer["Location"] == f"/drafts/{client.draft.pk}/clause/KA-9.1"  # type: ignore[attr-defined]
    return client


def content(draft: Policy) -> Any:
    """What the draft would change."""
    draft.refresh_from_db()
    return draft.changes


def test_each_word_of_the_sentence_is_a_control_and_is_read_back(desk: Any) -> None:
    page = desk.get(f"/drafts/{desk.draft.pk}/clause/KA-9.1").content.decode()
    for name in ("where", "on", "who", "within", "until"):
        assert PARAMETER.format(desk.draft.pk, name) in page
        assert desk.get(PARAMETER.format(desk.draft.pk, name)).status_code == 200
    within = PARAMETER.format(desk.draft.pk, "within")
    seen = desk.post(f"{within}?look=sentence", {"value": "12", "unit": "h"}).content.decode()
    assert "须在 12 小时内" in seen
    assert content(desk.draft) == {}
    desk.post(within, {"value": "12", "unit": "h"})
    assert content(desk.draft)["KA-9.1"]["rules"]["0"]["params"]["within"] == "12h"
    desk.post(within, {"value": "72", "unit": "h"})
    assert content(desk.draft) == {}


def test_a_wrong_value_is_said_in_chinese_and_nothing_is_kept(desk: Any) -> None:
    within = PARAMETER.format(desk.draft.pk, "within")
    answer = desk.post(within, {"value": "", "unit": "h"})
    assert answer.status_code == 422
    assert "多久之内" in answer.content.decode()
    assert "within" not in answer.content.decode().split('class="err"')[1].split("</p>")[0]
    assert content(desk.draft) == {}


def test_a_condition_is_put_together_from_declared_facts(desk: Any) -> None:
    where = PARAMETER.format(desk.draft.pk, "where")
    rows = {"row": ["0", "1"], "fact_0": "kind", "word_0": "is", "value_0": ["VISIT"]}
    grown = desk.post(f"{where}?look=rows", {**rows, "fact_1": "purpose"}).content.decode()
    assert "需求访谈" in grown
    desk.post(where, {**rows, "fact_1": "purpose", "word_1": "not", "value_1": ["CARE", "NEED"]})
    wanted = content(desk.draft)["KA-9.1"]["rules"]["0"]["params"]["where"]
    assert wanted == {"kind": "VISIT", "purpose": {"not": ["CARE", "NEED"]}}
    page = desk.get(f"/drafts/{desk.draft.pk}").content.decode()
    assert "目的不是关注或需求访谈的面对面拜访" in page


def test_only_those_who_may_see_and_write_drafts(company: Any, desk: Any, visits: Any) -> None:
    pk = desk.draft.pk
    rep = seated(company.li)
    assert rep.get(f"/drafts/{pk}").status_code == 403
    assert rep.post("/drafts", {"policy": "visits"}).status_code == 403
    director = seated(company.boss)
    assert director.get(f"/drafts/{pk}").status_code == 200
    assert director.post(f"/drafts/{pk}/replay", {"preset": "last90"}).status_code == 403
    assert director.post(PARAMETER.format(pk, "within"), {"value": "1"}).status_code == 403


def test_the_pages_ask_few_questions_however_many_rows(company: Any, desk: Any) -> None:
    for days in range(25):
        visit(company.li, company.customer, timezone.now() - timedelta(days=days, hours=4), 20)
    sweep.sweep()
    desk.post(PARAMETER.format(desk.draft.pk, "within"), {"value": "12", "unit": "h"})
    answer = desk.post(f"/drafts/{desk.draft.pk}/replay", {"preset": "last90"})
    replays.run_waiting()
    one = Replay._base_manager.get()
    assert answer["Location"] == f"/replays/{one.pk}"
    pages = ("/policies/visits", f"/drafts/{desk.draft.pk}", answer["Location"], "/clause/KA-9.1")
    for url in (*pages, f"/drafts/{desk.draft.pk}/clause/KA-9.1"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert desk.get(url).status_code == 200, url
        own = [q for q in asked if "SAVEPOINT" not in q["sql"]]
        assert len(own) <= MOST_QUERIES, (url, len(own))
    page = desk.get(answer["Location"]).content.decode()
    assert "新抓到 27" in page
    assert "小李" in desk.get(f"{answer['Location']}?person={company.li.pk}").content.decode()


def test_every_parameter_of_every_kind_has_a_name_and_a_control() -> None:
    for kind in kinds.KINDS:
        for name in rule_form.names(kind):
            assert name in rule_form.LABELS, (kind, name)
            wanted = rule_form.shape(kind, name)
            if wanted == "choice" and name != "per":
                assert name in rule_form.OPTIONS, (kind, name)
            assert wanted != "text", (kind, name)


CHAIN = {
    "on": "regrade",
    "approvers": [
        "line_manager",
        {"who": "superiors", "levels": 2, "where": {"expected_spend": {"above": 1000000}}},
        {"who": "department_head", "otherwise": True, "within": "2wd", "overdue": "escalate"},
    ],
}


def test_a_chain_is_shown_and_read_back_step_by_step(company: Any) -> None:
    made = rule_form.control("approval", "customer", "approvers", CHAIN)
    assert [(step.who, step.when, step.amount) for step in made.steps] == [
        ("line_manager", "", ""), ("superiors", "if", ""), ("department_head", "otherwise", "2"),
    ]  # fmt: skip
    sent = QueryDict(
        "step=0&s0_origin=0&s0_who=line_manager&s0_mode=any&s0_when="
        "&step=1&s1_origin=1&s1_who=superiors&s1_levels=3&s1_mode=any&s1_when=if&s1_row=0"
        "&s1_fact_0=expected_spend&s1_word_0=above&s1_value_0=500000"
        "&step=2&s2_origin=2&s2_who=department_head&s2_mode=all&s2_when=otherwise"
        "&s2_amount=2&s2_unit=wd&s2_overdue=escalate"
    )
    chain = rule_form.read("approval", "customer", "approvers", CHAIN, sent)["approvers"]
    assert chain == [
        "line_manager",
        {"who": "superiors", "levels": 3, "where": {"expected_spend": {"above": 500000}}},
        {"who": "department_head", "mode": "all", "otherwise": True, "within": "2wd",
         "overdue": "escalate"},
    ]  # fmt: skip
    moved = sent.copy()
    moved["up_step"] = "2"
    order = rule_form.read("approval", "customer", "approvers", CHAIN, moved)["approvers"]
    assert [order[0], order[1]["who"], order[2]["who"]] == [
        "line_manager", "department_head", "superiors",
    ]  # fmt: skip
    fewer = sent.copy()
    fewer["drop_step"] = "0"
    assert len(rule_form.read("approval", "customer", "approvers", CHAIN, fewer)["approvers"]) == 2


def test_a_clause_and_a_rule_are_added_previewed_and_published(
    company: Any, management: Any, desk: Any
) -> None:
    draft = desk.draft.pk
    clause = {
        "number": "KA-9.2", "title": "人数必填", "text": "转为意向之前须填写员工数。",
        "kind": "gate", "area": "customers", "chapter": "",
    }  # fmt: skip
    wrong = desk.post(f"/drafts/{draft}/clause", {**clause, "number": "9.2"})
    assert wrong.status_code == 422
    assert "条号写成" in wrong.content.decode()
    assert (
        "已经有 KA-9.1"
        in desk.post(f"/drafts/{draft}/clause", {**clause, "number": "KA-9.1"}).content.decode()
    )
    assert desk.post(f"/drafts/{draft}/clause", clause)["Location"].endswith("/clause/KA-9.2")
    page = f"/drafts/{draft}/clause/KA-9.2"
    assert "要让它自动执行" in desk.get(page).content.decode()
    asked = {"record": "customer", "kind": "GATE", "on": "become_prospect"}
    seen = desk.post(f"{page}/rule?look=again", asked).content.decode()
    assert "才能走“转为意向”这一步" in seen
    assert "rules" not in content(desk.draft)["KA-9.2"]
    desk.post(f"{page}/rule", asked)
    rows = {"row": "0", "fact_0": "headcount", "word_0": "not_empty", "value_0": ""}
    desk.post(f"{page}/0/holds", rows)
    holds = content(desk.draft)["KA-9.2"]["rules"]["0"]["params"]["holds"]
    assert "headcount" in holds
    assert "新增条款" in desk.get(f"/drafts/{draft}").content.decode()
    desk.post(f"/drafts/{draft}/replay", {"preset": "last90"})
    replays.run_waiting()
    today = timezone.localdate()
    desk.post(f"/drafts/{draft}/submit", {"starts_on": today.isoformat(), "in_flight": "OLD"})
    request = Request._base_manager.get(state="WAITING")
    client = seated(management)
    assert "新增条款" in client.get(f"/approvals/{request.pk}").content.decode()
    door.decide(request, "AGREE", by=management)
    made = Clause._base_manager.get(number="KA-9.2")
    assert made.policy_id == draft
    assert made.bindings[0]["bind"] == "gate"
    assert set(Rule._base_manager.filter(clause=made).values_list("line", flat=True)) == {
        0,
        following.OWED,
    }
    refused = client_refuses(company)
    assert "员工数" in refused


def client_refuses(company: Any) -> str:
    """What the new gate says to 小李."""
    with pytest.raises(door.Refused) as refused:
        door.act("customer.become_prospect", company.customer, by=company.li)
    return str(refused.value)


def test_the_first_shape_of_every_new_rule_holds_together(db: None) -> None:
    for record, _ in starters.record_types():
        for kind in starters.kinds_of(record):
            step = starters.steps(record)[0][0] if kind in starters.STEPPED else ""
            rule = starters.begin(kind, record, step)
            assert starters.faults(rule) == [], (record, rule)
