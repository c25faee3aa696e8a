"""Killed, raced or slow: a message is neither lost nor sent by two at once."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import serializers
from django.db import connection, connections, transaction
from django.utils import timezone

import fangyuan
from fangyuan import door
from fangyuan.core import events
from fangyuan.desk.exchange.export import Export
from fangyuan.integration import outbox, sealing, setup, state
from fangyuan.integration.models import Attempt, Channel, Dispatch, Sealed
from fangyuan.integration.parcels import Answer
from fangyuan.integration.tests.conftest import NOON


class Killed(BaseException):
    """The process died here."""


def test_killed_between_sending_and_writing_down_it_is_sent_again_under_its_token(
    hooked, other, say, dispatch_of, monkeypatch
):
    message = say(topic="ALERT")
    now = timezone.now()
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "settle", _die)
        with pytest.raises(Killed):
            outbox.run(now)
    assert len(other.got) == 1
    assert outbox.run(now + timedelta(minutes=4)) == 0, "the lease of the dead one still holds"
    assert outbox.run(now + timedelta(minutes=6)) == 1
    assert len({headers["Fy-Delivery"] for _, headers, _ in other.got}) == 1
    assert dispatch_of(message).attempts == 2


def _die(*_):
    raise Killed


GOOD, BAD, LATER = (Answer(one, one) for one in ("DELIVERED", "REFUSED", "LATER"))


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([("theirs", GOOD), ("mine", BAD)], "DELIVERED"),
        ([("mine", BAD)], "QUEUED"),
        ([("mine", BAD), ("theirs", GOOD)], "DELIVERED"),
        ([("theirs", BAD), ("mine", GOOD)], "DELIVERED"),
        ([("theirs", BAD), ("mine", LATER)], "FAILED"),
        ([("mine", GOOD), ("theirs", LATER)], "DELIVERED"),
    ],
)
def test_what_arrived_has_arrived_and_bad_news_are_of_whoever_holds_the_lease(
    hooked, say, answers, state
):
    say(topic="ALERT")
    now = timezone.now()
    claims = {}
    (claims["mine"],) = outbox.claim(hooked, now)
    (claims["theirs"],) = outbox.claim(hooked, now + timedelta(minutes=6))
    for whose, answer in answers:
        outbox.settle(claims[whose], answer, now)
    row = Dispatch._base_manager.get()
    assert row.state == state
    assert (row.next_at is None) == (state != "QUEUED")
    assert Attempt._base_manager.count() == len(answers), "every try is evidence"


def test_tries_grow_apart_and_end():
    waits = [outbox.backoff(tries) for tries in range(1, 20)]
    assert timedelta(seconds=48) <= waits[0] <= timedelta(seconds=72)
    assert max(waits) <= timedelta(hours=7.2)
    assert len({outbox.backoff(3) for _ in range(5)}) > 1


def test_after_ten_tries_a_message_is_given_up(hooked, other, say, dispatch_of):
    message, now = say(topic="ALERT"), timezone.now()
    for _ in range(outbox.MOST_TRIES):
        other.answer(500, b"down")
        outbox.run(now)
        now += timedelta(hours=7)
    assert dispatch_of(message).state == "FAILED"
    assert len(other.got) == outbox.MOST_TRIES


def test_what_could_not_be_sent_for_days_is_not_sent_any_more(hooked, other, say, dispatch_of):
    message = say(topic="ALERT", at=timezone.now() - timedelta(days=4))
    assert outbox.run(timezone.now()) == 0
    assert dispatch_of(message).state == "FAILED"
    assert other.got == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_queue_and_send_nothing_twice(hooked, other, say):
    with transaction.atomic():
        for number in range(30):
            say(f"第 {number} 条", topic="ALERT")
    now = timezone.now()
    threads = [threading.Thread(target=_work, args=(now,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    outbox.run(now)
    tokens = [headers["Fy-Delivery"] for _, headers, _ in other.got]
    assert len(tokens) == len(set(tokens)) == 30
    assert set(Dispatch._base_manager.values_list("state", "attempts")) == {("DELIVERED", 1)}


@pytest.mark.django_db(transaction=True)
def test_two_workers_together_keep_the_rate_of_a_robot(robot_of, other, say):
    robot_of("LARK")
    with transaction.atomic():
        for number in range(60):
            say(f"第 {number} 条", topic="ALERT")
    now = timezone.now()
    threads = [threading.Thread(target=_work, args=(now,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(other.got) == 20


def _work(now):
    try:
        outbox.run(now)
    finally:
        connections.close_all()


def test_secrets_are_in_no_log_no_export_and_no_plain_column(robot_of, company, boss_is_admin):
    channel = robot_of("DINGTALK")
    secrets = sealing.read(channel)
    assert secrets["secret"]
    sealed = bytes(Sealed.objects.get().content)
    shown = serializers.serialize("json", Channel._base_manager.all())
    shown += str(list(Export(Channel, boss_is_admin, plain=True).rows(Channel._base_manager.all())))
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(diff::text, '') FROM core_event")
        shown += cursor.fetchone()[0]
    for one in secrets.values():
        assert one not in shown
        assert one.encode() not in sealed


def test_secrets_are_bound_to_their_channel_and_to_the_installation(robot_of, settings):
    one, two = robot_of("DINGTALK"), robot_of("LARK")
    Sealed.objects.filter(channel=two).update(content=Sealed.objects.get(channel=one).content)
    with pytest.raises(sealing.Unreadable):
        sealing.read(two)
    settings.SECRET_KEY = "another installation's"
    with pytest.raises(sealing.Unreadable):
        sealing.read(one)
    sealing.keep(one, {"url": "https://oapi.dingtalk.com/robot/send?access_token=1"})
    assert list(sealing.read(one)) == ["url"], "entered again it works"


def test_the_tries_cannot_be_rewritten(db):
    assert "integration_attempt" in events.APPEND_ONLY


def test_only_a_complete_channel_can_be_switched_on(channel_of):
    channel = channel_of("DINGTALK", is_on=False)
    with pytest.raises(door.Refused, match="先填写机器人地址"):
        door.act("switch_channel", channel, by=None, payload={"is_on": True})
    sealing.keep(channel, {"url": "https://oapi.dingtalk.com/robot/send?access_token=1"})
    assert door.act("switch_channel", channel, by=None, payload={"is_on": True}).is_on


def test_the_address_of_a_robot_is_the_platforms(channel_of):
    channel = channel_of("WECOM")
    assert "qyapi.weixin.qq.com" in setup.fault(channel, {"url": "https://evil.example/send"})
    right = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1"
    assert setup.fault(channel, {"url": right}) == ""


def test_the_state_of_a_channel_says_whether_it_keeps_up(hooked, other, say):
    now = timezone.now()
    say(topic="ALERT", at=now)
    (found,) = state.channel_state(now)
    assert (found.is_well, found.waiting, found.sentence) == (True, 1, "正常，待发 1 条")
    other.answer(500, b"down")
    outbox.run(now)
    (found,) = state.channel_state(now + timedelta(hours=1))
    assert not found.is_well
    assert "HTTP 500" in found.sentence
    outbox.run(now + timedelta(hours=1))
    (found,) = state.channel_state(now + timedelta(hours=1))
    assert (found.is_well, found.delivered) == (True, 1)


def test_a_test_shows_the_exact_answer(robot_of, company, other):
    robot = robot_of("WECOM", url=f"{other.base}/cgi-bin/webhook/send?key=wrong")
    answer = setup.test(robot, company.li, NOON)
    assert answer.outcome == "LATER"
    assert "93000" in answer.text
    sealing.keep(robot, {"url": f"{other.base}/cgi-bin/webhook/send?key=693a91f6-7xxx"})
    assert setup.test(robot, company.li, NOON).outcome == "DELIVERED"


def test_nothing_but_posting_writes_messages():
    """A message written elsewhere would reach no channel."""
    root = Path(fangyuan.__file__).parent
    writes = re.compile(r"Message\.(_base_manager|objects)\.(bulk_)?create|create\(\s*Message\b")
    found = [
        path.name
        for path in root.rglob("*.py")
        if "tests" not in path.parts and writes.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["posting.py"]


def test_a_claim_takes_no_more_than_it_may_however_it_is_planned(robot_of, say):
    """A nested loop would run an inner LIMIT again for every row, past the rows it took."""
    channel = robot_of("LARK")
    for number in range(60):
        say(f"第 {number} 条", topic="ALERT")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute("SET LOCAL enable_hashagg = off; SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_material = off; SET LOCAL enable_memoize = off")
    assert len(outbox.claim(channel, timezone.now())) == 20
