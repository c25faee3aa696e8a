"""What the tests of meetings and tasks share: a meeting of the team, and browsers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fangyuan import door
from fangyuan.activities import meeting_actions
from fangyuan.activities.models import Meeting


@pytest.fixture
def meeting_of(company):
    """Make a meeting of 王总's team with 小李 asked, begun `ago` minutes ago."""

    def make(ago=30, **values):
        basic = {
            "title": "周会",
            "kinds": ["WEEKLY", "REGULAR"],
            "team": company.ka,
            "host": company.wang,
            "starts_at": timezone.now() - timedelta(minutes=ago),
        }
        with door.acting(by=company.wang, action="test") as deed:
            made = deed.create(Meeting, {**basic, **values})
            meeting_actions.ask(deed, made, [company.wang.pk, company.li.pk])
        return made

    return make
