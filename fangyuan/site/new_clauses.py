"""What a draft adds: a clause that is not in force yet, and a rule on a clause."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fangyuan import door
from fangyuan.desk import replies
from fangyuan.engine import following, kinds
from fangyuan.engine.models import Policy
from fangyuan.engine.packs import schema
from fangyuan.engine.revision import drafts, revising
from fangyuan.site import drafting, rule_form, starters

NUMBER = re.compile(r"[A-Z]{2,6}-\d+(\.\d+)*[a-z]?")


class NewClause(forms.Form):
    """A clause as a drafter writes it."""

    number = forms.CharField(label="条号", max_length=20)
    title = forms.CharField(label="短名", min_length=2, max_length=10)
    text = forms.CharField(
        label="内容", min_length=2, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    kind = forms.ChoiceField(label="性质", choices=list(schema.KINDS.items()))
    area = forms.ChoiceField(label="领域", choices=list(schema.AREAS.items()))
    chapter = forms.ChoiceField(label="章", required=False)

    def __init__(self, policy: Policy, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        known = drafts.clauses(policy.code).values()
        chapters = list(dict.fromkeys(clause.chapter for clause in known))
        self.fields["chapter"].choices = [(one, one or "其他") for one in chapters]
        self.fields["number"].help_text = f"例如 {_example(list(known))}"
        for field in self.fields.values():
            field.widget.attrs["class"] = "inp"

    def clean_number(self) -> str:
        """A number as every clause has it."""
        number = str(self.cleaned_data["number"]).strip()
        if not NUMBER.fullmatch(number):
            raise forms.ValidationError("条号写成 KA-3.3.2b 这样：大写字母、短横、点分的数字")
        return number


def _example(known: list[Any]) -> str:
    """A number that is not taken yet, after the last one."""
    last = known[-1].number if known else "KA-1.0"
    head, _, tail = last.rpartition(".")
    digits = re.match(r"\d+", tail)
    taken = {clause.number for clause in known}
    number = int(digits[0]) + 1 if digits and head else 1
    while f"{head or last}.{number}" in taken:
        number += 1
    return f"{head or last}.{number}"


def _open(request: HttpRequest, pk: int) -> Policy:
    policy = drafting.found(request.user, pk)
    if not drafting.may_draft(request.user) or policy.stage not in revising.EDITED:
        raise PermissionDenied("这份草稿现在不能改")
    return policy


@require_http_methods(["GET", "HEAD", "POST"])
def add_clause(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a new clause into the draft."""
    policy = _open(request, pk)
    form = NewClause(policy, request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        number = said.pop("number")
        try:
            with door.acting(by=request.user, action="draft") as deed:
                revising.add(deed, policy, number, said)
        except revising.Unready as wrong:
            form.add_error("number", str(wrong))
        else:
            messages.success(request, f"{number} 已加进草稿，可以再给它加规则")
            return redirect(f"/drafts/{pk}/clause/{number}")
    status = 422 if form.is_bound else 200
    return render(request, "site/new_clause.html", {"policy": policy, "form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def add_rule(request: HttpRequest, pk: int, number: str) -> HttpResponse:
    """Choose what a new rule is about; it begins in its shortest form and is changed from there."""
    policy = _open(request, pk)
    if number not in drafts.clauses_with(policy):
        raise Http404(f"《{policy.title}》里没有 {number}")
    chosen = _chosen(request.POST or request.GET, _usual(policy, number))
    if request.method == "POST" and not request.GET.get("look"):
        with door.acting(by=request.user, action="draft") as deed:
            line = revising.next_line(policy, number)
            revising.put(deed, policy, number, line=line, rule=chosen["rule"])
        said = "规则已加进草稿，点带底色的词来改"
        return replies.done(request, said, f"/drafts/{pk}/clause/{number}")
    back = f"/drafts/{pk}/clause/{number}"
    context = {"number": number, "url": f"{back}/rule", "cancel_url": back, **chosen}
    page = "site/new_rule.html" if getattr(request, "htmx", None) else "site/new_rule_page.html"
    return render(request, page, context)


def _usual(policy: Policy, number: str) -> str:
    """The record type that the clause's other rules are about; mostly it is the customer."""
    rules = policy.changes.get(number, {}).get("rules", {}).values()
    standing = [
        rule.record
        for (_, line), rule in drafts.standing([number]).items()
        if line < following.ANSWERS
    ]
    return next((rule["record"] for rule in rules if rule), next(iter(standing), "customer"))


def _chosen(sent: Any, usual: str) -> dict[str, Any]:
    """What a form says of a new rule, with what is offered beside it; gaps are filled."""
    types = dict(starters.record_types())
    record = _one_of(sent.get("record") or usual, types)
    offered = starters.kinds_of(record)
    kind = _one_of(sent.get("kind", ""), offered)
    steps = dict(starters.steps(record)) if kind in starters.STEPPED else {}
    step = _one_of(sent.get("on", ""), steps)
    rule = starters.begin(kind, record, step)
    return {
        "rule": rule,
        "types": types.items(),
        "record": record,
        "kinds": [(code, kinds.KINDS[code.lower()].label, said) for code, said in offered.items()],
        "kind": kind,
        "steps": steps.items(),
        "step": step,
        "parts": list(rule_form.parts(kind, record, rule["params"])),
    }


def _one_of(said: str, known: dict[str, str]) -> str:
    return said if said in known else next(iter(known), "")
