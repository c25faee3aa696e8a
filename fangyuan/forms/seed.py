"""Forms that the regulations themselves prescribe, planted at installation."""

from __future__ import annotations

from typing import Any

from fangyuan.forms.models import Form

# TAG-4.1.1a: the seven groups of the monthly review; TAG-4.1.1b: the four points it dwells on.
GROUPS = ["基本信息", "行业", "规模", "需求", "购买意向", "合作历史", "信用"]
POINTS = {
    "growth": "业务发展动态",
    "people": "人员变动",
    "needs": "需求变化",
    "credit": "信用状况",
}
# DAY-3.1.2: the three fields that a quarterly review covers.
FIELDS = {"size": "公司规模", "business_scope": "业务范围", "buying_habits": "采购习惯"}

_YES_NO = [["CHANGED", "有变化"], ["SAME", "无变化"]]

REVIEW: dict[str, Any] = {
    "code": "REVIEW",
    "version": 1,
    "name": "客户信息复核单",
    "kind": Form.Kind.REVIEW,
    "covers": [*GROUPS, *FIELDS],
    "items": [
        {"name": name, "label": label, "kind": "choice", "choices": _YES_NO, "is_required": True}
        for name, label in POINTS.items()
    ]
    + [
        {"name": name, "label": label, "kind": "field", "bound_to": name, "is_required": False}
        for name, label in FIELDS.items()
    ],
}

# PS-3.3a: the three figures of the weekly forecast; TAG-4.1.2a: the three groups of tags.
FORECAST = {"expected_on": "预计签约", "amount": "预计合同额", "win_rate": "赢率"}
CHANCE_TAGS = ["机会来源", "销售阶段", "竞争情况"]
WEEKLY: dict[str, Any] = {
    "code": "WEEKLY",
    "version": 1,
    "name": "商机周更新",
    "kind": Form.Kind.WEEKLY,
    "covers": [*FORECAST, *CHANCE_TAGS],
    "items": [
        {"name": name, "label": label, "kind": "field", "bound_to": name, "is_required": True}
        for name, label in FORECAST.items()
    ]
    + [
        {"name": name, "label": name, "kind": "choice", "choices": _YES_NO, "is_required": True}
        for name in CHANCE_TAGS
    ],
}
# RES-4.2.3f: what an evaluation of a campaign leaves for the next one.
EVALUATE: dict[str, Any] = {
    "code": "EVALUATE",
    "version": 1,
    "name": "活动效果评估",
    "kind": Form.Kind.EVALUATE,
    "items": [
        {"name": name, "label": label, "kind": "field", "bound_to": name, "is_required": True}
        for name, label in (("lessons", "经验"), ("mistakes", "教训"), ("advice", "建议"))
    ],
}
# RES-5.1.3: what sales and customers say of a material; RES-4.4.2: what people know of the brand.
MATERIAL: dict[str, Any] = {
    "code": "MATERIAL",
    "version": 1,
    "name": "资料反馈",
    "kind": Form.Kind.MATERIAL,
    "items": [
        {"name": "csat", "label": "好用程度", "kind": "field", "bound_to": "csat",
         "is_required": True},
        {"name": "advice", "label": "建议", "kind": "field", "bound_to": "advice",
         "is_required": False},
    ],
}  # fmt: skip
BRAND: dict[str, Any] = {
    "code": "BRAND_SURVEY",
    "version": 1,
    "name": "品牌调研",
    "kind": Form.Kind.BRAND,
    "items": [
        {"name": "knows_brand", "label": "知晓品牌", "kind": "yes_no", "is_required": True},
        {"name": "csat", "label": "评价", "kind": "field", "bound_to": "csat",
         "is_required": False},
    ],
}  # fmt: skip
# PA-6.4: budget, authority, need and time of a lead; PA-7.4: what an interview asks.
QUALIFY: dict[str, Any] = {
    "code": "BANT_SHEET",
    "version": 1,
    "name": "BANT 评估表",
    "kind": Form.Kind.QUALIFY,
    "items": [
        {"name": name, "label": label, "kind": "field", "bound_to": name, "is_required": True}
        for name, label in (
            ("budget", "预算"), ("authority", "权限"),
            ("need_detail", "需求"), ("timeline", "时间"),
        )
    ],
}  # fmt: skip
NEEDS: dict[str, Any] = {
    "code": "NEEDS_SHEET",
    "version": 1,
    "name": "需求调研问卷",
    "kind": Form.Kind.NEEDS,
    "items": [
        {"name": name, "label": label, "kind": "field", "bound_to": name, "is_required": True}
        for name, label in (
            ("real_need", "真实需求"), ("pain", "痛点"), ("business_goal", "期望业务目标"),
            ("current_solution", "现有方案"), ("criteria", "决策标准"), ("timeframe", "时间框架"),
        )
    ],
}  # fmt: skip
PRESCRIBED = (REVIEW, WEEKLY, EVALUATE, MATERIAL, BRAND, QUALIFY, NEEDS)


def plant(deed: Any) -> None:
    """Create the prescribed forms that are not there yet."""
    known = set(Form.objects.everything("安装").values_list("code", "version"))
    for form in PRESCRIBED:
        if (form["code"], form["version"]) not in known:
            deed.create(Form, form, published_at=deed.at, key=form["code"])
