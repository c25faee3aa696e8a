"""The metrics of the rulebook itself: how much of what fell due was done in time."""

from __future__ import annotations

from django.db.models import Q, Sum

from fangyuan.engine.models import Tally
from fangyuan.metrics.declare import Metric, Ratio, declare

SETTLED = Q(state__in=["MET", "LATE", "BREACHED"])
TARGET = 0.95

due_duties = declare(
    Metric(
        "due_duties",
        "到期义务",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=SETTLED,
    )
)
met_duties = declare(
    Metric(
        "met_duties",
        "按时完成",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=Q(state="MET"),
    )
)
breached_duties = declare(
    Metric(
        "breached_duties",
        "未处理违规",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=Q(state="BREACHED"),
    )
)
waived_duties = declare(
    Metric(
        "waived_duties",
        "豁免义务",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=Q(state="WAIVED"),
    )
)
owed_duties = declare(
    Metric(
        "owed_duties",
        "到期与豁免",
        of=Tally,
        at="due_on",
        value=Sum("number"),
        unit="件",
        where=SETTLED | Q(state="WAIVED"),
    )
)
waiver_rate = declare(Ratio("waiver_rate", "豁免率", over=waived_duties, under=owed_duties))
compliance_rate = declare(
    Ratio("compliance_rate", "守规率", over=met_duties, under=due_duties, target=TARGET)
)
