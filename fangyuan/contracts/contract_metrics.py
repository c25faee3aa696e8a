"""Metrics over contracts that both signed: how many, for how much, at what margin, as agreed."""

from __future__ import annotations

from typing import Any

from fangyuan.contracts.models import Contract
from fangyuan.metrics.declare import Metric, Ratio, declare, narrowed, part
from fangyuan.metrics.dimensions import tell_apart

tell_apart(Contract, customer="customer", source="opportunity__source", region="customer__region")


def _ratio(name: str, label: str, clause: str, over: Any, under: Any, **more: Any) -> Ratio:
    made: Ratio = declare(Ratio(name, label, over, under, clause=clause, **more))
    return made


contract_count = declare(
    Metric(
        "contract_count",
        "销售合同签订数量",
        Contract,
        "signed_at",
        unit="份",
        clause="RES-6.3.1h",
        windows="month quarter year",
    )
)
contract_amount = declare(
    Metric(
        "contract_amount",
        "合同金额",
        Contract,
        "signed_at",
        "sum(amount)",
        unit="元",
        clause="PA-9.6.2 PA-16.1a",
    )
)
_signed = part(Contract, "signed_at")
_costed = {"estimated_cost": {"not_empty": True}}
contract_margin_rate = _ratio(
    *("contract_margin_rate", "合同利润率", "PA-9.6.3"),
    part(Contract, "signed_at", "sum(margin)", **_costed),
    part(Contract, "signed_at", "sum(amount)", **_costed),
)
avg_contract_value = _ratio(
    *("avg_contract_value", "平均合同价值", "PJ-2.3.4.4"),
    part(Contract, "signed_at", "sum(amount)"),
    _signed,
    unit="元",
    windows="quarter",
)
contract_compliance_rate = _ratio(
    *("contract_compliance_rate", "合同条款合规率", "PS-2.5.5.3"),
    narrowed(_signed, is_compliant=True),
    _signed,
    windows="quarter",
)
_due = part(Contract, "agreed_sign_on")
contract_signing_on_time_rate = _ratio(
    *("contract_signing_on_time_rate", "合同签署及时率", "PS-2.6.5.1"),
    narrowed(_due, on_time=True),
    _due,
    windows="quarter",
)
