"""What a quote comes to, whose word a discount wants, and the paper it becomes."""

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


def test_a_quote_is_numbered_and_comes_to_the_sum_of_its_lines(offer):
    _, quote = offer
    assert quote.number.startswith("BJ") and quote.number.endswith(f"{quote.pk:05d}")
    assert (quote.total, quote.list_total) == (Decimal("540000.00"), Decimal("560000.00"))


def test_a_removed_line_no_longer_counts(offer):
    company, quote = offer
    door.remove(QuoteLine._base_manager.get(quote=quote), by=company.li)
    assert Quote._base_manager.get(pk=quote.pk).total == 0


def test_below_the_list_a_reason_is_wanted_and_unapproved_nothing_leaves(offer):
    company, quote = offer
    with pytest.raises(door.Refused, match="折扣理由"):
        door.act("discount_quote", quote, by=company.li)
    with pytest.raises(door.Refused, match="还没有核准"):
        door.act("send_quote", quote, by=company.li)
    door.act("discount_quote", quote, by=company.li, payload={"discount_reason": "首单"})
    door.act("send_quote", Quote._base_manager.get(pk=quote.pk), by=company.li)
    assert Quote._base_manager.get(pk=quote.pk).stage == "SENT"


def test_the_paper_says_the_sum_in_words_and_hides_from_strangers(offer, client):
    company, quote = offer
    client.force_login(company.li)
    page = client.get(f"/quote/{quote.pk}/paper").content.decode()
    assert "伍拾肆万元整" in page and "540,000.00" in page and "草稿，未核准" in page
    assert "190,000" not in page
    client.force_login(company.zhao)
    assert client.get(f"/quote/{quote.pk}/paper").status_code == 404


def test_a_quote_may_be_begun_without_a_line(offer, client):
    company, quote = offer
    client.force_login(company.li)
    places = {"opportunity": quote.opportunity_id, "price_list": quote.price_list_id}
    given = {**places, "valid_until": "2099-01-01", "tax_rate": "13", "child__quantity": "1"}
    made = client.post("/quote/new", given)
    assert made.status_code == 302, made.content.decode()[:2000]
    assert Quote._base_manager.count() == 2 and QuoteLine._base_manager.count() == 1
