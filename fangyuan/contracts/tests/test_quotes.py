"""What a quote comes to, whose word a discount wants, and the paper it becomes."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal

import docx
import pypdf
import pytest
from django.utils import timezone

from fangyuan import door
from fangyuan.contracts import expiry
from fangyuan.contracts.models import Quote, QuoteLine
from fangyuan.desk.models import Attachment


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


def sent(offer):
    """小李's quote, approved and handed to the customer."""
    company, quote = offer
    door.act("discount_quote", quote, by=company.li, payload={"discount_reason": "首单"})
    door.act("send_quote", Quote._base_manager.get(pk=quote.pk), by=company.li)
    return Quote._base_manager.get(pk=quote.pk)


def test_what_goes_to_the_customer_is_kept_as_it_went(offer, client):
    company, quote = offer
    client.force_login(company.li)
    draft = client.get(f"/quote/{quote.pk}/paper.pdf").content
    assert "草稿" in pypdf.PdfReader(io.BytesIO(draft)).pages[0].extract_text()
    kept = sent(offer)
    file = Attachment._base_manager.get(subject_type="quote", subject_id=quote.pk)
    with file.file.open("rb") as opened:
        content = opened.read()
    said = pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "伍拾肆万元整" in said and "草稿" not in said
    assert kept.sent_hash == kept.approved_hash != ""
    assert client.get(f"/quote/{quote.pk}/paper.pdf").content == content


def test_an_approved_quote_says_what_was_approved_until_it_is_taken_back(offer):
    company, quote = offer
    door.act("discount_quote", quote, by=company.li, payload={"discount_reason": "首单"})
    line = QuoteLine._base_manager.get(quote=quote)
    with pytest.raises(door.Refused, match="退回修改"):
        door.change(line, {"price": Decimal("1")}, by=company.li)
    door.act("return_quote", Quote._base_manager.get(pk=quote.pk), by=company.li)
    door.change(line, {"price": Decimal("260000")}, by=company.li)
    assert Quote._base_manager.get(pk=quote.pk).total == Decimal("520000.00")


def test_a_quote_lapses_after_its_day_and_goes_on_in_a_new_version(offer):
    company, quote = offer
    door.change(quote, {"valid_until": timezone.localdate()}, by=company.li)
    held = sent((company, Quote._base_manager.get(pk=quote.pk)))
    assert expiry.run(timezone.now()) == 0
    assert expiry.run(timezone.now() + timedelta(days=1)) == 1
    lapsed = Quote._base_manager.get(pk=quote.pk)
    assert lapsed.stage == "EXPIRED"
    told = {"valid_until": date(2099, 1, 1)}
    again = door.act("revise_quote", lapsed, by=company.li, payload=told)
    again = Quote._base_manager.get(pk=again.pk)
    assert (again.number, again.version, again.stage) == (held.number, 2, "DRAFT")
    assert again.total == held.total and again.replaces_id == held.pk


def test_the_quote_as_a_document_has_every_line(offer, client):
    company, quote = offer
    client.force_login(company.li)
    answer = client.get(f"/quote/{quote.pk}/paper.docx")
    made = docx.Document(io.BytesIO(answer.content))
    said = "\n".join(one.text for one in made.paragraphs)
    assert "华清电子有限公司：" in said and "伍拾肆万元整" in said
    assert [c.text for c in made.tables[0].rows[1].cells][:4] == [
        "检测线",
        "JC",
        "2 件",
        "270,000.00",
    ]
