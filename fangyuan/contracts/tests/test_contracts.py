"""A contract's way: drafted, its text held to the template, approved, sent, signed, performed."""

from __future__ import annotations

import io
from datetime import date

import pypdf
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from conftest import hire, term
from fangyuan import door
from fangyuan.contracts import contract_papers, expiry, keeping
from fangyuan.contracts.models import Quote
from fangyuan.core import facts
from fangyuan.core.models import Term
from fangyuan.desk import attachments, papers
from fangyuan.desk.models import Attachment
from fangyuan.library.models import Material
from fangyuan.opportunities.models import Opportunity


def fresh(record):
    return type(record)._base_manager.get(pk=record.pk)


def put(record, **values):
    """Write what only a verb may write, as if its time had come."""
    with door.acting(by=None, action="test"):
        type(record)._base_manager.filter(pk=record.pk).update(**values)
    return fresh(record)


def pages(content):
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def fact(record, name):
    rows = facts.annotate(type(record)._base_manager.filter(pk=record.pk), [name])
    return rows.values_list(facts.find(type(record), name).path, flat=True).get()


@pytest.fixture
def agreed(offer):
    """小李's quote that the customer took, and somebody with the seal."""
    company, quote = offer
    with door.acting(by=None, action="test") as deed:
        company.keeper = hire(deed, "keeper", "小章", "contract_admin", company.root)
    door.act("discount_quote", quote, by=company.li, payload={"discount_reason": "首单"})
    door.act("send_quote", fresh(quote), by=company.li)
    door.act("accept_quote", fresh(quote), by=company.li)
    return company, fresh(quote)


@pytest.fixture
def template(company):
    """A contract template in force, with the text to begin with."""
    with door.acting(by=None, action="test") as deed:
        deed.create(Term, {"domain": "knowledge", "code": "CONTRACT", "label": "合同"})
        values = {"code": "HT-1", "title": "销售合同", "kind": "CONTRACT_TEMPLATE"}
        made = deed.create(Material, {**values, "category": term("knowledge", "CONTRACT")})
        file = ContentFile(papers.starter(contract_papers.WORDING), name="合同.docx")
        attachments.keep(deed, made, file, kind="SENT")
    return put(made, state="PUBLISHED")


def act(name, record, by, **payload):
    door.act(name, fresh(record), by=by, payload=payload)
    return fresh(record)


def approved(company, contract):
    act("review_contract", contract, company.li)
    return act("approve_contract", contract, company.wang)


def test_from_draft_to_performance(agreed):
    company, quote = agreed
    contract = door.act("draft_contract", quote, by=company.li)
    contract = fresh(contract)
    assert contract.number.startswith("HT") and contract.customer_id == company.customer.pk
    assert (contract.amount, contract.estimated_cost) == (quote.total, 380000)
    assert fact(contract, "matches_quote") and not fact(contract, "text_approved")
    contract = approved(company, contract)
    assert fact(contract, "text_approved") and fact(contract.opportunity, "text_fixed")
    contract = act("send_contract", contract, company.li, promised_back_on=date(2099, 1, 1))
    assert contract.stage == "SENT" and contract.sent_hash == contract.approved_hash
    kept = Attachment._base_manager.get(subject_type="contract", subject_id=contract.pk)
    with kept.file.open("rb") as file:
        assert "380,000" not in pages(file.read())
    contract = act("sign_contract", contract, company.li, customer_signed_at=timezone.now())
    assert contract.stage == "CUSTOMER_SIGNED" and contract.signed_at is None
    with pytest.raises(door.Denied):
        door.act("seal", contract, by=company.li)
    contract = act("seal", contract, company.keeper)
    assert contract.stage == "SIGNED" and contract.signed_at == contract.effective_at
    assert fact(contract.opportunity, "contract_signed_at") == contract.signed_at
    assert act("perform_contract", contract, company.li).stage == "PERFORMING"


def test_changed_after_it_was_approved_it_is_not_sent(agreed):
    company, quote = agreed
    contract = approved(company, door.act("draft_contract", quote, by=company.li))
    door.change(contract, {"payment_terms": "一年后付清"}, by=company.li)
    assert not fact(contract, "text_approved")
    with pytest.raises(door.Refused, match="批准已失效"):
        act("send_contract", contract, company.li)
    contract = act("return_contract", contract, company.li)
    contract = approved(company, contract)
    contract = act("send_contract", contract, company.li)
    with pytest.raises(door.Refused, match="已发给客户"):
        door.change(contract, {"payment_terms": "两年后付清"}, by=company.li)


def test_a_rep_approves_nothing_where_no_clause_asks_for_more(agreed):
    company, quote = agreed
    contract = act("review_contract", door.act("draft_contract", quote, by=company.li), company.li)
    with pytest.raises(door.Denied):
        door.act("approve_contract", contract, by=company.li)


def test_the_text_comes_from_the_template_and_leaves_it_only_with_consent(agreed, template):
    company, quote = agreed
    contract = fresh(door.act("draft_contract", quote, by=company.li))
    assert contract.template == template and "第六条 售后服务" in contract.text
    assert "伍拾肆万元整" in contract.text and fact(contract, "follows_template")
    text = contract.text.replace("第六条 售后服务", "第六条 售后服务：三年内免费")
    door.change(contract, {"text": text}, by=company.li)
    contract = fresh(contract)
    assert contract.deviations == [{"was": "第六条 售后服务", "now": "第六条 售后服务：三年内免费"}]
    with pytest.raises(door.Refused, match="申请变更条款"):
        act("review_contract", contract, company.li)
    contract = act("deviate", contract, company.boss, deviation_reason="客户行业惯例")
    assert fact(contract, "has_deviation") and fact(contract, "is_compliant")
    assert act("review_contract", contract, company.li).stage == "REVIEW"


def test_the_paper_holds_text_goods_and_both_parties(agreed, template, client):
    company, quote = agreed
    contract = fresh(door.act("draft_contract", quote, by=company.li))
    client.force_login(company.li)
    said = pages(client.get(f"/contract/{contract.pk}/paper.pdf").content)
    for part in (
        "草稿",
        "第一条",
        "附件 产品清单",
        "检测线",
        "甲方：华清电子有限公司",
        "乙方：示例公司",
    ):
        assert part in said
    assert client.get(f"/contract/{contract.pk}/paper.docx").status_code == 200
    assert client.get(f"/contract/{contract.pk}").status_code == 200
    client.force_login(company.zhao)
    assert client.get(f"/contract/{contract.pk}/paper.pdf").status_code == 404


def test_a_renamed_customer_breaks_no_contract_that_was_sent(agreed):
    company, quote = agreed
    contract = approved(company, door.act("draft_contract", quote, by=company.li))
    contract = act("send_contract", contract, company.li)
    with door.acting(by=None, action="test") as deed:
        deed.change(company.customer, name="华清集团有限公司")
    assert keeping.agreed(fresh(contract)) == contract.sent_hash
    assert act("sign_contract", contract, company.li).stage == "CUSTOMER_SIGNED"


def test_a_contract_past_its_last_day_expires_by_itself(agreed):
    company, quote = agreed
    contract = door.act("draft_contract", quote, by=company.li)
    put(contract, stage="PERFORMING", ends_on=date(2020, 1, 1))
    assert expiry.run() == 1
    assert fresh(contract).stage == "EXPIRED"


def test_templates_ask_for_what_is_offered_and_change_only_as_drafts(company, template):
    def hand_in(material, written):
        content = papers.press.starter(["合同", written])
        with door.acting(by=None, action="test") as deed:
            attachments.keep(deed, material, ContentFile(content, name="新.docx"), kind="SENT")

    with pytest.raises(door.Refused, match="先改版"):
        hand_in(template, "{{ 甲方 }}")
    draft = put(template, state="DRAFT")
    with pytest.raises(door.Refused, match="没有“甲方名称”这个词。是不是“甲方”"):
        hand_in(draft, "{{ 甲方名称 }}")
    hand_in(draft, "{{ 甲方 }}")
    with pytest.raises(door.Denied, match="归口部门"), door.acting(by=company.li) as deed:
        attachments.keep(deed, draft, ContentFile(b"x", name="a.txt"))


def test_won_waits_for_nothing_here_and_facts_are_of_this_opportunity_alone(agreed):
    company, quote = agreed
    contract = door.act("draft_contract", quote, by=company.li)
    with door.acting(by=None, action="test") as deed:
        other = deed.create(Opportunity, {"name": "三期", "customer": company.customer})
    assert fact(quote.opportunity, "contract_state") == "DRAFT"
    assert fact(other, "contract_state") is None
    act("void_contract", contract, company.li, end_reason="客户改了主意")
    assert fact(quote.opportunity, "contract_state") is None
    assert Quote._base_manager.get(pk=quote.pk).stage == "ACCEPTED"
