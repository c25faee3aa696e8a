"""Addresses of campaigns, intelligence, materials and tags; they come before the desk's."""

from __future__ import annotations

from django.urls import path

from fangyuan.site import campaigns, intelligence, materials, tag_pages

urlpatterns = [
    path("campaigns", campaigns.plan, name="campaign_plan"),
    path("campaigns/<int:number>/learn/<int:lesson>", campaigns.learn, name="campaign_learn"),
    path("intelligence", intelligence.board, name="intelligence"),
    path("analysts", intelligence.analysts, name="analysts"),
    path("materials", materials.finder, name="materials"),
    path("materials/<int:number>", materials.read, name="material_read"),
    path("materials/<int:number>/send", materials.send, name="material_send"),
    path("guide", materials.guide, name="guide"),
    path("m/<str:token>", materials.opened, name="material_open"),
    path("m/<str:token>/<int:number>", materials.fetched, name="material_fetch"),
    path("tags/effect", tag_pages.effect, name="tag_effect"),
    path("segments", tag_pages.segments, name="segments"),
]
