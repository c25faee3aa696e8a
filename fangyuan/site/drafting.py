"""Pages of a draft: what it changes, how it fared on the past, sending it for approval."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.engine import kinds
from fangyuan.engine.models import Approval, InFlight, Policy, Replay, Request
from fangyuan.engine.revision import drafts, replays, revising
from fangyuan.org.models import Message, Person, Team
from fangyuan.site import actions, outcomes, rule_form, text_changes

PRESETS = {"month": "上月", "quarter": "上季度", "last90": "近 90 天"}
HOW = {
    "OLD": "生效前开始的义务，时限不变",
    "NEW": "生效时还没到期的，从生效起按新时限重新计",
    "MILD": "生效时还没到期的，新旧时限取宽的一个",
}


def may_draft(person: Any) -> bool:
    """Whether somebody may write drafts."""
    return table.may(person, "policy", "c")


def may_look(person: Any) -> bool:
    """Whether somebody may see how a draft would have fared: drafters and the management."""
    groups = table.sight(person).groups
    return may_draft(person) or bool(groups & {"exec", "audit", "head"})


def may_see(person: Any, policy: Policy) -> bool:
    """The same of one draft: whoever is asked to agree to it may see it as well."""
    asked = Approval.objects.everything("审批人看草稿").filter(
        person=person, request__subject_type="policy", request__subject_id=policy.pk
    )
    return may_look(person) or bool(asked.exists())


def found(person: Any, pk: int) -> Policy:
    """The draft or version with this number; raises Http404 or PermissionDenied."""
    one = Policy.objects.seen_by(person).present().filter(pk=pk).select_related("supersedes")
    policy: Policy | None = one.first()
    if policy is None or policy.supersedes_id is None:
        raise Http404("没有这份草稿，或已经放弃")
    if not may_see(person, policy):
        raise PermissionDenied("草稿由制度归口部门起草，管理层和审批人可以查看")
    return policy


@require_safe
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a draft."""
    policy = found(request.user, pk)
    tried = list(Replay.objects.everything("草稿页").filter(policy=policy)[:12])
    for one in tried:
        one.changed = outcomes.changed(one.result) if one.result else 0
    by = Person.objects.everything("草稿页").filter(pk=policy.recorded_by).first()
    context = {
        "policy": policy,
        "by": by,
        "is_open": policy.stage in revising.EDITED,
        "may_edit": may_draft(request.user) and policy.stage in revising.EDITED,
        "differences": differences(policy),
        "replays": [one for one in tried if not one.is_shadow],
        "shadow": (shadow := next((one for one in tried if one.is_shadow), None)),
        "shadow_rows": _shadow_rows(shadow),
        "seal": drafts.seal(policy),
        "hindrance": revising.hindrance(policy) if policy.stage in revising.EDITED else "",
        "waiting": (asked := _request(policy)),
        "waiting_url": f"/approvals/{asked.pk}" if asked else "",
        "how": [(code, label, HOW[code]) for code, label in InFlight.choices],
        "teams": _teams(),
        "presets": PRESETS,
        "today": timezone.localdate(),
        "signing": _signing(policy),
    }
    return render(request, "site/draft.html", context)


def differences(policy: Policy) -> list[dict[str, Any]]:
    """What a draft changes, clause by clause, in words."""
    return [_difference(one) for one in drafts.differences(policy)]


def _difference(one: drafts.Difference) -> dict[str, Any]:
    return {
        "clause": one.clause,
        "title": one.title if one.title[0] != one.title[1] else None,
        "text": text_changes.marked(*one.text) if one.text[0] != one.text[1] else None,
        "rules": [_rule_difference(*rule) for rule in one.rules],
        "is_new": one.is_new,
    }


def _rule_difference(line: int, old: Any, wanted: Any) -> dict[str, Any]:
    before = rule_form.said(old.kind, old.record, old.params) if old else {}
    if wanted is None:
        said = kinds.read(old.kind, old.record, old.params).sentence() if old else ""
        return {"line": line, "before": {"sentence": said}, "is_ended": True}
    changed = rule_form.changed(old.params if old else None, wanted["params"])
    return {
        "line": line,
        "is_ended": False,
        "is_new": old is None,
        "parts": [
            {"text": text, "was": before.get(name, "") if name in changed else ""}
            for name, text in rule_form.parts(wanted["kind"], wanted["record"], wanted["params"])
        ],
    }


def _shadow_rows(shadow: Any) -> list[dict[str, Any]]:
    """The figures of a draft that runs beside the rule in force."""
    if shadow is None or not shadow.result:
        return []
    return [row for one in outcomes.families(shadow.result) for row in outcomes.totals(one)]


def _request(policy: Policy) -> Any:
    return (
        Request.objects.everything("草稿页")
        .filter(subject_type="policy", subject_id=policy.pk, state="WAITING")
        .first()
    )


def _teams() -> list[Any]:
    rows = Team.objects.everything("部门名录").present().exclude(kind="COMPANY")
    return list(rows.order_by("name"))


def _signing(policy: Policy) -> dict[str, int] | None:
    """How many were asked to sign, and how many did."""
    if policy.stage not in ("PUBLISHED", "SUPERSEDED"):
        return None
    asked = Message.objects.everything("签收进度").filter(
        kind="SIGN", subject_type="policy", subject_id=policy.pk
    )
    return dict(asked.aggregate(all=Count("pk"), done=Count("pk", filter=~Q(confirmed_at=None))))


# --- deeds


def _deed(view: Callable[..., str]) -> Callable[..., HttpResponse]:
    """A POST by somebody who may draft; what is refused comes back as a message."""

    @require_POST
    def inner(request: HttpRequest, pk: int, **more: Any) -> HttpResponse:
        if not may_draft(request.user):
            raise PermissionDenied("草稿由制度归口部门起草")
        policy = found(request.user, pk)
        try:
            said = view(request, policy, **more)
        except (revising.Unready, door.Denied) as wrong:
            messages.warning(request, str(wrong))
        except door.Refused as wrong:
            messages.warning(request, wrong.unmet[0].sentence)
        except ValueError as wrong:
            messages.warning(request, str(wrong))
        else:
            messages.success(request, said)
        return redirect(request.POST.get("next") or f"/drafts/{pk}")

    return inner


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a draft of a regulation, at one of its clauses if one is named."""
    if not may_draft(request.user):
        raise PermissionDenied("草稿由制度归口部门起草")
    number = request.POST.get("clause", "")
    with door.acting(by=request.user, action="draft") as deed:
        made = revising.begin(deed, request.POST.get("policy", ""), request.POST.get("summary", ""))
    return redirect(f"/drafts/{made.pk}/clause/{number}" if number else f"/drafts/{made.pk}")


@_deed
def describe(request: HttpRequest, policy: Policy) -> str:
    """Say in one line what the draft is about."""
    with door.acting(by=request.user, action="draft") as deed:
        deed.change(policy, summary=request.POST.get("summary", "").strip())
    return "已存"


@_deed
def drop(request: HttpRequest, policy: Policy) -> str:
    """Give the draft up; it lies in the recycle bin."""
    if policy.stage not in revising.EDITED:
        raise revising.Unready("正在审批或已发布的不能放弃")
    with door.acting(by=request.user, action="draft") as deed:
        replays.stop_shadow(policy)
        deed.remove(policy)
    return "草稿已放弃"


@_deed
def replay(request: HttpRequest, policy: Policy) -> str:
    """Have the draft tried on a past; the worker does it."""
    first, last = span(request.POST, timezone.localdate())
    team = _team(request.POST.get("team", ""))
    if not policy.changes:
        raise revising.Unready("草稿还没有改动，请先改条款")
    one = replays.ask(policy, first, last, team=team, by=request.user)
    request.POST = request.POST.copy()  # type: ignore[assignment]
    request.POST["next"] = f"/replays/{one.pk}"  # type: ignore[index]
    return "试算已开始，不影响真实数据"


def span(sent: Any, today: date) -> tuple[date, date]:
    """The past that a form asks for; raises ValueError in words."""
    preset = sent.get("preset", "")
    month = today.replace(day=1)
    if preset == "month":
        last = month - timedelta(days=1)
        return last.replace(day=1), last
    if preset == "quarter":
        begun = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        last = begun - timedelta(days=1)
        return last.replace(month=last.month - 2, day=1), last
    if preset == "last90":
        return today - timedelta(days=90), today - timedelta(days=1)
    try:
        first = date.fromisoformat(sent.get("first", ""))
        last = date.fromisoformat(sent.get("last", ""))
    except ValueError as wrong:
        raise ValueError("请选试算的起止日期") from wrong
    if not first <= last <= today:
        raise ValueError("起不能晚于止，止不能晚于今天")
    return first, last


def _team(number: str) -> Any:
    rows = Team.objects.everything("部门名录").present()
    return rows.filter(pk=int(number)).first() if number.isdigit() else None


@_deed
def submit(request: HttpRequest, policy: Policy) -> str:
    """Send it for approval with its day of effect."""
    try:
        on = date.fromisoformat(request.POST.get("starts_on", ""))
    except ValueError as wrong:
        raise ValueError("请选生效日") from wrong
    how = request.POST.get("in_flight", "OLD")
    if how not in InFlight.values:
        raise ValueError("请选在办义务怎么办")
    actions.submit(policy, on=on, in_flight=how, by=request.user)
    return "已提交审批，批准后在生效日起施行"


@_deed
def shadow(request: HttpRequest, policy: Policy) -> str:
    """Run the draft beside the rule in force, or stop it."""
    if policy.stage not in (*revising.EDITED, "WAITING"):
        raise revising.Unready("已发布的不用试运行")
    with door.acting(by=request.user, action="shadow"):
        if request.POST.get("stop"):
            replays.stop_shadow(policy)
            return "试运行已停"
        if not policy.changes:
            raise revising.Unready("草稿还没有改动，请先改条款")
        team = _team(request.POST.get("team", ""))
        replays.start_shadow(policy, team=team, at=timezone.now())
    return "试运行已开始：只在这一页看结果，不派义务、不发提醒"
