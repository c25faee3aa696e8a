"""Metrics that rest on numbers told from outside: visitors, impressions, clicks."""

from __future__ import annotations

from fangyuan.metrics.declare import Metric, declare
from fangyuan.metrics.models import Reading


def _told(name: str, label: str, series: str, unit: str, clause: str) -> Metric:
    where = {"series": series}
    made: Metric = declare(Metric(name, label, Reading, "at", "sum(value)", unit, where, clause))
    return made


web_traffic = _told("web_traffic", "网站流量", "WEB_VISITORS", "人", "PJ-2.1.4.1")
ad_impressions = _told("ad_impressions", "曝光量", "AD_IMPRESSIONS", "次", "RES-4.3.3b")
ad_clicks = _told("ad_clicks", "点击量", "AD_CLICKS", "次", "RES-4.3.3c")
ad_spend = _told("ad_spend", "投放花费", "AD_SPEND", "元", "")
