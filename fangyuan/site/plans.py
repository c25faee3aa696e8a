"""The monthly visit plan: proposed, edited line by line, handed in, and read by the manager."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from fangyuan import door
from fangyuan.activities.models import Activity, Plan, PlanItem
from fangyuan.customers.models import Customer
from fangyuan.desk import inputs, replies
from fangyuan.engine.models import Approval, Obligation, Request
from fangyuan.org.models import Membership
from fangyuan.site import plan_lines, posts, visit_days

CLAUSE = "KA-3.3.1a"
REPS = ("position:ka_rep", "position:ka_senior_rep")
NO_ERRORS: Mapping[tuple[int, str], str] = {}


@require_http_methods(["GET", "POST"])
def visit_plan(request: HttpRequest) -> HttpResponse:
    """One's own plan for a month, a proposal while there is none, or those of the team."""
    now = timezone.now()
    month = plan_lines.month_of(request.GET.get("month", ""), timezone.localdate(now))
    people = visit_days.below(request.user)
    if people and (request.GET.get("who") == "team" or not _plans_visits(request.user)):
        return _team(request, people, month)
    period = f"{month:%Y-%m}"
    plan = _own(request.user, period)
    if request.method == "POST" and plan is None:
        try:
            plan = _make(request.user, month)
        except (door.Denied, door.Refused) as refusal:
            return replies.refused(request, str(refusal))
        return posts.taken(request, "已按频率排好，补齐内容后提交", f"/plans/visit?month={period}")
    if plan is not None:
        return _page(request, plan)
    lines = plan_lines.propose(request.user, month, now)
    context = _months(month) | {
        "lines": lines,
        "customers": len({line["subject"].pk for line in lines}),
        "clock": _clock(request.user.pk, month),
        "has_team": bool(people),
    }
    return render(request, "site/plan_new.html", context)


def _plans_visits(actor: Any) -> bool:
    rows = Membership.objects.everything("谁写拜访计划").present()
    today = timezone.localdate()
    current = rows.filter(Q(ends_on=None) | Q(ends_on__gte=today), starts_on__lte=today)
    return bool(current.filter(person=actor, position_id__in=REPS).exists())


def _own(actor: Any, period: str) -> Plan | None:
    rows = Plan.objects.seen_by(actor).present()
    found: Plan | None = rows.filter(person=actor, kind="VISIT", period=period).first()
    return found


def _months(month: date) -> dict[str, Any]:
    return {
        "month": month,
        "before": plan_lines.before(month),
        "after": plan_lines.after(month),
    }


def _clock(person: int, month: date) -> visit_days.Clock | None:
    """Until when the plan of this month is due."""
    row = (
        Obligation.objects.everything("拜访计划的期限")
        .filter(person_id=person, subject_type="person", rule__clause__number=CLAUSE)
        .filter(state__in=["OPEN", "BREACHED"], occurrence=f"month:{month:%Y-%m-%d}")
        .select_related("rule__clause")
        .first()
    )
    return visit_days.clock(row, timezone.now()) if row else None


def _make(actor: Any, month: date) -> Plan:
    with door.acting(by=actor, action="create", reason="按拜访频率排出") as deed:
        values = {
            "kind": "VISIT",
            "person": actor,
            "period": f"{month:%Y-%m}",
            "title": f"{month.month} 月拜访计划",
        }
        plan: Plan = deed.create(Plan, values)
        for line in plan_lines.propose(actor, month, deed.at):
            deed.create(PlanItem, line, plan=plan)
    return plan


@require_http_methods(["GET", "POST"])
def plan_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A visit plan: its author edits it while it is a draft, everybody else reads."""
    plan = _seen(request, pk)
    if request.method == "GET":
        return _page(request, plan)
    try:
        said = _save(request, plan)
    except door.Stale:
        return _page(request, plan, status=409, problem="刚在别处改过，请核对后再存")
    except (door.Denied, door.Refused) as refusal:
        return _page(request, plan, status=422, problem=str(refusal))
    if "submit" in request.POST:
        return _submit(request, plan)
    return posts.taken(request, said, _url(plan))


def _submit(request: HttpRequest, plan: Plan) -> HttpResponse:
    """Hand the plan in; what it lacks is said at the lines."""
    try:
        result = door.act("submit_plan", plan, by=request.user)
    except door.Refused as refusal:
        errors = {(u.subject_id, u.field): _short(u) for u in refusal.unmet if u.subject_id}
        general = next((u.sentence for u in refusal.unmet if not u.subject_id), "")
        problem = general or f"还有 {len(errors)} 处没写全，补上再提交"
        return _page(request, plan, errors=errors, status=422, problem=problem)
    except door.Denied as denied:
        return _page(request, plan, status=422, problem=str(denied))
    waits = result.stage == "SUBMITTED"
    return posts.taken(request, "已提交，等经理审" if waits else "已提交", _url(plan))


def _short(unmet: Any) -> str:
    return f"还没写{plan_lines.LABELS.get(unmet.field, '客户')}"


def _url(plan: Plan) -> str:
    return f"/plans/visit?month={plan.period}"


def _seen(request: HttpRequest, pk: int) -> Any:
    rows = Plan.objects.seen_by(request.user).present().select_related("person")
    return get_object_or_404(rows.filter(kind="VISIT"), pk=pk)


def _save(request: HttpRequest, plan: Plan) -> str:
    """Keep the lines that were changed, drop one, add one; says what was done."""
    if plan.stage != "DRAFT":
        raise door.Denied("已提交的计划先撤回再改")
    gone = request.POST.get("remove", "")
    items = plan_lines.gather(plan, request.user)
    copied = plan_lines.copied(items, request.POST, request.POST.get("copy", ""))
    with door.acting(by=request.user, action="change") as deed:
        for item in items:
            values = plan_lines.typed(request.POST, item)
            if item.pk in copied:
                values["content"] = copied[item.pk]
            if str(item.pk) == gone:
                deed.remove(item)
            elif values:
                deed.change(item, values, revision=int(request.POST[f"revision_{item.pk}"]))
        added = _added(request, plan)
        if added:
            deed.create(PlanItem, added, plan=plan)
    if gone:
        return "已去掉一项"
    return "已加一项" if added else "已存"


def _added(request: HttpRequest, plan: Plan) -> dict[str, Any] | None:
    if not request.POST.get("customer", "").strip():
        return None
    form = Addition(request.user, request.POST)
    if not form.is_valid():
        raise door.Refused([door.Unmet(text) for texts in form.errors.values() for text in texts])
    customer = Customer.objects.seen_by(request.user).get(pk=form.cleaned_data["customer"])
    return {"subject": customer, "purpose": "拜访", "owner": request.user}


class Addition(forms.Form):
    """A further customer for the plan."""

    def __init__(self, actor: Any, *args: Any) -> None:
        super().__init__(*args)
        self.fields["customer"] = inputs.Reference(
            Customer, actor, label="再加一家", required=False
        )
        self.fields["customer"].widget.attrs.update({"class": "inp", "placeholder": "客户名"})


def _page(request: HttpRequest, plan: Plan, **more: Any) -> HttpResponse:
    status, problem = more.get("status", 200), more.get("problem", "")
    found = plan_lines.groups(plan, request.user, more.get("errors", NO_ERRORS))
    lines = [line for group in found for line in group.lines]
    month = plan_lines.month_of(plan.period, timezone.localdate())
    is_mine = plan.person_id == request.user.pk
    waiting = _waiting(plan) if plan.stage == "SUBMITTED" else None
    context = _months(month) | {
        "plan": plan,
        "groups": found,
        "number": len(lines),
        "gaps": sum(bool(line.gaps) for line in lines),
        "unplaced": sum(not line.item.is_placed for line in lines),
        "clock": _clock(plan.person_id or 0, month) if plan.stage == "DRAFT" else None,
        "waiting": waiting,
        "asked": _asked(waiting),
        "is_mine": is_mine,
        "may_edit": is_mine and plan.stage == "DRAFT",
        "addition": Addition(request.user),
        "problem": problem,
        "has_team": bool(visit_days.below(request.user)),
    }
    return render(request, "site/plan.html", context, status=status)


def _waiting(plan: Plan) -> Any:
    rows = Request.objects.everything("计划的审批").filter(
        action="plan.approve_plan", subject_type="plan", subject_id=plan.pk, state="WAITING"
    )
    return rows.first()


def _asked(waiting: Any) -> list[str]:
    """Who is asked for a word."""
    seats = Approval.objects.everything("谁来审").filter(request=waiting).order_by("step")
    return list(dict.fromkeys(seats.values_list("person__name", flat=True))) if waiting else []


def _team(request: HttpRequest, people: list[int], month: date) -> HttpResponse:
    """The plans of the people below: who handed in, who has to, what waits for a word."""
    period = f"{month:%Y-%m}"
    today = timezone.localdate()
    reps = (
        Membership.objects.everything("谁写拜访计划")
        .present()
        .filter(Q(ends_on=None) | Q(ends_on__gte=today), starts_on__lte=today)
        .filter(person_id__in=people, position_id__in=REPS)
        .select_related("person", "team")
        .order_by("team__name", "person__name")
    )
    plans = Plan.objects.seen_by(request.user).present().filter(kind="VISIT", period=period)
    by_person = {plan.person_id: plan for plan in plans}
    waiting = dict(
        Request.objects.everything("计划的审批")
        .filter(action="plan.approve_plan", state="WAITING", subject_type="plan")
        .filter(subject_id__in=[plan.pk for plan in by_person.values()])
        .values_list("subject_id", "pk")
    )
    rows = []
    for rep in reps:
        plan = by_person.get(rep.person_id)
        rows.append({"rep": rep, "plan": plan, "request": plan and waiting.get(plan.pk)})
    context = _months(month) | {
        "rows": rows,
        "handed_in": sum(bool(r["plan"] and r["plan"].submitted_at) for r in rows),
        "to_decide": sum(bool(r["request"]) for r in rows),
    }
    return render(request, "site/plan_team.html", context)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a plan back that waits, to change it."""
    plan = _seen(request, pk)
    waiting = _waiting(plan)
    if waiting is None:
        return redirect(_url(plan))
    try:
        door.withdraw(waiting, by=request.user)
    except door.Denied as denied:
        return _page(request, plan, status=422, problem=str(denied))
    return posts.taken(request, "已撤回，改好再提交", _url(plan))


@require_POST
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn the lines still ahead into planned visits."""
    plan = _seen(request, pk)
    now = timezone.now()
    lines = [i for i in plan_lines.gather(plan, request.user) if i.at and i.at > now]
    known = set(
        Activity._base_manager.filter(plan_item__in=lines, removed_at=None).values_list(
            "plan_item_id", flat=True
        )
    )
    try:
        with door.acting(by=request.user, action="create", reason="按计划排进日程") as deed:
            for line in lines:
                if line.pk not in known and line.subject_type == "customer":
                    values = {"customer_id": line.subject_id, "person": plan.person}
                    deed.create(Activity, values, planned_at=line.at, plan_item=line, kind="VISIT")
    except (door.Denied, door.Refused) as refusal:
        return _page(request, plan, status=422, problem=str(refusal))
    made = len(lines) - len(known)
    return posts.taken(request, f"已排进日程 {made} 次" if made else "都已在日程里", _url(plan))
