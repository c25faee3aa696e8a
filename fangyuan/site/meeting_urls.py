"""Addresses of meetings; they come before the desk's."""

from __future__ import annotations

from django.urls import path

from fangyuan.activities import meeting_pages

urlpatterns = [
    path("meetings", meeting_pages.meetings, name="meetings"),
    path("meetings/new", meeting_pages.new, name="meeting_new"),
    path("meetings/<int:number>", meeting_pages.page, name="meeting"),
    path("meetings/<int:number>/point/<slug:code>", meeting_pages.point, name="meeting_point"),
    path("meetings/<int:number>/minutes", meeting_pages.minutes, name="meeting_minutes"),
    path("meetings/<int:number>/next", meeting_pages.following, name="meeting_next"),
    path("meetings/<int:number>/resolve", meeting_pages.resolve, name="meeting_resolve"),
    path("meetings/<int:number>/drop/<int:task>", meeting_pages.drop, name="meeting_drop"),
    path(
        "meetings/<int:number>/attend/<int:participant>",
        meeting_pages.attend,
        name="meeting_attend",
    ),
]
