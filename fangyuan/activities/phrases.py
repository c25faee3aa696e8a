"""How the duties about visits, plans, meetings and tasks are called, and where they are met."""

from __future__ import annotations

from fangyuan.activities.models import Meeting
from fangyuan.desk.duties import phrase

phrase("activity", say="写拜访记录", url="/visits/{id}", act="去写", until="written_at")
phrase(
    "activity", say="把客户问题建成任务", url="/visits/{id}", act="去建", until="issues_tasked_at"
)
phrase(
    "customer",
    say="完成{period}拜访",
    url="/visits/new?customer={id}",
    act="去安排",
    event="activity.ended_at",
    when={"kind": "VISIT"},
)
phrase(
    "customer",
    say="完成{period}深度沟通",
    url="/visits/new?customer={id}",
    act="去安排",
    event="activity.ended_at",
    when={"is_deep": True},
)
phrase(
    "customer",
    say="{period}联系客户",
    url="/visits/new?customer={id}&happened=1&kind=CALL",
    act="记一笔",
    event="activity.ended_at",
)
phrase(
    "customer",
    say="回应紧急客户",
    url="/visits/new?customer={id}&happened=1&kind=CALL",
    act="记一笔",
    until="activity.outgoing",
)
phrase(
    "person",
    say="提交月度拜访计划",
    url="/plans/visit",
    act="去写",
    event="plan.submitted_at",
)
phrase("request", say="审核计划", url="/approvals/{id}", act="去审", until="decided_at")
for kind, label in Meeting.Kind.choices:
    phrase(
        "team",
        say=f"开{label}",
        url=f"/meetings/new?team={{id}}&kinds={kind}",
        act="去开",
        event="meeting.ended_at",
        when={"kinds": {"has": [kind]}},
    )
phrase(
    "person",
    say="{period}与下属一对一",
    url="/meetings/new?kinds=ONE_ON_ONE",
    act="去约",
    event="meeting.ended_at",
)
phrase(
    "meeting",
    say="补齐例会纪要",
    url="/meetings/{id}",
    act="去写",
    since="ended_at",
)
phrase(
    "meeting",
    say="把决议派给责任人",
    url="/meetings/{id}",
    act="去派",
    until="resolutions_assigned_at",
)
phrase(
    "opportunity",
    say="召集项目会议",
    url="/meetings/new?kinds=PROJECT&opportunity={id}",
    act="去开",
    until="project_meeting_at",
)
phrase("task", say="办完会议决议", url="/task/{id}/do/finish_task", act="去办", by="due_at")
phrase("task", say="受理请求", url="/task/{id}/do/accept_task", act="去办", until="accepted_at")
phrase("task", say="答复", url="/task/{id}/do/answer_task", act="去办", until="answered_at")
phrase("task", say="关闭客户问题", url="/task/{id}/do/finish_task", act="去办", until="done_at")
phrase(
    "person",
    say="提交{period}销售预测",
    url="/forecast/week",
    act="去提交",
    event="report.submitted_at",
    when={"kind": "FORECAST"},
)
