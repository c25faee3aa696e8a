"""The invented company's twelve teams and about a hundred people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from fangyuan.site.demo import names

# code, name, kind, parent, leader's login
TEAMS = [
    ("sales_dept", "销售部", "DEPARTMENT", "company", "xuguodong"),
    ("ka_team", "销售KA团队", "TEAM", "sales_dept", "linyue"),
    ("east1", "华东一部", "TEAM", "sales_dept", "chenliqun"),
    ("east2", "华东二部", "TEAM", "sales_dept", "luosiyuan"),
    ("south", "华南部", "TEAM", "sales_dept", "heye"),
    ("middle", "中西部", "TEAM", "sales_dept", "tangjing"),
    ("sales_ops", "销售运营部", "DEPARTMENT", "company", "linxia"),
    ("marketing_dept", "市场部", "DEPARTMENT", "company", "hanlu"),
    ("aftersales_dept", "售后服务部", "DEPARTMENT", "company", "dingwei"),
    ("finance_dept", "财务部", "DEPARTMENT", "company", "luhuaiyuan"),
    ("hr_dept", "人力资源部", "DEPARTMENT", "company", "dingdan"),
    ("audit_dept", "审计部", "DEPARTMENT", "company", "songqi"),
]
SELLING = ("sales_dept", "ka_team", "east1", "east2", "south", "middle")
# login, name, position, team, manager's login
LEADERS = [
    ("gaoyuan", "高远", "senior_executive", "company", None),
    ("xuguodong", "许国栋", "sales_director", "sales_dept", "gaoyuan"),
    ("linxia", "林夏", "key_position_staff", "sales_ops", "gaoyuan"),
    ("linyue", "林岳", "ka_manager", "ka_team", "xuguodong"),
    ("chenliqun", "陈立群", "sales_manager", "east1", "xuguodong"),
    ("luosiyuan", "罗思远", "sales_manager", "east2", "xuguodong"),
    ("heye", "何叶", "sales_manager", "south", "xuguodong"),
    ("tangjing", "唐婧", "sales_manager", "middle", "xuguodong"),
    ("hanlu", "韩璐", "marketing_promoter", "marketing_dept", "gaoyuan"),
    ("dingwei", "丁蔚", "aftersales_staff", "aftersales_dept", "gaoyuan"),
    ("luhuaiyuan", "陆怀远", "key_position_staff", "finance_dept", "gaoyuan"),
    ("dingdan", "丁丹", "trainer", "hr_dept", "gaoyuan"),
    ("songqi", "宋祺", "key_position_staff", "audit_dept", "gaoyuan"),
    ("zhoumin", "周敏", "ka_rep", "ka_team", "linyue"),
]
# login, a further position, its team: who answers for sales in the key-account team
SECOND_POSTS = [("linyue", "sales_manager", "ka_team")]
# team, position, how many besides the leader
CREWS = [
    ("ka_team", "ka_rep", 15),
    ("east1", "sales_rep", 12),
    ("east2", "sales_rep", 11),
    ("south", "sales_rep", 10),
    ("middle", "sales_rep", 9),
    ("marketing_dept", "market_analyst", 5),
    ("aftersales_dept", "aftersales_staff", 8),
    ("aftersales_dept", "technical_support", 8),
    ("finance_dept", "key_position_staff", 3),
    ("hr_dept", "attendance_clerk", 2),
    ("audit_dept", "tag_auditor", 2),
]


@dataclass
class Colleague:
    """One employee as planned: who, where, since when, how diligent."""

    login: str
    name: str
    position: str
    team: str
    manager: str | None
    joined_on: date
    diligence: float
    row: Any = field(default=None, repr=False)


def plan(luck: Random, today: date) -> list[Colleague]:
    """Everyone, leaders first. The second eastern team is the careless one."""
    people = [
        Colleague(login, name, position, team, manager, today - timedelta(days=1500), 0.95)
        for login, name, position, team, manager in LEADERS
    ]
    leaders = {code: leader for code, _, _, _, leader in TEAMS}
    taken = {p.name for p in people}
    for team, position, number in CREWS:
        for place in range(1, number + 1):
            name = names.person(luck)
            while name in taken:
                name = names.person(luck)
            taken.add(name)
            low = 0.62 if team == "east2" else 0.8
            people.append(
                Colleague(
                    f"{team.removesuffix('_dept').removesuffix('_team')}{place:02d}"
                    if position != "technical_support"
                    else f"tech{place:02d}",
                    name,
                    position,
                    team,
                    leaders[team],
                    today - timedelta(days=luck.randint(200, 1400)),
                    luck.uniform(low, 0.99),
                )
            )
    return people
