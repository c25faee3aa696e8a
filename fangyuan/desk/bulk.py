"""Changing what stands in a list: one cell in place, or one thing on many rows at once."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from fangyuan import door
from fangyuan.access import table
from fangyuan.desk import columns, forms, pages, undo
from fangyuan.desk.declare import Desk
from fangyuan.desk.filters import BadQuery
from fangyuan.desk.panels import Scene
from fangyuan.desk.replies import done, face, outcome, refused, scene, toast

MOST = 200


@require_http_methods(["GET", "POST"])
@face("u")
def cell(request: HttpRequest, desk: Desk, pk: int, name: str) -> HttpResponse:
    """One cell of a list, changed in place."""
    look = scene(request, desk, pk)
    if name not in desk.inline or name in look.hidden:
        raise Http404(name)
    if not look.may_change:
        return refused(request, f"你不能改这条{desk.label}，可以找它的负责人")
    if request.GET.get("show"):
        return _cell(request, look, name)
    made = forms.single(desk, name, look.record, request.user)
    form = made(request.POST or None, initial={"revision": look.record.revision})
    if request.method == "POST" and form.is_valid():
        return _write(request, look, name, made, form)
    return _form(request, look, name, form)


def _form(request: HttpRequest, look: Scene, name: str, form: Any, **more: Any) -> HttpResponse:
    context = {"form": form, "field": form[name], "scene": look, "name": name, **more}
    return render(request, "desk/cell_form.html", context)


def _write(request: HttpRequest, look: Scene, name: str, made: Any, form: Any) -> HttpResponse:
    """Write one cell; what stands in the way comes back in the cell, with both values."""
    desk, stored = look.desk, form.stored_as(name)
    was, values = getattr(look.record, stored), {stored: form.cleaned_data[name]}
    revision = form.cleaned_data["revision"]
    try:
        changed = door.change(look.record, values, by=request.user, revision=revision)
    except (door.Refused, door.Denied) as refusal:
        return _form(request, look, name, form, problem=str(refusal))
    except door.Stale as stale:
        theirs = forms.conflicts(form, desk, request.user, stale.record)
        again = made({name: form[name].data, "revision": stale.record.revision})
        current = Scene(desk, stale.record, request.user, look.now)
        return _form(request, current, name, again, theirs=theirs)
    step = {"do": "change", "record": desk.name, "id": changed.pk, "values": {stored: was}}
    token = undo.keep(request.session, [{**step, "revision": changed.revision}], look.now)
    label = columns.label_of(desk.model, name)
    if not getattr(request, "htmx", False):
        return done(request, f"已改{label}", f"/{desk.name}/", token)
    fresh = Scene(desk, changed, request.user, look.now)
    return toast(_cell(request, fresh, name), f"已改{label}", token)


def _cell(request: HttpRequest, look: Scene, name: str) -> HttpResponse:
    shown = look.facade.cell(look.record, name)
    context = {"cell": shown, "scene": look, "edit": True}
    return render(request, "desk/cell.html", context)


def picked(request: HttpRequest, desk: Desk) -> list[Any]:
    """The rows picked in the list, among those the actor may see; raises BadQuery."""
    given = request.POST.getlist("pick") or request.GET.getlist("pick")
    if not given or not all(number.isdecimal() and len(number) <= 18 for number in given):
        raise BadQuery("先在列表里勾选要改的行")
    if len(given) > MOST:
        raise BadQuery(f"一次最多改 {MOST} 条，请分几次")
    rows = desk.model.objects.seen_by(request.user)  # type: ignore[attr-defined]
    return list(rows.filter(pk__in=[int(number) for number in given]).order_by("pk"))


@require_http_methods(["GET", "POST"])
@face("u")
def set_field(request: HttpRequest, desk: Desk, name: str) -> HttpResponse:
    """Set one field on the picked rows, all or none."""
    if name not in desk.bulk:
        raise Http404(name)
    rows = picked(request, desk)
    made = forms.single(desk, name, None, request.user)
    is_sent = request.method == "POST" and "go" in request.POST
    form = made(request.POST if is_sent else None)
    label = columns.label_of(desk.model, name)
    if is_sent and form.is_valid():
        values = {form.stored_as(name): form.cleaned_data[name]}
        try:
            token = _set_all(request, desk, rows, values)
        except (door.Refused, door.Denied) as problem:
            form.problem = str(problem)
        else:
            return done(request, f"已改 {len(rows)} 条的{label}", f"/{desk.name}/", token)
    return _ask(request, desk, rows, form, f"改{label}")


def _set_all(request: HttpRequest, desk: Desk, rows: list[Any], values: dict[str, Any]) -> str:
    steps = []
    with door.acting(by=request.user, action="change", reason="批量修改") as deed:
        for row in rows:
            was = {name: getattr(row, name) for name in values}
            changed = deed.change(row, values)
            step = {"do": "change", "record": desk.name, "id": row.pk, "values": was}
            steps.append({**step, "revision": changed.revision})
    return undo.keep(request.session, steps, timezone.now())


@require_http_methods(["GET", "POST"])
@face("r")
def act_on(request: HttpRequest, desk: Desk, verb: str) -> HttpResponse:
    """Use a verb on the picked rows; says how many went through and why others did not."""
    found = door.VERBS.get(f"{desk.name}.{verb}")
    if found is None or verb not in desk.bulk_actions:
        raise Http404(verb)
    rows = picked(request, desk)
    if not rows:
        raise BadQuery("勾选的行已不在你的范围内")
    is_sent = request.method == "POST" and "go" in request.POST
    form = forms.verb_form(found, rows[0], request.user)(request.POST if is_sent else None)
    if is_sent and form.is_valid():
        return _act_all(request, desk, found, rows, form)
    return _ask(request, desk, rows, form, found.label)


def _act_all(
    request: HttpRequest, desk: Desk, verb: door.Verb, rows: list[Any], form: Any
) -> HttpResponse:
    said, problems = "", []
    steps: list[dict[str, Any]] = []
    reasons: list[str] = []
    payload = forms.payload(verb, form, rows[0])
    for row in rows:
        try:
            result, back, why_not = undo.act(verb, row, by=request.user, payload=payload)
        except (door.Refused, door.Denied) as problem:
            problems.append(f"{row}：{problem}")
        else:
            said, steps = outcome(verb.label, result), [*steps, *back]
            reasons += [why_not] if why_not else []
    went = len(rows) - len(problems)
    text = f"{went} 条{said}" if went else "一条也没办成"
    text += f"；{len(problems)} 条没办成：{'、'.join(problems[:3])}" if problems else ""
    text += f"；{len(reasons)} 条{reasons[0]}" if reasons else ""
    token = undo.keep(request.session, steps, timezone.now()) if steps else ""
    return done(request, text, f"/{desk.name}/", token)


def _ask(request: HttpRequest, desk: Desk, rows: list[Any], form: Any, title: str) -> HttpResponse:
    context = {"desk": desk, "rows": rows, "form": form, "title": title, "action": request.path}
    is_part = getattr(request, "htmx", False)
    return render(request, "desk/bulk.html" if is_part else "desk/bulk_page.html", context)


@require_POST
@face("r")
def remove_all(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Move the picked rows to the recycle bin, all or none; the toast brings them back."""
    rows = picked(request, desk)
    try:
        with door.acting(by=request.user, action="remove", reason="批量移除") as deed:
            for row in rows:
                deed.remove(row)
    except door.Refused as problem:
        return refused(request, str(problem))
    steps = [{"do": "restore", "record": desk.name, "id": row.pk} for row in rows]
    token = undo.keep(request.session, steps, timezone.now())
    return done(request, f"已移入回收站 {len(rows)} 条", f"/{desk.name}/", token)


@require_POST
@face("r")
def export(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Export the picked rows only."""
    numbers = tuple(row.pk for row in picked(request, desk))
    return redirect(pages.Query(picks=numbers).url(f"/{desk.name}/export"))


def actions(desk: Desk, actor: Any) -> list[dict[str, str]]:
    """What the bar under a list offers for the picked rows."""
    found = []
    for name in desk.bulk_actions:
        verb = door.VERBS.get(f"{desk.name}.{name}")
        if verb is not None and table.may_act(actor, verb.full_name):
            url = f"/{desk.name}/bulk/do/{name}"
            found.append({"label": verb.label, "icon": "move", "url": url, "dialog": "1"})
    found += [
        {"label": label, "icon": "edit", "url": url}
        for label, url, right in desk.bulk_pages
        if table.may_act(actor, right)
    ]
    if table.may_act(actor, "access_log.export"):
        found.append({"label": "导出", "icon": "out", "url": f"/{desk.name}/bulk/export"})
    if not (desk.is_record and table.may(actor, desk.name, "u")):
        return found
    for name in desk.bulk:
        label, url = f"改{columns.label_of(desk.model, name)}", f"/{desk.name}/bulk/set/{name}"
        found.append({"label": label, "icon": "edit", "url": url, "dialog": "1"})
    found.append({"label": "移入回收站", "icon": "x", "url": f"/{desk.name}/bulk/remove"})
    return found
