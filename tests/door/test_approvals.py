"""Approvals: whose word is asked for, each act with its one row, and nobody about their own."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from conftest import hire, local
from fangyuan import door
from fangyuan.customers.models import Customer
from fangyuan.engine import approval, kinds, sweep
from fangyuan.engine.models import Approval, Decision, Obligation, Request, Rule
from fangyuan.org.models import Leave, Message, Person, Team
from tests.door.test_door import REGRADE, demand, values


@pytest.fixture
def people(company):
    """Besides the company: a finance department of two under the director, an administrator."""
    with door.acting(by=None, action="test") as deed:
        finance = deed.create(
            Team, {"code": "finance_dept", "name": "财务部", "parent": company.root}
        )
        company.lu = hire(deed, "lu", "陆会计", "hr_dept", finance, company.boss)
        company.qian = hire(deed, "qian", "钱会计", "hr_dept", finance, company.boss)
        company.admin = hire(deed, "root", "管理员", "audit_dept", company.root)
        Person._base_manager.filter(pk=company.admin.pk).update(is_admin=True)
    return company


def chain(*approvers, **more):
    """Put a chain for regrading in force."""
    demand("T-1", "APPROVAL", "customer", on="regrade", approvers=list(approvers), **more)


def ask(people, by=None, **more):
    by = by or people.li
    return door.act("regrade", people.customer, by=by, payload={**REGRADE, **more}).request


def asked(request):
    """The names of those whose turn it is."""
    seats = Approval._base_manager.filter(request=request, state="ASKED").order_by("id")
    return [one.person.name for one in seats.select_related("person")]


def grade(people):
    return Customer._base_manager.get(pk=people.customer.pk).grade


def leave(people, person, stand_in):
    now = timezone.now()
    span = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1)}
    with door.acting(by=None, action="test") as deed:
        said = {"person": person, "stand_in": stand_in, "stage": "APPROVED", "requested_at": now}
        deed.create(Leave, {**said, **span, "reason": "年休"})


class TestChain:
    """Steps in order, side by side, on conditions; never passed because nobody is there."""

    @pytest.mark.parametrize(
        ("step", "names"),
        [
            ("line_manager", ["王总"]),
            ("department_head", ["王总"]),
            ("sales_director", ["许总"]),
            ("finance_dept", ["陆会计", "钱会计"]),
            ("hr_dept", ["陆会计", "钱会计"]),
            ({"who": "person", "login": "zhao"}, ["小赵"]),
            ("legal_dept", ["王总"]),
            ("sales_manager", ["王总"]),
        ],
    )
    def test_each_word_for_people_finds_them(self, people, step, names):
        chain(step)
        assert asked(ask(people)) == names

    def test_several_levels_of_superiors_follow_one_another(self, people):
        chain({"who": "superiors", "levels": 2})
        request = ask(people)
        assert asked(request) == ["王总"]
        door.decide(request, "AGREE", by=people.wang)
        assert (asked(request), grade(people)) == (["许总"], "D")
        door.decide(request, "AGREE", by=people.boss)
        assert grade(people) == "A"

    def test_whoever_is_chosen_is_asked_and_a_missing_choice_is_said(self, people):
        chain("chosen")
        with pytest.raises(door.Refused, match="请选由谁审批"):
            ask(people)
        browser = Client()
        browser.force_login(people.li)
        chosen = {**REGRADE, "approvers": f"小赵 #{people.zhao.pk}"}
        browser.post(f"/customer/{people.customer.pk}/do/regrade", chosen)
        assert asked(Request._base_manager.get()) == ["小赵"]

    def test_of_all_each_must_agree_and_of_any_one_is_enough(self, people):
        chain({"who": "finance_dept", "mode": "all"})
        request = ask(people)
        door.decide(request, "AGREE", by=people.lu)
        assert grade(people) == "D"
        door.decide(request, "AGREE", by=people.qian)
        assert grade(people) == "A"

    def test_side_by_side_departments_each_give_one_word(self, people):
        chain("finance_dept", "ka_manager", mode="all")
        request = ask(people)
        assert asked(request) == ["陆会计", "钱会计", "王总"]
        door.decide(request, "AGREE", by=people.qian)
        door.decide(request, "AGREE", by=people.wang)
        assert grade(people) == "A"
        assert Approval._base_manager.get(request=request, person=people.lu).state == "MOOT"

    def test_a_step_is_asked_where_its_condition_holds_after_the_change(self, people):
        chain({"who": "ka_manager", "otherwise": True},
              {"who": "sales_director", "where": {"grade": "A"}})  # fmt: skip
        first = ask(people)
        assert asked(first) == ["许总"]
        door.withdraw(first, by=people.li)
        assert asked(ask(people, grade="B")) == ["王总"]
        assert grade(people) == "D"

    def test_who_asks_may_select_the_chain(self, people):
        chain({"who": "sales_director", "asker": {"teams": {"has": ["east"]}}}, "line_manager")
        assert asked(ask(people)) == ["王总"]

    def test_nobody_above_means_the_administrator_and_never_agreed(self, people):
        chain("sales_director")
        assert asked(ask(people, by=people.boss)) == ["管理员"]
        assert grade(people) == "D"

    def test_with_nobody_at_all_it_is_refused_in_words(self, company):
        chain("line_manager")
        with pytest.raises(door.Denied, match="没有人能批准"):
            ask(company, by=company.boss)

    def test_the_same_person_is_asked_once_unless_each_step_is_wanted(self, people):
        chain("line_manager", "ka_manager")
        request = ask(people)
        door.decide(request, "AGREE", by=people.wang)
        assert grade(people) == "A"
        assert Decision._base_manager.filter(request=request).count() == 1

    def test_asked_in_each_step_if_the_rule_says_so(self, people):
        chain("line_manager", "ka_manager", repeat="each")
        request = ask(people)
        door.decide(request, "AGREE", by=people.wang)
        assert (asked(request), grade(people)) == (["王总"], "D")

    def test_two_clauses_give_one_chain(self, people):
        chain("line_manager")
        demand("T-2", "APPROVAL", "customer", on="regrade", approvers=["finance_dept"])
        request = ask(people)
        assert [p["clause"] for s in request.chain for p in s["parties"]] == ["T-1", "T-2"]

    def test_the_rule_reads_back_as_a_sentence(self, people):
        rule = kinds.read("approval", "customer", {
            "on": "regrade", "copies": ["hr_dept"], "approvers": [
                {"who": "superiors", "levels": 2, "within": "1wd", "overdue": "escalate"},
                {"who": "finance_dept", "mode": "all", "where": {"grade": "A"}}],
        })  # fmt: skip
        assert rule.sentence() == (
            "客户的“调整分级”这一步须依次经连续 2 级上级（1 个工作日内审完，逾期转上一级）、"
            "分级为重点时由财务部（全体）同意，抄送人力资源部"
        )
        with pytest.raises(kinds.BadRule):
            kinds.read("approval", "customer", {"on": "regrade", "approvers": [{"who": "person"}]})

    def test_a_creation_waits_too_and_is_written_with_the_agreement(self, people):
        demand("T-3", "APPROVAL", "customer", on="create", approvers=["ka_manager"])
        with pytest.raises(door.Asked) as waits:
            door.create(Customer, values(), by=people.li)
        assert not Customer._base_manager.filter(name__startswith="凌川").exists()
        door.decide(waits.value.request, "AGREE", by=people.wang)
        made = Customer._base_manager.get(name__startswith="凌川")
        assert Request._base_manager.get().subject == ("customer", made.pk)


class TestActs:
    """What one may do about a request, each with one row of its history."""

    @pytest.fixture
    def request_(self, people):
        chain("line_manager", "sales_director")
        return ask(people)

    def told(self, request):
        return list(
            Decision._base_manager.filter(request=request).values_list("verdict", flat=True)
        )

    def test_sent_back_to_a_step_it_goes_on_from_there(self, people, request_):
        door.decide(request_, "AGREE", by=people.wang)
        with pytest.raises(door.Denied, match="要写明意见"):
            door.decide(request_, "BACK", by=people.boss, back_to=1)
        door.decide(request_, "BACK", by=people.boss, comment="再核依据", back_to=1)
        assert asked(request_) == ["王总"]
        door.decide(request_, "AGREE", by=people.wang)
        door.decide(request_, "AGREE", by=people.boss)
        assert grade(people) == "A"
        assert self.told(request_) == ["AGREE", "BACK", "AGREE", "AGREE"]

    def test_sent_back_to_the_applicant_it_ends_and_may_be_asked_anew(self, people, request_):
        door.decide(request_, "BACK", by=people.wang, comment="写明依据")
        request_.refresh_from_db()
        assert (request_.state, asked(request_)) == ("RETURNED", [])
        assert ask(people).pk != request_.pk

    def test_handed_over_it_waits_for_the_other_only(self, people, request_):
        door.decide(request_, "FORWARD", by=people.wang, to=people.zhao)
        assert asked(request_) == ["小赵"]
        with pytest.raises(door.Denied, match="现在不轮到你"):
            door.decide(request_, "AGREE", by=people.wang)
        door.decide(request_, "FORWARD", by=people.zhao, to=people.wang)
        assert asked(request_) == ["王总"]

    def test_a_signer_before_and_one_after(self, people, request_):
        door.decide(request_, "SIGNER", by=people.wang, to=people.zhao, place="before")
        assert asked(request_) == ["小赵"]
        door.decide(request_, "AGREE", by=people.zhao)
        door.decide(request_, "SIGNER", by=people.wang, to=people.lu, place="after")
        assert asked(request_) == ["王总"]
        for name in ("wang", "lu", "boss"):
            door.decide(request_, "AGREE", by=getattr(people, name))
        assert grade(people) == "A"
        assert self.told(request_) == ["SIGNER", "AGREE", "SIGNER", "AGREE", "AGREE", "AGREE"]

    def test_urged_once_in_a_while_commented_copied_and_withdrawn(self, people, request_):
        door.decide(request_, "URGE", by=people.li)
        with pytest.raises(door.Denied, match="四小时内"):
            door.decide(request_, "URGE", by=people.li)
        door.decide(request_, "COMMENT", by=people.li, comment="客户在等")
        door.decide(request_, "COPY", by=people.li, to=people.zhao)
        door.withdraw(request_, by=people.li)
        assert self.told(request_) == ["URGE", "COMMENT", "COPY", "WITHDRAW"]
        titles = Message._base_manager.filter(person=people.wang).values_list("title", flat=True)
        assert sorted(titles) == ["催办：小李的“调整分级”申请", "等你审批：小李的“调整分级”申请"]
        assert Message._base_manager.filter(person=people.zhao, title__startswith="抄送").exists()

    def test_the_stand_in_sees_decides_and_is_written_down(self, people, request_):
        leave(people, people.wang, people.zhao)
        assert [one.pk for one in approval.inbox(people.zhao)] == [request_.pk]
        door.decide(request_, "AGREE", by=people.zhao)
        assert Decision._base_manager.get().who == "小赵 代 王总"
        assert asked(request_) == ["许总"]

    def test_a_limit_runs_by_working_time_is_a_duty_and_goes_up(self, people):
        step = {"who": "line_manager", "within": "1wd", "overdue": "escalate"}
        chain(step)
        kind = kinds.read("approval", "customer", {"on": "regrade", "approvers": [step]})
        with door.acting(by=None, action="test") as deed:
            rule = Rule._base_manager.get()
            duty = {"kind": "DEADLINE", "record": "approval", "params": kind.duties("T-1")[0]}
            deed.create(
                Rule, {"clause": rule.clause, "line": 90, "starts_at": rule.starts_at, **duty}
            )
        with door.acting(by=people.li, at=local("2026-09-30 10:00")):
            request = ask(people)
        seat = Approval._base_manager.get(request=request)
        # 国庆: the first working day after it is 2026-10-08.
        assert seat.due_at == local("2026-10-09 00:00")
        sweep.sweep()
        assert approval.escalate() == 1
        assert asked(request) == ["许总"]
        [said] = Decision._base_manager.filter(request=request)
        assert (said.verdict, said.who, said.to) == ("ESCALATE", "系统 代 王总", people.boss)
        sweep.sweep()
        states = Obligation._base_manager.order_by("subject_id").values_list("person", "state")
        assert list(states) == [(people.wang.pk, "BREACHED"), (people.boss.pk, "BREACHED")]


def own_request_routes(people, request):
    """T14: six ways to come to one's own request."""
    yield "directly", lambda: door.decide(request, "AGREE", by=people.li)
    yield "handed over", lambda: door.decide(request, "FORWARD", by=people.wang, to=people.li)
    yield "as a signer", lambda: door.decide(request, "SIGNER", by=people.wang, to=people.li)
    leave(people, people.wang, people.li)
    yield "as a stand-in", lambda: door.decide(request, "AGREE", by=people.li)
    Person._base_manager.filter(pk=people.li.pk).update(is_admin=True)
    admin = Person._base_manager.get(pk=people.li.pk)
    yield "as administrator", lambda: door.decide(request, "AGREE", by=admin)
    yield "as a verb", lambda: door.act("request.agree", request, by=admin)


def test_nobody_decides_their_own_by_any_route(people):
    chain("line_manager")
    request = ask(people)
    with door.acting(by=None, action="test"):
        for route, attempt in own_request_routes(people, request):
            with pytest.raises(door.Denied):
                attempt()
            request.refresh_from_db()
            assert request.state == "WAITING", route
    assert approval.inbox(people.li) == []
    assert not Decision._base_manager.exists()


def test_without_a_known_person_nothing_is_decided(people):
    """T15: a lookup that fails or an account closed meanwhile fails closed, without any row."""
    chain("line_manager")
    request = ask(people)
    with pytest.raises(door.Denied):
        door.decide(request, "AGREE", by=None)
    opened = Person._base_manager.get(pk=people.wang.pk)
    with door.acting(by=None, action="test") as deed:
        deed.free.add("account_state")
        deed.change(people.wang, account_state="DISABLED")
    with pytest.raises(door.Denied):
        door.decide(request, "AGREE", by=opened)
    assert not Decision._base_manager.exists()
