"""The desks of products, price lists, prices and materials."""

from __future__ import annotations

from fangyuan.desk.columns import Column, Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.library.models import Material, Price, PriceList, Product

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
            Related("", "资料", record="material", by="product"),
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
register(
    Desk(
        model=Material,
        columns=[Title("title", sub="code"), "kind", "category", "version", "state", "level"],
        filters="kind category state level product",
        search=["title", "code"],
        sorts=["published_at"],
        form=[
            Section("资料", "code version title kind category product"),
            Section("内容", "sections summary effective_on improves"),
        ],
        head="code kind category level",
        actions=["check_material", "publish_material", "open_to_customers", "retire_material"],
        page=[Timeline(), Facts()],
        views=[
            View("现行", {"state": "PUBLISHED"}, "-published_at"),
            View("待核验", {"state": "DRAFT"}, ""),
        ],
        icon="book",
    )
)
