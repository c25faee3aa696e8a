"""The workbench of who leads people: theirs before one's own, and nobody else's."""

from __future__ import annotations

import re

from django.utils import timezone

from fangyuan import door
from fangyuan.engine import sweep
from fangyuan.site import team_duties
from tests.door.test_door import demand

WEEKLY = {"event": "activity.ended_at", "via": "customer", "per": "week", "at_least": 1}


def test_a_superior_sees_where_the_duties_of_their_people_stand(company, client):
    rule = demand("T-1", "CADENCE", "customer")
    with door.acting(by=None, action="test") as deed:
        deed.change(rule, params=WEEKLY)
    now = timezone.now()
    sweep.sweep(now)
    found = {one.name: one for one in team_duties.members(company.wang, now)}
    assert "小李" in found and "王总" not in found
    missed = found["小李"].late
    assert missed >= 3  # four weeks lie in the span, the first may end before it
    client.force_login(company.wang)
    page = client.get("/").content.decode()
    assert "团队义务" in page
    row = page[page.index(f'data-row="/obligation/?person={company.li.pk}"') :]
    assert re.search(rf"state=BREACHED\">{missed}</a>", row[:900])
    assert "我的义务" in client.get("/?whose=mine").content.decode()


def test_who_leads_nobody_sees_their_own(company, rep):
    assert team_duties.members(company.li, timezone.now()) == []
    page = rep.get("/?whose=team").content.decode()
    assert "我的义务" in page and "团队义务" not in page
