"""Visits: the day in order of the way, and the three steps of one visit: plan, check in, record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import dateparse, timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fangyuan import door
from fangyuan.access import looks, scopes, table
from fangyuan.activities.models import Activity
from fangyuan.customers.models import Customer
from fangyuan.desk import replies
from fangyuan.site import palette, posts, route, visit_days, visit_forms, visit_glance

WITHIN = 300  # metres from the customer at which one is there
FOUND = 8


@require_safe
def day(request: HttpRequest) -> HttpResponse:
    """One day of visits in order of the way, the week around it, and what is to be written."""
    if not table.may(request.user, "activity", "r"):
        return replies.refused(request, "你的岗位用不到拜访")
    now = timezone.now()
    today = timezone.localdate(now)
    shown = dateparse.parse_date(request.GET.get("day", "")) or today
    people = visit_days.below(request.user)
    is_team = bool(people) and request.GET.get("who") == "team"
    numbers = people if is_team else [request.user.pk]
    found = visit_days.visits(request.user, numbers, shown, now, is_team=is_team)
    records, cadences = visit_days.clocks(found, now)
    stops = [visit_days.stop(v, records.get(v.pk), cadences.get(v.customer_id)) for v in found]
    of_day = [s for s in stops if visit_days.on(s.visit) == shown]
    by_time = is_team or request.GET.get("by") == "time"
    way = [s.visit for s in of_day] if by_time else route.order([s.visit for s in of_day])
    place = {v.pk: number for number, v in enumerate(way)}
    owing = visit_days.unwritten(stops, now)
    counts = visit_days.counts(request.user, numbers, shown) if is_team else None
    first = owing[0] if owing and owing[0].clock else None
    context = {
        "shown": shown,
        "is_today": shown == today,
        "before": shown - timedelta(days=1),
        "after": shown + timedelta(days=1),
        "who": "team" if is_team else "",
        "has_team": bool(people),
        "by": "time" if by_time else "way",
        "stops": sorted(of_day, key=lambda s: place[s.visit.pk]),
        "sketch": None if is_team else route.sketch(way),
        "owing": owing,
        "first": first,
        "rest": owing[1:] if first else owing,
        "first_who": first.visit.person.name if is_team and first else "",
        "week": visit_days.week(stops, shown, today, counts),
        "most": visit_days.MOST if len(found) == visit_days.MOST else 0,
        "may_plan": table.may(request.user, "activity", "c"),
    }
    return render(request, "site/visits.html", context)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Plan a visit, or with `happened` enter one that took place."""
    if not table.may(request.user, "activity", "c"):
        return replies.refused(request, "你的岗位不能新建拜访")
    given = request.POST if request.method == "POST" else request.GET
    customer = _customer(request.user, given.get("customer", ""))
    contacts = visit_forms.contacts_of(customer, request.user)
    happened = given.get("happened") == "1"
    kind = visit_forms.Happened if happened else visit_forms.NewVisit
    posted = request.POST if request.method == "POST" else None
    form = kind(posted, customer=customer, contacts=contacts, initial=_initial(given, happened))
    if posted is not None and form.is_valid():
        try:
            made = _create(request, form, contacts)
        except door.Refused as refusal:
            form.refuse(refusal)
        except door.Denied as denied:
            form.say(str(denied))
        else:
            text = "已记下，接着写记录" if happened else "已排上"
            return posts.taken(request, text, f"/visits/{made.pk}")
    words = request.GET.get("q", "").strip()
    context = {
        "form": form,
        "customer": customer,
        "happened": happened,
        "q": words,
        "found": [] if customer else _found(request.user, words),
    }
    return render(request, "site/visit_new.html", context)


def _initial(given: Any, happened: bool) -> dict[str, Any]:
    now = timezone.localtime().replace(second=0, microsecond=0)
    next_hour = now.replace(minute=0) + timedelta(hours=1)
    start = now - timedelta(hours=1) if happened else next_hour
    return {
        "kind": given.get("kind", "VISIT"),
        "purpose": given.get("purpose", "FOLLOW"),
        "planned_at": start,
        "ended_at": now,
    }


def _create(request: HttpRequest, form: visit_forms.NewVisit, contacts: list[Any]) -> Any:
    """The new visit; with its appointment where there is one already."""
    said = form.cleaned_data
    values: dict[str, Any] = {
        "customer": form.customer,
        "person": request.user,
        "kind": said["kind"],
        "purpose": said["purpose"],
        "planned_at": said["planned_at"],
    }
    if "ended_at" in said:
        values |= {"started_at": said["planned_at"], "ended_at": said["ended_at"]}
    contact = next((c for c in contacts if str(c.pk) == said["appointed_with"]), None)
    agreed = {"appointed_with": contact, "appointed_by": said["appointed_by"]}
    with door.acting(by=request.user, action="create") as deed:
        if "ended_at" in said and said["appointed_by"]:
            return deed.create(Activity, values | agreed, appointed_at=said["planned_at"])
        made = deed.create(Activity, values)
        if said["appointed_by"]:
            agreed["appointed_at"] = deed.at
            return door.act("appoint_visit", made, by=request.user, payload=agreed)
    return made


def _customer(actor: Any, number: str) -> Customer | None:
    if not number.isdigit():
        return None
    found: Customer | None = Customer.objects.seen_by(actor).present().filter(pk=number).first()
    return found


def _found(actor: Any, words: str) -> list[Any]:
    if not words:
        return visit_days.owing_customers(actor, timezone.now())
    rows = Customer.objects.seen_by(actor).present().filter(palette.matching(words))
    return list(rows.order_by("-is_ka", "-id")[:FOUND])


@require_safe
def lookup(request: HttpRequest) -> HttpResponse:
    """Customers by what is typed, as a fragment."""
    words = request.GET.get("q", "").strip()[:60]
    context = {"found": _found(request.user, words), "q": words, "happened": ""}
    context["happened"] = request.GET.get("happened", "")
    return render(request, "site/visit_found.html", context)


@require_safe
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    """One visit at the step where it stands."""
    return _page(request, _seen(request, pk))


def _seen(request: HttpRequest, pk: int) -> Any:
    rows = Activity.objects.seen_by(request.user).present()
    named = ("customer", "lead", "person", "appointed_with", "plan_item")
    return get_object_or_404(rows.select_related(*named), pk=pk)


def _not_yours(request: HttpRequest, found: Any) -> HttpResponse:
    """Nobody is present in another's name."""
    return replies.refused(request, f"只有执行人{found.person}能签到和离场")


def _page(request: HttpRequest, found: Any, *, status: int = 200, **forms: Any) -> HttpResponse:
    now = timezone.now()
    contacts = visit_forms.contacts_of(found.customer, request.user)
    records, _ = visit_days.clocks([found], now)
    context = {
        "visit": found,
        "contacts": contacts,
        "step": visit_glance.step(found),
        "steps": visit_glance.steps(found, now),
        "stop": visit_days.stop(found, records.get(found.pk)),
        "away": visit_glance.away(found),
        "within": WITHIN,
        "is_ahead": bool(found.planned_at) and visit_days.on(found) > timezone.localdate(now),
        "is_mine": found.person_id == request.user.pk,
        "may": _answers(request, found),
        "seen": posts.fingerprint(found, visit_forms.RECORD),
        "seen_appointment": posts.fingerprint(found, visit_forms.APPOINTMENT),
        "appointment": visit_forms.Appointment(contacts=contacts, initial=_agreed(found)),
        "record": visit_forms.Written(visit=found, initial=_said(found)),
        "glance": visit_glance.glance(found, request.user, contacts, now),
        "is_key": visit_forms.is_key(found),
        **forms,
    }
    return render(request, "site/visit.html", context, status=status)


def _answers(request: HttpRequest, found: Any) -> bool:
    """Whether this visit is the actor's own to do; others read it and comment on its page."""
    return found.person_id == request.user.pk and table.may(request.user, "activity", "u")


def _agreed(found: Any) -> dict[str, Any]:
    names = ("planned_at", "appointed_by")
    return {n: getattr(found, n) for n in names} | {"appointed_with": found.appointed_with_id}


def _said(found: Any) -> dict[str, Any]:
    said = {name: getattr(found, name) for name in visit_forms.RECORD}
    start = found.started_at or found.planned_at
    return said | {"started_at": start, "ended_at": found.ended_at or timezone.now()}


@require_POST
def appoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Note the appointment; what the clause still misses is said at its field."""
    found = _seen(request, pk)
    contacts = visit_forms.contacts_of(found.customer, request.user)
    form = visit_forms.Appointment(request.POST, contacts=contacts)
    if form.is_valid():
        said = form.cleaned_data
        contact = next((c for c in contacts if str(c.pk) == said["appointed_with"]), None)
        agreed = {"appointed_with": contact, "appointed_by": said["appointed_by"]}
        agreed["appointed_at"] = timezone.now() if said["appointed_by"] else None
        try:
            with door.acting(by=request.user, action="appoint_visit") as deed:
                names = visit_forms.APPOINTMENT
                done = posts.act("appoint_visit", found, agreed, request=request, names=names)
                deed.change(done, planned_at=said["planned_at"])
        except door.Refused as refusal:
            form.refuse(refusal)
        except (door.Denied, door.Stale) as problem:
            form.say(str(problem))
        else:
            return posts.taken(request, "已登记预约", f"/visits/{pk}")
    return _page(request, _seen(request, pk), status=422, appointment=form)


@require_POST
def check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin on the spot; away from the customer, or without a place, a reason is needed."""
    found, url = _seen(request, pk), f"/visits/{pk}"
    if not _answers(request, found):
        return _not_yours(request, found)
    if found.started_at:
        at = timezone.localtime(found.started_at)
        return posts.taken(request, f"{at:%H:%M} 已签到，没有改动", url)
    form = visit_forms.CheckIn(request.POST)
    said = form.cleaned_data if form.is_valid() else {}
    problem = _far(found, said)
    if problem and not said.get("off_site_reason"):
        return _page(request, found, status=422, far=problem)
    at, reason = posts.moment(request)
    try:
        payload = {**said, "at": at, "off_site_reason": said["off_site_reason"] if problem else ""}
        done = posts.act("check_in", found, payload, request=request, reason=reason)
    except (door.Denied, door.Refused) as refusal:
        return _page(request, found, status=422, problem=str(refusal))
    return posts.taken(request, f"已签到 {timezone.localtime(done.started_at):%H:%M}", url)


def _far(found: Any, said: dict[str, Any]) -> str:
    """Why this place is not the customer's; empty when it is, or nobody knows where that is."""
    if said.get("latitude") is None or said.get("longitude") is None:
        return "没取到位置，写明原因后签到"
    here = Activity(latitude=said["latitude"], longitude=said["longitude"])
    away = route.distance(here, found.customer) if found.customer else None
    if away is None or away * 1000 <= WITHIN:
        return ""
    return f"距客户 {visit_glance.metres(away)}，超出 {WITHIN} 米，写明原因后签到"


@require_POST
def check_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave: from now on the record's clock runs."""
    found, url = _seen(request, pk), f"/visits/{pk}"
    if not _answers(request, found):
        return _not_yours(request, found)
    if found.ended_at:
        at = timezone.localtime(found.ended_at)
        return posts.taken(request, f"{at:%H:%M} 已离场，没有改动", url)
    at, reason = posts.moment(request)
    try:
        done = posts.act("check_out", found, {"at": at}, request=request, reason=reason)
    except (door.Denied, door.Refused) as refusal:
        return _page(request, found, status=422, problem=str(refusal))
    left = f"{timezone.localtime(done.ended_at):%H:%M}"
    return posts.taken(request, f"已离场 {left}，趁热写记录", url)


@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the record, or keep what is there so far (`draft`)."""
    found = _seen(request, pk)
    is_draft = "draft" in request.POST
    form = visit_forms.Written(request.POST, visit=found, is_draft=is_draft)
    stale = None
    if form.is_valid():
        said = {n: v for n, v in form.cleaned_data.items() if v is not None}
        try:
            _keep(request, found, said, is_draft)
        except door.Refused as refusal:
            form.refuse(refusal)
        except door.Denied as denied:
            form.say(str(denied))
        except door.Stale as collision:
            stale = visit_glance.both(collision.record, said, request.user)
        else:
            text, url = ("已存草稿", f"/visits/{pk}") if is_draft else ("记录已交", "/visits")
            return posts.taken(request, text, url)
    return _page(
        request, _seen(request, pk), status=409 if stale else 422, record=form, stale=stale
    )


def _keep(request: HttpRequest, found: Any, said: dict[str, Any], is_draft: bool) -> None:
    names = visit_forms.RECORD
    if not is_draft:
        posts.act("write_record", found, said, request=request, names=names)
        return
    with door.acting(by=request.user, action="change") as deed:
        current = Activity._base_manager.select_for_update().get(pk=found.pk)
        if posts.fingerprint(current, names) != request.POST.get("seen"):
            raise door.Stale(current)
        deed.change(found, {n: v for n, v in said.items() if n in names})


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a planned visit off, with the reason."""
    found, reason = _seen(request, pk), request.POST.get("reason", "").strip()
    if found.started_at:
        return _page(request, found, status=422, problem="已经签到的拜访不能取消")
    if not reason:
        return _page(request, found, status=422, problem="取消要写明原因")
    try:
        door.act("cancel_activity", found, by=request.user, payload={"reason": reason})
    except (door.Denied, door.Refused) as refusal:
        return _page(request, found, status=422, problem=str(refusal))
    return posts.taken(request, "已取消", "/visits")


@require_POST
def call(request: HttpRequest, pk: int, contact: int) -> HttpResponse:
    """The number of somebody one is about to visit; asking for it leaves a trace."""
    found = _seen(request, pk)
    there = visit_forms.contacts_of(found.customer, request.user)
    person = next((c for c in there if c.pk == contact), None)
    if person is None or "phone" in scopes.veil(request.user, there)[person.pk]:
        raise Http404(f"contact {contact}")
    if not looks.look(request.user, person, "phone", terminal=request.META.get("REMOTE_ADDR", "")):
        return replies.refused(request, looks.ENOUGH)
    part = "#number" if getattr(request, "htmx", False) else ""
    context = {"visit": found, "contact": person}
    return render(request, f"site/visit_call.html{part}", context)
