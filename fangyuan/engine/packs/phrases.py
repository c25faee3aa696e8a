"""What a pack author reads when a value does not fit: cause, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from fangyuan.engine.packs.names import nearest

_FORMS = {
    "within": "写数字加 h（小时）、d（天）或 wd（工作日），如 24h、3wd",
    "clear_after": "写数字加 h（小时）、d（天）或 wd（工作日），如 7d",
    "due": "写期末后的 5wd、期初后的 start+31d，或 last_working_day before",
    "id": "条号写成前缀加数字，如 KA-3.3.2b",
    "from": "日期写成 2010-01-01 这样的年-月-日",
    "version": '版本写成带引号的数字，如 "2026.1"',
    "policy": "制度代码用小写字母和连字符，如 process-s1s7",
    "who": "责任人用角色或人员字段的英文名，几个之间用逗号",
}
_TYPES = {
    "string_type": "要写成文字",
    "int_type": "要写成整数",
    "list_type": "要写成列表，如 [甲, 乙]",
    "dict_type": "要写成名称和值，如 {kind: VISIT}",
    "bool_type": "要写 true 或 false",
    "date_type": "要写成年-月-日",
    "date_from_datetime_parsing": "要写成年-月-日",
}


def phrase(error: dict[str, Any], shape: type[BaseModel]) -> str:
    """One pydantic error as a Chinese sentence."""
    kind = str(error["type"])
    spot = [str(step) for step in error["loc"]]
    named = next((s for s in reversed(spot) if not s.isdigit()), "")
    if kind == "missing":
        return f"缺“{named}”，请补上"
    if kind == "extra_forbidden":
        return f"不认识“{named}”{nearest(named, _words(shape))}"
    if kind == "value_error" and not named:
        return str(error["ctx"]["error"])
    return f"“{named}”写的是“{_short(error['input'])}”，{_remedy(error, named)}"


def _remedy(error: dict[str, Any], name: str) -> str:
    kind = str(error["type"])
    if kind in ("literal_error", "enum"):
        return f"只能是 {_listed(error)}"
    return _FORMS.get(name) or _TYPES.get(kind) or _size(error)


def _words(shape: type[BaseModel]) -> Iterable[str]:
    return [field.alias or name for name, field in shape.model_fields.items()]


def _listed(error: dict[str, Any]) -> str:
    said = str(error.get("ctx", {}).get("expected", "")).replace("'", "")
    return said.replace(" or ", "、").replace(", ", "、")


def _size(error: dict[str, Any]) -> str:
    limits = error.get("ctx") or {}
    if "min_length" in limits:
        return f"至少要有 {limits['min_length']} 项或字"
    if "max_length" in limits:
        return f"最多 {limits['max_length']} 项或字"
    if "ge" in limits:
        return f"不能小于 {limits['ge']}"
    if "le" in limits:
        return f"不能大于 {limits['le']}"
    return "写法不对，请对照 docs/packs.md"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 30 else text[:30] + "…"
