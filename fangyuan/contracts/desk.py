"""The desks of solutions, quotes, negotiations and points, and their place at an opportunity."""

from __future__ import annotations

from fangyuan.contracts.models import Contract, Negotiation, Point, Quote, QuoteLine, Solution
from fangyuan.contracts.panels import Deviations, Road, Rounds, Worth
from fangyuan.customers.models import Customer
from fangyuan.desk.attachments import Attachments
from fangyuan.desk.columns import Column, Due, Title
from fangyuan.desk.declare import Desk, Link, Section, View, extend, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.opportunities.models import Opportunity

register(
    Desk(
        model=Solution,
        columns=[Title("title"), "opportunity", "version", "kind", "stage", "amount", "sent_at"],
        filters="stage kind opportunity amount sent_at presented_at promised_on due",
        search=["title"],
        sorts=["sent_at", "amount"],
        form=[
            Section("方案", "opportunity title version kind sections authors amount nonstandard"),
            Section("论证", "feasible feasible_by differs value_types"),
            Section("预期收益", "roi_in roi_gain roi_payback roi_basis", is_more=True),
            Section("更多", "promised_on answers_point", is_more=True),
        ],
        head="opportunity version kind amount sent_at",
        actions=[
            "score_solution",
            "review_solution",
            "send_solution",
            "present_solution",
            "confirm_solution",
            "decline_solution",
            "revise_solution",
        ],
        page=[Worth(), Approvals(), Attachments(), Timeline(), Comments(), Duties(), Facts()],
        views=[View("待评审", {"stage": "DRAFT"}, ""), View("已提交", {"stage": "SENT"}, "")],
        icon="file",
    )
)
register(
    Desk(
        model=Quote,
        columns=[
            Title("number"),
            "opportunity",
            "version",
            "stage",
            "total",
            Column("list_total", on_card=False),
            "valid_until",
            Due(),
        ],
        filters="stage opportunity total valid_until sent_at price_list due",
        search=["number"],
        sorts=["total", "valid_until"],
        form=[
            Section("报价", "opportunity solution price_list valid_until tax_rate"),
            Section("条件", "terms discount_reason"),
            Section("产品", "product quantity price deliver_on is_nonstandard", of="lines"),
        ],
        head="opportunity total list_total valid_until tax_rate sent_at",
        actions="discount_quote send_quote accept_quote draft_contract return_quote revise_quote",
        links=[Link("报价单", "/quote/{id}/paper", "quote", "file")],
        page=[
            Related("", "产品", record="quote_line", by="quote", is_lazy=False),
            Approvals(),
            Attachments(),
            Timeline(),
            Duties(),
            Facts(),
        ],
        views=[View("待核准", {"stage": "DRAFT"}, ""), View("已提交", {"stage": "SENT"}, "")],
        icon="coins",
    )
)
register(
    Desk(
        model=QuoteLine,
        columns=["product", "quote", "quantity", "price", "list_price", "deliver_on"],
        filters="quote product deliver_on is_nonstandard",
        form=[Section("产品", "quote product quantity price list_price deliver_on is_nonstandard")],
        head="quote quantity price list_price",
    )
)
register(
    Desk(
        model=Negotiation,
        columns=["opportunity", "stage", "appointed_at", "started_at", "ended_at"],
        filters="stage opportunity appointed_at started_at ended_at due",
        form=[
            Section("谈判", "opportunity goal appointed_at customer_people"),
            Section("准备", "knows_solution knows_floor materials_ready manager_joins join_reason"),
            Section("底线与授权", "strategy walk_away mandate within_policy", is_more=True),
        ],
        head="opportunity appointed_at started_at ended_at",
        actions="start_negotiation end_negotiation break_negotiation grant_mandate",
        page=[
            Rounds(),
            Related("", "议题", record="point", by="negotiation"),
            Timeline(),
            Duties(),
            Facts(),
        ],
        icon="scale",
    )
)
register(
    Desk(
        model=Point,
        columns=[Title("text"), "kind", "topic", "opportunity", "mood", "raised_at", "closed_at"],
        filters="kind topic opportunity negotiation solution mood raised_at closed_at due",
        search=["text"],
        sorts=["raised_at"],
        form=[
            Section("意见", "opportunity kind topic raised_at text"),
            Section("应对", "answer result mood"),
            Section(
                "谈判",
                "negotiation contract round ours theirs concession impact solution led_to",
                is_more=True,
            ),
        ],
        head="opportunity kind topic raised_at closed_at",
        actions=["close_point"],
        page=[Timeline(), Duties(), Facts()],
        views=[View("未关闭", {"closed_at": "none"}, "raised_at")],
    )
)
register(
    Desk(
        model=Contract,
        columns=[
            Title("number", sub="customer"),
            Column("opportunity", on_card=False),
            "stage",
            "amount",
            "signed_at",
            Column("ends_on", on_card=False),
            Due(),
        ],
        filters="stage kind customer opportunity amount signed_at ends_on promised_back_on due",
        search=["number"],
        sorts=["amount", "signed_at", "ends_on"],
        form=[
            Section("合同", "opportunity quote template kind renews amount"),
            Section("付款与交付", "payment_terms down_payment deliver_by"),
            Section("正文", "text deviation_reason"),
            Section("法务", "checks legal_advice"),
            Section("期限", "starts_on ends_on agreed_sign_on promised_back_on"),
            Section("成本与跟进", "estimated_cost follow_note", is_more=True),
        ],
        head="customer opportunity quote amount signed_at effective_at ends_on",
        board="stage",
        actions="review_contract deviate approve_contract send_contract sign_contract seal"
        " perform_contract follow_contract return_contract end_contract void_contract"
        " delete_contract",
        links=[Link("合同文本", "/contract/{id}/paper", "contract", "file")],
        page=[
            Road(),
            Deviations(),
            Approvals(),
            Attachments(),
            Related(
                *("", "归档与移交"),
                record="document",
                by="subject",
                show="title form filed_at to_team signed_for_at",
            ),
            Related("", "执行跟进", record="activity", by="contract"),
            Related("", "续约与增购", record="opportunity", by="from_contract"),
            Related("", "风险与意见", record="point", by="contract", show="text kind closed_at"),
            Timeline(),
            Comments(),
            Duties(),
            Facts(),
        ],
        views=[
            View("待签", {"stage": "SENT,CUSTOMER_SIGNED"}, ""),
            View("履行中", {"stage": "PERFORMING"}, "ends_on"),
            View("审核中", {"stage": "DRAFT,REVIEW,APPROVED"}, ""),
        ],
        icon="file",
    )
)
extend(
    Customer,
    page=[
        Related("", "合同", record="contract", by="customer", show="number stage amount ends_on")
    ],
)
extend(
    Opportunity,
    page=[
        Related("", "方案", record="solution", by="opportunity", show="title version stage amount"),
        Related("", "报价", record="quote", by="opportunity", show="number version stage total"),
        Related("", "谈判", record="negotiation", by="opportunity"),
        Related(
            "", "合同", record="contract", by="opportunity", show="number stage amount signed_at"
        ),
        Related("", "意见与议题", record="point", by="opportunity", show="text kind closed_at"),
    ],
    through=[
        *("solution.opportunity", "point.opportunity"),
        *("negotiation.opportunity", "contract.opportunity"),
    ],
)
