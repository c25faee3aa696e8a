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
