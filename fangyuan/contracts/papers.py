"""The paper of a quote: what is offered at which price, the sum also in words (人民币大写)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from fangyuan.contracts import stationery
from fangyuan.contracts.models import Quote, QuoteLine
from fangyuan.core import money
from fangyuan.core.paper import Block, Column, Heading, Paper, Party, Seal, Strong, Table, Text
from fangyuan.core.paper import paragraphs as told
from fangyuan.desk import papers
from fangyuan.org.models import Team

OPEN: Final = "另议"
GOODS: Final = (
    Column("产品", 3),
    Column("型号", 1.4),
    Column("数量", 1.1, is_figure=True),
    Column("单价（元）", 1.5, is_figure=True),
    Column("金额（元）", 1.6, is_figure=True),
    Column("交期", 1.3),
)


def company() -> str:
    """The company's own name, as papers bear it."""
    rows = Team.objects.everything("文书上的公司名称").filter(kind="COMPANY").order_by("pk")
    return str(rows.values_list("name", flat=True).first() or "")


def lines(quote: Quote) -> list[QuoteLine]:
    """The lines of a quote in their order."""
    rows = QuoteLine.objects.everything("这张报价单在范围内").present().filter(quote=quote)
    return list(rows.select_related("product").order_by("id"))


def goods(listed: Sequence[QuoteLine], total: Decimal) -> Table:
    """The lines of a quote as a table that closes with the sum."""
    rows = [list(row.values()) for row in rows_of(listed)]
    return Table(GOODS, rows, ("合计", "", "", "", money.yuan(total), ""))


def rows_of(listed: Sequence[QuoteLine]) -> list[dict[str, str]]:
    """The lines of a quote in words."""
    return [
        {
            "名称": line.product.name,
            "型号": line.product.model,
            "数量": f"{line.quantity.normalize():f} {line.product.unit}".strip(),
            "单价": money.yuan(line.price),
            "金额": money.yuan(money.to_fen(line.quantity * line.price)),
            "交期": f"{line.deliver_on}" if line.deliver_on else OPEN,
        }
        for line in listed
    ]


def day(on: date | datetime | None) -> str:
    """A day as papers write it, or nothing."""
    on = timezone.localtime(on) if isinstance(on, datetime) else on
    return f"{on.year} 年 {on.month} 月 {on.day} 日" if on else ""


def _number(quote: Quote) -> str:
    return quote.number + (f"（第 {quote.version} 版）" if quote.version > 1 else "")


def _words(quote: Quote) -> dict[str, Any]:
    net = money.to_fen(quote.total * 100 / (100 + quote.tax_rate))
    customer = quote.opportunity.customer
    return {
        "编号": _number(quote),
        "客户": customer.name,
        "商机": quote.opportunity.name,
        "有效期": day(quote.valid_until),
        "产品": rows_of(lines(quote)),
        "合计": money.yuan(quote.total),
        "大写": money.capital(quote.total),
        "不含税": money.yuan(net),
        "税率": f"{quote.tax_rate.normalize():f}%",
        "税额": money.yuan(quote.total - net),
        "付款与交付": quote.terms,
        "公司": company(),
        "日期": day(quote.approved_at or quote.recorded_at),
    }


SAMPLE: Final[dict[str, Any]] = {
    "编号": "BJ2026-00001",
    "客户": "示例客户有限公司",
    "商机": "二期检测线",
    "有效期": "2026 年 12 月 31 日",
    "产品": [
        {"名称": "检测线", "型号": "JC-1", "数量": "2 套", "单价": "270,000.00",
         "金额": "540,000.00", "交期": "2026 年 11 月 30 日"}
    ],
    "合计": "540,000.00",
    "大写": "伍拾肆万元整",
    "不含税": "477,876.11",
    "税率": "13%",
    "税额": "62,123.89",
    "付款与交付": "签约付三成，交货付七成",
    "公司": "示例公司",
    "日期": "2026 年 11 月 1 日",
}  # fmt: skip
STARTER: Final = (
    "报价单",
    "编号：{{ 编号 }}",
    "{{ 客户 }}：",
    "就“{{ 商机 }}”报价如下，有效期至 {{ 有效期 }}。",
    "TABLE",
    "合计人民币（大写）：{{ 大写 }}（¥{{ 合计 }}），其中不含税 ¥{{ 不含税 }}，"
    "增值税 {{ 税率 }} ¥{{ 税额 }}。",
    "{% if 付款与交付 %}付款与交付：{{ 付款与交付 }}{% endif %}",
    "{{ 公司 }}",
    "{{ 日期 }}",
)
LISTED: Final = {
    "list": "产品",
    "columns": {
        "产品": "名称", "型号": "型号", "数量": "数量", "单价（元）": "单价", "金额（元）": "金额",
        "交期": "交期",
    },
}  # fmt: skip
WORDING: Final = papers.Wording(_words, SAMPLE, STARTER, LISTED, stationery.for_quotes)


@papers.prints("quote", "报价单", WORDING)
def quote(record: Quote, actor: Any, now: datetime) -> Paper:
    """The paper of a quote; one that nobody approved says that it is a draft."""
    said, is_draft = _words(record), record.stage == Quote.Stage.DRAFT
    tax = f"增值税 {said['税率']} ¥{said['税额']}"
    sums = f"（¥{said['合计']}），其中不含税 ¥{said['不含税']}，{tax}。"
    blocks: list[Block] = [
        Text(f"{said['客户']}：", is_indented=False),
        Text(f"就“{said['商机']}”报价如下，有效期至 {said['有效期']}。"),
        goods(lines(record), record.total),
        Text(["合计人民币（大写）：", Strong(said["大写"]), sums]),
        *([Heading("付款与交付"), *told(record.terms)] if record.terms.strip() else ()),
        Seal([Party(said["公司"], [said["日期"]])]),
    ]
    return Paper("报价单", said["编号"], blocks, stamp="草稿，未核准" if is_draft else "")
