"""Metrics over leads, touches and customers: how many, how good, how fast, how far (PA-5.6 …)."""

from __future__ import annotations

from typing import Any

from fangyuan.customers.models import Customer, Lead, Touch
from fangyuan.desk.models import TagValue
from fangyuan.engine.models import Obligation
from fangyuan.metrics import readings, targets
from fangyuan.metrics.declare import Balance, Metric, Ratio, declare, narrowed, part
from fangyuan.metrics.dimensions import tell_apart

FIRST_CONTACT = "PA-6.2.1"
POINTS, DAYS = "分", "天"
SAID: dict[str, Any] = {"not_empty": True}
SEASONS = "month quarter year"

tell_apart(Lead, source="source", region="region", campaign="campaign")
tell_apart(Touch, campaign="campaign")
tell_apart(Customer, source="source", region="region", industry="industry")


def _ratio(name: str, label: str, clause: str, over: Any, under: Any, **more: Any) -> Ratio:
    made: Ratio = declare(Ratio(name, label, over, under, clause=clause, **more))
    return made


new_leads = declare(
    Metric(
        *("new_leads", "新增线索数", Lead, "occurred_at"),
        unit="条",
        where={"is_counted": True},
        clause="PJ-2.1.4.4 PS-2.1.5.1 PA-5.6.1",
    )
)
promo_new_leads = declare(
    Metric(
        *("promo_new_leads", "促销新增线索", Lead, "occurred_at"),
        unit="条",
        where={"campaign.kind": "PROMOTION", "is_counted": True},
        clause="DAY-4.3.3",
    )
)
lead_quality_score = _ratio(
    *("lead_quality_score", "线索质量评分", "PJ-2.1.4.5"),
    part(Lead, "occurred_at", "sum(score)"),
    part(Lead, "occurred_at"),
    unit=POINTS,
)
_new_judged = part(Lead, "occurred_at", first_verdict=SAID)
lead_quality_rate = _ratio(
    *("lead_quality_rate", "线索质量率", "PS-2.1.5.2"),
    part(Lead, "occurred_at", first_verdict="VALID"),
    _new_judged,
)
valid_leads = declare(
    Metric(
        *("valid_leads", "有效线索数", Lead, "screened_at"),
        unit="条",
        where={"first_verdict": "VALID"},
    )
)
lead_valid_rate = _ratio(
    *("lead_valid_rate", "线索有效率", "PA-5.6.2"),
    valid_leads,
    part(Lead, "screened_at", first_verdict=SAID),
)
_ripe = part(Lead, "mql_at")
nurture_cycle_days = _ratio(
    *("nurture_cycle_days", "线索培育周期", "PS-2.1.5.4"),
    part(Lead, "mql_at", "sum(days_to_mql)"),
    _ripe,
    unit=DAYS,
    falls=True,
)
mql_to_sql_rate = _ratio(
    *("mql_to_sql_rate", "MQL到SQL转化率", "PS-2.1.5.3"),
    narrowed(_ripe, sql_at=SAID),
    _ripe,
    windows="cohort-month",
)
_fit = part(Lead, "sql_at")
sql_to_opportunity_rate = _ratio(
    *("sql_to_opportunity_rate", "SQL到商机转化率", "PS-2.2.5.1"),
    narrowed(_fit, stage="OPPORTUNITY"),
    _fit,
    windows="cohort-month",
)
_given = part(Lead, "assigned_at")
lead_to_prospect_rate = _ratio(
    *("lead_to_prospect_rate", "线索转化率", "PA-6.6.1"),
    narrowed(_given, converted_at=SAID),
    _given,
    windows="cohort-month",
)


def _duties(*states: str) -> Metric:
    return part(Obligation, "due_at", **{"rule.clause.number": FIRST_CONTACT, "state": [*states]})


first_contact_on_time_rate = _ratio(
    *("first_contact_on_time_rate", "首次联系及时率", "PA-6.6.2"),
    _duties("MET"),
    _duties("MET", "LATE", "BREACHED"),
)


def _touches(*kinds: str, of: str = "count") -> Metric:
    return part(Touch, "at", of, kind=[*kinds])


content_downloads = declare(
    Metric(
        *("content_downloads", "内容下载量", Touch, "at"),
        unit="次",
        where={"kind": "DOWNLOADED"},
        clause="PJ-2.1.4.2",
    )
)
campaign_attendance = declare(
    Metric(
        *("campaign_attendance", "活动参与人数", Touch, "at", "distinct(contact)", "人"),
        where={"kind": "ATTENDED"},
        clause="RES-4.2.3b",
    )
)
campaign_engagement_rate = _ratio(
    *("campaign_engagement_rate", "活动参与度", "PJ-2.1.4.3"),
    campaign_attendance,
    _touches("INVITED", "REGISTERED", of="distinct(contact)"),
)
campaign_intent_rate = _ratio(
    *("campaign_intent_rate", "活动客户意向度", "RES-4.2.3c"),
    part(
        *(Touch, "at", "distinct(customer)"),
        **{"kind": "ATTENDED", "customer.intent": ["HIGH", "MIDDLE"]},
    ),
    part(Touch, "at", "distinct(customer)", kind="ATTENDED"),
)

new_customer_count = declare(
    Metric(
        *("new_customer_count", "新客户开发数量", Customer, "won_at"),
        unit="家",
        clause="RES-6.3.1d",
        windows=SEASONS,
    )
)
new_ka_customer_count = declare(
    Metric(
        *("new_ka_customer_count", "新增KA客户数量", Customer, "won_at"),
        unit="家",
        where={"is_ka": True},
        clause="KA-5.1.2a",
    )
)
won_customers = Balance("", "", Customer, begins="won_at", ends="lost_at")
customer_churn_rate = _ratio(
    *("customer_churn_rate", "客户流失率", "RES-6.3.1f KA-5.1.2c PS-2.7.5.5 PA-11.6.5"),
    part(Customer, "lost_at"),
    won_customers,
    windows=SEASONS,
    falls=True,
)

# --- tags as proof

_checked = part(TagValue, "checked_at")
tag_accuracy_rate = _ratio(
    *("tag_accuracy_rate", "标签准确率", "TAG-1.3.1"),
    narrowed(_checked, checked="PASSED"),
    _checked,
)
tag_coverage_rate = _ratio(
    *("tag_coverage_rate", "标签覆盖率", "TAG-1.3.2"),
    Balance("", "", Customer, "sum(required_tags_filled)"),
    Balance("", "", Customer, "sum(required_tags_total)"),
    windows="instant",
)
tag_freshness_rate = _ratio(
    *("tag_freshness_rate", "标签更新及时率", "TAG-1.3.4"),
    Balance("", "", TagValue, where={"is_current": True, "is_stale": False}),
    Balance("", "", TagValue, where={"is_current": True}),
    windows="instant",
)

# --- what was to be reached, what advertisements bring

quota_attainment_new_customers = _ratio(
    *("quota_attainment_new_customers", "新客户目标达成率", "TAG-2.4.5c"),
    new_customer_count,
    targets.of("new_customer_count"),
    windows="quarter",
)
ad_conversion_rate = _ratio(
    *("ad_conversion_rate", "广告转化率", "RES-4.3.3d"),
    part(Lead, "occurred_at", **{"campaign.kind": "AD"}),
    readings.ad_clicks,
)
