"""Everybody at one request at once: agree, refuse, withdraw, hand over, edit (T12, T13, T16).

`FY_COLLISIONS=10000` makes as many attempts; the suite makes a few hundred.
"""

import os
from collections import Counter

import pytest
from django.db import connection
from django.test import Client

from fangyuan import door
from fangyuan.core.models import Event
from fangyuan.customers.models import Customer
from fangyuan.engine.models import Decision, Request
from tests.door.test_approvals import chain
from tests.door.test_door import REGRADE
from tests.door.test_races import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)
ATTEMPTS = int(os.environ.get("FY_COLLISIONS", "160"))
FINAL = ("AGREE", "REFUSE", "WITHDRAW", "VOID")
STATES = dict(zip(FINAL, ("AGREED", "REFUSED", "WITHDRAWN", "VOID"), strict=True))


def ask(company):
    return door.act("regrade", company.customer, by=company.li, payload=REGRADE).request


def edit(company):
    """Change what is asked about, as the one verb that does not ask."""
    with door.acting(by=None, action="edit") as deed:
        deed.free.add("grade")
        deed.change(Customer._base_manager.get(pk=company.customer.pk), grade="B")


def attempts(company, request):
    """Eight attempts that exclude each other."""
    return [
        lambda: door.decide(request, "AGREE", by=company.wang),
        lambda: door.decide(request, "REFUSE", by=company.wang, comment="依据不足"),
        lambda: door.withdraw(request, by=company.li),
        lambda: edit(company),
        lambda: door.decide(request, "AGREE", by=company.wang),
        lambda: door.withdraw(request, by=company.li),
        lambda: door.decide(request, "REFUSE", by=company.boss, comment="依据不足"),
        lambda: door.decide(request, "AGREE", by=company.boss),
    ]


def test_colliding_attempts_leave_one_state_one_effect_and_one_row(company):
    """B3, T12: approve, refuse, withdraw and edit, all at once, round after round."""
    chain("ka_manager", "sales_director", mode="any")
    seen = Counter()
    for number in range(ATTEMPTS // 8):
        start = Event.objects.everything("t").order_by("-id").values_list("id", flat=True)[0]
        request = ask(company)
        # Each round another attempt starts first, so that every outcome has its turn.
        jobs = attempts(company, request)
        outcomes = all_at_once(jobs[number % 8 :] + jobs[: number % 8])
        bad = [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, door.Denied)]
        assert not bad, bad
        request.refresh_from_db()
        rows = Decision._base_manager.filter(request=request)
        [verdict] = rows.filter(verdict__in=FINAL).values_list("verdict", flat=True)
        assert (rows.count(), request.state) == (1, STATES[verdict])
        events = Event.objects.everything("t").filter(id__gt=start)
        ends = events.filter(record="request", record_id=request.pk, op="U")
        assert ends.count() == 1
        effects = events.filter(record="customer", action__in=("agree",)).count()
        assert effects == (request.state == "AGREED")
        seen[request.state] += 1
        reset(company)
    assert sum(seen.values()) == ATTEMPTS // 8


def reset(company):
    """The customer as it was before the round."""
    with door.acting(by=None, action="reset") as deed:
        deed.free.add("grade")
        now = Customer._base_manager.get(pk=company.customer.pk)
        deed.change(now, grade="D", grade_basis="", graded_at=None)


def test_what_was_edited_meanwhile_is_not_agreed_to(company):
    """T13: opened, edited by the applicant, pressed: 409 in words, and the edit is on record."""
    chain("ka_manager")
    request = ask(company)
    browser = Client()
    browser.force_login(company.wang)
    assert browser.get(f"/approvals/{request.pk}").status_code == 200
    edit(company)
    answer = browser.post(f"/approvals/{request.pk}/decide", {"verdict": "AGREE"})
    assert answer.status_code == 409
    assert "内容已变" in answer.content.decode()
    assert Decision._base_manager.get().verdict == "VOID"
    assert Customer._base_manager.get(pk=company.customer.pk).grade == "B"


def test_what_was_edited_past_the_door_is_not_agreed_to_either(company):
    """The fingerprint is compared again when the word is given."""
    chain("ka_manager")
    request = ask(company)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customer DISABLE TRIGGER USER")
        Customer._base_manager.filter(pk=company.customer.pk).update(grade_basis="改过")
        cursor.execute("ALTER TABLE customers_customer ENABLE TRIGGER USER")
    assert door.decide(request, "AGREE", by=company.wang).state == Request.State.VOID
    assert Customer._base_manager.get(pk=company.customer.pk).grade == "D"


def test_a_press_repeated_a_hundred_times_has_one_effect(company):
    """T16: the same form again and again, from many windows; afterwards the old link is dead."""
    chain("ka_manager")
    request = ask(company)
    url = f"/approvals/{request.pk}/decide"

    def press():
        browser = Client()
        browser.force_login(company.wang)
        return [browser.post(url, {"verdict": "AGREE"}).status_code for _ in range(10)]

    outcomes = all_at_once([press] * 10)
    assert {status for told in outcomes for status in told} == {302}
    assert Decision._base_manager.count() == 1
    effects = Event.objects.everything("t").filter(record="customer", action="agree")
    assert effects.count() == 1
    browser = Client()
    browser.force_login(company.wang)
    page = browser.get(f"/approvals/{request.pk}").content.decode()
    assert 'value="AGREE"' not in page
