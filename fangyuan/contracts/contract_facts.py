"""What rules may know of contracts, and of opportunities and talks through them."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now

from fangyuan.contracts.models import Contract, Negotiation, Point
from fangyuan.contracts.models.contract import KEPT
from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.engine import gates
from fangyuan.opportunities.models import Opportunity

FIXED: Final = ("APPROVED", "SENT", "CUSTOMER_SIGNED", "SIGNED", "PERFORMING", "EXPIRED", "ENDED")
_READS: Final = (("contract", "opportunity"),)


def _of(**where: Any) -> Any:
    """The contracts of the opportunity of the outer query."""
    return Contract._base_manager.filter(
        opportunity=OuterRef("pk"), removed_at=None, **where
    ).order_by()


def _at(rows: Any, by: str, chosen: Any) -> Subquery:
    return Subquery(rows.values(by).annotate(fy_at=chosen).values("fy_at"))


def _beside(**where: Any) -> Any:
    """The contracts of the opportunity of the negotiation of the outer query."""
    return Contract._base_manager.filter(
        opportunity=OuterRef("opportunity"), removed_at=None, **where
    ).order_by()


def _renewals(**where: Any) -> Any:
    return Contract._base_manager.filter(renews=OuterRef("pk"), removed_at=None, **where).order_by()


def _earlier() -> Any:
    signed = Contract._base_manager.filter(
        customer=OuterRef("customer"), removed_at=None, signed_at__isnull=False
    )
    return signed.exclude(pk=OuterRef("pk")).order_by()


def _open_risks() -> Coalesce:
    rows = Point._base_manager.filter(
        contract=OuterRef("pk"), kind="RISK", closed_at=None, removed_at=None
    )
    counted = rows.order_by().values("contract").annotate(fy_n=Count("pk")).values("fy_n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _deviates() -> Q:
    return ~Q(deviations=[])


def _day_of(column: str) -> Func:
    return Func(F(column), template="(%(expressions)s AT TIME ZONE 'Asia/Shanghai')::date")


facts.extend(
    Contract,
    {
        "is_ka": facts.Via("KA客户", "bool", link="customer", to="customer", of="is_ka"),
        "follows_template": facts.Derived(
            "与模板一致", kind="bool", value=lambda: is_true(Q(deviations=[]))
        ),
        "has_deviation": facts.Derived(
            "已说明的条款变更",
            kind="bool",
            value=lambda: is_true(_deviates() & ~Q(deviation_reason="")),
        ),
        "is_compliant": facts.Derived(
            "条款合规",
            kind="bool",
            value=lambda: is_true(
                Q(deviations=[]) | (Q(deviated_hash=F("text_hash")) & ~Q(text_hash=""))
            ),
        ),
        "text_approved": facts.Derived(
            "文本即所批版本",
            kind="bool",
            value=lambda: is_true(Q(approved_hash=F("text_hash")) & ~Q(text_hash="")),
        ),
        "matches_quote": facts.Derived(
            "与谈判结果一致",
            kind="bool",
            reads=(("quote", "", "quote"),),
            value=lambda: is_true(Q(quote__isnull=False, amount=F("quote__total"))),
        ),
        "list_total": facts.Derived(
            "目录价合计", kind="money", value=lambda: F("quote__list_total")
        ),
        "margin": facts.Derived(
            "毛利", kind="money", value=lambda: F("amount") - F("estimated_cost")
        ),
        "days_left": facts.DaysTo("距到期天数", day="ends_on"),
        "days_back": facts.DaysTo("距约定返回天数", day="promised_back_on"),
        "is_performing": facts.Among("履行中", of="stage", values=("PERFORMING",)),
        "is_first": facts.Derived(
            "客户首份",
            kind="bool",
            reads=(("contract", "customer", "customer"),),
            value=lambda: is_true(
                ~Q(Exists(_earlier().filter(signed_at__lt=OuterRef("signed_at"))))
            ),
        ),
        "open_risks": facts.Derived(
            "未关风险数",
            kind="int",
            reads=(("point", "contract"),),
            value=lambda: _open_risks(),
        ),
        "renewed_at": facts.Derived(
            "已续约",
            kind="at",
            reads=(("contract", "renews"),),
            value=lambda: _at(_renewals(), "renews", Min("signed_at")),
        ),
        "is_kept": facts.Derived(
            "保存期内",
            kind="bool",
            value=lambda: is_true(Q(signed_at__gt=Now() - KEPT)),
        ),
        "on_time": facts.Derived(
            "约定日前双签",
            kind="bool",
            value=lambda: is_true(
                Q(signed_at__isnull=False, agreed_sign_on__gte=_day_of("signed_at"))
            ),
        ),
        "opportunity_won_at": facts.Derived(
            "商机改赢单",
            kind="at",
            reads=(("opportunity", "", "opportunity"),),
            value=lambda: Case(When(opportunity__outcome="WON", then=F("opportunity__closed_at"))),
        ),
    },
)
facts.declare_streams(Contract, {"contract.signed": facts.Stream("contract", "signed_at")})
facts.extend(
    Opportunity,
    {
        "contract_signed_at": facts.Derived(
            "合同双签",
            kind="at",
            reads=_READS,
            value=lambda: _at(_of(), "opportunity", Max("signed_at")),
        ),
        "contract_state": facts.Derived(
            "合同状态",
            kind="enum",
            choices=dict(Contract.Stage.choices),
            reads=_READS,
            value=lambda: Subquery(_of().exclude(stage="VOID").order_by("-pk").values("stage")[:1]),
        ),
        "text_fixed": facts.Derived(
            "合同文本已确定",
            kind="bool",
            reads=_READS,
            value=lambda: is_true(
                Q(Exists(_of(stage__in=FIXED, approved_hash=F("text_hash")).exclude(text_hash="")))
            ),
        ),
    },
)
_TALKS: Final = (("contract", "opportunity", "opportunity"),)
facts.extend(
    Negotiation,
    {
        "contract_started_at": facts.Derived(
            "合同起草",
            kind="at",
            reads=_TALKS,
            value=lambda: _at(_beside(), "opportunity", Min("recorded_at")),
        ),
        "signed": facts.Derived(
            "已签约",
            kind="bool",
            reads=_TALKS,
            # What was won before contracts were kept counts as signed.
            value=lambda: is_true(
                Q(Exists(_beside(signed_at__isnull=False))) | Q(opportunity__outcome="WON")
            ),
        ),
        "matches_contract": facts.Derived(
            "结果与合同一致",
            kind="bool",
            reads=_TALKS,
            value=lambda: is_true(Q(Exists(_beside(amount=F("quote__total"))))),
        ),
    },
)
for _name in ("contract_signed_at", "contract_state", "text_fixed"):
    gates.met_at("opportunity", _name, "/contract/?opportunity={id}")
for _name in ("text_approved", "follows_template", "has_deviation", "matches_quote"):
    gates.met_at("contract", _name, "/contract/{id}")
