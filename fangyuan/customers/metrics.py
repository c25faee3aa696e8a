"""Metrics over leads and touches: how many, how good, how fast, how far (PA-5.6, PS-2.1.5 …)."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, Sum

from fangyuan.customers.lead_facts import is_counted, span
from fangyuan.customers.models import Lead, Touch
from fangyuan.engine.models import Obligation
from fangyuan.metrics.declare import Metric, Ratio, declare

FIRST_CONTACT = "PA-6.2.1"
SHARE, POINTS, DAYS = "%", "分", "天"


def _leads(name: str, label: str, at: str, where: Q | None = None, value: Any = None) -> Metric:
    made: Metric = declare(
        Metric(name, label, Lead, at, value or Count("pk"), unit="条", where=where or Q())
    )
    return made


def _share(name: str, label: str, clause: str, over: Metric, under: Metric) -> Ratio:
    made: Ratio = declare(Ratio(name, label, over=over, under=under, clause=clause))
    return made


new_leads = declare(
    Metric(
        "new_leads", "新增线索数", Lead, "occurred_at", Count("pk"), "条", is_counted(), "PA-5.6.1"
    )
)
entered = _leads("entered_leads", "录入线索", "occurred_at")
scored = _leads("scored_leads", "线索评分合计", "occurred_at", value=Sum("score"))
lead_quality_score = declare(
    Ratio("lead_quality_score", "线索质量评分", scored, entered, POINTS, "PJ-2.1.4.5")
)

_VALID, _JUDGED = Q(first_verdict="VALID"), Q(first_verdict__isnull=False)
lead_quality_rate = _share(
    "lead_quality_rate",
    "线索质量率",
    "PS-2.1.5.2",
    _leads("valid_new_leads", "初评有效的新线索", "occurred_at", _VALID),
    _leads("judged_new_leads", "初评过的新线索", "occurred_at", _JUDGED),
)
valid = _leads("valid_leads", "有效线索", "screened_at", _VALID)
lead_valid_rate = _share(
    "lead_valid_rate",
    "线索有效率",
    "PA-5.6.2",
    valid,
    _leads("judged_leads", "初评线索", "screened_at", _JUDGED),
)

mql = _leads("mql_leads", "市场合格线索", "mql_at")
ripening = _leads(
    "ripening_days", "培育天数合计", "mql_at", value=Sum(span("mql_at", "occurred_at", 86400))
)
nurture_cycle_days = declare(
    Ratio("nurture_cycle_days", "线索培育周期", ripening, mql, DAYS, "PS-2.1.5.4")
)
mql_to_sql_rate = _share(
    "mql_to_sql_rate",
    "MQL到SQL转化率",
    "PS-2.1.5.3",
    _leads("mql_to_sql", "其中转销售合格", "mql_at", Q(sql_at__isnull=False)),
    mql,
)
sql_to_opportunity_rate = _share(
    "sql_to_opportunity_rate",
    "SQL到商机转化率",
    "PS-2.2.5.1",
    _leads("sql_to_opportunity", "其中转商机", "sql_at", Q(stage="OPPORTUNITY")),
    _leads("sql_leads", "销售合格线索", "sql_at"),
)
lead_to_prospect_rate = _share(
    "lead_to_prospect_rate",
    "线索转化率",
    "PA-6.6.1",
    _leads("converted_leads", "其中转意向", "assigned_at", Q(converted_at__isnull=False)),
    _leads("assigned_leads", "分配线索", "assigned_at"),
)


def _first_contacts(name: str, label: str, *states: str) -> Metric:
    where = Q(rule__clause__number=FIRST_CONTACT, state__in=states)
    made: Metric = declare(
        Metric(name, label, Obligation, "due_at", Count("pk"), unit="件", where=where)
    )
    return made


first_contact_on_time_rate = _share(
    "first_contact_on_time_rate",
    "首次联系及时率",
    "PA-6.6.2",
    _first_contacts("first_contacts_in_time", "按时首次联系", "MET"),
    _first_contacts("first_contacts_due", "到期首次联系", "MET", "LATE", "BREACHED"),
)


def _touches(name: str, label: str, unit: str, *kinds: str, of: str = "", **more: Any) -> Metric:
    value = Count(of, distinct=True) if of else Count("pk")
    where = Q(kind__in=kinds)
    made: Metric = declare(Metric(name, label, Touch, "at", value, unit, where, **more))
    return made


content_downloads = _touches(
    "content_downloads", "内容下载量", "次", "DOWNLOADED", clause="PJ-2.1.4.2"
)
campaign_attendance = _touches(
    "campaign_attendance", "活动参与人数", "人", "ATTENDED", of="contact", clause="RES-4.2.3b"
)
campaign_engagement_rate = _share(
    "campaign_engagement_rate",
    "活动参与度",
    "PJ-2.1.4.3",
    campaign_attendance,
    _touches("campaign_invited", "受邀或报名人数", "人", "INVITED", "REGISTERED", of="contact"),
)
promo_new_leads = declare(
    Metric(
        "promo_new_leads",
        "促销新增线索",
        Lead,
        "occurred_at",
        Count("pk"),
        "条",
        Q(campaign__kind="PROMOTION") & is_counted(),
        "DAY-4.3.3",
    )
)
