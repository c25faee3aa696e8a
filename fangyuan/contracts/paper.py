"""A quote as a document to print or keep as PDF, its sum also in words (人民币大写)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fangyuan.contracts.models import Quote, QuoteLine
from fangyuan.core import money
from fangyuan.org.models import Team


@require_safe
def quote(request: HttpRequest, number: int) -> HttpResponse:
    """The paper of one quote; an unapproved one says that it is a draft."""
    seen = Quote.objects.seen_by(request.user).present()
    found = seen.filter(pk=number).select_related("opportunity__customer", "price_list").first()
    if found is None:
        raise Http404("没有这张报价单，或不在你的范围内")
    lines = QuoteLine.objects.everything("这张报价单在范围内").present().filter(quote=found)
    company = Team.objects.everything("公司名称").filter(kind="COMPANY").order_by("pk").first()
    net = money.to_fen(found.total * 100 / (100 + found.tax_rate))
    return render(
        request,
        "contracts/quote_paper.html",
        {
            "quote": found,
            "lines": [
                {
                    "line": line,
                    "price": money.yuan(line.price),
                    "amount": money.yuan(money.to_fen(line.quantity * line.price)),
                }
                for line in lines.select_related("product")
            ],
            "capital": money.capital(found.total),
            "total": money.yuan(found.total),
            "net": money.yuan(net),
            "tax": money.yuan(found.total - net),
            "company": company.name if company else "",
            "is_draft": found.stage == Quote.Stage.DRAFT,
        },
    )
