"""What the tests of this room share: an offer to the company's customer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from conftest import term
from fangyuan import door
from fangyuan.contracts.models import Quote, QuoteLine
from fangyuan.customers import holding
from fangyuan.library.models import Price, PriceList, Product
from fangyuan.opportunities import pipelines
from fangyuan.opportunities.models import Opportunity


@pytest.fixture
def offer(company):
    """小李's quote over one product of the price list."""
    with door.acting(by=None, action="test") as deed:
        pipelines.plant(deed)
        values = {"name": "检测线", "model": "JC", "category": term("product_category", "HARDWARE")}
        product = deed.create(Product, values)
        prices = deed.create(PriceList, {"name": "目录", "starts_on": date(2026, 1, 1)})
        amount = {"price_list": prices, "product": product, "amount": Decimal("280000")}
        deed.create(Price, amount, cost=Decimal("190000"))
        deal = deed.create(Opportunity, {"name": "二期", "customer": company.customer})
        holding.hand_to(deal, company.li, at=deed.at)
    values = {"opportunity": deal, "price_list": prices, "valid_until": date(2099, 1, 1)}
    quote = door.create(Quote, values, by=company.li)
    line = {"quote": quote, "product": product, "quantity": Decimal(2), "price": Decimal("270000")}
    door.create(QuoteLine, line, by=company.li)
    return company, Quote._base_manager.get(pk=quote.pk)
