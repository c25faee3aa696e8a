"""A customer's facts looked through again, and what changed there: reported, then brought in."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.customers.models import Customer
from fangyuan.desk import duties, replies
from fangyuan.desk.models import Change
from fangyuan.engine.models import Obligation
from fangyuan.forms import seed
from fangyuan.forms.models import Form, Response
from fangyuan.site import posts, review_forms


def _customer(request: HttpRequest, pk: int) -> Any:
    rows = Customer.objects.seen_by(request.user).present().select_related("industry")
    return get_object_or_404(rows, pk=pk)


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Look a customer's facts through; four points must be answered (TAG-4.1.1b)."""
    if not table.may(request.user, "response", "c"):
        return replies.refused(request, "你的岗位不能复核客户信息")
    customer = _customer(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = review_forms.Review(posted, customer=customer, actor=request.user)
    if posted is not None and form.is_valid():
        made = _try(request, customer, form)
        if made is not None:
            return posts.taken(request, _said(made), f"/customer/{pk}")
    context = {
        "customer": customer,
        "form": form,
        "duties": _duties(request.user, pk, "response.submitted_at"),
        "last": _last(request.user, pk),
    }
    return render(request, "site/review.html", context, status=422 if form.errors else 200)


def _try(request: HttpRequest, customer: Any, form: review_forms.Review) -> Response | None:
    """The review as kept, or None with what stood in the way said in the form."""
    try:
        return _keep(request, customer, form)
    except door.Stale:
        customer.refresh_from_db()
        form.say("客户资料刚被改过，已换成现在的值，核对后再交")
    except door.Refused as refusal:
        form.refuse(refusal)
    except door.Denied as denied:
        form.say(str(denied))
    return None


def _said(made: Response) -> str:
    return "已复核，没有变化" if made.verdict == Response.Verdict.SAME else "已复核，变化已记下"


def _keep(request: HttpRequest, customer: Any, form: review_forms.Review) -> Response:
    """The filled-in form, and the customer's fields that were put right, as one deed."""
    sheet = (
        Form.objects.everything("复核单")
        .present()
        .filter(code=seed.REVIEW["code"], published_at__isnull=False, retired_at=None)
        .order_by("-version")
        .first()
    )
    if sheet is None:
        raise door.Denied("还没有启用的复核单，请销售运营发布")
    answers, updates = form.answers(), form.updates(form.cleaned_data)
    has_changed = "CHANGED" in answers.values() or bool(updates)
    with door.acting(by=request.user, action="review", reason="信息复核") as deed:
        if updates:
            revision = request.POST.get("revision", "")
            deed.change(customer, updates, revision=int(revision) if revision.isdigit() else 0)
        made: Response = deed.create(
            Response,
            {
                "form": sheet,
                "subject": customer,
                "person": request.user,
                "submitted_at": deed.at,
                "period": f"{timezone.localdate(deed.at):%Y-%m}",
                "answers": answers,
                "covers": [code for code in form.covers() if code in sheet.covers],
                "verdict": "CHANGED" if has_changed else "SAME",
            },
        )
    return made


def _duties(actor: Any, customer: int, event: str) -> list[duties.Duty]:
    """What this fulfils and by when."""
    rows = (
        Obligation.objects.seen_by(actor)
        .filter(subject_type="customer", subject_id=customer, state="OPEN")
        .filter(rule__params__event=event, due_at__gt=timezone.now())
        .select_related("rule__clause")
        .order_by("due_at")
    )
    return duties.describe(rows[:8], actor)


def _last(actor: Any, customer: int) -> Response | None:
    rows = Response.objects.seen_by(actor).present().filter(form__kind=Form.Kind.REVIEW)
    found: Response | None = (
        rows.filter(subject_type="customer", subject_id=customer)
        .select_related("person")
        .order_by("-submitted_at")
        .first()
    )
    return found


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Report a change, and bring in what it touches; below, those of the past."""
    if not table.may(request.user, "change", "r"):
        return replies.refused(request, "你的岗位用不到客户变动")
    customer = _customer(request, pk)
    posted = request.POST if request.method == "POST" else None
    start = timezone.localtime().replace(second=0, microsecond=0)
    initial = {"kind": request.GET.get("kind", "NEED"), "occurred_at": start}
    form = review_forms.Report(posted, initial=initial)
    if posted is not None and form.is_valid():
        values = {n: v for n, v in form.cleaned_data.items() if v not in (None, "")}
        values |= {"subject": customer, "reported_by": request.user}
        if posted.get("updated"):
            values["updated_at"] = timezone.now()
        try:
            made = door.create(Change, values, by=request.user)
        except door.Refused as refusal:
            form.refuse(refusal)
        except door.Denied as denied:
            form.say(str(denied))
        else:
            return posts.taken(request, "已登记变动", f"/customer/{pk}/change#c-{made.pk}")
    rows = Change.objects.seen_by(request.user).present().filter(subject_type="customer")
    found = rows.filter(subject_id=pk).select_related("reported_by").order_by("-occurred_at")
    changes = list(found[:20])
    context = {
        "customer": customer,
        "form": form,
        "changes": [{"change": c, "clock": clock} for c, clock in _clocks(changes)],
        "may": table.may(request.user, "change", "c"),
    }
    return render(request, "site/review_change.html", context, status=422 if form.errors else 200)


def _clocks(changes: list[Change]) -> list[tuple[Change, Any]]:
    """Each change with the earliest deadline for bringing it in."""
    rows = (
        Obligation.objects.everything("变动更新的期限")
        .filter(subject_type="change", subject_id__in=[c.pk for c in changes])
        .filter(rule__params__until="updated_at", state__in=["OPEN", "BREACHED"])
        .select_related("rule__clause")
        .order_by("-due_at")
    )
    due = {row.subject_id: row for row in rows}
    return [(c, due.get(c.pk)) for c in changes]


@require_safe
def change_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a change is dealt with: its customer's changes, else its own page."""
    found = get_object_or_404(Change.objects.seen_by(request.user).present(), pk=pk)
    if found.subject_type != "customer":
        return redirect(f"/change/{pk}")
    return redirect(f"/customer/{found.subject_id}/change#c-{pk}")


@require_POST
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that what a change touches was brought up to date, or told to whoever keeps tags."""
    found = get_object_or_404(Change.objects.seen_by(request.user).present(), pk=pk)
    url = f"/customer/{found.subject_id}/change#c-{pk}"
    if found.subject_type != "customer":
        raise Http404(f"change {pk}")
    try:
        if request.POST.get("what") == "told":
            at = found.told_admin_at or timezone.now()
            door.change(found, {"told_admin_at": at}, by=request.user)
            return posts.taken(request, "已记下反馈", url)
        door.act("settle_change", found, by=request.user)
    except (door.Denied, door.Refused) as refusal:
        return replies.refused(request, str(refusal))
    return posts.taken(request, "已标为更新", url)
