"""What rules may know of solutions, quotes and talks, and of opportunities through them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from fangyuan.contracts.models import Confirmed, Negotiation, Point, Quote, QuoteLine, Solution
from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.engine import gates
from fangyuan.opportunities.models import Need, Opportunity


def _via(label: str, name: str) -> facts.Via:
    return facts.Via(label, "bool", link="opportunity", to="opportunity", of=name)


def _size(column: str) -> Func:
    return Func(F(column), function="cardinality", output_field=IntegerField())


def _of(model: Any, **where: Any) -> Any:
    return model._base_manager.filter(
        opportunity=OuterRef("pk"), removed_at=None, **where
    ).order_by()


def _latest(model: Any, at: str, **where: Any) -> Subquery:
    rows = _of(model, **where).values("opportunity").annotate(fy_last=Max(at))
    return Subquery(rows.values("fy_last"))


def _newest(column: str) -> Subquery:
    return Subquery(_of(Solution).order_by("-version").values(column)[:1])


def _count(rows: Any, by: str) -> Coalesce:
    counted = rows.values(by).annotate(fy_n=Count("pk")).values("fy_n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _discount() -> Case:
    """How far below the list the quote is, in per cent of the list."""
    share = ExpressionWrapper(
        (F("list_total") - F("total")) * 100 / F("list_total"),
        output_field=DecimalField(max_digits=9, decimal_places=4),
    )
    return Case(When(list_total__gt=0, then=share), default=Value(0, output_field=DecimalField()))


def _agreed(*topics: str) -> Case:
    """Whether every one of these topics was talked over and closed with a result."""
    met = Q()
    for topic in topics:
        closed = _of(Point, kind="TOPIC", topic__code=topic, closed_at__isnull=False)
        met &= Q(Exists(closed.exclude(result="")))
    return is_true(met)


def _all_agreed(kind: str, column: str) -> Case:
    """Needs of a kind exist and each has this instant."""
    there = Need._base_manager.filter(opportunity=OuterRef("pk"), removed_at=None, kind=kind)
    return is_true(Q(Exists(there)) & ~Q(Exists(there.filter(**{column: None}))))


def _answered(**where: Any) -> Any:
    """The needs of the opportunity of the outer query's solution that were answered."""
    rows = Need._base_manager.filter(
        opportunity=OuterRef("opportunity"), answered_at__isnull=False, removed_at=None, **where
    )
    return rows.order_by()


def _solves() -> Case:
    """There is a solution, and every pain that was named has its answer (PS-2.3.1)."""
    pains = Need._base_manager.filter(opportunity=OuterRef("pk"), removed_at=None, kind="PAIN")
    unanswered = Exists(pains.filter(answered_at=None))
    return is_true(Q(Exists(pains)) & Q(Exists(_of(Solution))) & ~Q(unanswered))


READS_SOLUTION = (("solution", "opportunity"),)
READS_POINT = (("point", "opportunity"),)
facts.extend(
    Solution,
    {
        "is_ka": _via("KA客户", "is_ka"),
        "is_key": _via("重点客户", "is_key"),
        "author_count": facts.Derived("协作部门数", kind="int", value=lambda: _size("authors")),
        "answered_needs": facts.Derived(
            "响应需求数", kind="int", value=lambda: _count(_answered(), "opportunity")
        ),
        "needs": facts.Derived(
            "响应需求",
            kind="set",
            value=lambda: ArraySubquery(_answered().values(fy_text=Cast("text", TextField()))),
        ),
    },
)
facts.extend(
    Quote,
    {
        "discount": facts.Derived(
            "折扣率", kind="number", reads=(("quote_line", "quote"),), value=lambda: _discount()
        ),
        "discount_amount": facts.Derived(
            "折让额", kind="money", value=lambda: F("list_total") - F("total")
        ),
    },
)
facts.extend(
    QuoteLine,
    {
        "amount": facts.Derived(
            "行金额",
            kind="money",
            value=lambda: ExpressionWrapper(
                F("quantity") * F("price"),
                output_field=DecimalField(max_digits=18, decimal_places=2),
            ),
        )
    },
)
facts.extend(
    Negotiation,
    {
        "is_key": _via("重要客户", "is_key"),
        "rounds": facts.Derived(
            "轮数",
            kind="int",
            reads=(("point", "negotiation"),),
            value=lambda: Coalesce(
                Subquery(
                    Point._base_manager.filter(negotiation=OuterRef("pk"), removed_at=None)
                    .order_by()
                    .values("negotiation")
                    .annotate(fy_n=Max("round"))
                    .values("fy_n")
                ),
                Value(0),
            ),
        ),
        "topics": facts.Derived(
            "已谈议题",
            kind="set",
            reads=(("point", "negotiation"),),
            value=lambda: ArraySubquery(
                Point._base_manager.filter(
                    negotiation=OuterRef("pk"), removed_at=None, closed_at__isnull=False
                )
                .exclude(result="")
                .order_by()
                .values(fy_topic=Cast("topic__label", TextField()))
                .distinct()
            ),
        ),
    },
)
facts.extend(
    Opportunity,
    {
        "feasible": facts.Derived(
            "技术可行",
            kind="bool",
            reads=READS_SOLUTION,
            value=lambda: is_true(Q(Exists(_of(Solution, feasible="FEASIBLE")))),
        ),
        "solution_state": facts.Derived(
            "最新方案状态",
            kind="enum",
            choices=dict(Solution.Stage.choices),
            reads=READS_SOLUTION,
            value=lambda: _newest("stage"),
        ),
        "solution_presented_at": facts.Derived(
            "方案呈现",
            kind="at",
            reads=READS_SOLUTION,
            value=lambda: _latest(Solution, "presented_at"),
        ),
        "customer_accepts": facts.Derived(
            "客户认可方案",
            kind="bool",
            reads=READS_SOLUTION,
            value=lambda: is_true(Q(Exists(_of(Solution, stage="ACCEPTED")))),
        ),
        "confirm_form": facts.Derived(
            "客户确认方式",
            kind="enum",
            choices=dict(Confirmed.choices),
            reads=READS_SOLUTION,
            value=lambda: Subquery(
                _of(Solution, confirm_form__isnull=False)
                .order_by("-version")
                .values("confirm_form")[:1]
            ),
        ),
        "confirm_terms_at": facts.Derived(
            "商务条件确认",
            kind="at",
            reads=(("quote", "opportunity"),),
            value=lambda: _latest(Quote, "sent_at", stage="ACCEPTED"),
        ),
        "differs": facts.Derived(
            "体现差异化",
            kind="bool",
            reads=READS_SOLUTION,
            value=lambda: is_true(Q(Exists(_of(Solution).exclude(differs="")))),
        ),
        "solves": facts.Derived(
            "方案响应全部痛点",
            kind="bool",
            reads=(*READS_SOLUTION, ("need", "opportunity")),
            value=lambda: _solves(),
        ),
        "value_agreed": facts.Derived(
            "核心价值点全部认同",
            kind="bool",
            reads=(("need", "opportunity"),),
            value=lambda: _all_agreed("VALUE", "agreed_at"),
        ),
        "open_questions": facts.Derived(
            "未关闭疑问异议数",
            kind="int",
            reads=READS_POINT,
            value=lambda: _count(
                _of(Point, kind__in=["QUESTION", "OBJECTION"], closed_at=None), "opportunity"
            ),
        ),
        "quote_sent_at": facts.Derived(
            "报价提交",
            kind="at",
            reads=(("quote", "opportunity"),),
            value=lambda: _latest(Quote, "sent_at"),
        ),
        "discount": facts.Derived(
            "最大折扣",
            kind="number",
            reads=(("quote", "opportunity"),),
            value=lambda: Subquery(
                facts.annotate(_of(Quote), ["discount"])
                .order_by(F("fact_discount").desc(nulls_last=True))
                .values("fact_discount")[:1]
            ),
        ),
        "price_agreed": facts.Derived(
            "价格一致", kind="bool", reads=READS_POINT, value=lambda: _agreed("PRICE")
        ),
        "terms_agreed": facts.Derived(
            "条款一致", kind="bool", reads=READS_POINT, value=lambda: _agreed("TERMS")
        ),
        "payment_agreed": facts.Derived(
            "付款一致", kind="bool", reads=READS_POINT, value=lambda: _agreed("PAYMENT")
        ),
        "legal_agreed": facts.Derived(
            "法律细节一致", kind="bool", reads=READS_POINT, value=lambda: _agreed("LEGAL")
        ),
    },
)
for _name, _place in {
    "customer_accepts": "/solution/?opportunity={id}",
    "feasible": "/solution/?opportunity={id}",
    "differs": "/solution/?opportunity={id}",
    "solves": "/solution/?opportunity={id}",
    "solution_presented_at": "/solution/?opportunity={id}",
    "solution_state": "/solution/?opportunity={id}",
    "confirm_form": "/solution/?opportunity={id}",
    "quote_sent_at": "/quote/?opportunity={id}",
    "confirm_terms_at": "/quote/?opportunity={id}",
    "value_agreed": "/need/?opportunity={id}",
    "price_agreed": "/point/?opportunity={id}",
    "terms_agreed": "/point/?opportunity={id}",
    "payment_agreed": "/point/?opportunity={id}",
    "legal_agreed": "/point/?opportunity={id}",
    "open_questions": "/point/?opportunity={id}",
}.items():
    gates.met_at("opportunity", _name, _place)
