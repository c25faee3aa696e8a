"""What a meeting of each kind goes through, by what its clauses want covered.

A topic is dealt with once, however many kinds the meeting counts as; its words in each clause are
`names`. How a topic is filled with figures and rows is said in `filling`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from fangyuan.core.models import Workday

ANY: Final = "*"
REVIEWS: Final = ("REGULAR", "QUARTER_SUM", "YEAR_SUM")
ROUNDS: Final = ("WEEKLY", "MONTHLY", "QUARTERLY")


@dataclass(frozen=True)
class Topic:
    """One point of an agenda."""

    code: str
    label: str
    hint: str
    names: Mapping[str, str] = field(default_factory=dict)

    def fits(self, kinds: Iterable[str]) -> bool:
        """Whether a meeting of these kinds deals with it."""
        return ANY in self.names or any(kind in self.names for kind in kinds)

    def said_as(self, kinds: Iterable[str]) -> list[str]:
        """What the clauses of these kinds call it."""
        return list(dict.fromkeys(self.names[kind] for kind in kinds if kind in self.names))


def _each(kinds: Iterable[str], name: str) -> dict[str, str]:
    return dict.fromkeys(kinds, name)


TOPICS: Final = (
    Topic("RESOLUTIONS", "上次决议", "逐条说到哪一步，没办完的说明原因", {ANY: ""}),
    Topic(
        "RESULTS",
        "业绩回顾",
        "对照目标和上期，说清差在哪里",
        {
            **_each(REVIEWS, "业绩回顾"),
            **_each(ROUNDS, "回顾销售业绩"),
            "KA_WEEKLY": "总结上周工作情况",
        },
    ),
    Topic(
        "PROBLEMS",
        "问题研讨",
        "先看逾期和违规，再定怎么补",
        {
            **_each(REVIEWS, "问题研讨"),
            **_each(ROUNDS, "分析过程问题"),
            "RETRO": "识别瓶颈与改进点",
        },
    ),
    Topic("DEALS", "商机评议", "逐个给结论", {"DEAL_REVIEW": "逐个评议商机"}),
    Topic("DATA", "数据分析", "看各阶段停留和转化", {"RETRO": "数据分析"}),
    Topic("FEEDBACK", "团队反馈", "成员提出的问题和需求", {"RETRO": "团队反馈"}),
    Topic(
        "EXPERIENCE",
        "经验分享",
        "谁讲、讲了什么、怎么用",
        {
            **_each(REVIEWS, "经验分享"),
            **_each(ROUNDS, "分享成功经验"),
            "KA_WEEKLY": "分享销售经验",
        },
    ),
    Topic("MARKET", "市场信息", "行业、竞争和客户动向", {"KA_WEEKLY": "分享市场信息"}),
    Topic(
        "PROJECT",
        "项目推进",
        "缺什么资源、谁来给",
        {"PROJECT": "项目推进", "KICKOFF": "交接与启动", "WORKSHOP": "方案研讨"},
    ),
    Topic("PERSON", "工作情况与需求", "做得怎样、要什么帮助", {"ONE_ON_ONE": "工作情况与需求"}),
    Topic("EVENT", "活动情况", "做了什么、反响如何", {"TEAM_EVENT": "活动情况"}),
    Topic(
        "TASKS",
        "任务部署",
        "下一期做什么、谁来做",
        {
            **_each(REVIEWS, "目标部署"),
            **_each(ROUNDS, "布置下阶段任务"),
            "KA_WEEKLY": "安排本周工作任务",
        },
    ),
)
BY_CODE: Final = {topic.code: topic for topic in TOPICS}
# What a meeting of these kinds is prepared with.
INPUTS: Final = ("数据分析", "团队反馈")
DAYS: Final = {"WEEK": 7, "BIWEEK": 14, "MONTH": 31, "QUARTER": 92}
USUAL: Final = {
    "KA_WEEKLY": "WEEK", "WEEKLY": "WEEK", "REGULAR": "WEEK", "MONTHLY": "MONTH",
    "QUARTERLY": "QUARTER", "DEAL_REVIEW": "BIWEEK", "QUARTER_SUM": "QUARTER", "RETRO": "QUARTER",
    "ONE_ON_ONE": "MONTH", "TEAM_EVENT": "QUARTER",
}  # fmt: skip


def planned(kinds: Iterable[str]) -> list[Topic]:
    """The points of a meeting of these kinds, in their order."""
    known = list(kinds)
    return [topic for topic in TOPICS if topic.fits(known)]


def covered(kinds: Iterable[str], minutes: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the clauses call the points of which something was minuted."""
    known, found = list(kinds), []
    for point in minutes:
        topic = BY_CODE.get(str(point.get("topic")))
        if topic is not None and str(point.get("said", "")).strip():
            found += topic.said_as(known)
    return list(dict.fromkeys(found))


def lacking(kinds: Iterable[str], minutes: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the clauses want covered and nothing was minuted of."""
    known = list(kinds)
    done = covered(known, minutes)
    wanted = [name for topic in planned(known) for name in topic.said_as(known)]
    return [name for name in dict.fromkeys(wanted) if name not in done]


def every(kinds: Iterable[str]) -> str | None:
    """How often meetings of these kinds usually return."""
    known = [USUAL[kind] for kind in kinds if kind in USUAL]
    return min(known, key=DAYS.__getitem__, default=None)


def span_of(meeting: Any) -> tuple[datetime, datetime]:
    """What time a meeting looks back on: since the last one, at most for one round."""
    until = meeting.ended_at or meeting.starts_at
    rhythm = meeting.every or every(meeting.kinds) or "WEEK"
    since = meeting.starts_at - timedelta(days=DAYS[rhythm])
    last = meeting.previous
    return (last.starts_at if last and last.starts_at > since else since), until


def after(meeting: Any) -> datetime:
    """When the next one of a series begins: a round later, on the next working day if that is off.

    Monthly and quarterly ones keep the day of the month as far as the month has it.
    """
    start = timezone.localtime(meeting.starts_at)
    if meeting.every in ("WEEK", "BIWEEK"):
        moved = start + timedelta(days=DAYS[meeting.every])
    else:
        number = start.year * 12 + start.month - 1 + (3 if meeting.every == "QUARTER" else 1)
        first = start.replace(year=number // 12, month=number % 12 + 1, day=1)
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        moved = first.replace(day=min(start.day, last.day))
    working = Workday.objects.everything("下次会议").filter(on__gte=moved.date(), is_working=True)
    day = working.order_by("on").values_list("on", flat=True).first() or moved.date()
    return moved.replace(year=day.year, month=day.month, day=day.day)
