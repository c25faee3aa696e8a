"""The desk of meetings, and what they add to those of opportunities and teams."""

from __future__ import annotations

from fangyuan.activities.models import Meeting
from fangyuan.desk.columns import Due
from fangyuan.desk.declare import Desk, Link, Section, View, extend, register
from fangyuan.desk.panels import Comments, Duties, Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.opportunities.models import Opportunity

register(
    Desk(
        model=Meeting,
        columns=["title", "kinds", "team", "host", "starts_at", "ended_at", Due()],
        filters="kinds team host starts_at ended_at opportunity due",
        search=["title"],
        sorts=["starts_at"],
        default_sort="-starts_at",
        form=[
            Section("会议", "title kinds team host starts_at place every"),
            Section("关于", "opportunity departments inputs", is_more=True),
            Section("产出", "outputs", is_more=True),
        ],
        head="team host starts_at ended_at place every",
        badges=["kinds"],
        actions=["invite", "hold_meeting", "prepare_next"],
        address=lambda one: f"/meetings/{one.pk}",
        page=[
            Related("", "参会人", record="participant", by="meeting", show="person state reason"),
            Related("", "决议", record="task", by="meeting", show="title person due_at done_at"),
            Timeline(),
            Comments(),
            Facts(),
            Duties(),
        ],
        views=[
            View("将要开的", {"ended_at": "none"}, "starts_at"),
            View("我主持的", {"host": "me"}, "-starts_at"),
        ],
        icon="users",
    )
)


extend(
    Opportunity,
    links=[Link("开项目会", "/meetings/new?kinds=PROJECT&opportunity={id}", "meeting", "users")],
    page=[
        Related("", "会议", record="meeting", by="opportunity", show="title kinds host ended_at"),
    ],
)
