"""The desk of needs, and their place on a customer's page."""

from __future__ import annotations

from importlib import import_module

from fangyuan.customers.models import Customer
from fangyuan.desk.columns import Due, Title
from fangyuan.desk.declare import Desk, Section, View, extend, register
from fangyuan.desk.panels import Duties, Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.opportunities.models import Need

register(
    Desk(
        model=Need,
        columns=[
            Title("text"), "kind", "customer", "confirmed_at", "solution_ready_at", Due(),
        ],
        filters="kind customer opportunity to_product adopted_at confirmed_at solution_ready_at"
        " expected_on due",
        search=["text"],
        sorts=["confirmed_at", "due"],
        default_sort="-confirmed_at",
        form=[
            Section("需求", "customer opportunity kind text spec"),
            Section("更多", "to_product expected_on", is_more=True),
        ],
        head="kind customer confirmed_at solution_ready_at due",
        actions=["confirm_need", "answer_need", "agree_need", "finish_custom_solution",
                 "adopt_need"],
        page=[Timeline(), Facts(), Duties()],
        views=[View("待出方案", {"solution_ready_at": "none", "kind": "SPECIAL"}, "due")],
        icon="star",
    )
)  # fmt: skip
extend(
    Customer,
    page=[
        Related("", "需求", record="need", by="customer", show="text kind confirmed_at"),
    ],
)
import_module("fangyuan.opportunities.opportunity_desk")
import_module("fangyuan.opportunities.forecast_desk")
