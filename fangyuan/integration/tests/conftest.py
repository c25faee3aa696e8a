"""Channels that lead to the recorded other side, and messages to send by them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from conftest import local
from fangyuan import door
from fangyuan.core import events
from fangyuan.integration import models, sealing
from fangyuan.integration.tests import protocol
from fangyuan.org import posting
from fangyuan.org.models import Message

NOON = local("2026-11-25 12:00")  # a Wednesday


@pytest.fixture
def other(settings):
    """The platforms: the port they listen on and what they saw."""
    with protocol.platforms() as (port, platform):
        settings.PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        settings.SITE_URL = "https://crm.example"
        platform.base = f"http://127.0.0.1:{port}"
        yield platform


@pytest.fixture
def post(settings):
    """The mail server and its letters."""
    with protocol.post_office() as (port, office):
        settings.PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        settings.SITE_URL = "https://crm.example"
        office.port = port
        yield office


@pytest.fixture
def channel_of(company):
    """Set up a channel: `channel_of("WECOM", url=…, is_full=False)`."""

    def make(kind, *, url="", secret="", password="", **values):
        with door.acting(by=None, action="test") as deed:
            deed.free |= {"is_on"}
            topics = [code for code, _ in models.TOPICS]
            basic = {"name": kind, "kind": kind, "is_on": True, "topics": topics}
            made = deed.create(models.Channel, {**basic, **values})
            deed.change(company.li, email="li@corp.example", phone="13800138001")
        sealing.keep(made, {"url": url, "secret": secret, "password": password})
        return made

    return make


@pytest.fixture
def robot_of(channel_of, other):
    """Set up one of the three robots with its right address and secret."""
    paths = {
        "WECOM": f"/cgi-bin/webhook/send?key={protocol.WECOM_KEY}",
        "DINGTALK": f"/robot/send?access_token={protocol.DING_TOKEN}",
        "LARK": f"/open-apis/bot/v2/hook/{protocol.LARK_TOKEN}",
    }
    secrets = {"WECOM": "", "DINGTALK": protocol.DING_SECRET, "LARK": protocol.LARK_SECRET}

    def make(kind, **values):
        values = {"url": other.base + paths[kind], "secret": secrets[kind], **values}
        return channel_of(kind, **values)

    return make


@pytest.fixture
def hooked(channel_of, other):
    """A webhook that leads to the recorded receiver."""
    return channel_of("WEBHOOK", address=f"{other.base}/hook", secret=protocol.HOOK_SECRET)


@pytest.fixture
def say(company):
    """Send one message: `say("快到期：回访", topic="DUE", at=NOON)`."""
    count = iter(range(1000))

    def send(title="快到期：回访华清电子", *, at=None, person=None, topic="DUE", **values):
        with connection.cursor() as cursor:
            events.announce(cursor, actor=0, action="test", reason="", channel="JOB")
        person = person or company.li
        basic = {"kind": "REMIND", "topic": topic, "text": "KA-3.3.2 要求今天完成"}
        basic |= {"subject_type": "customer", "subject_id": company.customer.pk}
        key = f"test:{next(count)}"
        message = Message(
            person=person, title=title, sent_at=at or timezone.now(), step_key=key,
            **{**basic, **values},
        )  # fmt: skip
        return posting.post([message])[0]

    return send


@pytest.fixture
def dispatch_of():
    """The one dispatch of a message."""
    return lambda message: models.Dispatch._base_manager.get(message=message)


@pytest.fixture
def wish(company):
    """What 小李 (or the company) wants: `wish(modes={"DUE": {"MAIL": "DAILY"}})`."""

    def keep(person="li", **values):
        whose = getattr(company, person) if person else None
        with door.acting(by=None, action="test") as deed:
            return deed.create(models.Preference, {"person": whose, **values})

    return keep


@pytest.fixture
def boss_is_admin(company):
    """许总 as the administrator of the system."""
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="test", reason="", channel="JOB")
    type(company.boss)._base_manager.filter(pk=company.boss.pk).update(is_admin=True)
    company.boss.is_admin = True
    return company.boss
