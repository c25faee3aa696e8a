"""Metrics over filled-in forms: how full reports are, how content customers are."""

from __future__ import annotations

from typing import Any

from fangyuan.forms.models import Response
from fangyuan.metrics.declare import Before, Formula, Number, Ratio, declare, part

SAID: dict[str, Any] = {"not_empty": True}
QUARTER, CONTENT = "quarter", 4
SEASONS = "appraisal month quarter year"


def _ratio(name: str, label: str, clause: str, over: Any, under: Any, **more: Any) -> Ratio:
    made: Ratio = declare(Ratio(name, label, over, under, clause=clause, **more))
    return made


def _given(value: str = "count", **where: Any) -> Any:
    return part(Response, "submitted_at", value, **where)


def points_gained(now: Number, before: Number) -> Number:
    """By how many points of a hundred a rate went up; None where either is not known."""
    return None if now is None or before is None else 100 * (float(now) - float(before))


def _change(of: Ratio, name: str, label: str, clause: str) -> Formula:
    made: Formula = declare(
        Formula(
            *(name, label, points_gained, (of, Before(of)), "百分点", clause),
            said=f"本期{of.label} − 上期{of.label}",
            windows=QUARTER,
        )
    )
    return made


need_report_completeness = _ratio(
    *("need_report_completeness", "需求报告完整性", "PA-7.6.1"),
    _given("sum(answered_count)", kind="NEEDS"),
    _given("sum(asked_count)", kind="NEEDS"),
    windows=QUARTER,
)
csat = _ratio(
    *("csat", "客户满意度"),
    "RES-6.3.1e DAY-1.2.3a DAY-2.3.1b KA-5.1.2b PJ-2.4.4.2 PJ-3.4e PS-1.1e PS-2.7.5.2"
    " PA-11.6.1 PA-16.1e TAG-2.4.5d",
    _given(is_valid=True, csat={"at_least": CONTENT}),
    _given(is_valid=True, csat=SAID),
    windows=SEASONS,
)
csat_change = _change(csat, "csat_change", "满意度变化", "RES-7.2.2c")
nps = _ratio(
    *("nps", "净推荐值", "PJ-2.4.4.3 PS-2.7.5.1"),
    _given("sum(nps_sign)", nps=SAID),
    _given(nps=SAID),
    windows=QUARTER,
)
_brand = {"kind": "BRAND"}
brand_awareness = _ratio(
    *("brand_awareness", "品牌知名度", "RES-4.4.2b"),
    _given(knows_brand=True, **_brand),
    _given(is_valid=True, **_brand),
    windows=QUARTER,
)
brand_favorability = _ratio(
    *("brand_favorability", "品牌美誉度", "RES-4.4.2c"),
    _given(knows_brand=True, csat={"at_least": CONTENT}, **_brand),
    _given(knows_brand=True, **_brand),
    windows=QUARTER,
)
brand_awareness_change = _change(
    brand_awareness, "brand_awareness_change", "品牌知名度变化", "RES-7.2.2d"
)
