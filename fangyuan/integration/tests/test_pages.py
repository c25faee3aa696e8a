"""The pages: messages, wishes, channels and proofs; who may, what is shown, what is kept."""

from __future__ import annotations

from datetime import time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import hire
from fangyuan import door
from fangyuan.integration import outbox, sealing
from fangyuan.integration.models import Channel, Dispatch, Preference, Sealed
from fangyuan.integration.tests import protocol
from fangyuan.org.models import Message

MOST_QUERIES = 15


def browser(person):
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def auditor(company):
    """Somebody of the audit department."""
    with door.acting(by=None, action="test") as deed:
        return hire(deed, "shen", "沈审", "audit_dept", company.root)


def test_the_list_shows_the_unread_and_opening_one_leads_to_its_matter(company, say):
    message, client = say(topic="DUE"), browser(company.li)
    say("说给别人的", person=company.wang)
    shown = client.get("/messages").content.decode()
    assert message.title in shown
    assert "说给别人的" not in shown
    message.refresh_from_db()
    assert message.seen_at is None, "being listed is not being read"
    answer = client.get(f"/messages/{message.pk}")
    assert answer.url == f"/customer/{company.customer.pk}"
    message.refresh_from_db()
    first = message.seen_at
    client.get(f"/messages/{message.pk}")
    message.refresh_from_db()
    assert message.seen_at == first is not None
    assert message.title not in client.get("/messages").content.decode()
    assert message.title in client.get("/messages?tab=all").content.decode()


def test_all_of_a_topic_are_marked_read_at_once(company, say):
    due, alert, client = say(topic="DUE"), say(topic="ALERT"), browser(company.li)
    client.post("/messages/read", {"topic": "DUE"})
    for one in (due, alert):
        one.refresh_from_db()
    assert due.seen_at is not None
    assert alert.seen_at is None
    client.post("/messages/read")
    alert.refresh_from_db()
    assert alert.seen_at is not None


def test_nobody_opens_or_proves_what_was_told_to_somebody_else(company, say, auditor):
    message = say()
    for path in (f"/messages/{message.pk}", f"/message/{message.pk}/paper"):
        assert browser(company.zhao).get(path).status_code == 404
        assert browser(auditor).get(path).status_code == 200
    message.refresh_from_db()
    assert message.seen_at is None, "an auditor's look is not the recipient's"


def test_coming_by_the_link_of_a_mail_proves_that_it_arrived(
    channel_of, post, company, say, wish, dispatch_of
):
    wish(person=None, quiet_from=None, quiet_until=None)
    channel_of(
        "MAIL", address="127.0.0.1", port=post.port, security="NONE", sender="fy@corp.example"
    )
    message = say()
    outbox.run(timezone.now())
    row = dispatch_of(message)
    assert row.state == "SENT"
    link = protocol.ADDRESS.search(post.letters[0].decode())[0]
    path = link.removeprefix("https://crm.example")
    assert browser(company.zhao).get(path).status_code == 404
    assert dispatch_of(message).state == "SENT"
    browser(company.li).get(path)
    row = dispatch_of(message)
    assert row.state == "DELIVERED"
    assert row.opened_at == row.delivered_at
    proof = browser(company.li).get(f"/message/{message.pk}/paper").content.decode()
    assert "点开链接" in proof
    assert "250 邮件服务器已接收" in proof


def test_a_digest_opens_on_what_it_gathered(channel_of, post, company, say, wish):
    wish(modes={"DUE": {"MAIL": "DAILY"}})
    channel_of(
        "MAIL", address="127.0.0.1", port=post.port, security="NONE", sender="fy@corp.example"
    )
    one = say(at=timezone.now() - timedelta(days=3))
    outbox.run(timezone.now())
    digest = Message._base_manager.get(kind="DIGEST")
    client = browser(company.li)
    assert one.title in client.get(f"/messages/{digest.pk}").content.decode()
    assert digest.title not in client.get("/messages?tab=all").content.decode()
    proof = client.get(f"/message/{one.pk}/paper").content.decode()
    assert "并入汇总" in proof


def test_wishes_are_kept_and_given_up_again(channel_of, company):
    channel_of("LARK")
    client = browser(company.li)
    assert "随公司（即时）" in client.get("/preferences").content.decode()
    given = {"DUE.LARK": "DAILY", "ALERT.LARK": "", "quiet_from": "22:00", "quiet_until": "07:30"}
    client.post("/preferences", given)
    kept = Preference._base_manager.get()
    assert kept.modes == {"DUE": {"LARK": "DAILY"}}
    assert (kept.person, kept.quiet_from, kept.quiet_until) == (company.li, time(22), time(7, 30))
    client.post("/preferences/follow")
    assert Preference._base_manager.get().removed_at is not None
    client.post("/preferences", {"DUE.LARK": "OFF"})
    kept = Preference._base_manager.get()
    assert (kept.removed_at, kept.modes) == (None, {"DUE": {"LARK": "OFF"}})


@pytest.mark.parametrize(
    "given", [{"quiet_from": "22:00"}, {"quiet_from": "x", "quiet_until": "y"}]
)
def test_half_a_quiet_time_is_refused_in_words(company, given):
    shown = browser(company.li).post("/preferences", given).content.decode()
    assert "起止都要填" in shown
    assert not Preference._base_manager.exists()


def test_a_locked_topic_offers_no_choice(channel_of, company, wish):
    channel_of("LARK")
    wish(person=None, locked=["APPROVAL"])
    shown = browser(company.li).get("/preferences").content.decode()
    assert 'name="APPROVAL.LARK"' not in shown
    assert 'name="ESCALATION.LARK"' in shown


def test_the_companys_default_is_set_by_administrators_only(channel_of, company, boss_is_admin):
    channel_of("LARK")
    given = {"DUE.LARK": "WEEKLY", "locked": ["ALERT"], "urgent": ["ALERT"], "rests": "on"}
    assert browser(company.li).post("/preferences/company", given).status_code == 403
    assert not Preference._base_manager.exists()
    assert browser(boss_is_admin).post("/preferences/company", given).status_code == 302
    kept = Preference._base_manager.get()
    assert (kept.person_id, kept.locked, kept.urgent, kept.rests) == (
        None,
        ["ALERT"],
        ["ALERT"],
        True,
    )
    assert "随公司（每周汇总）" in browser(company.li).get("/preferences").content.decode()


def test_nobody_takes_another_ones_wishes_by_the_api(company, wish):
    own = wish(quiet_from=None, quiet_until=None)
    answer = browser(company.li).patch(
        f"/api/preference/{own.pk}", {"person": None}, content_type="application/json"
    )
    assert answer.status_code >= 400
    with pytest.raises(door.Denied), door.acting(by=company.li, action="test") as deed:
        deed.change(own, person=None)
    own.refresh_from_db()
    assert own.person == company.li


PAGES = ["/channels", "/channels/new?kind=LARK", "/channels/1"]
POSTS = ["/channels/1/switch", "/channels/1/test", "/channels/1/renew", "/channels/1/remove"]


def test_channels_are_the_administrators_and_auditors_only_look(company, auditor, robot_of):
    channel = robot_of("LARK")
    pages = [path.replace("/1", f"/{channel.pk}") for path in PAGES]
    posts = [path.replace("/1/", f"/{channel.pk}/") for path in POSTS]
    clients = {"li": browser(company.li), "audit": browser(auditor)}
    assert [clients["li"].get(path).status_code for path in pages] == [403, 403, 403]
    assert [clients["audit"].get(path).status_code for path in pages] == [200, 403, 200]
    for client in clients.values():
        assert [client.post(path).status_code for path in posts] == [403] * len(posts)
    assert clients["audit"].post(f"/channels/{channel.pk}", {"name": "x"}).status_code == 403
    channel.refresh_from_db()
    assert (channel.is_on, channel.removed_at, channel.name) == (True, None, "LARK")


def test_a_channel_is_set_up_tried_and_switched_on_and_shows_no_secret(
    boss_is_admin, other, company
):
    client = browser(boss_is_admin)
    url = f"{other.base}/robot/send?access_token={protocol.DING_TOKEN}"
    given = {"kind": "DINGTALK", "name": "华东群", "topics": ["DUE"]}
    refused = client.post("/channels/new", {**given, "secret_url": "https://evil.example/x"})
    assert "应以 https://oapi.dingtalk.com/ 开头" in refused.content.decode()
    secret = {"secret_url": url, "secret_secret": protocol.DING_SECRET}
    answer = client.post("/channels/new", {**given, **secret})
    channel = Channel._base_manager.get()
    assert (answer.url, channel.is_on) == (f"/channels/{channel.pk}", False)
    shown = client.get(answer.url).content.decode()
    shown += client.post(f"/channels/{channel.pk}/test").content.decode()
    assert "errcode" in shown
    assert "已送达" in shown
    assert protocol.DING_TOKEN not in shown
    assert protocol.DING_SECRET not in shown
    client.post(f"/channels/{channel.pk}", {**given, "name": "华东大区群", "topics": ["ALERT"]})
    channel.refresh_from_db()
    assert (channel.name, channel.topics) == ("华东大区群", ["ALERT"])
    assert sealing.read(channel)["secret"] == protocol.DING_SECRET, "left empty, it stays"
    client.post(f"/channels/{channel.pk}/switch", {"is_on": "1"})
    channel.refresh_from_db()
    assert channel.is_on


def test_the_secret_of_a_webhook_is_made_and_shown_once(boss_is_admin, other):
    client = browser(boss_is_admin)
    given = {"kind": "WEBHOOK", "name": "中台", "topics": ["DUE"], "address": f"{other.base}/hook"}
    shown = client.post("/channels/new", given).content.decode()
    channel = Channel._base_manager.get()
    secret = sealing.read(channel)["secret"]
    assert secret in shown
    assert secret not in client.get(f"/channels/{channel.pk}").content.decode()
    again = client.post(f"/channels/{channel.pk}/renew").content.decode()
    assert sealing.read(channel)["secret"] != secret
    assert sealing.read(channel)["secret"] in again
    refused = client.post(
        "/channels/new", {**given, "name": "内网", "address": "https://10.0.0.8/"}
    )
    assert "指向内网或本机" in refused.content.decode()
    assert Channel._base_manager.count() == 1


def test_a_removed_channel_keeps_its_evidence(boss_is_admin, robot_of, say):
    channel = robot_of("LARK")
    say()
    browser(boss_is_admin).post(f"/channels/{channel.pk}/remove")
    channel.refresh_from_db()
    assert channel.removed_at is not None
    assert Dispatch._base_manager.count() == 1
    assert outbox.run(timezone.now() + timedelta(days=1)) == 0
    assert Sealed.objects.exists()


def test_the_pages_take_few_queries(boss_is_admin, robot_of, say):
    channel = robot_of("LARK")
    message = [say(f"第 {number} 条", person=boss_is_admin) for number in range(6)][0]
    outbox.run(timezone.now() + timedelta(days=1))
    client, many = browser(boss_is_admin), {}
    paths = ["/messages", "/messages?tab=all", "/preferences", "/preferences/company", "/channels"]
    for path in (*paths, f"/channels/{channel.pk}", f"/message/{message.pk}/paper"):
        client.get(path)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(path).status_code == 200, path
        if len(caught) > MOST_QUERIES:
            many[path] = len(caught)
    assert many == {}


def test_the_command_says_how_channels_do_and_tries_one(robot_of, other, company, say):
    robot_of("WECOM")
    said = StringIO()
    call_command("channels", stdout=said)
    assert said.getvalue() == "WECOM（企业微信）：正常\n"
    call_command("channels", test="WECOM", to="li", stdout=said)
    assert "ok" in said.getvalue()
    other.answer(200, {"errcode": 93000, "errmsg": "invalid webhook url"})
    with pytest.raises(CommandError, match="93000"):
        call_command("channels", test="WECOM", to="li")
