"""Addresses of visits, visit plans, reviews and changes; they come before the desk's."""

from __future__ import annotations

from django.urls import path

from fangyuan.site import plans, reviews, visits

urlpatterns = [
    path("visits", visits.day, name="visits"),
    path("visits/new", visits.new, name="visit_new"),
    path("visits/lookup", visits.lookup, name="visit_lookup"),
    path("visits/<int:pk>", visits.visit, name="visit"),
    path("visits/<int:pk>/appoint", visits.appoint, name="visit_appoint"),
    path("visits/<int:pk>/check-in", visits.check_in, name="visit_check_in"),
    path("visits/<int:pk>/check-out", visits.check_out, name="visit_check_out"),
    path("visits/<int:pk>/record", visits.write, name="visit_record"),
    path("visits/<int:pk>/cancel", visits.cancel, name="visit_cancel"),
    path("visits/<int:pk>/call/<int:contact>", visits.call, name="visit_call"),
    path("plans/visit", plans.visit_plan, name="visit_plan"),
    path("plans/visit/<int:pk>", plans.plan_page, name="plan_page"),
    path("plans/visit/<int:pk>/withdraw", plans.withdraw, name="plan_withdraw"),
    path("plans/visit/<int:pk>/place", plans.place, name="plan_place"),
    path("customer/<int:pk>/review", reviews.review, name="review"),
    path("customer/<int:pk>/change", reviews.change, name="customer_change"),
    path("changes/<int:pk>", reviews.change_page, name="change_page"),
    path("changes/<int:pk>/settle", reviews.settle, name="change_settle"),
]
