"""How the duties about needs are called, and where they are met."""

from __future__ import annotations

from fangyuan.desk.duties import phrase

phrase(
    "need",
    say="做出定制方案",
    url="/need/{id}/do/finish_custom_solution",
    act="去写",
    until="solution_ready_at",
)
phrase(
    "opportunity",
    say="更新{period}预测",
    url="/forecast/sheet/{id}",
    act="去更新",
    event="response.submitted_at",
    when={"kind": "WEEKLY"},
)
phrase(
    "opportunity",
    say="按推进事实更新阶段",
    url="/opportunity/{id}",
    act="去推进",
    until="opportunity.stage_entered",
)
phrase(
    "opportunity",
    say="按推进事实更新预测",
    url="/forecast/sheet/{id}",
    act="去更新",
    until="opportunity.forecast_updated",
)
phrase("need", say="把特殊需求记成标签", url="/need/{id}/edit", act="去记", until="tagged_at")
