"""The editor of a clause in a draft: its text, and its rules as sentences with editable words."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fangyuan import door
from fangyuan.core import records
from fangyuan.desk import replies
from fangyuan.engine import following
from fangyuan.engine.models import Clause, Policy
from fangyuan.engine.revision import drafts, revising
from fangyuan.site import chains, conditions, drafting, rule_form, text_changes


@require_safe
def clause(request: HttpRequest, pk: int, number: str) -> HttpResponse:
    """The page on which a clause is edited."""
    policy = drafting.found(request.user, pk)
    one = _clause(policy, number)
    change = policy.changes.get(number, {})
    text = change.get("text", one.text)
    context = {
        "policy": policy,
        "clause": one,
        "may_edit": drafting.may_draft(request.user) and policy.stage in revising.EDITED,
        "title": change.get("title", one.title),
        "text": text,
        "text_changes": text_changes.marked(one.text, text) if text != one.text else [],
        "rules": _rules(policy, number),
        "followed": _followed(number),
        "is_changed": number in policy.changes,
        "is_new": "new" in change,
    }
    return render(request, "site/draft_clause.html", context)


def _clause(policy: Policy, number: str) -> Clause:
    one = drafts.clauses_with(policy).get(number)
    if one is None:
        raise Http404(f"《{policy.title}》里没有 {number}")
    return one


def _places(policy: Policy, number: str) -> dict[int, tuple[Any, dict[str, Any] | None]]:
    """By line: the rule in force, and the rule as the draft has it (None: ended)."""
    found: dict[int, tuple[Any, dict[str, Any] | None]] = {}
    for (_, line), rule in drafts.standing([number]).items():
        if line < following.ANSWERS:
            found[line] = (rule, drafts.plain(rule))
    for line, wanted in policy.changes.get(number, {}).get("rules", {}).items():
        found[int(line)] = (found.get(int(line), (None, None))[0], wanted)
    return dict(sorted(found.items()))


def _followed(number: str) -> list[str]:
    """What follows from the rules in force by itself, as sentences."""
    rules = drafts.standing([number]).items()
    return [
        rule_form.sentence(rule.kind, rule.record, rule.params)
        for (_, line), rule in rules
        if line >= following.ANSWERS
    ]


def _rules(policy: Policy, number: str) -> list[dict[str, Any]]:
    return [_rule(line, old, wanted) for line, (old, wanted) in _places(policy, number).items()]


def _rule(line: int, old: Any, wanted: dict[str, Any] | None) -> dict[str, Any]:
    shown = wanted or drafts.plain(old)
    kind, record, params = shown["kind"], shown["record"], shown["params"]
    changed = rule_form.changed(old.params if old else None, params)
    before = rule_form.said(old.kind, old.record, old.params) if old else {}
    parts = [
        {"name": name, "text": text, "was": before.get(name, "") if name in changed else ""}
        for name, text in rule_form.parts(kind, record, params)
    ]
    told = {part["name"] for part in parts}
    return {
        "line": line,
        "kind": kind,
        "label": rule_form.kinds.KINDS[kind.lower()].label,
        "parts": parts,
        "more": [
            {"name": name, "label": rule_form.LABELS.get(name, name), "is_changed": name in changed}
            for name in rule_form.names(kind)
            if name not in told and rule_form.shape(kind, name) != "fixed"
        ],
        "changed": len(changed) if old else 0,
        "is_ended": wanted is None,
        "is_new": old is None,
    }


@require_POST
def save_text(request: HttpRequest, pk: int, number: str) -> HttpResponse:
    """Keep the clause's title and text, or take the clause out of the draft."""
    policy = _open(request, pk)
    with door.acting(by=request.user, action="draft") as deed:
        if request.POST.get("undo"):
            revising.undo(deed, policy, number)
            messages.success(request, f"{number} 已恢复成现行的样子")
            return redirect(f"/drafts/{pk}")
        title, text = request.POST.get("title", "").strip(), request.POST.get("text", "").strip()
        if len(text) < 2:  # noqa: PLR2004 - as a pack asks of a text
            messages.warning(request, "条文不能空着")
        else:
            revising.put(deed, policy, number, title=title, text=text)
            messages.success(request, "条文已存进草稿")
    return redirect(f"/drafts/{pk}/clause/{number}")


@require_POST
def end_rule(request: HttpRequest, pk: int, number: str, line: int) -> HttpResponse:
    """Have a rule end with the draft, or keep it after all."""
    policy = _open(request, pk)
    old, wanted = _place(policy, number, line)
    with door.acting(by=request.user, action="draft") as deed:
        rule = None if wanted is not None else drafts.plain(old)
        revising.put(deed, policy, number, line=line, rule=rule)
    return redirect(f"/drafts/{pk}/clause/{number}")


def _open(request: HttpRequest, pk: int) -> Policy:
    policy = drafting.found(request.user, pk)
    if not drafting.may_draft(request.user) or policy.stage not in revising.EDITED:
        raise PermissionDenied("这份草稿现在不能改")
    return policy


def _place(policy: Policy, number: str, line: int) -> tuple[Any, dict[str, Any] | None]:
    place = _places(policy, number).get(line)
    if place is None:
        raise Http404("没有这条规则")
    return place


@require_http_methods(["GET", "HEAD", "POST"])
def parameter(request: HttpRequest, pk: int, number: str, line: int, name: str) -> HttpResponse:
    """One parameter of a rule: shown in a dialog, looked at while it is changed, kept."""
    policy = _open(request, pk)
    _, wanted = _place(policy, number, line)
    if wanted is None or name not in rule_form.names(wanted["kind"]):
        raise Http404("没有这个参数")
    kind, record, params = wanted["kind"], wanted["record"], wanted["params"]
    url = f"/drafts/{pk}/clause/{number}/{line}/{name}"
    context: dict[str, Any] = {
        "url": url,
        "cancel_url": f"/drafts/{pk}/clause/{number}",
        "clause": number,
        "units": rule_form.UNITS,
        "dues": rule_form.DUE,
        **(chains.vocabulary() if name == "approvers" else {}),
    }
    if request.method != "POST":
        context["control"] = rule_form.control(kind, record, name, params)
        context |= _preview(kind, record, params)
        return _dialog(request, context)
    fresh = rule_form.read(kind, record, name, params, request.POST)
    context |= _preview(kind, record, fresh)
    if request.GET.get("look") == "sentence":
        return render(request, "site/param_preview.html", context)
    if request.GET.get("look") == "rows":
        context["control"] = _grown(kind, record, name, params, request.POST)
        return render(request, "site/param_control.html", context)
    if context["faults"]:
        context["control"] = _grown(kind, record, name, params, request.POST)
        return _dialog(request, context, 422)
    with door.acting(by=request.user, action="draft") as deed:
        rule = {"kind": kind, "record": record, "params": fresh}
        revising.put(deed, policy, number, line=line, rule=rule)
    return replies.done(request, "已改进草稿", f"/drafts/{pk}/clause/{number}")


def _grown(kind: str, record: str, name: str, params: dict[str, Any], sent: Any) -> Any:
    """The control with what was typed so far."""
    fresh = rule_form.read(kind, record, name, params, sent)
    made = rule_form.control(kind, record, name, fresh)
    if made.shape == "chain":
        made.steps = chains.sent_steps(records.row_types()[record], params.get(name) or [], sent)
    if made.shape == "condition":
        model = rule_form.about(name, record, params)
        made.rows = conditions.sent_rows(model, params.get(name) or {}, sent)
    return made


def _preview(kind: str, record: str, params: dict[str, Any]) -> dict[str, Any]:
    faults = rule_form.faults(kind, record, params)
    parts = [] if faults else list(rule_form.parts(kind, record, params))
    return {"faults": faults, "parts": parts}


def _dialog(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    page = "site/param.html" if getattr(request, "htmx", None) else "site/param_page.html"
    return render(request, page, context, status=status)
