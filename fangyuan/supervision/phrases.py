"""How the duties about inspections, notices and incidents are called, and where they are met."""

from __future__ import annotations

from fangyuan.desk.duties import phrase

phrase("finding", say="发整改通知", url="/supervision/new?finding={id}", until="notice_at")
phrase("rectification", say="完成整改", url="/supervision/{id}", act="去整改", until="closed_at")
phrase("incident", say="响应案件", url="/incident/{id}", until="responded_at")
phrase("incident", say="复盘案件", url="/incident/{id}", until="reviewed_at")
phrase(
    "person",
    say="检视{period}销售活动",
    url="/inspection/new?kind=PROCESS&about=person:{id}",
    event="inspection.finished_at",
)
phrase(
    "team",
    say="做{period}检查",
    url="/inspection/new?team={id}",
    act="去检查",
    event="inspection.finished_at",
)
