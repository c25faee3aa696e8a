"""What reports and meetings of each kind have to go through: the prescribed forms.

A part of a report is a heading in its text (`【情况分析】`) with something under it, or a field.
"""

from __future__ import annotations

import re
from typing import Any, Final

from fangyuan.activities import agenda

HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "DAILY": ("数据汇总", "情况分析"),
    "MONTHLY": ("数据汇总", "情况分析", "下月安排"),
    "PERFORMANCE": ("数据汇总", "情况分析"),
    "FORECAST": ("数据汇总", "把握与风险"),
    "BRIEF": ("分类", "汇总", "分析"),
    "RESEARCH": ("行业趋势", "竞争对手", "客户需求"),
    "KA_MARKET": ("市场走势", "竞争对手", "建议"),
    "ANALYSIS": ("数据汇总", "情况分析"),
    "POLICY": ("数据汇总", "情况分析"),
    "RESOURCE": ("数据汇总", "情况分析"),
}
# Fields without which a report of the kind says nothing, with the clause that wants them.
WANTED: Final[dict[str, dict[str, str]]] = {
    "REVIEW": {"policy": "", "findings": ""},
    "ANALYSIS": {"opportunities": "DAY-3.4.3", "improvements": "DAY-3.4.3"},
    "RESOURCE": {"findings": "RES-7.2.2e", "lessons": "RES-7.2.2e", "advice": "RES-7.2.2e"},
    "KA_MARKET": {"findings": "KA-2.2.1d"},
    "SATISFACTION": {"findings": "DAY-5.1.2"},
}
_HEADING: Final = re.compile(r"^【(.+?)】\s*$", re.MULTILINE)


def documents() -> frozenset[str]:
    """Every form that is prescribed here, as `record.FORM`."""
    reports = {f"report.{kind}" for kind in (*HEADINGS, *WANTED)}
    meetings = {f"meeting.{kind}" for topic in agenda.TOPICS for kind in topic.names}
    return frozenset({*reports, *meetings} - {f"meeting.{agenda.ANY}"})


def blank(kind: str) -> str:
    """The text of a new report: its headings with nothing under them."""
    return "\n\n".join(f"【{heading}】\n" for heading in HEADINGS.get(kind, ()))


def parts(text: str) -> dict[str, str]:
    """The headings of a text with what stands under each."""
    pieces = _HEADING.split(text)
    return {name: said.strip() for name, said in zip(pieces[1::2], pieces[2::2], strict=True)}


def told(text: str) -> list[str]:
    """The headings under which something stands."""
    return [name for name, said in parts(text).items() if said]


def lacking(report: Any) -> dict[str, str]:
    """Fields of a report that its kind wants and that are empty, with the clause of each."""
    wanted = WANTED.get(report.kind, {})
    return {name: clause for name, clause in wanted.items() if not getattr(report, name)}
