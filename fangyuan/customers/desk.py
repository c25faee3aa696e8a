"""The desks of customers and contacts."""

from __future__ import annotations

from importlib import import_module

from fangyuan.customers.gaps import Gaps
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk.columns import Column, Due, Owner, Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Facts, Related, Tags, Team
from fangyuan.desk.timeline import Source, Timeline

register(
    Desk(
        model=Customer,
        columns=[
            Title("name", "客户", sub="industry region"),
            "grade",
            "ka_tier",
            Owner(on_card=False),
            Column("intent", on_card=False),
            Due(),
            Column("credit", on_card=False),
            Column("expected_spend", on_card=False),
        ],
        filters=[
            *("grade", "is_ka", "ka_tier", "owner", "region", "industry", "due", "intent", "size"),
            *("source", "customer_type", "credit", "phase", "level", "is_partner", "learned_at"),
            *("won_at", "lost_at", "urgent_until", "expected_spend", "parent"),
        ],
        search=["name", "uscc", "contacts__phone"],
        sorts=["name", "learned_at", "expected_spend", "due"],
        default_sort="due",
        form=[
            Section("基本信息", "name source learned_at address region industry"),
            Section(
                "主要联系人",
                "name title phone email",
                of="contacts",
                fixed={"is_main": True},
            ),
            Section(
                "主体与规模",
                "kind uscc customer_type referrer segment size revenue headcount business_scope"
                " phase",
                is_more=True,
            ),
            Section(
                "需求与采购",
                "product_need service_needs special_need budget_low budget_high intent"
                " decision_days buying_plan buying_process buying_habits expected_spend org_chart",
                is_more=True,
            ),
            Section(
                "经营与策略",
                "credit credit_basis position rivals_note growth_note forecast_need strategy parent"
                " assets is_partner level",
                is_more=True,
            ),
        ],
        head="expected_spend credit intent learned_at owner due",
        badges="ka_tier industry size region level",
        inline="intent credit expected_spend",
        bulk="intent industry size",
        bulk_actions=["transfer_customer", "release_to_pool"],
        actions="regrade set_ka_tier transfer_customer add_to_team become_prospect mark_urgent"
        " confirm_lost",
        through=["change.subject", "holding.subject"],
        page=[
            Timeline(),
            Comments(),
            Related(
                "",
                "联系人",
                record="contact",
                by="customer",
                show="name title phone roles is_main",
                is_lazy=False,
            ),
            Related(
                "", "线索", record="lead", by="customer", show="company stage source occurred_at"
            ),
            Duties(),
            Gaps(),
            Facts(),
            Tags(),
            Team(),
            Approvals(),
        ],
        timeline=[
            Source(
                "change",
                by="subject",
                at="occurred_at",
                icon="alert",
                say=lambda row: {"title": row.get_kind_display(), "text": row.after},
            )
        ],
        views=[
            View("我的客户", {"owner": "me"}, "due"),
            View("重点 KA", {"ka_tier": "TIER1"}, "due"),
            View("7 天内到期", {"due": "week"}, "due"),
            View("没有负责人", {"owner": "none"}, "-learned_at"),
        ],
        icon="users",
    )
)
register(
    Desk(
        model=Contact,
        columns=[Title("name", sub="title"), "customer", "phone", "email", "roles", "is_main"],
        filters="customer roles is_main left_on level",
        search=["name", "phone", "email"],
        sorts=["name"],
        form=[
            Section("联系人", "customer name title phone email wechat roles is_main"),
            Section("更多", "concern left_on level", is_more=True),
        ],
        head="customer title phone email roles",
        inline=["title"],
        page=[Timeline(), Comments(), Facts(), Duties()],
        icon="team",
    )
)

# Leads and pools have desks of their own; pools add to those above.
import_module("fangyuan.customers.lead_desk")
import_module("fangyuan.customers.pool_desk")
import_module("fangyuan.customers.inlet_desk")
