"""回看: what a page shows of a past instant, to whom, what it refuses; against plain Python."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import local, own, term
from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.core.spans import day_of, midnight
from fangyuan.customers.models import Customer
from fangyuan.desk import looking_back
from fangyuan.engine import sweep
from fangyuan.engine.models import Clause, Obligation, Policy, Rule
from fangyuan.org.models import Holding
from fangyuan.site import cockpit, counted

MOST = 15
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
SUNDAY = date(2026, 6, 28)


class Story:
    """A company whose key accounts are visited weekly, swept week after week."""

    def __init__(self, company: Any) -> None:
        self.company = company
        weekly = {"per": "week", "event": "activity.ended_at", "via": "subject_customer"}
        weekly |= {"at_least": 1, "when": {"kind": "VISIT"}, "where": {"is_ka": True}}
        with door.acting(by=None, action="test") as deed:
            values = {"code": "test", "title": "试用制度", "version": "1", "stage": "PUBLISHED"}
            policy = deed.create(Policy, {**values, "starts_on": date(2010, 1, 1)})
            values = {"policy": policy, "number": "KA-9", "title": "周访", "text": "每周拜访一次。"}
            clause = deed.create(Clause, {**values, "area": "x", "kind": "x"})
            rule = {"clause": clause, "kind": "CADENCE", "record": "customer", "params": weekly}
            Rule(**rule, policy=policy, starts_at=local("2010-01-01 00:00")).save()
        self.customers = [self._customer(f"第{n}客户", n) for n in range(6)]
        self.stood: dict[date, list[Obligation]] = {}
        self.held: dict[datetime, list[Obligation]] = {}

    def _customer(self, name: str, number: int) -> Customer:
        since = local("2026-01-05 09:00")
        values = {"name": name, "source": term("source", "REFERRAL"), "learned_at": since}
        values |= {"address": "苏州", "is_ka": True, "ka_tier": "TIER1", "grade": "B"}
        entered = {"recorded_at": since, "imported_at": since, "key": f"c{number}"}
        with door.acting(by=None, action="test", history=True) as deed:
            made = Customer(**values, **entered)
            made.index()
            made.save()
            own(deed, made, [self.company.li, self.company.zhao][number % 2], since)
        return made

    def visit(self, customer: Customer, ended_at: datetime, known_at: datetime) -> None:
        """A visit that ended at an instant and was entered at a later one."""
        person = self.company.li
        values = {"customer": customer, "person": person, "kind": "VISIT", "planned_at": ended_at}
        values |= {"started_at": ended_at - timedelta(hours=1), "ended_at": ended_at}
        entered = {"recorded_at": known_at, "imported_at": known_at}
        with door.acting(by=None, action="test", history=True):
            Activity(**values, **entered, stage="DONE").save()

    def hand_over(self, customer: Customer, at: datetime) -> None:
        """Give a customer to the other of the two."""
        held = Holding._base_manager.get(
            subject_type="customer", subject_id=customer.pk, role="OWNER", ends_at=None
        )
        other = {self.company.li: self.company.zhao}.get(held.person, self.company.li)
        with door.acting(by=None, action="test") as deed:
            deed.change(held, ends_at=at)
            own(deed, customer, other, at)

    def sweep(self, at: datetime) -> None:
        """Sweep, and keep what the ledger holds then."""
        assert sweep.sweep(at, full=True).failed == {}
        rows = Obligation.objects.everything("test").select_related("person")
        self.held[at] = self.stood[day_of(at - TICK)] = list(rows)

    def duty(self, customer: Customer, week: date) -> Obligation:
        """The duty of one week."""
        return Obligation.objects.everything("test").get(  # type: ignore[no-any-return]
            subject_id=customer.pk, occurrence=f"week:{week}"
        )


@pytest.fixture
def story(company: Any) -> Story:
    """The company of the story, not swept yet."""
    return Story(company)


def lived(story: Story, weeks: int, seed: int) -> None:
    """Weeks in which some visits are made, some entered long after, and customers change hands."""
    pick = Random(seed)
    late: list[tuple[Customer, datetime]] = []
    for week in range(weeks):
        monday = midnight(SUNDAY + timedelta(weeks=week - weeks + 1) + DAY - 7 * DAY)
        story.sweep(monday + timedelta(hours=9))
        for customer in story.customers:
            ended = monday + timedelta(days=pick.randrange(5), hours=15)
            if pick.random() < 0.6:
                story.visit(customer, ended, ended + timedelta(hours=1))
            elif pick.random() < 0.6:
                late.append((customer, ended))
        if pick.random() < 0.3:
            story.hand_over(pick.choice(story.customers), monday + timedelta(days=2, hours=10))
        story.sweep(monday + timedelta(days=5, hours=7))  # and once more that day
        if late and pick.random() < 0.4:
            customer, ended = late.pop(pick.randrange(len(late)))
            story.visit(customer, ended, monday + timedelta(days=5, hours=8))
        story.sweep(monday + timedelta(days=5, hours=20))


def plainly(rows: list[Obligation], actor: Any, days: counted.Days) -> Counter[str]:
    """What the cockpit must say of rows, by plain counting."""
    found: Counter[str] = Counter()
    for row in rows:
        if actor is not None and row.person_id != actor.pk:
            continue
        due = day_of(row.due_at - TICK)
        is_due, is_spanned = due <= days.today, days.start <= due <= days.today
        found["met"] += is_spanned and row.state == "MET"
        found["due"] += is_spanned and row.state in ("MET", "LATE", "BREACHED")
        found["waived"] += is_spanned and row.state == "WAIVED"
        found["open"] += row.state == "OPEN"
        found["red"] += row.state == "BREACHED"
        found["today"] += due == days.today and row.state != "VOID"
        found["done"] += due == days.today and row.state in ("MET", "LATE", "WAIVED")
        found["pending"] += is_due and row.state == "OPEN"
        if is_due and due >= days.first_week:
            week = cockpit.monday(due)
            found[f"{week} met"] += row.state == "MET"
            found[f"{week} due"] += row.state in ("MET", "LATE", "BREACHED")
            found[f"{week} red"] += row.state == "BREACHED"
    return +found


def told(actor: Any, days: counted.Days) -> Counter[str]:
    """What the cockpit says."""
    found: Counter[str] = Counter()
    for count in counted.counts(actor, days):
        found.update(count.sums)
        if count.week >= days.first_week:
            named = zip(("met", "due", "red"), count.weekly, strict=True)
            found.update({f"{count.week} {name}": number for name, number in named})
    return +found


@pytest.mark.parametrize("seed", [1, 2])
def test_the_cockpit_of_any_past_day_counts_what_the_ledger_held_then(
    story: Story, seed: int
) -> None:
    lived(story, weeks=24, seed=seed)
    was_red = {row.pk for rows in story.stood.values() for row in rows if row.state == "BREACHED"}
    red = {row.pk for row in list(story.stood.values())[-1] if row.state == "BREACHED"}
    assert was_red - red  # some were mended by what was entered later
    for day, rows in story.stood.items():
        for span in ("day", "quarter"):
            days = cockpit._days(day, span, True)
            assert told(story.company.boss, days) == plainly(rows, None, days)
            assert told(story.company.li, days) == plainly(rows, story.company.li, days)
        owing = {row.person_id for row in rows if row.state == "OPEN" and row.person_id}
        assert counted.people(story.company.boss, days) == len(owing)
    last = cockpit._days(day, "quarter", False)
    assert told(story.company.boss, last) == plainly(rows, None, last)


def test_the_cockpit_of_an_instant_takes_back_what_moved_later_that_day(story: Story) -> None:
    lived(story, weeks=12, seed=1)
    differing = 0
    for at, rows in story.held.items():
        back = looking_back.AsOf(at + timedelta(minutes=30), "")
        days = cockpit._days(back.day, "quarter", True, back)
        for actor, seen in ((story.company.boss, None), (story.company.li, story.company.li)):
            assert told(actor, days) == plainly(rows, seen, days)
        owing = {row.person_id for row in rows if row.state == "OPEN" and row.person_id}
        assert counted.people(story.company.boss, days) == len(owing)
        day = cockpit._days(back.day, "quarter", True)
        differing += told(story.company.boss, days) != told(story.company.boss, day)
    assert differing  # weeks in which something moved in the rest of a day


@pytest.fixture
def mended(story: Story) -> Obligation:
    """A week without a visit in the ledger, until one of that week was entered afterwards."""
    customer, monday = story.customers[0], midnight(date(2026, 6, 8))
    story.sweep(monday + timedelta(hours=9))
    story.sweep(monday + timedelta(days=8))
    story.hand_over(customer, monday + timedelta(days=8, hours=1))
    story.visit(customer, monday + timedelta(days=2), monday + timedelta(days=10))
    story.sweep(monday + timedelta(days=11))
    return story.duty(customer, date(2026, 6, 8))


def page(client: Any, person: Any, address: str, status: int = 200) -> str:
    """What a person reads at an address."""
    client.force_login(person)
    response = client.get(address)
    assert response.status_code == status, address
    return str(response.content.decode())


def test_a_duty_shows_what_was_known_beside_what_is_known_today(
    client: Any, company: Any, mended: Obligation
) -> None:
    assert mended.state == "MET"
    address = f"/obligation/{mended.pk}"
    then = page(client, company.boss, f"{address}?as_of=2026-06-16")
    assert '您正在查看 <b class="nw">2026-06-16 24:00</b> 时的状态' in then
    assert "当时所见" in then and "<td>违规</td><td>按时</td>" in then
    assert "当时在 KA团队，任 KA销售代表，上级 王总" in then
    assert "未到期 → 违规" in then and "违规 → 按时" not in then
    later = page(client, company.boss, f"{address}?as_of=2026-06-20")
    assert "当时所见与今日重算一致" in later and "违规 → 按时" in later
    before = page(client, company.boss, f"{address}?as_of=2026-06-07", 404)
    assert "2026-06-07 24:00 时还没有这条义务，它在 2026-06-08" in before


def test_a_customers_page_and_the_clause_show_the_ledger_of_then(
    client: Any, company: Any, mended: Obligation
) -> None:
    customer = f"/customer/{mended.subject_id}"
    then = page(client, company.boss, f"{customer}?as_of=2026-06-16").split("<main")[1]
    later = page(client, company.boss, f"{customer}?as_of=2026-06-20").split("<main")[1]
    assert "到期未办" in then and "按时办结" not in then
    assert "按时办结" in later
    then = page(client, company.boss, "/clause/KA-9?as_of=2026-06-16")
    later = page(client, company.boss, "/clause/KA-9?as_of=2026-06-20")
    assert f"/obligation/{mended.pk}?as_of=2026-06-16" in then
    assert f"/obligation/{mended.pk}" not in later


def test_looking_back_hides_and_refuses_every_action(
    client: Any, company: Any, mended: Obligation
) -> None:
    address = f"/customer/{mended.subject_id}"
    now = page(client, company.boss, address)
    then = page(client, company.boss, f"{address}?as_of=2026-06-16")
    for action in ("/edit", "/do/", "/remove", "/comment"):
        assert f"{address}{action}" in now
        assert f"{address}{action}" not in then
    for panel in ("contact", "tags", "team", "comments"):
        shown = page(client, company.boss, f"{address}/~{panel}?as_of=2026-06-16").split("<main")[1]
        assert "/new?" not in shown and 'method="post"' not in shown
    assert "没有过去" in page(client, company.boss, f"{address}/~approvals?as_of=2026-06-16", 400)
    answer = client.post(f"{address}/comment?as_of=2026-06-16", {"text": "改过去"})
    assert answer.status_code == 403
    assert "正在回看过去，什么也不能改" in answer.content.decode()


def test_a_record_has_the_values_owner_and_children_of_then(
    client: Any, company: Any, story: Story
) -> None:
    customer = story.customers[0]
    yesterday = f"{timezone.localdate() - DAY}"
    with door.acting(by=None, action="test") as deed:
        deed.free |= {"grade"}
        deed.change(customer, name="新名字有限公司", grade="A")
    story.hand_over(customer, timezone.now())
    now = page(client, company.boss, f"/customer/{customer.pk}")
    then = page(client, company.boss, f"/customer/{customer.pk}?as_of={yesterday}")
    assert "新名字有限公司" in now and "第0客户" in then
    assert "新名字有限公司" not in then.split("<main")[1]
    assert 'class="grade A"' in now and 'class="grade A"' not in then
    assert "小赵" in now.split("<dl")[1].split("</dl>")[0]
    assert "小李" in then.split("<dl")[1].split("</dl>")[0]
    early = page(client, company.boss, f"/customer/{customer.pk}?as_of=2026-01-01", 404)
    assert "2026-01-01 24:00 时还没有这条客户，它在 2026-01-05 09:00 录入" in early


def test_links_to_what_can_look_back_carry_the_instant(
    client: Any, company: Any, mended: Obligation
) -> None:
    shown = page(client, company.boss, f"/obligation/{mended.pk}?as_of=2026-06-16T10:00")
    main = shown.split("<main")[1]
    assert f"/customer/{mended.subject_id}?as_of=2026-06-16T10%3A00" in main
    assert "/clause/KA-9?as_of=2026-06-16T10%3A00" in main
    assert 'href="?"' in main  # back to now
    assert "as_of=" not in shown.split("<main")[0].split("<body")[1]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("昨天", "认不出是什么时候"),
        ("2026-13-01", "认不出是什么时候"),
        ("2026-02-30", "认不出是什么时候"),
        ("9999-12-31", "还没有到"),
        ("0001-01-01", "最早回看到"),
        ("2999-01-01T00:00", "还没有到"),
        ("2026-06-01T25:00", "认不出是什么时候"),
        ("<script>", "认不出是什么时候"),
    ],
)
def test_what_is_no_past_instant_is_refused_in_words(
    client: Any, company: Any, said: str, answer: str
) -> None:
    for address in ("/cockpit", f"/customer/{company.customer.pk}"):
        client.force_login(company.boss)
        response = client.get(address, {"as_of": said})
        assert response.status_code == 400
        assert answer in response.content.decode()
        assert "<script>" not in response.content.decode().split("<main")[1]


def test_today_is_now_and_pages_without_a_past_say_so(client: Any, company: Any) -> None:
    shown = page(client, company.boss, f"/cockpit?as_of={timezone.localdate()}")
    assert "您正在查看" not in shown
    assert "没有过去的样子可看" in page(client, company.boss, "/approvals?as_of=2026-06-01", 400)
    kept = f"/customer/{company.customer.pk}/edit?as_of=2026-06-01"
    assert "没有过去的样子可看" in page(client, company.boss, kept, 400)


def test_present_rights_decide_what_is_seen_of_the_past(
    client: Any, company: Any, mended: Obligation
) -> None:
    """The customer was 小李's then and is 小赵's now: what 小赵 may see today is shown."""
    address = f"/customer/{mended.subject_id}?as_of=2026-06-12"
    assert "第0客户" in page(client, company.zhao, address)
    page(client, company.li, address, 404)
    assert mended.person_id == company.li.pk
    page(client, company.zhao, f"/obligation/{mended.pk}?as_of=2026-06-16", 404)
    assert "违规" in page(client, company.li, f"/obligation/{mended.pk}?as_of=2026-06-16")


@pytest.mark.parametrize("who", ["li", "boss"])
def test_no_page_of_the_past_takes_more_than_fifteen_queries(
    client: Any, company: Any, mended: Obligation, who: str
) -> None:
    person, many = getattr(company, who), {}
    client.force_login(person)
    kept = f"/customer/{mended.subject_id}" if who == "boss" else "/cockpit"
    for address in (
        "/cockpit?against=quarter&as_of",
        f"/obligation/{mended.pk}?as_of",
        "/clause/KA-9?as_of",
        "/policies/test?as_of",
        f"{kept}?as_of",
        f"{kept}/~contact?as_of" if who == "boss" else "/cockpit?as_of",
    ):
        url = f"{address}=2026-06-16"
        client.get(url)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(url).status_code == 200, url
        if len(caught) > MOST:
            many[url] = len(caught)
    assert many == {}
