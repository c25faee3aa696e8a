"""The desks of opportunities, of what stands in their stages, and of their rivals."""

from __future__ import annotations

from fangyuan.customers.models import Customer
from fangyuan.desk.columns import Column, Due, Owner, Title
from fangyuan.desk.declare import Desk, Section, View, extend, register
from fangyuan.desk.panels import Comments, Duties, Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.opportunities.models import (
    Opportunity,
    Rivalry,
    Stage,
    StageEntry,
    StageItem,
    Step,
)
from fangyuan.opportunities.panels import Exits, Items, Outlook, Sheet, Way

register(
    Desk(
        model=Opportunity,
        columns=[
            Title("name", sub="customer"),
            "stage",
            "amount",
            Column("expected_on"),
            Column("win_rate", on_card=False),
            Owner(),
            Due(),
            Column("outcome", on_card=False),
        ],
        filters="outcome pipeline stage customer owner amount expected_on forecast source due"
        " tag_source is_major origin project_type",
        search=["name"],
        sorts=["amount", "expected_on", "due"],
        default_sort="due",
        form=[
            Section("商机", "name customer pipeline amount expected_on source tag_source"),
            Section(
                "需求", "needs_summary real_need pain business_goal challenge next_step next_at"
            ),
            Section(
                "资质与决策",
                "budget budget_source timeframe authority decision_chain criteria procurement"
                " champion metrics_note influences deep_need",
                is_more=True,
            ),
            Section(
                "竞争与匹配",
                "current_solution current_gap fit purchasing_power need_traits feasibility",
                is_more=True,
            ),
            Section(
                "确认",
                "need_ok budget_ok decision_ok is_preferred direction_given commitment_at"
                " commitment_proof bought_at customer_state",
                is_more=True,
            ),
            Section("客户价值", "value_text value_metric value_base value_target", is_more=True),
            Section(
                "更多",
                "project_type origin from_contract is_complex forecast win_rate strategy",
                is_more=True,
            ),
        ],
        head="customer amount expected_on win_rate forecast owner due",
        actions=[
            "advance",
            "note_progress",
            "add_member",
            "initiate",
            "evaluate",
            "win",
            "lose",
            "drop",
            "reopen",
            "mark_major",
            "start_poc",
            "step_back",
            "change_pipeline",
            "transfer_opportunity",
        ],
        page=[
            Way(),
            Exits(),
            Items(),
            Sheet(is_lazy=True),
            Outlook(is_lazy=True),
            Timeline(is_lazy=True),
            Related("", "需求", record="need", by="opportunity", show="text kind confirmed_at"),
            Related("", "竞争对手", record="rivalry", by="opportunity"),
            Comments(is_lazy=True),
            Duties(),
            Facts(),
        ],
        views=[
            View("在途", {"outcome": "OPEN"}, "due"),
            View("我的商机", {"owner": "me", "outcome": "OPEN"}, "due"),
            View("本季可签", {"outcome": "OPEN", "expected_on": "quarter"}, "expected_on"),
            View("已赢", {"outcome": "WON"}, ""),
            View("输单", {"outcome": "LOST"}, ""),
        ],
        icon="board",
    )
)
register(
    Desk(
        model=Stage,
        columns=[
            Title("name"), "pipeline", "code", "seq", "stage_tag", "win_rate", "is_creating",
            "is_closing",
        ],
        filters="pipeline stage_tag owner_record is_creating is_closing",
        search=["name", "code"],
        sorts=["pipeline", "seq"],
        default_sort="pipeline",
        form=[
            Section("阶段", "pipeline code name seq stage_tag owner_record win_rate"),
            Section("要素", "goal tasks roles standard tools customer_state"),
            Section("交付物", "name", of="items", fixed={"kind": "DELIVERABLE"}),
            Section("更多", "is_creating is_closing", is_more=True),
        ],
        head="pipeline seq stage_tag win_rate",
        page=[
            Related("", "事项", record="stage_item", by="stage", show="name kind is_required"),
            Timeline(),
            Facts(),
        ],
        icon="board",
    )
)  # fmt: skip
register(Desk(model=StageItem, search=["name"]))
register(Desk(model=StageEntry))
register(
    Desk(
        model=Step,
        columns=[Title("name"), "opportunity", "kind", "state", "person", "due_on", "done_at"],
        filters="opportunity kind state person due_on",
        form=[Section("办理", "opportunity item kind name person customer_side due_on note proof")],
        head="opportunity kind person due_on done_at",
        actions=["finish_step"],
        page=[Timeline(), Facts(), Duties()],
    )
)
register(
    Desk(
        model=Rivalry,
        columns=["rival", "opportunity", "strengths", "weakness_aspects", "seen_at"],
        filters="opportunity rival strengths weakness_aspects seen_at",
        form=[
            Section("竞争", "opportunity rival seen_at strengths strength_note"),
            Section("对策", "weakness_aspects weaknesses landscape counter"),
        ],
        head="opportunity seen_at",
        page=[Timeline(), Facts()],
    )
)
extend(
    Customer,
    page=[
        Related("", "商机", record="opportunity", by="customer", show="name stage amount outcome")
    ],
)
