"""How the duties about visits, plans, approvals of plans and tasks are called, and where met."""

from __future__ import annotations

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
phrase("task", say="关闭客户问题", url="/task/{id}/do/finish_task", act="去办", until="done_at")
phrase(
    "person",
    say="提交{period}销售预测",
    url="/forecast/week",
    act="去提交",
    event="report.submitted_at",
    when={"kind": "FORECAST"},
)
