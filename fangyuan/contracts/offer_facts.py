"""What the metrics know of offers: whole, in time, signed, and what they are mainly about."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, OuterRef, Q, Subquery, TextField, Value

from fangyuan.contracts.models import Quote, QuoteLine, Solution
from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.opportunities.models import Opportunity

# The four parts of a proposal (PS-2.4.2.1).
PARTS = ["方案细节", "实施计划", "服务支持", "预期收益ROI"]


def _is_whole() -> Q:
    return Q(sections__contains=Value(PARTS, output_field=ArrayField(TextField())))


def _dearest(**where: OuterRef) -> Subquery:
    """The product for which most is asked, in the newest of the quotes."""
    lines = QuoteLine._base_manager.filter(removed_at=None, quote__removed_at=None, **where)
    dearest = lines.order_by("-quote__version", "-quote_id", -(F("quantity") * F("price")), "id")
    return Subquery(dearest.values("product")[:1])


facts.extend(
    Solution,
    {
        "is_complete": facts.Derived("章节齐全", kind="bool", value=lambda: is_true(_is_whole())),
        "on_promise": facts.Derived(
            "按承诺提交",
            kind="bool",
            value=lambda: is_true(Q(sent_at__date__lte=F("promised_on"))),
        ),
    },
)
facts.extend(
    Quote,
    {
        "main_product": facts.Derived(
            "主要产品",
            kind="record",
            reads=(("quote_line", "quote"),),
            value=lambda: _dearest(quote=OuterRef("pk")),
        )
    },
)
facts.extend(
    Opportunity,
    {
        "main_product": facts.Derived(
            "主要产品",
            kind="record",
            reads=(("quote", "opportunity"),),
            value=lambda: _dearest(quote__opportunity=OuterRef("pk")),
        )
    },
)
