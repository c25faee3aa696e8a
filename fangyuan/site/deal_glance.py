"""What whoever decides about a deal sees beside it: customer, stage, rivals, risk (TAG-5.1.3a)."""

from __future__ import annotations

from typing import Any

from fangyuan.access import scopes
from fangyuan.core import facts
from fangyuan.customers.models import Customer
from fangyuan.opportunities import stage_facts
from fangyuan.opportunities.models import Opportunity, Rivalry


def glance(subject: Any, person: Any) -> dict[str, Any] | None:
    """The deal that a record is or belongs to, as far as the person may see it; three queries."""
    number = subject.pk if isinstance(subject, Opportunity) else _belongs_to(subject)
    if number is None:
        return None
    rows = facts.annotate(Opportunity.objects.seen_by(person).present(), ["risk_score"])
    deal = rows.filter(pk=number).select_related("stage").first()
    if deal is None:
        return None
    rivals = Rivalry.objects.seen_by(person).present().filter(opportunity=deal)
    customer = scopes.found(person, Customer, deal.customer_id)
    hidden = scopes.veil(person, [customer])[customer.pk] if customer else frozenset()
    return {
        "deal": deal,
        "customer": customer,
        "credit": customer.get_credit_display() if customer and "credit" not in hidden else "",
        "rivals": list(rivals.select_related("rival").order_by("-seen_at")),
        "risk": deal.fact_risk_score,
        "is_risky": deal.fact_risk_score >= stage_facts.HIGH_RISK,
    }


def _belongs_to(subject: Any) -> int | None:
    number = getattr(subject, "opportunity_id", None)
    return int(number) if number else None
