"""Whatever a caller sends, the API answers: never a 5xx, never a page of HTML."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings

from fangyuan import door
from fangyuan.access import tokens
from fangyuan.desk.api.urls import api

SCHEMA = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/"))
DEEP = "[" * 100_000


class _Back(Exception):
    """Ends one example without keeping anything."""


@pytest.fixture
def send(company):
    """Send one request as the administrator and take back what it did; gives the response."""
    with door.acting(by=None, action="test"):
        type(company.boss)._base_manager.filter(pk=company.boss.pk).update(is_admin=True)
        token = tokens.issue(company.boss, name="测试", expires_at=None)
    browser = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})

    def sent(method: str, path: str, body: str = "") -> Any:
        try:
            with transaction.atomic():
                response = browser.generic(method, path, body, content_type="application/json")
                raise _Back
        except _Back:
            return response

    return sent


@pytest.mark.slow
def test_no_request_makes_the_api_fail(send, company):
    failed: list[Any] = []

    @settings(
        max_examples=300, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=SCHEMA.as_strategy())
    def ask(case: Any) -> None:
        if isinstance(case.path_parameters.get("number"), int):
            case.path_parameters["number"] = company.customer.pk  # there is one to be found
        asked = case.as_transport_kwargs(base_url="http://testserver")
        path = urlsplit(asked["url"]).path
        if asked.get("params"):
            path += "?" + urlencode(asked["params"], doseq=True)
        body = json.dumps(asked["json"]) if "json" in asked else ""
        response = send(asked["method"], path, body)
        if response.status_code >= 500 or "html" in response.get("Content-Type", ""):
            failed.append((asked["method"], path, body, response.status_code))

    ask()
    assert failed == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/customer/", DEEP),
        ("POST", "/api/customer/", '{"name": ' + DEEP),
        ("POST", "/api/customer/", "\\x00"),
        ("PATCH", "/api/customer/99999999999999999999", "{}"),
        ("GET", "/api/customer/?after=" + "A" * 3000, ""),
        ("GET", "/api/customer/?after=WyJpZCIsbnVsbCwxZTQwMF0", ""),
        ("GET", "/api/customer/?expected_spend=1e999999..", ""),
        ("GET", "/api/customer/?learned_at=0001-01-01..9999-12-31", ""),
        ("GET", "/api/customer/?parent=99999999999999999999999", ""),
        ("GET", "/api/customer/?q=" + "%25" * 199, ""),
        ("GET", "/api/nothing/", ""),
    ],
)
def test_hostile_requests_are_refused(send, method, path, body):
    assert send(method, path, body).status_code in (200, 400, 404, 422)
