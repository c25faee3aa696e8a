"""Forms that the regulations themselves prescribe, planted at installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from fangyuan.forms.models import Form

# What the clauses ask for besides: for people who write regulations, not for programmers.
FILE: Final = Path(__file__).parent / "data" / "forms.yaml"

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


def prescribed() -> list[dict[str, Any]]:
    """Every form that the shipped regulations ask for, as it is planted."""
    told = YAML(typ="safe").load(FILE)
    return [REVIEW, WEEKLY, *(_read(form) for form in told)]


def _read(form: dict[str, Any]) -> dict[str, Any]:
    items = [{"is_required": False, **_choices(item)} for item in form["items"]]
    verdicts = form.get("verdicts", [])
    if verdicts:
        items.append(
            {"name": "verdict", "label": "结论", "kind": "verdict", "verdicts": verdicts,
             "is_required": True}
        )  # fmt: skip
    return {
        "code": form["code"],
        "version": 1,
        "name": form["name"],
        "kind": form.get("kind", form["code"]),
        "covers": form.get("covers", []),
        "items": items,
    }


def _choices(item: dict[str, Any]) -> dict[str, Any]:
    return {"choices": _YES_NO, **item} if item["kind"] == "choice" else item


def plant(deed: Any) -> None:
    """Create the prescribed forms that are not there yet."""
    known = set(Form.objects.everything("安装").values_list("code", "version"))
    for form in prescribed():
        if (form["code"], form["version"]) not in known:
            deed.create(Form, form, published_at=deed.at, key=form["code"])
