"""Who may read what of a negotiation: every group of people by every field kept from others."""

from __future__ import annotations

import pytest

from conftest import hire
from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.contracts.models import Negotiation, Point

SECRETS = ("walk_away", "strategy", "mandate", "mandate_rate")
# Group of people -> what is kept from it although it may read the negotiation.
READERS = {"rep": set(), "lead": set(), "head": set(), "legal": set(), "finance": {"walk_away"}}


def test_floor_and_mandate_are_for_those_entitled(offer):
    company, quote = offer
    values = {"opportunity": quote.opportunity, "goal": "年内签", "walk_away": "七十万"}
    talks = door.create(Negotiation, values, by=company.li)
    with door.acting(by=None, action="test") as deed:
        anyone = hire(deed, "anyone", "任何人", "sales_rep", company.east)
    shown = {}
    for group in sorted({*table.table().groups, "*"}):
        anyone._sight = table.Sight(anyone.pk, frozenset({group, "*"}), is_admin=False)
        if table.may(anyone, "negotiation", "r"):
            shown[group] = scopes.veil(anyone, [talks])[talks.pk] & set(SECRETS)
    assert shown == READERS


def test_a_rep_grants_no_mandate_and_ends_no_talks_beyond_it(offer):
    company, quote = offer
    talks = door.create(Negotiation, {"opportunity": quote.opportunity}, by=company.li)
    told = {"mandate_rate": 3}
    with pytest.raises(door.Denied):
        door.act("grant_mandate", talks, by=company.li, payload=told)
    door.act("grant_mandate", talks, by=company.wang, payload=told)
    assert Negotiation._base_manager.get(pk=talks.pk).mandate_rate == 3
    door.act("start_negotiation", Negotiation._base_manager.get(pk=talks.pk), by=company.li)
    said = {"opportunity": quote.opportunity, "negotiation": talks, "kind": "TOPIC", "text": "价格"}
    door.create(Point, {**said, "raised_at": company.since, "concession": 4}, by=company.li)
    with pytest.raises(door.Refused, match="超出授权"):
        door.act("end_negotiation", Negotiation._base_manager.get(pk=talks.pk), by=company.li)
