"""The monthly visit plan: proposed by the rules, edited, handed in, read by the manager."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from fangyuan import door
from fangyuan.activities.models import Activity, Plan, PlanItem
from fangyuan.engine.models import Request
from fangyuan.site import plan_lines

MONTH = "2027-03"


@pytest.fixture
def weekly(demand, ka):
    """Customers of the first tier are to be visited every week."""
    rule = {"event": "activity.ended_at", "via": "subject_customer", "when": {"kind": "VISIT"}}
    where = {"ka_tier": "TIER1"}
    return demand("KA-3.3.3a", "CADENCE", "customer", **rule, per="week", where=where)


@pytest.fixture
def plan(rep, weekly):
    rep.post(f"/plans/visit?month={MONTH}")
    return Plan._base_manager.get()


def lines(plan):
    return list(PlanItem._base_manager.filter(plan=plan, removed_at=None).order_by("at", "pk"))


def filled(plan):
    """The form with every line complete."""
    said = {}
    for line in lines(plan):
        at = timezone.localtime(line.at) if line.at else None
        said |= {
            f"at_{line.pk}": f"{at:%Y-%m-%dT%H:%M}" if at else f"{MONTH}-09T10:00",
            f"purpose_{line.pk}": line.purpose,
            f"content_{line.pk}": "谈交期",
            f"revision_{line.pk}": line.revision,
        }
    return said


def test_a_month_is_proposed_by_the_frequencies_in_force(
    rep, weekly, company, django_assert_max_num_queries
):
    with django_assert_max_num_queries(16):
        page = rep.get(f"/plans/visit?month={MONTH}")
    found = page.context["lines"]
    assert [line["subject"].pk for line in found] == [company.customer.pk] * len(found)
    weeks = {timezone.localdate(line["at"]).isocalendar()[1] for line in found}
    assert len(weeks) == len(found) == 5
    assert {line["purpose"] for line in found} == {"每周拜访"}


def test_towards_the_end_of_a_month_the_next_is_planned():
    assert plan_lines.month_of("", date(2026, 11, 19)) == date(2026, 11, 1)
    assert plan_lines.month_of("", date(2026, 12, 20)) == date(2027, 1, 1)
    assert plan_lines.month_of("2026-07", date(2026, 12, 20)) == date(2026, 7, 1)


def test_the_proposal_brings_what_was_to_follow(rep, weekly, visit_of):
    visit_of(-30, ended_at=timezone.now(), next_step="问预算")
    found = rep.get(f"/plans/visit?month={MONTH}").context["lines"]
    assert [line["content"] for line in found] == ["问预算", "", "", "", ""]


def test_a_line_without_content_is_refused_at_the_line(rep, plan, django_assert_max_num_queries):
    with django_assert_max_num_queries(16):
        page = rep.get(f"/plans/visit?month={MONTH}")
    assert page.context["gaps"] == 5
    page = rep.post(f"/plans/visit/{plan.pk}", {"submit": "1"})
    assert page.status_code == 422
    assert page.text.count("还没写内容") == 5
    assert "KA-3.3.1a" in page.text
    plan.refresh_from_db()
    assert (plan.stage, plan.submitted_at) == ("DRAFT", None)


def test_lines_are_changed_removed_and_added(rep, plan, company):
    first, second = lines(plan)[:2]
    said = filled(plan) | {f"purpose_{first.pk}": "谈年框", "remove": str(second.pk)}
    rep.post(f"/plans/visit/{plan.pk}", said)
    assert lines(plan)[0].purpose == "谈年框"
    assert second not in lines(plan)
    rep.post(f"/plans/visit/{plan.pk}", {"customer": "华清电子有限公司"})
    assert len(lines(plan)) == 5
    assert "没找到客户" in rep.post(f"/plans/visit/{plan.pk}", {"customer": "查无此家"}).text


def test_what_is_said_once_is_copied_to_the_customers_other_visits(rep, plan, company):
    first = lines(plan)[0]
    said = {f"content_{line.pk}": "" for line in lines(plan)} | {f"content_{first.pk}": "谈样件"}
    said |= {f"revision_{line.pk}": line.revision for line in lines(plan)}
    rep.post(f"/plans/visit/{plan.pk}", said | {"copy": company.customer.pk})
    assert {line.content for line in lines(plan)} == {"谈样件"}


def test_a_line_changed_elsewhere_is_not_overwritten(rep, plan, company):
    said = filled(plan)
    line = lines(plan)[0]
    door.change(line, {"purpose": "经理改的"}, by=company.wang)
    page = rep.post(f"/plans/visit/{plan.pk}", said)
    assert page.status_code == 409
    assert lines(plan)[0].purpose == "经理改的"


def test_a_complete_plan_waits_for_the_manager_and_may_be_taken_back(rep, plan, company, demand):
    approval = {"on": "approve_plan", "where": {"kind": "VISIT"}, "approvers": ["ka_manager"]}
    demand("KA-3.3.1c", "APPROVAL", "plan", **approval)
    rep.post(f"/plans/visit/{plan.pk}", filled(plan) | {"submit": "1"})
    plan.refresh_from_db()
    assert plan.stage == "SUBMITTED"
    page = rep.get(f"/plans/visit?month={MONTH}").text
    assert "等 王总 审" in page
    assert rep.post(f"/plans/visit/{plan.pk}", filled(plan)).status_code == 422
    rep.post(f"/plans/visit/{plan.pk}/withdraw")
    plan.refresh_from_db()
    assert plan.stage == "DRAFT"


def test_the_manager_reads_who_has_to_hand_in(client, rep, plan, company, demand):
    approval = {"on": "approve_plan", "where": {"kind": "VISIT"}, "approvers": ["ka_manager"]}
    demand("KA-3.3.1c", "APPROVAL", "plan", **approval)
    rep.post(f"/plans/visit/{plan.pk}", filled(plan) | {"submit": "1"})
    client.force_login(company.wang)
    page = client.get(f"/plans/visit?month={MONTH}")
    request = Request._base_manager.get()
    assert f'href="/approvals/{request.pk}"' in page.text
    assert page.context["handed_in"] == 1
    door.decide(request, "AGREE", by=company.wang)
    client.force_login(company.li)
    assert "已批" in client.get(f"/plans/visit?month={MONTH}").text


def test_an_agreed_plan_becomes_visits_once(rep, plan, company):
    rep.post(f"/plans/visit/{plan.pk}", filled(plan) | {"submit": "1"})
    for _ in range(2):
        rep.post(f"/plans/visit/{plan.pk}/place")
    found = Activity._base_manager.filter(plan_item__plan=plan)
    assert found.count() == 5
    assert {a.stage for a in found} == {"PLANNED"}


def test_an_outsider_cannot_open_a_plan(client, plan, company):
    client.force_login(company.zhao)
    assert client.get(f"/plans/visit/{plan.pk}").status_code == 404
