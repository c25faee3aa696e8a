"""From a lead to a customer without making one twice, and on to whatever a room above opens.

A room above hands in with `leads_to` what is opened when a lead becomes an opportunity, and with
`carries` what of a lead goes over to its customer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from fangyuan import door
from fangyuan.core import text
from fangyuan.customers import holding
from fangyuan.customers.models import Contact, Customer
from fangyuan.org.models import Person

# What the first step asks for a customer that is not there yet; each is like the customer's field.
ASKS: Final = (
    *("address", "uscc", "product_need", "budget_high", "buying_plan"),
    *("position", "phase", "rivals_note"),
)
LIKE: Final = {name: f"customer.{name}" for name in ASKS}

# What is asked of the project that a lead opens; each is like the opportunity's field.
OPENS: Final = {name: f"opportunity.{name}" for name in ("amount", "expected_on")}

Open = Callable[[door.Deed, Any, Any, dict[str, Any]], Any]
Carry = Callable[[door.Deed, Any, Any], Any]
_opens: list[Open] = []
_carries: list[Carry] = []


def leads_to(opens: Open) -> None:
    """Have a room above open something `(deed, lead, customer, told)` when a lead goes on."""
    _opens.append(opens)


def carries(carry: Carry) -> Carry:
    """Have a room above take what belongs to a lead over to its customer."""
    _carries.append(carry)
    return carry


def go_on(deed: door.Deed, lead: Any, customer: Any, told: dict[str, Any]) -> None:
    """Open what the rooms above make of a lead, with what was told of it."""
    for opens in _opens:
        opens(deed, lead, customer, told)


def customer_of(deed: door.Deed, lead: Any, chosen: Any, said: dict[str, Any]) -> Any:
    """The customer that the lead is or becomes, with its contact, owner and interest.

    Raises Denied where somebody else answers for that customer.
    """
    with connection.cursor() as cursor:
        # Two leads of one company at the same moment make one customer.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fangyuan.convert'))")
    known = chosen or lead.customer or match(lead)
    answers = _answers(deed, lead)
    if known is not None:
        _claimable(known, answers)
    customer = known if known is not None else _made(deed, lead, said)
    if answers is not None:
        holding.hand_to(customer, answers, at=deed.at, reason="线索转化")
    _contact(customer, lead)
    for carry in _carries:
        carry(deed, lead, customer)
    fresh = Customer._base_manager.get(pk=customer.pk)
    given = {name: value for name, value in said.items() if value not in (None, "")}
    if lead.intent and not fresh.intent:
        given["intent"] = lead.intent
    fresh = deed.change(fresh, given)
    return door.act("become_prospect", fresh, by=deed.by, channel=deed.channel)


def match(lead: Any) -> Any:
    """The customer that a lead says the same of: its name, else the phone of its contact."""
    present = Customer._base_manager.filter(removed_at=None, merged_into=None)
    by_name = present.filter(name_key=text.normalise(lead.company)).first()
    if by_name is not None:
        return by_name
    reached = Q(contacts__phone=lead.phone, contacts__removed_at=None, contacts__left_on=None)
    return present.filter(reached).order_by("pk").first() if lead.phone else None


def _answers(deed: door.Deed, lead: Any) -> Person | None:
    """Who answers for the lead goes on answering for the customer."""
    current = holding.held(lead)
    found: Person | None = current.person if current is not None else deed.by
    return found


def _claimable(customer: Any, answers: Person | None) -> None:
    current = holding.held(customer, locked=True)
    if current is None or (answers is not None and current.person_id == answers.pk):
        return
    owner = current.person.name
    raise door.Denied(f"已有客户“{customer}”，负责人是{owner}；请与其商量，或由上级转移后再转化")


def _made(deed: door.Deed, lead: Any, said: dict[str, Any]) -> Any:
    values = {
        "name": lead.company,
        "source": lead.source,
        "referrer": lead.referrer,
        "learned_at": deed.at,
        "industry": lead.industry,
        "region": lead.region,
        "intent": lead.intent,
        "product_need": lead.need_detail or lead.need,
        **{name: value for name, value in said.items() if value not in (None, "")},
    }
    return deed.create(Customer, values)


def _contact(customer: Any, lead: Any) -> None:
    """The lead's person becomes a contact of the customer, unless one with that number is there."""
    if not (lead.phone or lead.email):
        return
    there = Contact._base_manager.filter(customer=customer, removed_at=None, left_on=None)
    same = Q(phone=lead.phone, phone__gt="") | Q(email=lead.email, email__gt="")
    if there.filter(same).exists():
        return
    values = {"customer": customer, "name": lead.contact_name or lead.company}
    values |= {"phone": lead.phone, "email": lead.email}
    with door.acting(by=None, action="convert") as system:
        system.create(Contact, values, is_main=not there.filter(is_main=True).exists())
