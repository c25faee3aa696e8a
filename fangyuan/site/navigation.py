"""The sidebar, the phone's bottom bar and quick entry, as far as the actor may see them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.template import loader
from django.utils.safestring import SafeString

from fangyuan.access import table


@dataclass(frozen=True)
class Item:
    """One place to go; `record` and `operation` say what right it needs."""

    label: str
    url: str
    icon: str
    record: str = ""
    operation: str = "r"
    key: str = ""
    groups: frozenset[str] = frozenset()
    count: int = 0  # no further than one beyond `MOST_SAID`
    hot: bool = False
    current: bool = False


@dataclass(frozen=True)
class Group:
    """A heading of the sidebar with its items."""

    label: str
    items: list[Item]


MOST_SAID = 999
LEADERS = frozenset({"lead", "head", "exec", "ops", "audit", "region"})

ANALYSING = LEADERS | {"marketing", "analyst", "tag", "admin"}

GROUPS = [
    Group(
        "工作",
        [
            Item("工作台", "/", "home", key="h"),
            Item("义务", "/obligation/", "task", "obligation"),
            Item("天气预报", "/weather", "wx-fair", "tally"),
            Item("审批", "/approvals", "stamp", "request"),
            Item("拜访", "/visits", "pin", "activity", key="v"),
            Item("计划", "/plan/", "cal", "plan"),
            Item("任务", "/task/", "check", "task"),
            Item("会议", "/meetings", "mic", "meeting"),
            Item("报告", "/report/", "file", "report"),
        ],
    ),
    Group(
        "客户",
        [
            Item("客户", "/customer/", "users", "customer", key="k"),
            Item("联系人", "/contact/", "team", "contact"),
            Item("线索", "/lead/board", "radar", "lead"),
            Item("公海", "/pools", "pool", "pool"),
            Item("往来", "/activity/", "phone", "activity"),
            Item("变动", "/change/", "alert", "change"),
            Item("信息复核", "/response/", "file", "response"),
            Item("标签", "/tag/", "tag", "tag"),
        ],
    ),
    Group(
        "销售",
        [
            Item("商机", "/pipeline", "board", "opportunity", key="s"),
            Item("预测", "/forecast", "chart", "opportunity"),
            Item("指标", "/metrics", "dial"),
            Item("漏斗", "/funnel", "filter", "opportunity"),
            Item("目标", "/target/", "medal", "target"),
            Item("读数", "/reading/", "pulse", "reading"),
            Item("方案", "/solution/", "file", "solution"),
            Item("报价", "/quote/", "form", "quote"),
            Item("合同", "/contract/", "stamp", "contract"),
            Item("产品", "/product/", "box", "product"),
            Item("价格表", "/price_list/", "coins", "price_list"),
        ],
    ),
    Group(
        "市场",
        [
            Item("市场活动", "/campaigns", "flag", "campaign"),
            Item("情报", "/intelligence", "radar", "intel"),
            Item("客户群", "/segments", "cols", "customer", groups=ANALYSING),
        ],
    ),
    Group(
        "规矩",
        [
            Item("制度驾驶舱", "/cockpit", "dial", "clause", key="r"),
            Item("制度库", "/policy/", "book", "policy"),
            Item(
                "制度体检",
                "/checkup",
                "pulse",
                "clause",
                groups=frozenset({"ops", "exec", "audit", "head", "admin"}),
            ),
            Item("监督整改", "/supervision", "glass", "rectification"),
            Item("检查", "/inspection/", "search", "inspection"),
            Item("案件", "/incident/", "alert", "incident"),
            Item("豁免", "/waiver/", "scale", "waiver"),
        ],
    ),
    Group(
        "支持",
        [
            Item("资料", "/materials", "book", "material"),
            Item("归档文档", "/document/", "box", "document"),
            Item("协议", "/agreement/", "scale", "agreement"),
            Item("团队", "/team/", "team", "team"),
            Item("人员", "/person/", "smile", "person"),
            Item("请假", "/leave/", "clock", "leave"),
            Item("资源使用", "/resource_usage/", "box", "resource_usage"),
            Item("表单", "/form/", "file", "form"),
        ],
    ),
    Group(
        "设置",
        [
            Item("导入", "/import_batch/", "in", "import_batch"),
            Item("工作日历", "/calendar_day/", "cal", "calendar_day"),
            Item("消息渠道", "/channels", "mail", "channel"),
            Item("字典", "/term/", "cols", "term", "u"),
            Item(
                "事件日志",
                "/event/",
                "history",
                "event",
                groups=frozenset({"audit", "it", "admin"}),
            ),
            Item(
                "访问留痕",
                "/access_log/",
                "eye",
                "access_log",
                groups=frozenset({"audit", "it", "admin"}),
            ),
        ],
    ),
]

QUICK = [
    Item("拜访", "/visits/new", "pin", "activity", "c", "v"),
    Item("客户", "/customer/new", "users", "customer", "c", "n"),
    Item("电话", "/activity/new?kind=CALL", "phone", "activity", "c", "p"),
    Item("变动", "/change/new", "alert", "change", "c", "t"),
    Item("线索", "/lead/new", "pool", "lead", "c", "o"),
    Item("任务", "/task/new", "check", "task", "c", "l"),
]

TABS = {"/": "工作台", "/customer/": "客户", "/visits": "拜访", "/cockpit": "制度"}


@dataclass(frozen=True)
class Drawn:
    """What the shell shows to everybody with the same rights, place and counts."""

    nav: SafeString
    tabbar: SafeString
    dialogs: SafeString
    quick: list[Item]


MOST_DRAWN = 4096
_drawn: dict[tuple[Any, ...], Drawn] = {}


def draw(actor: Any, path: str, counts: dict[str, tuple[int, bool]]) -> Drawn:
    """The parts of the shell that follow from rights, place and counts alone."""
    seen, root = table.sight(actor), _root(path)
    place = root if root in _ROOTS else ""
    key = (seen.groups, seen.is_admin, place, tuple(sorted(counts.items())))
    if key not in _drawn:
        if len(_drawn) >= MOST_DRAWN:
            _drawn.clear()
        parts = {
            "nav": groups(actor, path, counts),
            "quick": quick(actor),
            "tabbar": tabs(actor, path),
        }
        names = ("nav", "tabbar", "dialogs")
        said = {name: loader.render_to_string(f"shell/{name}.html", parts) for name in names}
        _drawn[key] = Drawn(**said, quick=parts["quick"])
    return _drawn[key]


def _root(path: str) -> str:
    return "/" + path.strip("/").split("/")[0]


def _allowed(actor: Any, item: Item) -> bool:
    if item.groups and not (item.groups & table.sight(actor).groups):
        return False
    return not item.record or table.may(actor, item.record, item.operation)


def _here(path: str, item: Item) -> bool:
    return path == "/" if item.url == "/" else _root(path) == _root(item.url)


_ROOTS = {_root(item.url) for group in GROUPS for item in group.items}


def groups(actor: Any, path: str, counts: dict[str, tuple[int, bool]]) -> list[Group]:
    """The sidebar for an actor on a page; `counts` gives (number, contains overdue) per URL."""
    shown = []
    for group in GROUPS:
        items = [
            replace(
                item,
                current=_here(path, item),
                count=counts.get(item.url, (0, False))[0],
                hot=counts.get(item.url, (0, False))[1],
            )
            for item in group.items
            if _allowed(actor, item)
        ]
        if items:
            shown.append(Group(group.label, items))
    return shown


def quick(actor: Any) -> list[Item]:
    """What the actor may enter with one key."""
    return [item for item in QUICK if _allowed(actor, item)]


def tabs(actor: Any, path: str) -> list[Item]:
    """The four places of the phone's bottom bar."""
    found = {item.url: item for group in GROUPS for item in group.items}
    return [
        replace(found[url], label=label, current=_here(path, found[url]))
        for url, label in TABS.items()
        if _allowed(actor, found[url])
    ]
