"""What rules may know of customers and of what points at them."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Upper
from django.db.models.lookups import Exact

from fangyuan.core import facts
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk.models import Change, is_true
from fangyuan.org.models import Holding


def _main_contact() -> Contact:
    return Contact._base_manager.filter(
        customer=OuterRef("pk"), is_main=True, left_on=None, removed_at=None
    )


def _reachable() -> Exists:
    return Exists(_main_contact().exclude(phone="", email=""))


def _of_contact(column: str) -> Coalesce:
    return Coalesce(
        Subquery(_main_contact().values(column)[:1]), Value(""), output_field=TextField()
    )


def _duplicates() -> Coalesce:
    same = (
        Customer._base_manager.filter(
            # Upper, as the index of the codes has them.
            Q(name_key=OuterRef("name_key"))
            | Q(Exact(Upper("uscc"), Upper(OuterRef("uscc"))), uscc__gt=""),
            removed_at=None,
            merged_into=None,
        )
        .exclude(pk=OuterRef("pk"))
        .order_by()
        .values("removed_at")
        .annotate(number=Count("pk"))
    )
    return Coalesce(Subquery(same.values("number")), Value(0))


facts.extend(
    Customer,
    {
        "status": facts.Phases(
            "生命周期状态",
            choices={"POTENTIAL": "潜在", "PROSPECT": "意向", "WON": "成交", "LOST": "流失"},
            first="POTENTIAL",
            begun_by=(("PROSPECT", "prospect_at"), ("WON", "won_at"), ("LOST", "lost_at")),
        ),
        "is_key": facts.Among("重点客户", of="grade", values=("A",)),
        "key_since": facts.Since("成为重点客户的时刻", of="is_key"),
        "ka_since": facts.Since("成为KA客户的时刻", of="is_ka"),
        "is_urgent": facts.Until("处于重要或紧急期", until="urgent_until"),
        "team_roles": facts.Rows(
            "服务组角色",
            choices=dict(Holding.Role.choices),
            source="holding",
            subject="subject",
            value="role",
        ),
        "has_contact": facts.Derived(
            "主要联系人及联系方式",
            kind="bool",
            reads=(("contact", "customer"),),
            value=lambda: _reachable(),
        ),
        "contact_phone": facts.Derived(
            "主要联系电话", reads=(("contact", "customer"),), value=lambda: _of_contact("phone")
        ),
        "contact_email": facts.Derived(
            "主要邮箱", reads=(("contact", "customer"),), value=lambda: _of_contact("email")
        ),
        "duplicates": facts.Derived("疑似重复数", kind="int", value=lambda: _duplicates()),
        # The first of the three steps in which a customer's file is filled (conflict C-12).
        "info_complete": facts.Derived(
            "建档信息齐全",
            kind="bool",
            reads=(("contact", "customer"),),
            value=lambda: is_true(
                Q(name__gt="", address__gt="", source__isnull=False) & Q(_reachable())
            ),
        ),
    },
)
facts.extend(
    Change,
    {
        "is_ka": facts.Via("涉及KA客户", kind="bool", link="subject", to="customer", of="is_ka"),
        "customer": facts.Derived(
            "所涉客户",
            kind="record",
            value=lambda: Subquery(
                Customer._base_manager.filter(pk=OuterRef("subject_id")).values("pk")[:1]
            ),
        ),
    },
)
facts.extend(
    Contact, {"is_ka": facts.Via("KA客户", "bool", link="customer", to="customer", of="is_ka")}
)
facts.declare_streams(
    Customer,
    {
        "customer.learned": facts.Stream("customer", "learned_at"),
        "customer.graded": facts.Stream("customer", "graded_at"),
        "customer.owner_changed": facts.Stream(
            "holding", "starts_at", "subject", {"role": "OWNER"}
        ),
        "customer.changed": facts.Stream("change", "clock_at", "subject"),
        "customer.major_changed": facts.Stream("change", "clock_at", "subject", {"is_major": True}),
        "customer.reviewed": facts.Stream(
            "response", "submitted_at", "subject", {"kind": "REVIEW"}
        ),
    },
)
