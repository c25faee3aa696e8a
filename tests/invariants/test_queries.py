"""No page takes more than fifteen queries, signing in, rights and shell included."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from fangyuan.desk import declare
from tests.invariants.rows import Rows

MOST = 15
UNSHELLED = {"login", "logout", "healthz", "sw.js", "offline", "api/openapi.json"}


def _addresses(rows: dict) -> list[str]:
    """Every page of the site without a parameter, and the faces of one row of every type."""
    found = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    plain = [f"/{path}" for path in found if "<" not in path and path not in UNSHELLED]
    faces = [
        f"/{desk.name}/{face}"
        for desk in declare.desks()
        for face in ("", "new", str(rows[desk.name].pk), f"{rows[desk.name].pk}/edit")
    ]
    boards = [f"/{desk.name}/board" for desk in declare.desks() if desk.board]
    return [*plain, *faces, *boards]


@pytest.mark.parametrize("who", ["li", "boss", "admin"])
def test_no_page_takes_more_than_fifteen_queries(company, who):
    rows = Rows(company.li).every()
    person = company.boss if who == "admin" else getattr(company, who)
    type(person)._base_manager.filter(pk=person.pk).update(is_admin=who == "admin")
    client, many = Client(), {}
    client.force_login(person)
    for address in _addresses(rows):
        client.get(address)  # what a process learns once is no part of a page
        with CaptureQueriesContext(connection) as caught:
            status = client.get(address).status_code
        assert status < 500, address
        if status == 200 and len(caught) > MOST:
            many[address] = len(caught)
    assert many == {}
