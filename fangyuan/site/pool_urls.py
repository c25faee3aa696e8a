"""Addresses of pools, draws and arriving leads; they come before the desk's."""

from __future__ import annotations

from django.urls import path

from fangyuan.site import draws, hooks, pools

urlpatterns = [
    path("pools", pools.pools, name="pools"),
    path("pools/held", pools.held, name="pools_held"),
    path("pools/<int:number>", pools.pools, name="pool"),
    path("pools/<int:number>/claim", pools.claim, name="pool_claim"),
    path("pools/<int:number>/allot", draws.allot, name="pool_allot"),
    path("hooks/leads/<slug:code>", hooks.leads, name="hook_leads"),
    path("draws/report", draws.report, name="draw_report"),
    path("draws/<int:number>", draws.one, name="draw"),
]
