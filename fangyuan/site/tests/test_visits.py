"""Visits: the day, the three steps with what is refused, two devices, and without a line."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from fangyuan import door
from fangyuan.access.models import AccessLog
from fangyuan.activities.models import Activity, Task
from fangyuan.core.models import Event
from fangyuan.desk import duties
from fangyuan.site import route

THREE = {"situation": "谈了节拍", "feedback": "可以接受", "result": "周五前给样件"}
HERE = {"latitude": "31.310200", "longitude": "120.680100", "accuracy": "12"}
FAR = {"latitude": "31.400000", "longitude": "120.680000", "accuracy": "12"}


def again(visit):
    return Activity._base_manager.get(pk=visit.pk)


def seen(page):
    """What the record form of a page was opened with."""
    return page.context["seen"]


def gate(demand):
    holds = {"appointed_at": {"not_empty": True}, "appointed_with": {"not_empty": True}}
    where = {"kind": "VISIT", "is_ka": True}
    demand("KA-3.3.1b", "GATE", "activity", on="appoint_visit", holds=holds, where=where)


def test_the_day_lists_visits_and_counts_its_queries(rep, visit_of, django_assert_max_num_queries):
    visit_of(0), visit_of(0)  # both on the day of the list, also just before its end
    with django_assert_max_num_queries(15):
        page = rep.get("/visits")
    assert page.status_code == 200
    assert len(page.context["stops"]) == 2
    assert "华清电子" in page.text


def test_an_outsider_sees_neither_list_nor_visit(client, company, visit_of):
    visit = visit_of()
    client.force_login(company.zhao)
    assert "华清电子" not in client.get("/visits").text
    assert client.get(f"/visits/{visit.pk}").status_code == 404
    assert client.post(f"/visits/{visit.pk}/check-in", HERE).status_code == 404


def test_a_manager_sees_the_teams_visits(client, company, visit_of):
    visit = visit_of(0)
    client.force_login(company.wang)
    assert client.get("/visits").context["stops"] == []
    page = client.get("/visits?who=team")
    assert [s.visit.pk for s in page.context["stops"]] == [visit.pk]


def test_nobody_is_present_in_anothers_name(client, company, visit_of):
    visit = visit_of(0)
    client.force_login(company.wang)
    page = client.get(f"/visits/{visit.pk}")
    assert page.status_code == 200
    assert "check-in" not in page.text
    for step in ("check-in", "check-out"):
        refused = client.post(f"/visits/{visit.pk}/{step}", HERE)
        assert refused.status_code == 403
        assert "只有执行人小李" in refused.text
    assert again(visit).started_at is None


def test_the_way_goes_from_the_first_to_the_nearest():
    def at(number, latitude, longitude):
        customer = SimpleNamespace(latitude=latitude, longitude=longitude, name=str(number))
        return SimpleNamespace(pk=number, customer=customer, ended_at=None)

    visits = [at(1, 31.0, 120.0), at(2, 31.0, 120.4), at(3, 31.0, 120.1), at(4, None, None)]
    assert [v.pk for v in route.order(visits)] == [1, 3, 2, 4]
    sketch = route.sketch(route.order(visits))
    assert 36 < sketch.km < 39
    assert [d.number for d in sketch.dots] == [1, 2, 3]
    assert route.sketch(visits[3:]) is None


def test_customers_are_found_by_initials_and_planned(rep, company):
    assert "华清电子" in rep.get("/visits/lookup?q=hqdz").text
    assert "没找到" in rep.get("/visits/lookup?q=zzz").text
    said = {"customer": company.customer.pk, "kind": "VISIT", "purpose": "NEED"}
    said |= {"planned_at": "2030-05-06T10:30", "appointed_with": "", "appointed_by": ""}
    answer = rep.post("/visits/new", said)
    made = Activity._base_manager.get(customer=company.customer)
    assert answer.url == f"/visits/{made.pk}"
    assert (made.stage, made.person) == ("PLANNED", company.li)


def test_without_a_customer_or_time_nothing_is_planned(rep, company):
    page = rep.post("/visits/new", {"kind": "VISIT", "purpose": "NEED", "planned_at": ""})
    assert "先选一家客户" in page.text
    page = rep.post("/visits/new", {"customer": company.customer.pk, "planned_at": ""})
    assert "还没写时间" in page.text
    assert not Activity._base_manager.exists()


def test_what_happened_already_goes_on_to_its_record(rep, company):
    now = timezone.localtime()
    said = {"customer": company.customer.pk, "kind": "CALL", "purpose": "FOLLOW", "happened": "1"}
    said |= {"planned_at": f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M}"}
    late = {**said, "ended_at": f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M}"}
    assert "还没到" in rep.post("/visits/new", late).text
    rep.post("/visits/new", {**said, "ended_at": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}"})
    made = Activity._base_manager.get()
    assert made.ended_at - made.started_at == timedelta(hours=1)
    assert rep.get(f"/visits/{made.pk}").context["step"] == "record"


def test_an_appointment_without_confirmation_is_refused_in_words(rep, demand, ka, visit_of):
    gate(demand)
    visit = visit_of()
    said = {"planned_at": "2030-05-06T10:30", "appointed_by": "", "appointed_with": ""}
    page = rep.post(f"/visits/{visit.pk}/appoint", said)
    assert page.status_code == 422
    assert "还缺“预约”" in page.text
    assert "还缺“预约确认人”" in page.text
    assert page.text.count("KA-3.3.1b") >= 2
    assert again(visit).stage == "PLANNED"


def test_an_appointment_makes_the_visit_ready(rep, demand, ka, company, visit_of):
    gate(demand)
    visit = visit_of()
    said = {"planned_at": "2030-05-06T10:30", "appointed_by": "电话"}
    rep.post(f"/visits/{visit.pk}/appoint", said | {"appointed_with": company.contact.pk})
    ready = again(visit)
    assert (ready.stage, ready.appointed_with) == ("READY", company.contact)
    assert timezone.localtime(ready.planned_at).strftime("%m-%d %H:%M") == "05-06 10:30"


def test_on_the_spot_one_checks_in_and_elsewhere_says_why(rep, ka, visit_of):
    near, away, nowhere = visit_of(0), visit_of(0), visit_of(0)
    rep.post(f"/visits/{near.pk}/check-in", HERE)
    assert again(near).started_at and not again(near).off_site_reason
    page = rep.post(f"/visits/{away.pk}/check-in", FAR)
    assert page.status_code == 422
    assert "距客户 10.0 公里，超出 300 米" in page.text
    assert again(away).started_at is None
    rep.post(f"/visits/{away.pk}/check-in", {**FAR, "off_site_reason": "约在二厂"})
    assert again(away).off_site_reason == "约在二厂"
    assert "没取到位置" in rep.post(f"/visits/{nowhere.pk}/check-in").text
    page = rep.get(f"/visits/{away.pk}").text
    assert "偏离" in page
    assert "未预约拜访" in page


def test_a_second_check_in_changes_nothing(rep, ka, visit_of):
    visit = visit_of(0)
    rep.post(f"/visits/{visit.pk}/check-in", HERE)
    first = again(visit)
    rep.post(f"/visits/{visit.pk}/check-in", FAR)
    assert again(visit).started_at == first.started_at
    assert again(visit).revision == first.revision


def test_leaving_starts_the_clock_of_the_record(rep, demand, ka, visit_of):
    where = {"kind": "VISIT", "is_ka": True}
    rule = {"on": "ended_at", "until": "written_at", "within": "24h", "where": where}
    demand("KA-3.3.2b", "DEADLINE", "activity", **rule)
    visit = visit_of(0, started_at=timezone.now() - timedelta(hours=1))
    rep.post(f"/visits/{visit.pk}/check-out")
    left = again(visit).ended_at
    page = rep.get("/visits")
    assert page.context["first"].clock.due == left + timedelta(hours=24)
    assert "KA-3.3.2b" in page.text
    rep.post(f"/visits/{visit.pk}/check-out")
    assert again(visit).ended_at == left


def test_the_record_wants_its_three_parts(rep, demand, ka, visit_of):
    visit = visit_of(-1, ended_at=timezone.now())
    url = f"/visits/{visit.pk}"
    said = {**THREE, "feedback": "", "seen": seen(rep.get(url))}
    page = rep.post(f"{url}/record", said)
    assert page.status_code == 422
    assert "还没写客户反馈" in page.text
    assert "KA-3.3.2a" in page.text
    assert "谈了节拍" in page.text
    assert again(visit).written_at is None
    answer = rep.post(f"{url}/record", {**THREE, "seen": seen(rep.get(url))})
    assert answer.url == "/visits"
    assert (again(visit).stage, again(visit).result) == ("DONE", "周五前给样件")
    assert again(visit).written_at


def test_what_the_rulebook_refuses_stands_at_its_field(rep, demand, ka, visit_of):
    where = {"kind": "VISIT", "stage": "DONE"}
    demand("X-1", "REQUIRED", "activity", fields=["new_needs"], where=where, enforce="write")
    visit = visit_of(-1, ended_at=timezone.now())
    url = f"/visits/{visit.pk}"
    page = rep.post(f"{url}/record", {**THREE, "seen": seen(rep.get(url))})
    assert page.status_code == 422
    form = page.context["record"]
    assert "还缺“新需求”" in form.errors["new_needs"][0]
    assert form.clauses["new_needs"] == "X-1"


def test_a_key_account_needs_changes_and_issues_and_an_issue_becomes_a_task(rep, ka, visit_of):
    visit = visit_of(-1, ended_at=timezone.now())
    key_account(visit.customer)
    url = f"/visits/{visit.pk}"
    page = rep.post(f"{url}/record", {**THREE, "seen": seen(rep.get(url))})
    assert "还没写需求变化" in page.text
    assert "RES-3.4.2c" in page.text
    more = {"need_changes": "无", "customer_issues": "漏检 3%"}
    rep.post(f"{url}/record", {**THREE, **more, "seen": seen(rep.get(url))})
    assert Task._base_manager.get().title == "漏检 3%"


def key_account(customer):
    with door.acting(by=None, action="test") as deed:
        deed.free |= {"grade"}
        deed.change(customer, grade="A", grade_basis="大")


def test_a_draft_is_kept_without_ending_the_visit(rep, ka, visit_of):
    visit = visit_of(-1, ended_at=timezone.now())
    url = f"/visits/{visit.pk}"
    rep.post(f"{url}/record", {"situation": "先记一句", "draft": "1", "seen": seen(rep.get(url))})
    assert (again(visit).situation, again(visit).stage) == ("先记一句", "PLANNED")
    assert "先记一句" in rep.get(url).text


def test_two_devices_do_not_overwrite_each_other_silently(rep, ka, visit_of):
    visit = visit_of(-1, ended_at=timezone.now())
    url = f"/visits/{visit.pk}"
    opened = seen(rep.get(url))
    rep.post(f"{url}/record", {**THREE, "seen": opened})
    page = rep.post(f"{url}/record", {**THREE, "result": "另一台写的", "seen": opened})
    assert page.status_code == 409
    assert "你在另一台设备上刚改过" in page.text
    assert "周五前给样件" in page.text
    assert "另一台写的" in page.text
    assert again(visit).result == "周五前给样件"
    rep.post(f"{url}/record", {**THREE, "result": "核对后的", "seen": seen(page)})
    assert again(visit).result == "核对后的"


def test_checking_in_meanwhile_is_no_collision(rep, ka, visit_of):
    visit = visit_of(0)
    url = f"/visits/{visit.pk}"
    opened = seen(rep.get(url))
    rep.post(f"{url}/check-in", HERE)
    rep.post(f"{url}/check-out")
    rep.post(f"{url}/record", {**THREE, "seen": opened})
    assert again(visit).written_at


def test_a_submission_that_arrives_twice_counts_once(rep, company):
    said = {"customer": company.customer.pk, "kind": "VISIT", "purpose": "NEED"}
    said |= {"planned_at": "2030-05-06T10:30"}
    for _ in range(2):
        rep.post("/visits/new", said, headers={"X-Fy-Once": "abc"})
    assert Activity._base_manager.count() == 1


def test_offline_the_phones_clock_counts_and_the_log_says_so(rep, ka, visit_of):
    visit = visit_of(-3)
    url = f"/visits/{visit.pk}/check-in"
    at = timezone.now().replace(microsecond=0) - timedelta(hours=2)
    said = {**HERE, "happened_at": at.isoformat(), "next": f"/visits/{visit.pk}"}
    headers = {"X-Fy-Once": "o1", "X-Fy-Offline": at.isoformat()}
    assert rep.post(url, said, headers=headers).status_code == 204
    assert again(visit).started_at == at
    event = Event.objects.everything("t").filter(record="activity", op="U").latest("id")
    assert "时刻以本机为准" in event.reason


@pytest.mark.parametrize(("hours", "headers"), [(2, {}), (-2, {"X-Fy-Offline": "x"}), (200, {})])
def test_with_a_line_or_a_wrong_clock_the_servers_moment_counts(rep, ka, visit_of, hours, headers):
    visit = visit_of(0)
    at = timezone.now() - timedelta(hours=hours)
    rep.post(
        f"/visits/{visit.pk}/check-in", {**HERE, "happened_at": at.isoformat()}, headers=headers
    )
    assert timezone.now() - again(visit).started_at < timedelta(minutes=1)


def test_a_planned_visit_is_called_off_with_a_reason_only(rep, visit_of):
    visit = visit_of()
    assert rep.post(f"/visits/{visit.pk}/cancel", {"reason": ""}).status_code == 422
    rep.post(f"/visits/{visit.pk}/cancel", {"reason": "对方出差"})
    assert again(visit).stage == "CANCELLED"
    assert "对方出差" in rep.get(f"/visits/{visit.pk}").text


def test_before_the_door_one_sees_last_time_and_may_call(rep, company, visit_of):
    visit_of(-48, ended_at=timezone.now() - timedelta(days=2), result="等报价", next_step="问预算")
    visit = visit_of(0)
    page = rep.get(f"/visits/{visit.pk}").text
    assert "等报价" in page
    assert "问预算" in page
    assert "138****8000" in page
    assert "13800138000" not in page
    shown = rep.post(f"/visits/{visit.pk}/call/{company.contact.pk}").text
    assert 'href="tel:13800138000"' in shown
    assert AccessLog._base_manager.get(kind="REVEAL").person == company.li


def test_a_visit_page_counts_its_queries(rep, ka, visit_of, django_assert_max_num_queries):
    visit = visit_of(0)
    rep.get("/visits")
    with django_assert_max_num_queries(15):
        rep.get(f"/visits/{visit.pk}")


def test_duties_lead_to_where_they_are_met():
    said = duties._phrase("activity", {"until": "written_at"})
    assert (said.say, said.url) == ("写拜访记录", "/visits/{id}")
    params = {"event": "activity.ended_at", "when": {"kind": "VISIT"}, "per": "week"}
    assert duties._phrase("customer", params).say == "完成{period}拜访"
    params = {"event": "response.submitted_at", "when": {"kind": "REVIEW"}}
    assert duties._phrase("customer", params).url == "/customer/{id}/review"
    assert duties._phrase("person", {"event": "plan.submitted_at"}).url == "/plans/visit"
