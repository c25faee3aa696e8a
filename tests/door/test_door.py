"""The door: rights, stale forms, required fields, gates, approvals; nothing half-written."""

from datetime import UTC, datetime

import pytest

from conftest import local, term
from fangyuan import door
from fangyuan.activities.models import Activity, Plan, PlanItem
from fangyuan.core.models import Event, Tracked
from fangyuan.core.records import ScopeMissing
from fangyuan.customers.models import Contact, Customer
from fangyuan.engine import approval
from fangyuan.engine.models import Clause, Policy, Request, Rule

LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def demand(number, kind, record, **params):
    """Put one rule in force."""
    with door.acting(by=None, action="test") as deed:
        policy = Policy._base_manager.filter(code="test").first() or deed.create(
            Policy, {"code": "test", "title": "试用制度", "version": "1", "stage": "PUBLISHED"}
        )
        clause = deed.create(
            Clause, {"policy": policy, "number": number, "area": "x", "kind": "x", "text": number}
        )
        return deed.create(
            Rule,
            {
                "clause": clause,
                "kind": kind,
                "record": record,
                "params": {"kind": kind.lower(), "record": record, **params},
                "starts_at": LONG_AGO,
            },
        )


def values(name="凌川半导体有限公司", **more):
    return {
        "name": name,
        "source": term("source", "CALL"),
        "learned_at": local("2026-05-01 09:00"),
        "address": "无锡市新吴区 2 号",
        **more,
    }


def test_reading_without_a_scope_is_refused(company):
    for touch in (
        lambda: list(Customer.objects.all()),
        lambda: Customer.objects.count(),
        lambda: Customer.objects.filter(pk=1).update(name="x"),
        lambda: Customer.objects.filter(pk=1).delete(),
        lambda: company.customer.contacts.count(),
    ):
        with pytest.raises(ScopeMissing):
            touch()


def test_each_sees_their_own_rows_and_leaders_those_below(company):
    def seen(actor):
        return Customer.objects.seen_by(actor).filter(pk=company.customer.pk).exists()

    assert seen(company.li)
    assert seen(company.wang)
    assert not seen(company.zhao)


def test_a_write_without_an_actor_is_refused(company):
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError), transaction.atomic():
        Customer._base_manager.filter(pk=company.customer.pk).update(address="x")


def test_a_change_is_logged_with_who_and_what(company):
    door.change(company.customer, {"address": "苏州市 3 号"}, by=company.li, reason="客户搬家")
    event = Event.objects.everything("t").filter(record="customer", op="U").latest("id")
    assert event.actor == company.li.pk
    assert event.reason == "客户搬家"
    assert event.diff["address"] == ["苏州市工业园区星湖街 1 号", "苏州市 3 号"]


def test_an_outsider_changes_nothing(company):
    with pytest.raises(door.Denied):
        door.change(company.customer, {"address": "x"}, by=company.zhao)
    company.customer.refresh_from_db()
    assert company.customer.address != "x"


def test_a_stale_form_is_refused_and_shows_the_present_record(company):
    opened = Customer._base_manager.get(pk=company.customer.pk)
    door.change(company.customer, {"address": "甲地"}, by=company.wang, revision=opened.revision)
    with pytest.raises(door.Stale) as stale:
        door.change(opened, {"address": "乙地"}, by=company.li, revision=opened.revision)
    assert stale.value.record.address == "甲地"


def test_an_unchanged_record_is_not_written(company):
    before = Event.objects.everything("t").count()
    door.change(company.customer, {"address": company.customer.address}, by=company.li)
    assert Event.objects.everything("t").count() == before


def test_a_required_field_is_named_with_its_clause_and_nothing_is_kept(company):
    demand("RES-3.1.2a", "REQUIRED", "customer", fields=["address", "has_contact"], enforce="write")
    with pytest.raises(door.Refused) as refused:
        door.create(Customer, values(address=""), by=company.li)
    told = {(u.field, u.clause) for u in refused.value.unmet}
    assert told == {("address", "RES-3.1.2a"), ("has_contact", "RES-3.1.2a")}
    assert "地址" in str(refused.value)
    assert not Customer._base_manager.filter(name__startswith="凌川").exists()


def test_a_customer_with_its_contact_in_one_deed_is_complete(company):
    demand("RES-3.1.2a", "REQUIRED", "customer", fields=["has_contact"], enforce="write")
    with door.acting(by=company.li) as deed:
        customer = deed.create(Customer, values())
        # The entering rep owns what they enter, so the contact is within their rows.
        from conftest import own

        with door.acting(by=None, action="own") as system:
            own(system, customer, company.li, local("2026-05-01 09:00"))
        deed.create(
            Contact, {"customer": customer, "name": "周工", "phone": "13900139000", "is_main": True}
        )
    assert Customer._base_manager.filter(pk=customer.pk).exists()


def test_gaps_that_stood_before_do_not_block_a_small_correction(company):
    demand("X-1", "REQUIRED", "customer", fields=["buying_plan"], enforce="write")
    changed = door.change(company.customer, {"address": "新址 9 号"}, by=company.li)
    assert changed.address == "新址 9 号"


def test_breaking_a_rule_that_held_is_refused(company):
    demand("X-2", "REQUIRED", "customer", fields=["address"], enforce="write")
    with pytest.raises(door.Refused):
        door.change(company.customer, {"address": ""}, by=company.li)


def test_a_duplicate_name_is_refused_in_words(company):
    with pytest.raises(door.Refused) as refused:
        door.create(Customer, values(name="华清电子有限公司 "), by=company.li)
    assert "已有同名客户" in str(refused.value)


def test_a_gate_names_what_is_missing(company):
    demand(
        "KA-3.3.1b",
        "GATE",
        "activity",
        on="appoint_visit",
        holds={"appointed_at": {"not_empty": True}, "appointed_with": {"not_empty": True}},
    )
    visit = door.create(
        Activity,
        {
            "customer": company.customer,
            "person": company.li,
            "kind": "VISIT",
            "planned_at": local("2026-06-01 10:00"),
        },
        by=company.li,
    )
    with pytest.raises(door.Refused) as refused:
        door.act("appoint_visit", visit, by=company.li)
    assert {u.field for u in refused.value.unmet} == {"appointed_at", "appointed_with"}
    door.act(
        "appoint_visit",
        visit,
        by=company.li,
        payload={"appointed_at": local("2026-05-30 10:00"), "appointed_with": company.contact},
    )
    visit.refresh_from_db()
    assert visit.stage == "READY"


def test_a_governed_field_changes_only_through_its_verb(company):
    with pytest.raises(door.Denied):
        door.change(company.customer, {"grade": "A"}, by=company.wang)


def test_a_value_that_changes_keeps_its_past(company):
    door.act("regrade", company.customer, by=company.wang, payload=REGRADE)
    spans = Tracked.objects.everything("t").filter(subject_id=company.customer.pk, fact="grade")
    assert [(s.value, s.ends_at is None) for s in spans.order_by("starts_at")] == [
        ("D", False),
        ("A", True),
    ]


REGRADE = {"grade": "A", "grade_basis": "年采购 800 万"}


class TestApproval:
    """RES-3.3.2b: a regrade waits for the manager."""

    @pytest.fixture(autouse=True)
    def rule(self, company):
        demand("RES-3.3.2b", "APPROVAL", "customer", on="regrade", approvers=["ka_manager"])

    def ask(self, company):
        waiting = door.act("regrade", company.customer, by=company.li, payload=REGRADE)
        assert isinstance(waiting, door.Waiting)
        return waiting.request

    def test_it_waits_and_runs_with_the_last_agreement(self, company):
        request = self.ask(company)
        company.customer.refresh_from_db()
        assert company.customer.grade == "D"
        assert [r.pk for r in approval.inbox(company.wang)] == [request.pk]
        door.decide(request, "AGREE", by=company.wang)
        company.customer.refresh_from_db()
        assert company.customer.grade == "A"

    def test_nobody_decides_their_own(self, company):
        request = self.ask(company)
        with pytest.raises(door.Denied):
            door.decide(request, "AGREE", by=company.li)
        with pytest.raises(door.Denied):
            door.decide(request, "AGREE", by=company.zhao)
        door.withdraw(request, by=company.li)
        own = door.act("regrade", company.customer, by=company.wang, payload=REGRADE).request
        with pytest.raises(door.Denied):
            door.decide(own, "AGREE", by=company.wang)
        assert [one.pk for one in approval.inbox(company.boss)] == [own.pk]

    def test_a_changed_content_voids_it(self, company):
        request = self.ask(company)
        with door.acting(by=None, action="test") as deed:
            deed.free.add("grade")
            deed.change(company.customer, grade="B", grade_basis="改了")
        request.refresh_from_db()
        assert request.state == Request.State.VOID
        with pytest.raises(door.Denied, match="内容已变"):
            door.decide(request, "AGREE", by=company.wang)
        company.customer.refresh_from_db()
        assert company.customer.grade == "B"

    def test_refusing_ends_it_and_a_second_word_is_too_late(self, company):
        request = self.ask(company)
        door.decide(request, "REFUSE", by=company.wang, comment="依据不足")
        with pytest.raises(door.Denied):
            door.decide(request, "AGREE", by=company.wang)

    def test_the_same_question_is_not_asked_twice(self, company):
        assert self.ask(company).pk == self.ask(company).pk


class TestVisitPlan:
    """KA-3.3.1: handed in complete, read by the manager, sent back with words."""

    def plan(self, company, **line):
        plan = door.create(
            Plan,
            {"kind": "VISIT", "title": "6 月拜访计划", "person": company.li, "period": "2026-06"},
            by=company.li,
        )
        filled = {
            "at": local("2026-06-03 10:00"),
            "purpose": "跟进样件",
            "content": "确认复测结果",
            **line,
        }
        door.create(PlanItem, {"plan": plan, "subject": company.customer, **filled}, by=company.li)
        return plan

    @pytest.fixture(autouse=True)
    def rule(self, company):
        demand(
            "KA-3.3.1c",
            "APPROVAL",
            "plan",
            on="approve_plan",
            approvers=["ka_manager"],
            where={"kind": "VISIT"},
        )

    def test_a_line_without_purpose_is_refused(self, company):
        plan = self.plan(company, purpose="")
        with pytest.raises(door.Refused) as refused:
            door.act("submit_plan", plan, by=company.li)
        assert "目的" in str(refused.value)
        plan.refresh_from_db()
        assert plan.stage == "DRAFT"

    def test_sent_back_it_is_a_draft_again_with_the_managers_words(self, company):
        plan = self.plan(company)
        door.act("submit_plan", plan, by=company.li)
        [request] = approval.inbox(company.wang)
        door.decide(request, "BACK", by=company.wang, comment="加一家次重点")
        plan.refresh_from_db()
        assert (plan.stage, plan.guidance) == ("DRAFT", "加一家次重点")
        door.act("submit_plan", plan, by=company.li)
        [request] = approval.inbox(company.wang)
        door.decide(request, "AGREE", by=company.wang)
        plan.refresh_from_db()
        assert plan.stage == "APPROVED"

    def test_a_line_changed_after_sending_voids_the_request(self, company):
        plan = self.plan(company)
        door.act("submit_plan", plan, by=company.li)
        [request] = approval.inbox(company.wang)
        line = PlanItem._base_manager.get(plan=plan)
        door.change(line, {"content": "改为谈价格"}, by=company.li)
        with pytest.raises(door.Denied, match="内容已变"):
            door.decide(request, "AGREE", by=company.wang)
        plan.refresh_from_db()
        assert plan.stage == "DRAFT"
