"""A notice closes only when the ledger says so: measured anew, passed by somebody else, once."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone

from conftest import hire
from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.core import spans
from fangyuan.core.models import Event
from fangyuan.engine import sweep
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Message
from fangyuan.supervision import actions, measure
from fangyuan.supervision.models import Rectification
from tests.door.test_door import demand
from tests.door.test_races import all_at_once

WEEKLY = {"event": "activity.ended_at", "via": "customer", "per": "week", "at_least": 1}


@pytest.fixture
def weekly(company):
    """小李 missed last week's visit; an auditor is there to send a notice about it."""
    with door.acting(by=None, action="test") as deed:
        auditor = hire(deed, "audit", "老周", "audit_dept", company.root, company.boss)
        deed.change(auditor, manager=company.boss)
    rule = demand("T-1", "CADENCE", "customer")
    with door.acting(by=None, action="test") as deed:
        deed.change(rule, params=WEEKLY)
    now = timezone.now()
    sweep.sweep(now)
    missed = Obligation._base_manager.filter(state="BREACHED").order_by("-due_at").first()
    assert missed.person == company.li
    return SimpleNamespace(company=company, auditor=auditor, missed=missed, now=now)


def notice(weekly, **more):
    """A notice about the missed week, sent out by the auditor."""
    values = {
        "obligations": [weekly.missed.pk],
        "person": weekly.company.li,
        "demand": "每周按时拜访",
        "periods": 2,
        "due_at": weekly.now + timedelta(days=30),
    }
    with door.acting(by=weekly.auditor, action="issue_rectification") as deed:
        made = actions.draft(deed, {**values, **more})
        return door.act("issue_rectification", made, by=weekly.auditor)


def handed_in(weekly, **more):
    """The notice after 小李 handed in what was done."""
    made = notice(weekly, **more)
    return door.act(
        "submit_rectification", made, by=weekly.company.li, payload={"proof": "已排好固定拜访日"}
    )


def review(made, by, verdict="PASS", said=""):
    """The reviewer's word."""
    return door.act(
        "review_rectification", made, by=by, payload={"verdict": verdict, "review": said}
    )


def visit(weekly, week):
    """小李 visits in one of the whole weeks to come."""
    ended = week.start + timedelta(days=1, hours=10)
    with door.acting(by=None, action="test") as deed:
        deed.create(
            Activity,
            {
                "kind": "VISIT",
                "customer": weekly.company.customer,
                "person": weekly.company.li,
                "started_at": ended - timedelta(hours=1),
                "ended_at": ended,
                "stage": "DONE",
            },
        )


def weeks(weekly, count):
    """The next whole weeks."""
    found = [spans.first_whole("week", weekly.now)]
    while len(found) < count:
        found.append(found[-1].next())
    return found


def settle(week):
    """Sweep as of the end of a week, and measure."""
    sweep.sweep(week.end + timedelta(minutes=1))
    return measure.close_right()


def test_a_notice_about_a_cadence_closes_when_the_next_periods_are_met(weekly):
    made = handed_in(weekly)
    first, second, third, fourth = weeks(weekly, 4)
    passed = review(made, weekly.auditor)
    assert (passed.stage, passed.verdict) == ("SUBMITTED", "PASS")  # nobody's word closes it
    with pytest.raises(door.Refused, match="复测"):
        door.act("close_rectification", passed, by=None)
    visit(weekly, first)
    assert settle(first) == 0
    assert settle(second) == 0  # missed again: what was met before counts no more
    visit(weekly, third)
    assert settle(third) == 0
    visit(weekly, fourth)
    [line] = measure.lines([made.pk])[made.pk]
    assert (line.met, line.needed, line.is_right) == (1, 2, False)
    assert settle(fourth) == 1
    made.refresh_from_db()
    assert made.stage == "CLOSED" and made.closed_at is not None
    assert measure.close_right() == 0


def test_a_notice_about_what_was_done_after_all_closes_with_the_review(weekly):
    Obligation._base_manager.filter(pk=weekly.missed.pk).update(state="MET")
    assert review(handed_in(weekly), weekly.auditor).stage == "CLOSED"


def test_nobody_reviews_or_closes_by_hand_or_for_themselves(weekly):
    made = handed_in(weekly)
    with pytest.raises(door.Denied, match="不能"):
        review(made, weekly.company.li)
    with pytest.raises(door.Denied, match="不能"):
        review(made, weekly.company.zhao)
    with pytest.raises(door.Denied):
        door.act("close_rectification", made, by=weekly.auditor)
    with pytest.raises(door.Denied, match="复核合格"):
        door.act("close_rectification", made, by=None)
    for name, value in {"due_at": weekly.now + timedelta(days=99), "stage": "CLOSED"}.items():
        with pytest.raises(door.Denied):
            door.change(made, {name: value}, by=weekly.company.li)
    with pytest.raises(door.Denied, match="给自己"):
        notice(weekly, person=weekly.auditor)


def test_a_review_that_fails_sends_the_notice_back_with_words(weekly):
    made = handed_in(weekly)
    with pytest.raises(door.Refused, match="差在哪里"):
        review(made, weekly.auditor, "FAIL")
    back = review(made, weekly.auditor, "FAIL", "没有写防止再犯的办法")
    assert back.stage == "ISSUED"
    told = Message._base_manager.filter(person=weekly.company.li, subject_type="rectification")
    assert sorted(told.values_list("step_key", flat=True))[0].split(":")[2].startswith("failed")
    assert told.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_closings_at_once_one_has_an_effect(weekly):
    Obligation._base_manager.filter(pk=weekly.missed.pk).update(state="LATE")
    made = handed_in(weekly)
    jobs = [lambda: review(made, weekly.auditor), lambda: review(made, weekly.company.wang)]
    outcomes = all_at_once(jobs)
    assert sorted(type(one).__name__ for one in outcomes) == ["Denied", "Rectification"]
    assert closings(made) == 1


def closings(made):
    """How often the log says that the notice was closed."""
    changed = Event._base_manager.filter(record="rectification", record_id=made.pk, op="U")
    return changed.filter(diff__has_key="closed_at").count()


@pytest.mark.django_db(transaction=True)
def test_two_rounds_of_the_worker_close_a_notice_once(weekly):
    made = review(handed_in(weekly), weekly.auditor)
    assert made.stage == "SUBMITTED"
    Obligation._base_manager.filter(pk=weekly.missed.pk).update(state="LATE")
    held = threading.Event()

    def hold():
        """Keep the notice until every round waits for it."""
        with transaction.atomic():
            Rectification._base_manager.select_for_update().get(pk=made.pk)
            held.set()
            time.sleep(0.5)

    def close():
        held.wait(10)
        return measure.close_right()

    assert sorted(all_at_once([hold, *[close] * 4])[1:]) == [0, 0, 0, 1]
    assert closings(made) == 1


@pytest.mark.django_db(transaction=True)
def test_notices_sent_at_once_have_numbers_of_their_own(weekly):
    made = all_at_once([lambda: notice(weekly)] * 4)
    assert sorted(one.serial for one in made) == [1, 2, 3, 4]
    assert made[0].number.startswith(f"监整字〔{timezone.localdate().year}〕00")
