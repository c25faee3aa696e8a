"""The shape of a pack: one regulation in one version, its chapters, its clauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from fangyuan.engine.packs.bindings import Binding, Shape, Word

AREAS: Final = {
    "customers": "客户",
    "leads": "线索",
    "opportunities": "商机",
    "solution-quote": "方案与报价",
    "contracts": "合同",
    "orders": "订单",
    "receivables": "回款",
    "activities-visits": "活动与拜访",
    "complaints": "投诉",
    "satisfaction": "满意度",
    "churn": "流失",
    "tags": "标签",
    "products": "产品",
    "materials-kit": "资料与工具包",
    "knowledge": "知识库",
    "marketing-campaigns": "市场活动",
    "advertising": "广告投放",
    "brand": "品牌",
    "market-intel": "市场情报",
    "pricing-promotion": "定价与促销",
    "forecast-planning": "预测与计划",
    "reports-analytics": "报表与分析",
    "recruiting": "招聘",
    "training": "培训",
    "appraisal-incentives": "考核与激励",
    "career": "职业发展",
    "attendance": "考勤",
    "meetings": "会议",
    "documents": "文档",
    "approvals": "审批",
    "permissions-security": "权限与安全",
    "backup": "备份",
    "supervision-audit": "监督与审计",
    "org-roles": "组织与岗位",
    "policy-governance": "制度管理",
}
KINDS: Final = {
    "deadline": "期限",
    "cadence": "频率",
    "gate": "门槛",
    "approval": "审批",
    "required-data": "必填",
    "validation": "校验",
    "classification": "分类",
    "alert": "预警",
    "access": "权限",
    "metric": "指标",
    "workflow": "流程",
    "record": "记录",
    "report": "报告",
    "notification": "通知",
    "document-template": "文档",
    "retention": "保存",
    "culture": "文化",
}
HEAD: Final = "policy title number version from publisher applies_to scope_note chapters".split()


def _day(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_day)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S")]
Prose = Annotated[str, Field(min_length=2, max_length=4000)]
Number = Annotated[str, Field(pattern=r"^[A-Z]{2,6}-\d+(\.\d+)*[a-z]?$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Version = Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,6}){0,3}$")]


class Head(Shape):
    """What a pack says about itself."""

    policy: Code
    title: Line
    number: str = ""
    version: Version
    starts_on: Day = Field(alias="from")
    publisher: Word | None = None
    applies_to: list[Word] = []
    scope_note: str = ""
    chapters: list[Any] = Field(min_length=1)


class Chapter(Shape):
    """A heading with its clauses."""

    title: Line
    clauses: list[Any] = Field(min_length=1)


class Clause(Shape):
    """One provision as the pack writes it; `defaults` are the company's, not the source's."""

    id: Number
    title: Annotated[str, Field(min_length=2, max_length=10)]
    area: str
    actor: Line
    text: Prose
    kind: str
    params: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    evidence: Prose
    acceptance: Prose
    bind: list[Any] = Field(min_length=1)


@dataclass(frozen=True)
class Provision:
    """A checked clause with its chapter and its bindings, as read and as written."""

    chapter: str
    clause: Clause
    bindings: list[Binding]
    raw: list[dict[str, Any]]

    @property
    def id(self) -> str:
        """The clause's number."""
        return self.clause.id


@dataclass(frozen=True)
class Pack:
    """A whole, checked regulation."""

    head: Head
    provisions: list[Provision]

    def rules(self) -> Iterator[tuple[Provision, int, Binding]]:
        """Every binding of every clause with its place in the clause."""
        for provision in self.provisions:
            for line, binding in enumerate(provision.bindings):
                yield provision, line, binding
