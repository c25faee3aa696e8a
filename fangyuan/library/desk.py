"""The desks of products, price lists and prices; those of papers are imported."""

from __future__ import annotations

from importlib import import_module

from fangyuan.desk.columns import Column, Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.library.material_desk import Sections
from fangyuan.library.models import Price, PriceList, Product

register(
    Desk(
        model=Product,
        columns=[
            Title("name", sub="model"),
            "category",
            "state",
            Column("advantages", on_card=False),
            Column("cost", on_card=False),
        ],
        filters="category state advantages fit_lines",
        search=["name", "model"],
        sorts=["name"],
        form=[
            Section("产品", "name model category unit features advantages"),
            Section("市场", "positioning segment fit_lines cost", is_more=True),
        ],
        head="model category unit",
        actions=["release_product", "retire_product"],
        page=[
            Timeline(),
            Related("", "目录价", record="price", by="product"),
            Sections(),
            Related(
                "", "资料", record="material", by="product", show="title kind version state level"
            ),
            Facts(),
        ],
        views=[View("在售", {"state": "ON_SALE"}, "name")],
        icon="box",
    )
)
register(
    Desk(
        model=PriceList,
        columns=[Title("name"), "version", "stage", "starts_on", "ends_on"],
        filters="stage starts_on",
        search=["name"],
        sorts=["starts_on"],
        form=[
            Section("价格表", "name version starts_on ends_on"),
            Section("定价依据", "cost_basis demand_basis rival_basis"),
        ],
        head="version starts_on ends_on",
        actions=["activate_price_list", "retire_price_list"],
        page=[Related("", "价格", record="price", by="price_list"), Timeline(), Facts()],
        views=[View("生效中", {"stage": "ACTIVE"}, "-starts_on")],
        icon="coins",
    )
)
register(
    Desk(
        model=Price,
        columns=["product", "price_list", "amount", Column("cost", on_card=False)],
        filters="price_list product amount",
        form=[Section("价格", "price_list product amount cost")],
        head="price_list amount",
    )
)

import_module("fangyuan.library.paper_desk")
