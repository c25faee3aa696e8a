"""Publishing needs a replay and another's word; open duties follow the way chosen."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from fangyuan import door
from fangyuan.core import spans
from fangyuan.engine import explain, rulebook, sweep
from fangyuan.engine.models import Clause, Obligation, Policy, Request, Rule
from fangyuan.engine.revision import drafts, revising
from fangyuan.org.models import Message
from fangyuan.site import actions
from tests.versions.conftest import drafted, tried, visit

HOUR = timedelta(hours=1)


def submitted(company: Any, within: str, *, on: Any = None, how: str = "OLD") -> Policy:
    """A tried draft sent for approval."""
    today = timezone.localdate()
    draft = drafted(company, within)
    tried(draft, today - timedelta(days=30), today)
    draft.refresh_from_db()
    actions.submit(draft, on=on or today, in_flight=how, by=company.qian)
    draft.refresh_from_db()
    return draft


def agreed(draft: Policy, by: Any) -> Policy:
    """The draft after its approver's word."""
    request = Request._base_manager.get(subject_type="policy", subject_id=draft.pk, state="WAITING")
    door.decide(request, "AGREE", by=by)
    draft.refresh_from_db()
    return draft


def test_a_draft_that_was_not_tried_as_it_reads_is_not_sent(company: Any, management: Any) -> None:
    draft, today = drafted(company, "12h"), timezone.localdate()
    with pytest.raises(door.Denied, match="先要试算|先试算|试算一次"):
        actions.submit(draft, on=today, in_flight="OLD", by=company.qian)
    tried(draft, today - timedelta(days=7), today)
    draft.refresh_from_db()
    assert draft.stage == "REPLAYED"
    with door.acting(by=company.qian, action="draft") as deed:
        draft = revising.put(deed, draft, "KA-9.1", text="改了一个字。")
    with pytest.raises(door.Denied, match="试算"):
        actions.submit(draft, on=today, in_flight="OLD", by=company.qian)


def test_it_is_in_force_only_by_anothers_word(company: Any, management: Any) -> None:
    draft = submitted(company, "12h")
    assert draft.stage == "WAITING"
    request = Request._base_manager.get(subject_type="policy", subject_id=draft.pk)
    with pytest.raises(door.Denied):
        door.decide(request, "AGREE", by=company.qian)
    browser = Client()
    browser.force_login(management)
    shown = browser.get(f"/approvals/{request.pk}").content.decode()
    assert "<s>72 小时</s>12 小时" in shown
    with pytest.raises(revising.Unready, match="正在审批"):
        with door.acting(by=company.qian, action="draft") as deed:
            revising.put(deed, draft, "KA-9.1", text="偷偷改。")
    assert agreed(draft, management).stage == "PUBLISHED"
    [old, new] = Rule._base_manager.filter(clause__number="KA-9.1").order_by("starts_at")
    assert (old.version, new.version) == ("2026.1", "2026.2")
    assert old.ends_at == new.starts_at
    assert new.params["within"] == "12h"
    clause = Clause._base_manager.get(number="KA-9.1")
    assert clause.policy == draft
    assert clause.bindings[0]["within"] == "12h"
    signers = Message._base_manager.filter(kind="SIGN").values_list("person__login", flat=True)
    assert set(signers) == {"wang", "li", "zhao"}


def test_the_management_refuses_and_the_draft_is_open_again(company: Any, management: Any) -> None:
    draft = submitted(company, "12h")
    request = Request._base_manager.get(subject_type="policy", subject_id=draft.pk)
    door.decide(request, "REFUSE", by=management, comment="太紧")
    draft.refresh_from_db()
    assert draft.stage == "DRAFT"
    assert Rule._base_manager.count() == 1


def test_where_nobody_else_can_agree_nothing_is_published(company: Any, policy: Policy) -> None:
    with door.acting(by=None, action="test") as deed:
        deed.change(company.qian, manager=None)
    with pytest.raises(door.Denied, match="没有人能批准"):
        submitted(company, "12h")
    assert Rule._base_manager.count() == 1


# --- open duties


@pytest.fixture
def open_visits(company: Any, policy: Policy) -> Any:
    """A visit that ended an hour ago, one overdue, one done; tomorrow a new span is in force."""
    now = timezone.now()
    tomorrow = spans.midnight(timezone.localdate() + timedelta(days=1))
    case = SimpleNamespace(
        begun=now - HOUR,
        effect=tomorrow,
        open=visit(company.li, company.customer, now - HOUR),
        overdue=visit(company.li, company.customer, now - 80 * HOUR),
        done=visit(company.li, company.customer, now - 50 * HOUR, 3),
        later=visit(company.li, company.customer, tomorrow + HOUR),
    )
    sweep.sweep(now)
    return case


def due(activity: Any) -> tuple[str, Any]:
    """State and due time of the duty to write up a visit."""
    found = Obligation._base_manager.exclude(state="VOID").get(subject_id=activity.pk)
    return found.state, found.due_at


@pytest.mark.parametrize("within", ["24h", "96h"])
@pytest.mark.parametrize("how", ["OLD", "NEW", "MILD"])
def test_open_duties_follow_the_way_chosen(
    company: Any, management: Any, open_visits: Any, how: str, within: str
) -> None:
    case, span = open_visits, int(within[:-1]) * HOUR
    on = spans.day_of(case.effect)
    agreed(submitted(company, within, on=on, how=how), management)
    overdue, done = due(case.overdue), due(case.done)
    sweep.sweep(case.effect - timedelta(seconds=1))
    assert due(case.open) == ("OPEN", case.begun + 72 * HOUR)
    sweep.sweep(case.effect + 2 * HOUR)
    wanted = {
        "OLD": case.begun + 72 * HOUR,
        "NEW": case.effect + span,
        "MILD": case.begun + max(72 * HOUR, span),
    }
    assert due(case.open) == ("OPEN", wanted[how])
    open_duty = Obligation._base_manager.get(subject_id=case.open.pk)
    said = explain.explain(open_duty, now=case.effect + 2 * HOUR).counting
    assert ("改算" in said) == (how != "OLD")
    assert (due(case.overdue), due(case.done)) == (overdue, done)
    assert due(case.later) == ("OPEN", case.effect + HOUR + span)
    # What was carried over stays so, from nothing as well as by the hour.
    assert sweep.sweep(case.effect + 3 * HOUR, full=True).written.changed == 0
    sweep.sweep(wanted[how] + timedelta(seconds=1))
    assert due(case.open)[0] == "BREACHED"


@pytest.mark.django_db(transaction=True)  # what is not committed is read anew by each sweep
def test_a_version_takes_over_on_its_day_though_nothing_else_happened(
    company: Any, management: Any, open_visits: Any
) -> None:
    case = open_visits
    last = visit(company.li, company.customer, case.effect - 72 * HOUR)  # due at that very instant
    agreed(submitted(company, "24h", on=spans.day_of(case.effect), how="NEW"), management)
    for seconds in (2, 1):  # the second one has nothing left to read
        sweep.sweep(case.effect - timedelta(seconds=seconds))
    assert due(case.open) == ("OPEN", case.begun + 72 * HOUR)
    sweep.sweep(case.effect)
    assert due(case.open) == ("OPEN", case.effect + 24 * HOUR)
    assert due(last) == ("OPEN", case.effect)


def test_without_the_carrying_over_the_way_chosen_would_not_be_kept(
    company: Any, management: Any, open_visits: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(rulebook, "_carried", dict)
    on = spans.day_of(open_visits.effect)
    agreed(submitted(company, "24h", on=on, how="NEW"), management)
    sweep.sweep(open_visits.effect + 2 * HOUR)
    assert due(open_visits.open)[1] != open_visits.effect + 24 * HOUR


def test_the_text_follows_on_the_day_and_a_pack_leaves_it_alone(
    company: Any, management: Any
) -> None:
    today = timezone.localdate()
    draft = drafted(company, "12h")
    with door.acting(by=company.qian, action="draft") as deed:
        draft = revising.put(deed, draft, "KA-9.1", text="拜访结束后 12 小时内写完记录。")
    tried(draft, today - timedelta(days=7), today)
    draft.refresh_from_db()
    actions.submit(draft, on=today + timedelta(days=1), in_flight="OLD", by=company.qian)
    agreed(draft, management)
    assert "72" in Clause._base_manager.get(number="KA-9.1").text
    assert revising.enact_due() == 0
    with door.acting(by=None, action="test"):
        Policy._base_manager.filter(pk=draft.pk).update(starts_on=today)
    assert revising.enact_due() == 1
    assert revising.enact_due() == 0
    clause = Clause._base_manager.get(number="KA-9.1")
    assert "12" in clause.text
    assert clause.policy_id == draft.pk
    draft.refresh_from_db()
    assert "72" in draft.changes["KA-9.1"]["was"]["text"]
    assert Policy._base_manager.get(version="2026.1").stage == "SUPERSEDED"
    assert drafts.in_force("visits") == draft
