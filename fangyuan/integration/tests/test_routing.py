"""Who is told by which channel and when: wishes, quiet hours, digests, nothing said twice."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import hire, local
from fangyuan import door
from fangyuan.core import reference
from fangyuan.engine.models import Clause, Obligation, Policy, Rule
from fangyuan.integration import acted, digests, outbox, quiet
from fangyuan.integration.models import Dispatch
from fangyuan.integration.tests.conftest import NOON
from fangyuan.org.models import Message

NIGHT = local("2026-11-25 22:30")
DAYS = reference.public_calendar({})


@pytest.fixture
def mailing(channel_of, post):
    """A mail channel to the mail server of this test."""
    return channel_of(
        "MAIL", address="127.0.0.1", port=post.port, security="NONE", sender="fy@corp.example"
    )


def test_without_a_channel_nothing_is_queued(say):
    say()
    assert not Dispatch._base_manager.exists()


def test_a_message_goes_once_by_each_channel_of_its_topic(mailing, hooked, say, company):
    with door.acting(by=None, action="test") as deed:
        deed.change(hooked, topics=["ALERT"])
    message = say(at=NOON)
    assert list(Dispatch._base_manager.values_list("channel__kind", flat=True)) == ["MAIL"]
    assert Dispatch._base_manager.get().next_at == NOON
    assert message.seen_at is None


def test_a_refused_deed_leaves_neither_message_nor_dispatch(mailing, say):
    with pytest.raises(RuntimeError), door.acting(by=None, action="test"):
        say(at=NOON)
        raise RuntimeError("refused")
    assert not Message._base_manager.exists()
    assert not Dispatch._base_manager.exists()


def test_a_switched_off_channel_queues_and_sends_nothing(mailing, say, company):
    say(at=NOON)
    door.act("switch_channel", mailing, by=None, payload={"is_on": False})
    say("另一件", at=NOON)
    assert outbox.run(NOON) == 0
    assert Dispatch._base_manager.get().state == "QUEUED"


def test_a_team_channel_is_for_the_team_and_those_below(robot_of, say, company):
    robot_of("LARK", team=company.ka)
    for person in (company.li, company.wang, company.zhao, company.boss):
        say(person=person, at=NOON)
    told = Dispatch._base_manager.values_list("person__login", flat=True)
    assert sorted(told) == ["li", "wang"]


def test_queries_of_routing_do_not_grow_with_the_messages(mailing, robot_of, company, say):
    robot_of("LARK", team=company.root)
    with door.acting(by=None, action="test") as deed:
        for number in range(8):
            hire(deed, f"p{number}", f"同事{number}", "sales_rep", company.east)
    counts = []
    for many in (1, 8):
        with CaptureQueriesContext(connection) as caught:
            for number in range(many):
                say(f"第 {many} 批 {number}", at=NOON)
        counts.append(len(caught) / many)
    assert counts[1] <= counts[0]


def test_what_a_person_wants_comes_before_what_the_company_wants(mailing, say, wish):
    wish(person=None, modes={"DUE": {"MAIL": "OFF"}, "ALERT": {"MAIL": "DAILY"}})
    say(at=NOON)
    assert not Dispatch._base_manager.exists()
    wish(modes={"DUE": {"MAIL": "WEEKLY"}})
    say("再说", at=NOON)
    assert Dispatch._base_manager.get().mode == "WEEKLY"


def test_an_escalation_cannot_be_switched_off(mailing, say, wish, dispatch_of):
    wish(modes={"ESCALATION": {"MAIL": "OFF"}, "APPROVAL": {"MAIL": "OFF"}})
    message = say(topic="ESCALATION", at=NIGHT)
    assert dispatch_of(message).mode == "NOW"
    assert dispatch_of(message).next_at == NIGHT, "and does not wait for the morning"
    say(topic="APPROVAL", at=NOON)
    assert Dispatch._base_manager.count() == 1


def test_the_company_says_what_is_locked(mailing, say, wish):
    wish(person=None, locked=["APPROVAL"])
    wish(modes={"ESCALATION": {"MAIL": "OFF"}, "APPROVAL": {"MAIL": "OFF"}})
    say(topic="ESCALATION", at=NOON)
    say(topic="APPROVAL", at=NOON)
    assert Dispatch._base_manager.get().message.topic == "APPROVAL"


@pytest.mark.parametrize(
    ("at", "free"),
    [
        ("2026-11-25 20:59", "2026-11-25 20:59"),
        ("2026-11-25 21:00", "2026-11-26 08:00"),
        ("2026-11-26 07:59", "2026-11-26 08:00"),
        ("2026-11-26 08:00", "2026-11-26 08:00"),
    ],
)
def test_quiet_hours_over_midnight(at, free):
    assert quiet.Quiet().free(local(at), DAYS) == local(free)


def test_quiet_hours_within_a_day():
    noon = quiet.Quiet(time(12), time(13, 30))
    assert noon.free(local("2026-11-25 12:10"), DAYS) == local("2026-11-25 13:30")


def test_rest_days_end_on_the_morning_of_the_next_working_day():
    rests = quiet.Quiet(rests=True)
    # National Day: off from 1 to 7 October 2026, and the make-up Saturday 10 October is worked.
    assert rests.free(local("2026-10-01 10:00"), DAYS) == local("2026-10-08 08:00")
    assert rests.free(local("2026-10-10 10:00"), DAYS) == local("2026-10-10 10:00")
    assert rests.free(local("2026-10-09 22:00"), DAYS) == local("2026-10-10 08:00")


@pytest.mark.parametrize(
    ("mode", "at", "morning"),
    [
        ("DAILY", "2026-11-25 08:29", "2026-11-25 08:30"),
        ("DAILY", "2026-11-25 08:30", "2026-11-26 08:30"),
        ("WEEKLY", "2026-11-25 12:00", "2026-11-30 08:30"),
        ("WEEKLY", "2026-11-30 08:29", "2026-11-30 08:30"),
        ("WEEKLY", "2026-11-30 08:30", "2026-12-07 08:30"),
    ],
)
def test_digests_go_out_in_the_morning(mode, at, morning):
    assert quiet.gathering(mode, local(at)) == local(morning)


def test_what_is_held_back_arrives_at_the_end(mailing, post, say):
    say(at=NIGHT)
    assert outbox.run(NIGHT + timedelta(hours=2)) == 0
    assert outbox.run(local("2026-11-26 08:00")) == 1
    assert len(post.letters) == 1


def test_the_same_said_again_within_minutes_is_said_once_outside(mailing, say, dispatch_of):
    say("催办：报价", topic="APPROVAL", at=NOON)
    again = say("催办：报价", topic="APPROVAL", at=NOON + timedelta(minutes=9))
    assert dispatch_of(again).state == "DROPPED"
    later = say("催办：报价", topic="APPROVAL", at=NOON + timedelta(minutes=11))
    other = say("已同意：报价", topic="APPROVAL", at=NOON + timedelta(minutes=11))
    assert dispatch_of(later).state == dispatch_of(other).state == "QUEUED"


@pytest.fixture
def owed(company):
    """Duties of 小李: `owed(2)` gives the numbers of two of them."""
    long_ago = local("2020-01-01 00:00")
    with door.acting(by=None, action="test") as deed:
        policy = deed.create(Policy, {"code": "t", "title": "制度", "version": "1"})
        values = {"policy": policy, "number": "T-1", "title": "回访", "text": "回访"}
        clause = deed.create(Clause, {**values, "area": "x", "kind": "x"})
        params = {"on": "learned_at", "until": "graded_at", "within": "24h"}
        values = {"clause": clause, "kind": "DEADLINE", "record": "customer", "params": params}
        rule = deed.create(Rule, values, starts_at=long_ago)

    def make(many):
        rows = [
            Obligation(
                rule=rule, subject_type="customer", subject_id=company.customer.pk,
                occurrence=str(number), began_on=NOON.date(), began_at=NOON, person=company.li,
                due_at=NOON + timedelta(days=1), state="OPEN",
            )
            for number in range(many)
        ]  # fmt: skip
        for one in rows:
            one.save()
        return [one.pk for one in rows]

    return make


def test_a_digest_tells_each_duty_once_and_none_that_is_done_or_was_told_alone(
    mailing, post, say, wish, owed
):
    first, second, third = owed(3)
    daily = wish(modes={"DUE": {"MAIL": "DAILY"}, "APPROVAL": {"MAIL": "DAILY"}})
    say("快到期：甲", at=NOON, obligations=[first], subject_id=1)
    say("已到期：甲", at=NOON + timedelta(hours=1), obligations=[first], subject_id=1)
    say("快到期：乙", at=NOON, obligations=[second], subject_id=2)
    say("快到期：丙", at=NOON, obligations=[third], subject_id=3)
    say("等你审批：报价", at=NOON, topic="APPROVAL", subject_id=4)
    Obligation._base_manager.filter(pk=second).update(met_at=NOON, state="MET")
    assert acted.look(NOON + timedelta(hours=2)) == 1
    with door.acting(by=None, action="test") as deed:
        deed.change(daily, modes={})
    say("仍未完成：丙", at=NOON + timedelta(hours=3), obligations=[third], subject_id=3)
    assert outbox.run(NOON + timedelta(hours=3)) == 1
    morning = local("2026-11-26 08:30")
    assert outbox.run(morning) == 1
    digest = Message._base_manager.get(kind="DIGEST")
    assert digest.title == "今天的汇总：义务到期 1、审批 1"
    assert "已到期：甲" in digest.text
    assert not [name for name in ("快到期：甲", "乙", "丙") if name in digest.text]
    states = Dispatch._base_manager.values_list("message__title", "state")
    assert ("快到期：乙", "DROPPED") in states
    assert ("快到期：丙", "DROPPED") in states
    assert ("快到期：甲", "GATHERED") in states
    assert outbox.run(morning + timedelta(hours=1)) == 0
    assert len(post.letters) == 2


def test_a_digest_is_made_once_though_two_workers_try(mailing, say, wish):
    wish(modes={"DUE": {"MAIL": "DAILY"}})
    say(at=NOON)
    morning = local("2026-11-26 08:30")
    assert digests.gather(morning) == 1
    assert digests.gather(morning) == 0
    assert Message._base_manager.filter(kind="DIGEST", channel="MAIL").count() == 1


def test_acting_is_read_off_the_log_and_is_the_persons_own(say, company):
    now = timezone.now()
    message = say(at=now - timedelta(minutes=1), topic="MENTION")
    for person, acts in ((company.wang, 0), (company.li, 1)):
        with door.acting(by=person, action="test") as deed:
            deed.change(company.customer, address=f"{person}的新地址")
        assert acted.look(now + timedelta(minutes=1)) == acts
    message.refresh_from_db()
    assert message.acted_at > message.sent_at


def test_a_wish_for_what_does_not_exist_is_refused(wish):
    for modes in ({"DUE": {"PIGEON": "NOW"}}, {"RAIN": {"MAIL": "NOW"}}, {"DUE": "NOW"}):
        with pytest.raises((door.Refused, ValidationError)):
            wish(modes=modes)
