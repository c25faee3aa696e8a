"""Each way of sending against the recorded other side: signatures, answers, limits, errors."""

from __future__ import annotations

import email
import json
import logging
from datetime import timedelta
from email.policy import default as policy

import pytest
from django.utils import timezone

from fangyuan.integration import outbox
from fangyuan.integration.models import Attempt, Dispatch
from fangyuan.integration.tests import protocol
from fangyuan.org.models import Message

ROBOTS = ["WECOM", "DINGTALK", "LARK"]
AWAKE = {"quiet_from": None, "quiet_until": None}


@pytest.fixture(autouse=True)
def awake(wish):
    """Nobody sleeps here, whatever the clock of the test machine says."""
    wish(person=None, **AWAKE)


def test_a_webhook_is_signed_and_carries_the_message(hooked, other, say, dispatch_of):
    message = say()
    assert outbox.run(timezone.now()) == 1
    row = dispatch_of(message)
    assert (row.state, row.attempts) == ("DELIVERED", 1)
    assert row.answer.startswith("HTTP 202")
    _, headers, body = other.got[0]
    said = json.loads(body)
    assert said["title"] == message.title
    assert said["url"] == f"https://crm.example/messages/{message.pk}?via={row.token}"
    assert headers["Fy-Delivery"] == said["id"] == str(row.token)


def test_a_wrong_secret_is_found_by_the_receiver_and_waits_for_the_admin(
    channel_of, other, say, dispatch_of
):
    channel_of("WEBHOOK", address=f"{other.base}/hook", secret="fysec_other")
    row = (message := say()) and outbox.run(timezone.now()) or dispatch_of(message)
    assert row.state == "QUEUED"
    assert "HTTP 401" in row.answer
    assert row.next_at > timezone.now() + timedelta(minutes=20)


@pytest.mark.parametrize(
    ("status", "state"), [(400, "FAILED"), (422, "FAILED"), (500, "QUEUED"), (429, "QUEUED")]
)
def test_what_may_pass_is_tried_again_and_what_is_refused_is_not(
    hooked, other, say, dispatch_of, status, state
):
    other.answer(status, {"error": "x"})
    message = say()
    outbox.run(timezone.now())
    assert dispatch_of(message).state == state


def test_a_retried_webhook_keeps_its_token(hooked, other, say, dispatch_of):
    other.answer(503, b"busy", Retry_After="2")
    message = say()
    outbox.run(now := timezone.now())
    assert timedelta(seconds=1) < dispatch_of(message).next_at - now < timedelta(seconds=3)
    outbox.run(now + timedelta(seconds=5))
    tokens = [headers["Fy-Delivery"] for _, headers, _ in other.got]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
    outcomes = Attempt._base_manager.values_list("outcome", flat=True)
    assert list(outcomes) == ["LATER", "DELIVERED"]


def test_a_redirect_is_never_followed(hooked, other, say, dispatch_of):
    other.answer(302, b"", Location=f"{other.base}/elsewhere")
    message = say()
    outbox.run(timezone.now())
    assert len(other.got) == 1
    assert "不跟随" in dispatch_of(message).answer


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_robot_speaks_the_protocol_of_its_platform(robot_of, other, say, dispatch_of, kind):
    robot_of(kind)
    message = say()
    outbox.run(timezone.now())
    row = dispatch_of(message)
    assert row.state == "DELIVERED", row.answer
    said = json.loads(other.got[0][2])
    text = said["content"]["text"] if kind == "LARK" else said["text"]["content"]
    assert message.title in text
    assert "小李" in text
    named = {"WECOM": said.get("text", {}).get("mentioned_mobile_list"), "LARK": ["13800138001"]}
    named["DINGTALK"] = said.get("at", {}).get("atMobiles")
    assert named[kind] == ["13800138001"]


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("WECOM", {"url": "/cgi-bin/webhook/send?key=wrong"}, "93000"),
        ("DINGTALK", {"secret": "SECother"}, "310000"),
        ("DINGTALK", {"url": "/robot/send?access_token=wrong"}, "300001"),
        ("LARK", {"secret": "other"}, "19021"),
        ("LARK", {"url": "/open-apis/bot/v2/hook/wrong"}, "19001"),
    ],
)
def test_wrong_settings_wait_and_the_admin_is_told_once(
    robot_of, other, say, boss_is_admin, dispatch_of, kind, change, code
):
    if "url" in change:
        change = {"url": other.base + change["url"]}
    robot_of(kind, **change)
    first, second = say(), say("第二条")
    # Not shortly before midnight: once is once a day.
    now = (timezone.localtime() + timedelta(days=1)).replace(hour=12)
    outbox.run(now)
    row = dispatch_of(first)
    assert row.state == "QUEUED"
    assert code in row.answer
    assert len(other.got) == 1, "the second is not even tried"
    assert dispatch_of(second).attempts == 0
    outbox.run(now + timedelta(hours=1))
    told = Message._base_manager.filter(topic="SYSTEM")
    assert told.count() == 1
    assert told.get().person == boss_is_admin
    assert code in told.get().text


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_robot_is_given_twenty_messages_a_minute(robot_of, other, say, kind):
    robot_of(kind)
    for number in range(25):
        say(f"第 {number} 条")
    now = timezone.now()
    assert outbox.run(now) == 20
    assert outbox.run(now + timedelta(seconds=30)) == 0
    other.minute.clear()
    assert outbox.run(now + timedelta(seconds=61)) == 5
    assert Dispatch._base_manager.filter(state="DELIVERED").count() == 25


@pytest.mark.parametrize(("kind", "minutes"), [("WECOM", 1), ("DINGTALK", 10), ("LARK", 1)])
def test_a_platform_that_is_busy_holds_the_whole_robot(robot_of, other, say, kind, minutes):
    robot_of(kind)
    other.limit = 2
    for number in range(5):
        say(f"第 {number} 条")
    now = timezone.now()
    assert outbox.run(now) == 2
    assert len(other.got) == 3
    waiting = Dispatch._base_manager.filter(state="QUEUED")
    assert waiting.count() == 3
    assert not waiting.filter(next_at__lt=now + timedelta(minutes=minutes)).exists()


def test_a_robot_may_be_told_to_say_no_more_than_that_there_is_something(
    robot_of, other, say, company
):
    robot_of("LARK", is_full=False)
    say("快到期：华清电子的回访")
    outbox.run(timezone.now())
    text = json.loads(other.got[0][2])["content"]["text"]
    assert "华清" not in text
    assert "义务到期" in text


def test_a_name_cannot_call_the_whole_group(robot_of, other, say):
    robot_of("LARK")
    say('快到期：<at user_id="all">所有人</at>')
    outbox.run(timezone.now())
    assert b"<at" not in other.got[0][2]


def test_a_long_text_is_cut_where_the_platform_wants_it(robot_of, other, say, dispatch_of):
    robot_of("WECOM")
    message = say(text="长" * 3000)
    outbox.run(timezone.now())
    assert dispatch_of(message).state == "DELIVERED"


@pytest.fixture
def mailing(channel_of, post):
    """A mail channel to the mail server of this test."""
    return channel_of(
        "MAIL", address="127.0.0.1", port=post.port, security="NONE", login="robot",
        password="geheim", sender="fangyuan@corp.example",
    )  # fmt: skip


def test_a_mail_has_a_readable_subject_and_the_same_identity_over_all_tries(
    mailing, post, say, dispatch_of
):
    post.scripted["END"] = "451 4.3.0 try again"
    message = say("快到期：回访\r\nBcc: evil@example.com")
    now = timezone.now()
    outbox.run(now)
    assert dispatch_of(message).state == "QUEUED"
    outbox.run(now + timedelta(minutes=5))
    row = dispatch_of(message)
    assert row.state == "SENT", "a server that takes a mail does not deliver it yet"
    assert row.delivered_at is None
    letters = [email.message_from_bytes(one, policy=policy) for one in post.letters]
    assert letters[0]["Subject"] == "快到期：回访 Bcc: evil@example.com"
    assert letters[0]["Bcc"] is None
    assert {one["Message-ID"] for one in letters} == {f"<{row.token}@corp.example>"}
    assert f"https://crm.example/messages/{message.pk}?via={row.token}" in letters[0].get_content()


def test_a_refused_address_is_given_up_and_the_rest_goes_on(mailing, post, say, dispatch_of):
    post.scripted["RCPT"] = "550 5.1.1 no such user"
    first, second = say("一"), say("二")
    outbox.run(timezone.now())
    assert dispatch_of(first).state == "FAILED"
    assert "550" in dispatch_of(first).answer
    assert dispatch_of(second).state == "SENT"


def test_a_wrong_password_waits_and_appears_nowhere(channel_of, post, say, dispatch_of, caplog):
    caplog.set_level(logging.DEBUG)
    channel_of(
        "MAIL", address="127.0.0.1", port=post.port, security="NONE", login="robot",
        password="falsch-geheim", sender="fangyuan@corp.example",
    )  # fmt: skip
    message = say()
    outbox.run(timezone.now())
    row = dispatch_of(message)
    assert row.state == "QUEUED"
    assert "535" in row.answer
    assert "falsch" not in caplog.text + row.answer


def test_somebody_without_an_address_is_not_written_to(mailing, say, company, dispatch_of):
    message = say(person=company.zhao)
    row = dispatch_of(message)
    assert (row.state, row.answer) == ("DROPPED", "没有填写邮箱")


def test_secrets_that_the_other_side_repeats_are_struck_out(robot_of, other, say, dispatch_of):
    robot_of("DINGTALK")
    other.answer(200, {"errcode": 310000, "errmsg": f"bad {protocol.DING_SECRET}"})
    message = say()
    outbox.run(timezone.now())
    assert protocol.DING_SECRET not in dispatch_of(message).answer
