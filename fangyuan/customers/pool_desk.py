"""The desk of pools: their rules as data, entered by sales operations."""

from __future__ import annotations

from fangyuan.customers.keeping import Keeping
from fangyuan.customers.models import Allotment, Customer, Lead, Pool
from fangyuan.desk.declare import Desk, Link, Section, extend, register
from fangyuan.desk.panels import Facts
from fangyuan.desk.timeline import Timeline

BOTH = "claim release_to_pool extend_hold"

register(
    Desk(
        model=Pool,
        columns=[
            *("name", "kind", "team", "quota", "daily_claims", "cool_off_days"),
            *("method", "is_active"),
        ],
        filters="kind team method is_active is_automatic",
        search=["name"],
        sorts=["rank"],
        default_sort="rank",
        form=[
            Section("公海", "name kind team rank starts_at is_active"),
            Section("归集范围", "industries regions"),
            Section("领取限制", "quota counts_won daily_claims cool_off_days fresh_hours"),
            Section("分配", "method is_automatic"),
        ],
        head="kind team quota daily_claims starts_at",
        badges=["is_active"],
        links=[Link("看公海", "/pools/{id}", "pool", "pool")],
        page=[Facts(), Timeline()],
        icon="pool",
    )
)
extend(
    Customer,
    actions=f"{BOTH} assign_customer lock_customer".split(),
    filters=["pool"],
    page=[Keeping()],
)
extend(Lead, actions=BOTH.split(), filters=["pool"], page=[Keeping()])
register(
    Desk(
        model=Allotment,
        columns="pool record method seed_digest at spread",
        filters="pool record at",
        sorts=["at"],
        default_sort="-at",
        head="pool record method at spread",
        page=[Facts()],
        is_new=False,
        is_edited=False,
        address=lambda row: f"/draws/{row.pk}",
        icon="scale",
    )
)
