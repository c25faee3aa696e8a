"""A real firm's pipeline as the files that the importer reads: teams, people, products, deals.

Only the headers are changed to the product's own; names stay as they are written, wrong ones too.
The data are not part of the project: FY_SHARED names the folder that holds them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.helpdesk import log

Rows = Iterable[tuple[Any, ...]]
OUTCOMES = {"Won": "WON", "Lost": "LOST"}
BEGAN = "2016-01-01"


@cache
def told() -> dict[str, Any]:
    """The tables as they are, and what was worked out of them beforehand."""
    folder = log.folder("maven_crm")
    found: dict[str, Any] = {
        name: _read(folder / f"{name}.csv")
        for name in ("accounts", "products", "sales_teams", "sales_pipeline")
    }
    expected = (folder / "expected.json").read_text(encoding="utf-8")
    return {**found, "expected": json.loads(expected)}


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def login(name: str) -> str:
    """Somebody's login."""
    return name.lower().replace(" ", ".").replace("-", ".")


def _at(day: str) -> str:
    return f"{day}T09:00:00+08:00" if day else ""


def tables() -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """Every file in the order in which it is imported: record type, headers, rows."""
    found = told()
    people = found["sales_teams"]
    managers = {row["manager"]: row["regional_office"] for row in people}
    yield from _firm(people, managers)
    yield "customer", ("法定全称", "来源", "信息获取"), _accounts(found["accounts"])
    yield from _goods(found["products"])
    yield from _deals(found["sales_pipeline"])


def _firm(people: list[dict[str, str]], managers: dict[str, str]) -> Iterator[Any]:
    offices = dict.fromkeys(managers.values())
    teams = [(f"at-{login(office)}", office, "acme") for office in offices]
    teams += [
        (login(name), f"{name} 组", f"at-{login(office)}") for name, office in managers.items()
    ]
    yield "team", ("代码", "名称", "上级"), teams
    heads = [(login(name), name, login(name), BEGAN, "boss") for name in managers]
    agents = [
        (login(one["sales_agent"]), one["sales_agent"], login(one["sales_agent"]), BEGAN,
         login(one["manager"]))
        for one in people
    ]  # fmt: skip
    yield "person", ("登录名", "姓名", "工号", "入职时间", "直接上级"), [*heads, *agents]
    posts = [(login(name), login(name), "sales_manager", BEGAN) for name in managers]
    posts += [
        (login(one["sales_agent"]), login(one["manager"]), "sales_rep", BEGAN) for one in people
    ]
    yield "membership", ("人员", "团队", "岗位", "起"), posts


def _accounts(accounts: list[dict[str, str]]) -> Rows:
    return [(one["account"], "CALL", _at(BEGAN)) for one in accounts]


def _goods(products: list[dict[str, str]]) -> Iterator[Any]:
    yield "product", ("名称", "类别"), [(one["product"], "HARDWARE") for one in products]
    yield "price_list", ("外部编号", "名称", "生效"), [("list", "目录价", BEGAN)]
    prices = [("list", one["product"], one["sales_price"]) for one in products]
    yield "price", ("价格表", "产品", "目录价"), prices


def _deals(deals: list[dict[str, str]]) -> Iterator[Any]:
    yield (
        "opportunity",
        (
            *("外部编号", "名称", "客户", "流水线", "来源", "结果", "预计合同额"),
            *("关闭", "输单原因", "立项", "录入时间"),
        ),
        [_deal(one) for one in deals],
    )
    known = [one for one in deals if one["account"]]
    yield (
        "holding",
        ("对象", "人员", "角色", "起"),
        [
            (f"opportunity:{one['opportunity_id']}", login(one["sales_agent"]), "OWNER",
             _at(one["engage_date"] or BEGAN))
            for one in known
        ],
    )  # fmt: skip
    quotes = [(one["opportunity_id"], one["opportunity_id"], "list", "2018-12-31") for one in known]
    yield "quote", ("外部编号", "商机", "价格表", "有效期"), quotes
    lines = [(one["opportunity_id"], one["product"], one["close_value"] or "0") for one in known]
    yield "quote_line", ("报价", "产品", "成交价"), lines


def _deal(one: dict[str, str]) -> tuple[str, ...]:
    closed, lost = _at(one["close_date"]), one["deal_stage"] == "Lost"
    name = f"{one['account'] or '未知客户'} {one['product']}"
    return (
        *(one["opportunity_id"], name, one["account"], "s1s7", "CALL"),
        OUTCOMES.get(one["deal_stage"], "OPEN"),
        *(one["close_value"], closed, "PRICE" if lost else ""),
        *(_at(one["engage_date"]), _at(one["engage_date"] or BEGAN)),
    )
