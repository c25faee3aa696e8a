"""A meeting from the invitation to the resolution that is done late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fangyuan import door
from fangyuan.activities import agenda, meeting_actions
from fangyuan.activities.models import Meeting, Participant, Task
from fangyuan.core import calendar, reference
from fangyuan.desk.models import Comment
from fangyuan.org.models import Leave, Message
from tests.oracle.calendar_oracle import midnight


def _people(meeting):
    rows = Participant._base_manager.filter(meeting=meeting).select_related("person")
    return {one.person.login: one for one in rows}


def _resolved(company, meeting, **values):
    said = {"kind": "RESOLUTION", "title": "交方案", "asker": company.wang, "person": company.li}
    due = timezone.now() + timedelta(days=7)
    with door.acting(by=company.wang, action="test") as deed:
        return deed.create(
            Task, {**said, "meeting": meeting, "asked_at": deed.at, "due_at": due, **values}
        )


def test_kinds_together_have_each_topic_once_and_count_for_each_clause():
    topics = [topic.code for topic in agenda.planned(["WEEKLY", "REGULAR"])]
    assert topics == ["RESOLUTIONS", "RESULTS", "PROBLEMS", "EXPERIENCE", "TASKS"]
    minutes = [{"topic": "RESULTS", "said": "差一单"}, {"topic": "TASKS", "said": " "}]
    assert agenda.covered(["WEEKLY", "REGULAR"], minutes) == ["回顾销售业绩", "业绩回顾"]
    assert "布置下阶段任务" in agenda.lacking(["WEEKLY"], minutes)


def test_whoever_is_asked_is_told_once_for_each_time(company, meeting_of):
    made = meeting_of(ago=-60)
    for _ in range(2):
        door.act("invite", made, by=company.wang)
    told = Message._base_manager.filter(topic="WORK")
    assert [one.person.login for one in told] == ["li"]
    moved = door.change(made, {"starts_at": made.starts_at + timedelta(days=1)}, by=company.wang)
    door.act("invite", moved, by=company.wang)
    assert told.all().count() == 2


def test_closing_keeps_figures_notes_the_missing_and_gives_the_resolutions(company, meeting_of):
    made = meeting_of()
    task = _resolved(company, made)
    assert task.assigned_at is None
    assert not Message._base_manager.filter(subject_type="task").exists()
    minutes = [{"topic": "RESULTS", "said": "差一单"}]
    closed = door.act("hold_meeting", made, by=company.wang, payload={"minutes": minutes})
    assert closed.agenda == ["回顾销售业绩", "业绩回顾"]
    shown = {one["topic"]: one["shown"] for one in closed.minutes}
    assert [figure["label"] for figure in shown["RESULTS"]["figures"]][0] == "签约额"
    states = {login: one.state for login, one in _people(made).items()}
    assert states == {"wang": "ON_TIME", "li": "ABSENT"}
    task.refresh_from_db()
    assert task.assigned_at is not None
    assert Message._base_manager.get(subject_type="task").person == company.li


def test_who_is_on_leave_is_not_absent(company, meeting_of):
    made = meeting_of()
    with door.acting(by=None, action="test") as deed:
        span = (made.starts_at - timedelta(days=1), made.starts_at + timedelta(days=1))
        deed.create(
            Leave,
            {
                "person": company.li,
                "stage": "APPROVED",
                "requested_at": span[0],
                "starts_at": span[0],
                "ends_at": span[1],
                "reason": "婚假",
            },
        )
    door.act("hold_meeting", made, by=company.wang)
    assert _people(made)["li"].state == "LEAVE"


def test_only_the_host_or_a_superior_closes_and_not_before_it_began(company, meeting_of):
    made = meeting_of()
    with pytest.raises(door.Denied, match="主持人"):
        door.act("hold_meeting", made, by=company.li)
    with pytest.raises(door.Denied, match="还没到开始时间"):
        door.act("hold_meeting", meeting_of(ago=-60), by=company.wang)
    assert door.act("hold_meeting", made, by=company.boss).ended_at is not None
    with pytest.raises(door.Denied, match="会议已结束"):
        door.act("hold_meeting", made, by=company.wang)


def test_a_series_goes_on_with_the_same_people_a_round_later(company, meeting_of):
    calendar.lay_out(reference.public_calendar())
    made = meeting_of(every="WEEK")
    door.act("hold_meeting", made, by=company.wang)
    following = Meeting._base_manager.get(previous=made)
    assert following.starts_at >= made.starts_at + timedelta(days=7)
    assert set(_people(following)) == {"wang", "li"}
    assert door.act("prepare_next", made, by=company.wang) == following


def test_who_is_not_asked_does_not_see_it(company, meeting_of):
    made = meeting_of()
    seen = [bool(Meeting.objects.seen_by(one).filter(pk=made.pk)) for one in vars(company).values()
            if getattr(one, "login", "") in ("li", "zhao", "boss")]  # fmt: skip
    assert sorted(seen) == [False, True, True]
    assert not Meeting.objects.seen_by(company.zhao).exists()
    assert Meeting.objects.seen_by(company.li).count() == 1


def test_the_page_fills_takes_minutes_resolutions_and_attendance(client, company, meeting_of):
    made = meeting_of()
    client.force_login(company.wang)
    page = client.get(f"/meetings/{made.pk}").content.decode()
    assert "业绩回顾" in page and "签约额" not in page and "还没写到" in page
    assert "签约额" in client.get(f"/meetings/{made.pk}/point/RESULTS").content.decode()
    assert client.get(f"/meetings/{made.pk}/point/DEALS").status_code == 404
    assert "签约额" in client.get(f"/meetings/{made.pk}?all=1").content.decode()
    told = {"title": "交两条产线的方案", "person": company.li.pk, "due_on": "2099-06-20"}
    part = client.post(f"/meetings/{made.pk}/resolve", told, headers={"HX-Request": "true"})
    assert "交两条产线的方案" in part.content.decode()
    task = Task._base_manager.get(meeting=made)
    assert task.due_at == midnight(task.due_at.astimezone().date())
    lacking = client.post(
        f"/meetings/{made.pk}/resolve", {"title": "无人"}, headers={"HX-Request": "true"}
    )
    assert "请写清决议" in lacking.content.decode()
    li = _people(made)["li"]
    client.post(f"/meetings/{made.pk}/attend/{li.pk}", {})
    li.refresh_from_db()
    assert li.state == "LATE"
    said = {"said_RESULTS": "差一单", "outputs": "群里发要点", "hold": "1"}
    assert client.post(f"/meetings/{made.pk}/minutes", said).status_code == 302
    made.refresh_from_db()
    assert made.ended_at is not None and made.outputs == "群里发要点"
    again = client.get(f"/meetings/{made.pk}?show=1").content.decode()
    assert "差一单" in again and "退出投屏" in again


def test_a_new_meeting_follows_the_last_of_its_kind(client, company, meeting_of):
    before = meeting_of(ago=3 * 24 * 60)
    door.act("hold_meeting", before, by=company.wang)
    client.force_login(company.wang)
    assert client.get("/meetings/new").status_code == 200
    said = {
        "kinds": ["WEEKLY"],
        "team": company.ka.pk,
        "starts_at": "2099-06-01T09:00",
        "host": company.wang.pk,
        "people": [company.li.pk],
        "every": "WEEK",
    }
    assert client.post("/meetings/new", said).status_code == 302
    made = Meeting._base_manager.get(previous=before)
    assert made.title == "KA团队销售周会 6-01"
    assert set(_people(made)) == {"wang", "li"}
    assert client.post("/meetings/new", {"team": company.ka.pk}).status_code == 422
    assert client.get("/meetings").status_code == 200


def test_a_task_of_a_department_goes_to_its_leader_and_both_sides_hear(company):
    said = {"kind": "COOPERATE", "title": "寄样册", "asker": company.zhao, "team": company.ka}
    made = door.create(Task, {**said, "asked_at": timezone.now()}, by=company.zhao)
    made.refresh_from_db()
    assert made.person == company.wang
    with pytest.raises(door.Denied, match="责任人"):
        door.act("accept_task", made, by=company.zhao)
    door.act("accept_task", made, by=company.wang)
    done = door.act("finish_task", made, by=company.wang, payload={"result": "已寄"})
    with pytest.raises(door.Denied, match="提出人"):
        door.act("rate_task", done, by=company.wang, payload={"rating": 4})
    door.act("rate_task", done, by=company.zhao, payload={"rating": 5})
    told = Message._base_manager.filter(subject_type="task").order_by("pk")
    assert [(one.person.login, one.title[:3]) for one in told] == [
        ("wang", "有一项"),
        ("zhao", "已受理"),
        ("zhao", "已办完"),
    ]


def test_a_conclusion_about_a_deal_stands_at_the_deal(company, meeting_of):
    meeting = meeting_of(kinds=["DEAL_REVIEW"])
    point = {
        "topic": "DEALS",
        "said": "检测线：本周见副总\n别的：不算",
        "shown": {"lines": [{"pk": 7, "text": "检测线"}]},
    }
    with door.acting(by=company.wang, action="test") as deed:
        meeting_actions._note_conclusions(deed, meeting, [point])
    noted = Comment._base_manager.get(subject_type="opportunity", subject_id=7)
    assert noted.text == "周会：本周见副总"
