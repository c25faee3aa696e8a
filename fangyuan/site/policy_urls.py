"""Addresses of regulations, drafts and replays."""

from __future__ import annotations

from django.urls import path

from fangyuan.site import checkup, drafting, new_clauses, policies, rule_editor, trials

CLAUSE = "drafts/<int:pk>/clause/<str:number>"

urlpatterns = [
    path("policies/<slug:code>", policies.policy, name="policy"),
    path("policies/<slug:code>/sign", policies.sign, name="sign_policy"),
    path("checkup", checkup.page, name="checkup"),
    path("checkup/acknowledge", checkup.acknowledge, name="acknowledge_flaw"),
    path("checkup/export", checkup.export, name="export_checkup"),
    path("checkup/<slug:code>", checkup.page, name="checkup_policy"),
    path("checkup/<slug:code>/panel", checkup.panel, name="checkup_panel"),
    path("checkup/<slug:code>/export", checkup.export, name="export_checkup_policy"),
    path("drafts", drafting.begin, name="begin_draft"),
    path("drafts/<int:pk>", drafting.draft, name="draft"),
    path("drafts/<int:pk>/checkup", checkup.draft, name="draft_checkup"),
    path("drafts/<int:pk>/describe", drafting.describe, name="describe_draft"),
    path("drafts/<int:pk>/drop", drafting.drop, name="drop_draft"),
    path("drafts/<int:pk>/replay", drafting.replay, name="replay_draft"),
    path("drafts/<int:pk>/submit", drafting.submit, name="submit_draft"),
    path("drafts/<int:pk>/shadow", drafting.shadow, name="shadow_draft"),
    path("drafts/<int:pk>/clause", new_clauses.add_clause, name="add_clause"),
    path(CLAUSE, rule_editor.clause, name="draft_clause"),
    path(f"{CLAUSE}/rule", new_clauses.add_rule, name="add_rule"),
    path(f"{CLAUSE}/text", rule_editor.save_text, name="draft_text"),
    path(f"{CLAUSE}/<int:line>/end", rule_editor.end_rule, name="end_rule"),
    path(f"{CLAUSE}/<int:line>/<slug:name>", rule_editor.parameter, name="parameter"),
    path("replays/<int:pk>", trials.replay, name="replay"),
]
