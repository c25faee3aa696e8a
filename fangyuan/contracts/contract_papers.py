"""The paper of a contract: its text, what is sold as an annex, and where both parties sign."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from fangyuan.contracts import papers, stationery
from fangyuan.contracts.models import Contract
from fangyuan.core import money
from fangyuan.core.paper import Block, Heading, Paper, Party, Seal, Text, paragraphs
from fangyuan.desk import papers as desk_papers

_HEADING: Final = re.compile("第[一二三四五六七八九十]+条|附件")
_PARTY: Final = re.compile("[甲乙]方|合同编号")
UNBOUND: Final = {"DRAFT": "草稿", "REVIEW": "审核中", "VOID": "作废"}


def words(contract: Contract) -> dict[str, Any]:
    """What a template may say of a contract."""
    quote = contract.quote
    return {
        "编号": contract.number,
        "甲方": contract.customer.name,
        "乙方": papers.company(),
        "商机": contract.opportunity.name,
        "产品": papers.rows_of(papers.lines(quote)) if quote else [],
        "金额": money.yuan(contract.amount),
        "大写": money.capital(contract.amount),
        "税率": f"{quote.tax_rate.normalize():f}%" if quote else "",
        "付款方式": contract.payment_terms,
        "首付款": money.yuan(contract.down_payment) if contract.down_payment is not None else "",
        "交货日": papers.day(contract.deliver_by),
        "起": papers.day(contract.starts_on),
        "止": papers.day(contract.ends_on),
        "报价编号": quote.number if quote else "",
    }


SAMPLE: Final[dict[str, Any]] = {
    **dict.fromkeys(("编号", "甲方", "乙方", "商机", "金额", "大写", "税率", "付款方式"), "示例"),
    **dict.fromkeys(("首付款", "交货日", "起", "止", "报价编号"), "示例"),
    "产品": papers.SAMPLE["产品"],
}
STARTER: Final = (
    "销售合同",
    "合同编号：{{ 编号 }}",
    "甲方（买方）：{{ 甲方 }}",
    "乙方（卖方）：{{ 乙方 }}",
    "第一条 产品或服务内容",
    "乙方向甲方提供的产品或服务见附件。",
    "第二条 价格",
    "合同总价人民币（大写）{{ 大写 }}（¥{{ 金额 }}）。",
    "第三条 付款方式",
    "{{ 付款方式 }}",
    "第四条 交货时间",
    "乙方于{{ 交货日 }}前交货。",
    "第五条 质量标准",
    "第六条 售后服务",
    "附件 产品清单",
    "TABLE",
)
WORDING: Final = desk_papers.Wording(
    words, SAMPLE, STARTER, papers.LISTED, lambda one: stationery.of_material(one.template_id)
)


def body(contract: Contract) -> list[Block]:
    """What the parties agree to: all that an approval or a signature is about."""
    has_text = bool(contract.text.strip())
    blocks = list(_clauses(contract.text)) if has_text else _plainly(contract)
    if contract.quote:
        listed = papers.lines(contract.quote)
        if not has_text:
            blocks.append(Heading(f"附件　产品清单（报价 {contract.quote.number}）"))
        blocks.append(papers.goods(listed, contract.quote.total))
    return blocks


def _clauses(text: str) -> Iterator[Block]:
    """The text by paragraphs; what begins with 第…条 or 附件 is the heading of what follows."""
    for line in filter(None, map(str.strip, text.splitlines())):
        if _HEADING.match(line):
            yield Heading(line)
        elif line not in ("销售合同", "合同"):  # the paper has its title already
            yield Text(line, is_indented=not _PARTY.match(line))


def _plainly(contract: Contract) -> list[Block]:
    """The terms one by one, where no template gave the text."""
    said = words(contract)
    terms = [
        ("价格", f"合同总价人民币（大写）{said['大写']}（¥{said['金额']}）。"),
        ("首付款", f"¥{said['首付款']}" if said["首付款"] else ""),
        ("付款方式", said["付款方式"]),
        ("交货时间", said["交货日"]),
        ("合同期限", f"{said['起']}至{said['止']}" if said["起"] and said["止"] else ""),
    ]
    told = [(name, value) for name, value in terms if value]
    parties = [
        Text(f"甲方（买方）：{contract.customer.name}", is_indented=False),
        Text(f"乙方（卖方）：{papers.company()}", is_indented=False),
    ]
    return parties + [
        block
        for place, (name, value) in enumerate(told)
        for block in (Heading(f"第{'一二三四五'[place]}条　{name}"), *paragraphs(value))
    ]


@desk_papers.prints("contract", "销售合同", WORDING)
def contract(record: Contract, actor: Any, now: datetime) -> Paper:
    """The paper of a contract; what nobody approved says so."""
    return Paper(
        "销售合同",
        record.number,
        [*body(record), _signatures(record)],
        UNBOUND.get(record.stage, ""),
    )


def _signatures(record: Contract) -> Seal:
    ours = ["合同", "专用章"] if record.company_signed_at else []
    signed = papers.day(record.customer_signed_at) or "　　年　　月　　日"
    sealed = papers.day(record.company_signed_at) or "　　年　　月　　日"
    return Seal(
        [
            Party(f"甲方：{record.customer.name}", ["授权代表：＿＿＿＿＿＿", signed]),
            Party(f"乙方：{papers.company()}", ["授权代表：＿＿＿＿＿＿", sealed], ours),
        ]
    )
