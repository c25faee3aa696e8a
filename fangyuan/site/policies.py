"""The page of a regulation: chapters and clauses as they read now, versions, drafts, signing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.core import past
from fangyuan.core.models import Term
from fangyuan.desk import looking_back
from fangyuan.engine.models import Clause, Policy, Rule, Tally, TallyMove
from fangyuan.engine.revision import drafts, revising
from fangyuan.metrics.measure import share
from fangyuan.org.models import Message
from fangyuan.site import drafting

QUARTER = 90


@require_safe
@looking_back.looks_back
def policy(request: HttpRequest, code: str) -> HttpResponse:
    """The page of the regulation with this code, in the version in force now or at `as_of`."""
    back, latest = looking_back.of(request), drafts.in_force(code)
    # At 24:00 it is still the version of the day that ends.
    one = drafts.in_force(code, at=back.now) if back else latest
    if one is None or latest is None:
        raise Http404("没有这套制度，请从制度库里找")
    versions = list(
        Policy.objects.everything("制度版本人人可读")
        .present()
        .filter(code=code)
        .select_related("publisher")
        .order_by("-starts_on", "-pk")
    )
    day = back.day if back else timezone.localdate()
    may_look = drafting.may_look(request.user) and not back
    chosen = request.GET.get("draft", "")
    opened = [v for v in versions if v.stage in (*revising.EDITED, "WAITING")]
    context = {
        "policy": one,
        "versions": [
            v
            for v in versions
            if v.stage in ("PUBLISHED", "SUPERSEDED") and (not back or _was_known(v, back))
        ],
        "day": day,
        "drafts": opened if may_look else [],
        "draft": next((v for v in opened if str(v.pk) == chosen), None) if may_look else None,
        "may_draft": drafting.may_draft(request.user) and not back,
        "may_look": may_look,
        "chapters": _chapters(latest, request.user, back, day),
        "applies_to": _named(one.applies_to),
        **({} if back else _signing(one, versions, request.user)),
    }
    return render(request, "site/policy.html", context)


def _was_known(version: Policy, back: looking_back.AsOf) -> bool:
    """Whether a version was in force, or published, by the instant looked back at."""
    begun = version.starts_on is not None and version.starts_on <= back.day
    return begun or (version.published_at is not None and version.published_at <= back.at)


def _chapters(
    latest: Policy, actor: Any, back: looking_back.AsOf | None, day: date
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Clauses by chapter, each with whether it ran by itself and how it was kept of late.

    Clauses pass on to the latest version; how they read before, the event log knows.
    """
    rules = Rule.objects.everything("条款人人可读").present().filter(is_shadow=False)
    rules = rules.filter(clause__policy=latest)
    in_force = rules.filter(ends_at=None)
    if back:
        in_force = rules.filter(Q(ends_at=None) | Q(ends_at__gt=back.now), starts_at__lte=back.now)
    numbers = dict(in_force.values_list("clause_id").annotate(n=Count("pk")))
    rates = _rates(rules, actor, day, back is not None)
    clauses = Clause.objects.everything("条款人人可读").present().filter(policy=latest)
    found: dict[str, list[dict[str, Any]]] = {}
    for clause in past.turned(clauses, back.at) if back else clauses:
        met, due = rates.get(clause.pk, (0, 0))
        line = {"clause": clause, "rules": numbers.get(clause.pk, 0), "rate": share(met, due)}
        found.setdefault(clause.chapter or "其他", []).append(line)
    return list(found.items())


def _rates(rules: Any, actor: Any, day: date, is_past: bool) -> dict[int, tuple[int, int]]:
    model: Any = TallyMove if is_past else Tally
    known = {"known_on__lte": day} if is_past else {}
    span = {"due_on__gte": day - timedelta(days=QUARTER), "due_on__lte": day}
    clause_of = dict(rules.values_list("pk", "clause_id"))
    rows = (
        model.objects.seen_by(actor)
        .filter(rule_id__in=list(clause_of), **span, **known)
        .values("rule_id")
        .annotate(
            met=Sum("number", filter=Q(state="MET")),
            due=Sum("number", filter=Q(state__in=["MET", "LATE", "BREACHED"])),
        )
    )
    found: dict[int, tuple[int, int]] = {}
    for row in rows:
        met, due = found.get(clause_of[row["rule_id"]], (0, 0))
        found[clause_of[row["rule_id"]]] = (met + (row["met"] or 0), due + (row["due"] or 0))
    return found


def _named(codes: list[str]) -> list[str]:
    terms = Term._base_manager.filter(code__in=codes, domain__in=["position", "department", "body"])
    labels = dict(terms.values_list("code", "label"))
    return [labels.get(code, code) for code in codes]


def _signing(one: Policy, versions: list[Policy], person: Any) -> dict[str, Any]:
    """How far the newest version was signed, and whether this person is still to sign it."""
    newest = next((v for v in versions if v.stage == "PUBLISHED"), one)
    asked = Message.objects.everything("签收进度").filter(
        kind="SIGN", subject_type="policy", subject_id=newest.pk
    )
    told = asked.aggregate(all=Count("pk"), done=Count("pk", filter=~Q(confirmed_at=None)))
    mine = asked.filter(person=person, confirmed_at=None).first() if told["all"] else None
    return {"signing": told if told["all"] else None, "to_sign": mine, "newest": newest}


@require_POST
def sign(request: HttpRequest, code: str) -> HttpResponse:
    """Confirm that one has read the version one was asked to read."""
    mine = Message.objects.seen_by(request.user).filter(
        kind="SIGN", subject_type="policy", person=request.user, confirmed_at=None
    )
    numbers = Policy.objects.everything("签收").filter(code=code).values("pk")
    for message in mine.filter(subject_id__in=numbers):
        door.act("message.sign_message", message, by=request.user)
    messages.success(request, "已签收")
    return redirect(f"/policies/{code}")
