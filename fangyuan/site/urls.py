"""Every address of the product: special pages, the faces of every record type, free words."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from fangyuan.opportunities import board, board_leads
from fangyuan.site import (
    approval_effects,
    approvals,
    clauses,
    cockpit,
    components,
    funnel,
    metric_pages,
    notice_forms,
    offline,
    palette,
    supervision,
    views,
    weather,
    workbench,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", workbench.workbench, name="workbench"),
    path("cockpit", cockpit.cockpit, name="cockpit"),
    path("approvals", approvals.approvals, name="approvals"),
    path("approvals/agree", approvals.agree, name="agree"),
    path("approvals/seat/<int:number>", approvals.seat, name="seat"),
    path("approvals/<int:number>", approvals.approvals, name="approval"),
    path("approvals/<int:number>/decide", approvals.decide, name="decide"),
    path("approvals/<int:number>/effects", approval_effects.effects, name="effects"),
    path("supervision", supervision.supervision, name="supervision"),
    path("supervision/new", notice_forms.new, name="notice_new"),
    path("supervision/<int:number>", supervision.supervision, name="notice"),
    path("palette", palette.palette, name="palette"),
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("healthz", views.healthz, name="healthz"),
    path("components", components.page, name="components"),
    path("sw.js", offline.service_worker, name="service_worker"),
    path("offline", offline.page, name="offline"),
    path("api/", include("fangyuan.desk.api.urls")),
    path("pipeline", board.board, name="pipelines"),
    path("pipeline/move/<int:number>", board.move, name="pipeline_move"),
    path("pipeline/contacts/<int:number>", board.contacts, name="pipeline_contacts"),
    path("pipeline/lane/<int:number>", board.lane, name="pipeline_lane"),
    path("pipeline/lead/<int:number>/move", board_leads.move, name="pipeline_lead_move"),
    path("pipeline/<slug:code>", board.board, name="pipeline"),
    path("metrics", metric_pages.dictionary, name="metric_dictionary"),
    path("metrics/<slug:name>", metric_pages.metric, name="metric"),
    path("funnel", funnel.funnel, name="funnel"),
    path("weather", weather.page, name="weather"),
    path("weather/strip", weather.strip, name="weather_strip"),
    path("weather/<int:person>/<slug:day>", weather.day, name="weather_day"),
    path("", include("fangyuan.site.visit_urls")),
    path("", include("fangyuan.site.policy_urls")),
    path("", include("fangyuan.site.forecast_urls")),
    path("", include("fangyuan.site.pool_urls")),
    path("", include("fangyuan.site.meeting_urls")),
    path("", include("fangyuan.site.message_urls")),
    path("", include("fangyuan.site.market_urls")),
    path("", include("fangyuan.desk.urls")),
    # What takes any word comes last, or it would take the faces of its record type.
    path("clause/<str:number>", clauses.clause, name="clause"),
]
